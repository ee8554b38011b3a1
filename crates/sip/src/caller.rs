//! What an INVITE says of its caller beyond the name: who diverted the call, and whether the caller
//! may use its number.

use rsipstack::sip::{Header, Headers, Uri};

use crate::message;

/// Longest user of a diverting party.
const MAX_USER_CHARS: usize = 128;

/// What is known of a caller's right to its number (STIR/SHAKEN, RFC 8224). The signature itself is
/// not checked here, and nothing is fetched for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Whoever handed us the call checked the signature and found it good.
    Passed,
    /// There is a signature that nobody checked, or that was found bad.
    NotPassed,
}

/// The verdict in the caller's `verstat` parameter (3GPP TS 24.229 section 7.2A.20), else whether there
/// is an `Identity`.
pub(crate) fn verification(headers: &Headers) -> Option<Verification> {
    let addresses = headers.iter().filter_map(|header| match header {
        Header::PAssertedIdentity(value) => Some(value.value()),
        Header::From(value) => Some(value.value()),
        _ => None,
    });
    let mut verdicts = addresses.flat_map(message::list).filter_map(verdict).peekable();
    if verdicts.peek().is_some() {
        let all_passed = verdicts.all(|verdict| verdict == "TN-Validation-Passed");
        return Some(if all_passed { Verification::Passed } else { Verification::NotPassed });
    }
    let signed = headers.iter().any(|header| matches!(header, Header::Identity(_)));
    signed.then_some(Verification::NotPassed)
}

/// `verstat`, if it is one: a carrier that could not check says `No-TN-Validation`.
fn verdict(address: &str) -> Option<&str> {
    let (_, rest) = unquoted(address).split_once(";verstat=")?;
    let verdict = rest.split([';', '>', '@', ' ']).next()?;
    (verdict != "No-TN-Validation").then_some(verdict)
}

/// The user that diverted the call last, without escapes (RFC 5806: the topmost is the newest).
pub(crate) fn diverted_by(headers: &Headers) -> Option<String> {
    let mut diversions = headers.iter().filter_map(|header| match header {
        Header::Diversion(value) => Some(value.value()),
        _ => None,
    });
    let newest = unquoted(diversions.next().and_then(|value| message::list(value).next())?);
    let uri = match newest.split_once('<') {
        Some((_, rest)) => rest.split('>').next()?,
        None => newest.split(';').next()?,
    };
    let user = match uri.strip_prefix("tel:") {
        Some(number) => message::unescaped(number.split(';').next()?),
        None => message::user(&Uri::try_from(uri).ok()?),
    };
    let user: String = user.chars().filter(|c| !c.is_control()).take(MAX_USER_CHARS).collect();
    (!user.is_empty()).then_some(user)
}

/// An address without its quoted display name.
fn unquoted(address: &str) -> &str {
    if address.starts_with('"') { address.rsplit_once('"').map_or("", |(_, rest)| rest) } else { address }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rsipstack::sip::Request;

    use super::*;

    fn headers(lines: &str) -> Headers {
        Request::try_from(format!("INVITE sip:a@b SIP/2.0\r\n{lines}\r\n").as_str()).unwrap().headers
    }

    #[test]
    fn whoever_diverted_a_call_last_is_named() {
        let named = |lines: &str| diverted_by(&headers(lines));
        let two = "Diversion: \"A, \\\"<b>\" <sip:%2B1415@c.example>;reason=no-answer, <sip:d@e>\r\nDiversion: <sip:f@g>\r\n";
        assert_eq!(named(two).as_deref(), Some("+1415"));
        assert_eq!(named("Diversion: <tel:+1416;x=y>;reason=unknown\r\n").as_deref(), Some("+1416"));
        assert_eq!(named("Diversion: sip:h@i;reason=unknown\r\n").as_deref(), Some("h"));
        for nobody in
            ["", "Diversion: \r\n", "Diversion: <sip:j.example>\r\n", "Diversion: \"\r\n", "Diversion: <\r\n"]
        {
            assert_eq!(named(nobody), None, "{nobody}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_header_says_nothing_breaks(text in r#"[<>";,:=@%\\ a-z\u{e9}]{0,40}"#) {
            let headers = Headers::from(vec![
                Header::Diversion(text.clone().into()),
                Header::PAssertedIdentity(text.clone().into()),
                Header::Identity(text.into()),
            ]);
            prop_assert!(diverted_by(&headers).is_none_or(|user| !user.is_empty() && user.len() <= 160));
            prop_assert!(verification(&headers).is_some());
        }
    }

    #[test]
    fn a_caller_is_verified_if_its_carrier_says_so() {
        let verified = |lines: &str| verification(&headers(lines));
        let asserted = |verdict: &str| {
            verified(&format!(
                "P-Asserted-Identity: \"x\" <sip:+1415;verstat={verdict}@c>\r\nIdentity: a.b.c\r\n"
            ))
        };
        assert_eq!(asserted("TN-Validation-Passed"), Some(Verification::Passed));
        assert_eq!(asserted("TN-Validation-Failed"), Some(Verification::NotPassed));
        assert_eq!(asserted("No-TN-Validation"), Some(Verification::NotPassed));
        assert_eq!(
            verified("From: <sip:+1;verstat=TN-Validation-Passed@c>;tag=1\r\n"),
            Some(Verification::Passed)
        );
        assert_eq!(verified("Identity: \u{e9};\r\n"), Some(Verification::NotPassed));
        assert_eq!(verified("From: \";verstat=TN-Validation-Passed\" <sip:+1@c>;tag=1\r\n"), None);
        assert_eq!(verified("P-Asserted-Identity: <sip:+1@c>\r\n"), None);
    }
}
