//! What a REGISTER says, and what it is answered.

use std::time::{Duration, Instant};

use rsipstack::sip::{Header, HeadersExt, Request, StatusCode};

use crate::location::{Binding, Expiry, Flow, Wish};
use crate::message;
use crate::place;

/// Contacts that one request may name.
const MAX_CONTACTS: usize = 10;
/// How long a registration is if it does not say.
const DEFAULT_EXPIRY: Duration = Duration::from_hours(1);
/// Longest texts that are kept of a phone: its name and its instance.
const MAX_TEXT_CHARS: usize = 128;
/// Proxies that may lie before a phone.
const MAX_PATH: usize = 4;
/// What a request may require of us.
const EXTENSIONS: [&str; 2] = ["path", "outbound"];

/// How a REGISTER is refused.
pub(crate) type Refusal = (StatusCode, Vec<Header>);

/// What `request`, which came by `flow`, asks for.
pub(crate) fn wish(request: &Request, flow: &Flow, expiry: Expiry, now: Instant) -> Result<Wish, Refusal> {
    let bad = || (StatusCode::BadRequest, vec![]);
    check_required(request)?;
    let stated = expires(request)?;
    let lines = request.headers.iter().filter_map(|header| match header {
        Header::Contact(value) => Some(value.value()),
        _ => None,
    });
    let contacts: Vec<_> = lines.flat_map(values).collect();
    match contacts[..] {
        [] => return Ok(Wish::Nothing),
        ["*"] if stated == Some(Duration::ZERO) => return Ok(Wish::RemoveAll),
        _ if contacts.len() > MAX_CONTACTS || contacts.contains(&"*") => return Err(bad()),
        _ => {}
    }
    let path = path(request).ok_or_else(bad)?;
    let call_id = request.call_id_header().map_err(|_| bad())?.value().to_owned();
    let bind = |text: &&str| {
        let Address { uri, parameters } = Address::read(text).ok_or_else(bad)?;
        place::uri(uri).map_err(|_| bad())?;
        let value = |name: &str| parameter(&parameters, name);
        let asked = match value("expires") {
            Some(seconds) => Duration::from_secs(seconds.parse::<u32>().map_err(|_| bad())?.into()),
            None => stated.unwrap_or(DEFAULT_EXPIRY),
        };
        if !asked.is_zero() && asked < expiry.min {
            let min = Header::MinExpires(expiry.min.as_secs().to_string().into());
            return Err((StatusCode::IntervalTooBrief, vec![min]));
        }
        let instance = value("+sip.instance").map(shortened);
        Ok(Binding {
            contact: uri.to_owned(),
            preference: preference(value("q")).ok_or_else(bad)?,
            path: path.clone(),
            flow: flow.clone(),
            user_agent: message::user_agent(request).map(shortened).unwrap_or_default(),
            instance: instance.zip(value("reg-id").and_then(|id| id.parse().ok())),
            call_id: call_id.clone(),
            sequence: message::cseq(request),
            expires_at: now + asked.min(expiry.max),
        })
    };
    Ok(Wish::Bind(contacts.iter().map(bind).collect::<Result<_, _>>()?))
}

/// The headers of a 200: all contacts that there are now.
pub(crate) fn headers(request: &Request, bindings: &[Binding], now: Instant) -> Vec<Header> {
    let contact = |binding: &Binding| {
        let seconds = binding.expires_at.saturating_duration_since(now).as_secs_f64().ceil();
        let instance = binding.instance.as_ref();
        let instance = instance.map(|(id, number)| format!(";+sip.instance=\"{id}\";reg-id={number}"));
        let instance = instance.unwrap_or_default();
        Header::Contact(format!("<{}>;expires={seconds}{instance}", binding.contact).into())
    };
    let path = request.headers.iter().filter(|header| matches!(header, Header::Path(_))).take(MAX_PATH);
    bindings.iter().map(contact).chain(path.cloned()).collect()
}

fn check_required(request: &Request) -> Result<(), Refusal> {
    let required = request.headers.iter().filter_map(|header| match header {
        Header::Require(value) => Some(value.value()),
        _ => None,
    });
    let required = required.flat_map(|value| value.split(',')).map(str::trim);
    let unknown: Vec<_> =
        required.filter(|option| !EXTENSIONS.iter().any(|own| own.eq_ignore_ascii_case(option))).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err((StatusCode::BadExtension, vec![Header::Unsupported(unknown.join(", ").into())]))
}

fn expires(request: &Request) -> Result<Option<Duration>, Refusal> {
    let stated = request.headers.iter().find_map(|header| match header {
        Header::Expires(value) => Some(value.value().trim().parse::<u32>()),
        _ => None,
    });
    let seconds = stated.transpose().map_err(|_| (StatusCode::BadRequest, vec![]))?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}

/// The proxies of the Path headers, if they can be written into a Route.
fn path(request: &Request) -> Option<Vec<String>> {
    let lines = request.headers.iter().filter_map(|header| match header {
        Header::Path(value) => Some(value.value()),
        _ => None,
    });
    let path: Vec<_> = lines.flat_map(values).map(|text| Some(Address::read(text)?.uri.to_owned())).collect();
    let path: Vec<_> = path.into_iter().collect::<Option<_>>()?;
    (path.len() <= MAX_PATH && path.iter().all(|uri| place::uri(uri).is_ok())).then_some(path)
}

/// `q` in thousandths.
fn preference(text: Option<&str>) -> Option<u16> {
    let Some(text) = text else { return Some(1000) };
    let value: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&value).then(|| (value * 1000.0).round() as u16)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '"').take(MAX_TEXT_CHARS).collect()
}

/// The values of a header line, which commas part that stand neither in quotes nor in brackets.
fn values(line: &str) -> Vec<&str> {
    let (mut values, mut begin, mut quoted, mut bracketed) = (Vec::new(), 0, false, false);
    for (index, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' if !quoted && !bracketed => {
                values.push(line[begin..index].trim());
                begin = index + 1;
            }
            _ => {}
        }
    }
    values.push(line[begin..].trim());
    values
}

/// A URI with the parameters of its header.
struct Address<'a> {
    uri: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let quoted_end = match text.strip_prefix('"') {
            Some(quoted) => quoted.find('"')? + 2,
            None => 0,
        };
        let (uri, rest) = match text[quoted_end..].find('<') {
            Some(begin) => text[quoted_end + begin + 1..].split_once('>')?,
            None => text.find(';').map_or((text, ""), |end| text.split_at(end)),
        };
        let named = rest.split(';').map(|one| one.split_once('=').unwrap_or((one, "")));
        let parameters = named.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect();
        Some(Self { uri: uri.trim(), parameters })
    }
}

fn parameter<'a>(parameters: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;
    use crate::digest::tests::now;

    const EXPIRY: Expiry = Expiry { min: Duration::from_mins(1), max: Duration::from_hours(1) };

    fn request(lines: &str) -> Request {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nCall-ID: c\r\nCSeq: 7 REGISTER\r\nUser-Agent: ph\u{7}one\r\n{lines}\r\n"
        );
        let SipMessage::Request(request) = SipMessage::try_from(text.as_str()).unwrap() else { panic!() };
        request
    }

    fn read(lines: &str, now: Instant) -> Result<Wish, StatusCode> {
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into());
        wish(&request(lines), &flow, EXPIRY, now).map_err(|(status, _)| status)
    }

    fn bound(lines: &str, now: Instant) -> Vec<Binding> {
        let Ok(Wish::Bind(bindings)) = read(lines, now) else { panic!("{lines}") };
        bindings
    }

    #[test]
    fn contacts_are_read_as_phones_write_them() {
        let now = now();
        let lines = "Contact: \"Al, <1>\" <sip:al@192.0.2.1:5062;ob>;q=0.5;expires=120, sip:al@h;expires=99999\r\n\
                     m: <sip:x@y.invalid;transport=ws>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\nExpires: 600\r\n";
        let found = bound(lines, now);
        let told: Vec<_> =
            found.iter().map(|one| (one.contact.as_str(), one.preference, one.expires_at - now)).collect();
        let seconds = Duration::from_secs;
        let expected = [
            ("sip:al@192.0.2.1:5062;ob", 500, seconds(120)),
            ("sip:al@h", 1000, seconds(3600)),
            ("sip:x@y.invalid;transport=ws", 1000, seconds(600)),
        ];
        assert_eq!(told, expected);
        assert_eq!(found[2].instance, Some(("<urn:uuid:1>".into(), 1)));
        assert_eq!((found[0].user_agent.as_str(), found[0].sequence), ("phone", 7));
        let answer = headers(&request(""), &found[2..], now);
        let contact = "<sip:x@y.invalid;transport=ws>;expires=600;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
        assert_eq!(answer[0].value(), contact);
    }

    #[test]
    fn a_request_without_contacts_asks_and_one_with_a_star_removes() {
        let now = now();
        assert!(matches!(read("", now), Ok(Wish::Nothing)));
        assert!(matches!(read("Contact: *\r\nExpires: 0\r\n", now), Ok(Wish::RemoveAll)));
        for lines in
            ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n", "Contact: *, <sip:a@h>\r\nExpires: 0\r\n"]
        {
            assert_eq!(read(lines, now).unwrap_err(), StatusCode::BadRequest, "{lines}");
        }
    }

    #[test]
    fn a_contact_that_could_not_be_called_is_refused() {
        let now = now();
        for contact in ["tel:1", "<sip:a@h", "<sip:a@good@evil>", "<sip:a@h?Route=x>", "", "<sip:a@h>;q=2"] {
            let lines = format!("Contact: {contact}\r\n");
            assert_eq!(read(&lines, now).unwrap_err(), StatusCode::BadRequest, "{contact}");
        }
        let many = format!("Contact: {}\r\n", ["<sip:a@h>"; MAX_CONTACTS + 1].join(","));
        assert_eq!(read(&many, now).unwrap_err(), StatusCode::BadRequest);
        assert_eq!(read("Contact: <sip:a@h>\r\nExpires: -1\r\n", now).unwrap_err(), StatusCode::BadRequest);
    }

    #[test]
    fn who_comes_too_often_is_told_how_often_to_come() {
        let brief = request("Contact: <sip:a@h>;expires=59\r\n");
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into());
        let (status, headers) = wish(&brief, &flow, EXPIRY, now()).unwrap_err();
        assert_eq!(status, StatusCode::IntervalTooBrief);
        assert_eq!(headers[0].to_string(), "Min-Expires: 60");
        assert_eq!(bound("Contact: <sip:a@h>;expires=0\r\n", now()).len(), 1);
    }

    #[test]
    fn the_way_over_proxies_is_kept() {
        let lines =
            "Contact: <sip:a@h>\r\nPath: <sip:p1.example;lr>, <sip:p2.example;lr>\r\nRequire: path\r\n";
        let now = now();
        assert_eq!(bound(lines, now)[0].path, ["sip:p1.example;lr", "sip:p2.example;lr"]);
        let answer = headers(&request(lines), &[], now);
        assert_eq!(answer[0].to_string(), "Path: <sip:p1.example;lr>, <sip:p2.example;lr>");
        let long = format!("{lines}Path: {}\r\n", ["<sip:p@h>"; 4].join(","));
        assert_eq!(read(&long, now).unwrap_err(), StatusCode::BadRequest);
        assert_eq!(read("Require: outbound, gruu\r\n", now).unwrap_err(), StatusCode::BadExtension);
    }
}
