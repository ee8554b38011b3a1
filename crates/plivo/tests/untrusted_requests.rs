//! Whatever comes as a request, it is answered, and what is let through
//! cannot end a line of SIP.

use mixminus_plivo::rest::{AddParticipant, Arguments, CallList, MakeCall, Party};
use mixminus_plivo::xml::{self, Element, Limits};
use proptest::prelude::*;

/// Texts that are almost right, with what an attacker would add.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("sip:bob@phone.example".to_owned()),
        Just("+14157654321".to_owned()),
        Just("k=v,".to_owned()),
        Just("<".to_owned()),
        Just("\r\n".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\"<>,;=?%0d%0a".to_owned()),
        Just("1w#".to_owned()),
        "[ -~]{0,8}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn are_lines(headers: &[(String, String)]) -> bool {
    headers.iter().all(|(name, value)| is_line(name) && is_line(value))
}

proptest! {
    #[test]
    fn no_header_of_an_added_call_holds_a_line_end(
        to in text(), from in text(), caller_name in text(), sip_headers in text(), call_uuid in text()
    ) {
        let body = serde_json::json!({
            "role": "agent", "from": from, "to": to, "caller_name": caller_name,
            "sip_headers": sip_headers, "answer_url": "http://h/",
        });
        let read = |body: &serde_json::Value| Arguments::from_body(None, body.to_string().as_bytes()).unwrap();
        if let Ok(AddParticipant { party: Party::Called(call), .. }) =
            AddParticipant::parse(&read(&body), "room", &Limits::default())
        {
            prop_assert!(is_line(&call.from) && is_line(&call.caller_name) && are_lines(&call.sip_headers));
            prop_assert!(call.attempts.iter().all(|attempt| is_line(attempt.to.as_str())));
        }
        if let Ok(call) = MakeCall::parse(&read(&body)) {
            prop_assert!(is_line(&call.from) && are_lines(&call.sip_headers));
            prop_assert!(call.to.iter().all(|to| is_line(to.as_str())));
        }
        let existing = serde_json::json!({"role": "agent", "call_uuid": call_uuid});
        if let Ok(AddParticipant { party: Party::Existing { call_uuid }, .. }) =
            AddParticipant::parse(&read(&existing), "room", &Limits::default())
        {
            prop_assert!(is_line(&call_uuid));
        }
    }

    #[test]
    fn no_header_of_a_dialled_call_holds_a_line_end(to in text(), name in text(), headers in text()) {
        let escape = |text: &str| {
            text.chars().map(|letter| ["&#", &u32::from(letter).to_string(), ";"].concat()).collect::<String>()
        };
        let document = format!(
            "<Response><Dial callerName='{}' sipHeaders='{}'><User>{}</User></Dial></Response>",
            escape(&name), escape(&headers), escape(&to),
        );
        let base = "http://h/".parse().unwrap();
        if let Ok(document) = xml::parse(document.as_bytes(), &base, &Limits::default()) {
            let [Element::Dial(dial)] = &document.elements[..] else { panic!("{document:?}") };
            prop_assert!(dial.caller_name.as_deref().is_none_or(is_line) && are_lines(&dial.sip_headers));
            prop_assert!(dial.parties.iter().all(|party| is_line(party.to.as_str())));
        }
    }

    #[test]
    fn any_query_is_answered(query in "[a-z_]{0,20}=[ -~]{0,40}(&status=live)?") {
        let arguments = Arguments::from_form(query.as_bytes());
        let _answered = CallList::parse(&arguments).is_ok();
    }
}
