//! Whatever comes as a request, it is answered, and what is let through
//! cannot end a line of SIP.

use mixminus_plivo::rest::{AddParticipant, Arguments, CallList, MakeCall, Party};
use mixminus_plivo::xml::{self, Element, Limits};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

const PIECES: [&str; 12] = ["\r\n", "\n", "\r", "\0", "\u{85}", "\t", "%0d%0a", "\"", "?", "<", ",", "é"];

/// `seed` with up to two things put in that an attacker would try.
fn spoilt(seed: &'static str) -> impl Strategy<Value = String> {
    vec((any::<Index>(), select(&PIECES[..])), 0..3).prop_map(move |insertions| {
        let mut letters: Vec<String> = seed.chars().map(String::from).collect();
        for (index, piece) in insertions {
            letters.insert(index.index(letters.len() + 1), piece.to_owned());
        }
        letters.concat()
    })
}

/// One parameter of a request for a call, spoilt.
fn parameter() -> impl Strategy<Value = (&'static str, String)> {
    let seeds = [
        ("to", "sip:bob@phone.example"),
        ("to", "+14157654321"),
        ("from", "sip:ann@h"),
        ("from", "+14151234567"),
        ("caller_name", "Ann"),
        ("sip_headers", "k=v,k2=v2"),
    ];
    select(seeds.to_vec()).prop_flat_map(|(name, seed)| (Just(name), spoilt(seed)))
}

fn read(body: &Value) -> Arguments {
    Arguments::from_body(None, body.to_string().as_bytes()).expect("it is an object")
}

/// Whether `text` may stand in a SIP header: no line ends in it, as it is or when unescaped.
fn is_line(text: &str) -> bool {
    let escapes = ["%0d", "%0a", "%00"];
    !text.chars().any(char::is_control) && !escapes.iter().any(|escape| text.contains(escape))
}

fn are_lines(headers: &[(String, String)]) -> bool {
    headers.iter().all(|(name, value)| [name, value].iter().all(|text| !text.chars().any(char::is_control)))
}

proptest! {
    #[test]
    fn no_header_of_a_requested_call_holds_a_line_end((name, text) in parameter()) {
        let mut body = json!({"role": "agent", "from": "1", "to": "2", "answer_url": "http://h/"});
        body[name] = json!(text);
        let added = AddParticipant::parse(&read(&body), "room", &Limits::default());
        if let Ok(AddParticipant { party: Party::Called(call), .. }) = added {
            prop_assert!(is_line(&call.from) && are_lines(&call.sip_headers));
            prop_assert!(!call.caller_name.chars().any(char::is_control));
            prop_assert!(call.attempts.iter().all(|attempt| is_line(attempt.to.as_str())));
        }
        if let Ok(call) = MakeCall::parse(&read(&body)) {
            prop_assert!(is_line(&call.from) && are_lines(&call.sip_headers));
            prop_assert!(!call.caller_name.unwrap_or_default().chars().any(char::is_control));
            prop_assert!(call.to.iter().all(|to| is_line(to.as_str())));
        }
    }

    #[test]
    fn no_header_of_a_dialled_call_holds_a_line_end(
        to in spoilt("sip:bob@h"), name in spoilt("Ann"), headers in spoilt("k=v")
    ) {
        let escape = |text: &str| {
            text.chars().map(|letter| ["&#", &u32::from(letter).to_string(), ";"].concat()).collect::<String>()
        };
        for [to, name, headers] in [[&*to, "Ann", "k=v"], ["sip:b@h", &*name, "k=v"], ["sip:b@h", "Ann", &*headers]] {
            let document = format!(
                "<Response><Dial callerName='{}' sipHeaders='{}'><User>{}</User></Dial></Response>",
                escape(name), escape(headers), escape(to),
            );
            let base = "http://h/".parse().expect("it is a URL");
            let Ok(document) = xml::parse(document.as_bytes(), &base, &Limits::default()) else { continue };
            let [Element::Dial(dial)] = &document.elements[..] else { panic!("{document:?}") };
            let name = dial.caller_name.as_deref().unwrap_or_default();
            prop_assert!(!name.chars().any(char::is_control) && are_lines(&dial.sip_headers));
            prop_assert!(dial.parties.iter().all(|party| is_line(party.to.as_str())));
        }
    }

    #[test]
    fn any_query_is_answered(query in "[a-z_]{0,20}=[ -~]{0,40}(&status=live)?") {
        let _answered = CallList::parse(&Arguments::from_form(query.as_bytes())).is_ok();
    }
}
