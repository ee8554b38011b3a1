//! Custom SIP headers as a customer writes them, `k=v,k2=v2`.

/// The most headers of one request.
pub const MAX_SIP_HEADERS: usize = 32;
/// The longest name.
pub const MAX_SIP_HEADER_NAME_BYTES: usize = 64;
/// The longest value.
pub const MAX_SIP_HEADER_VALUE_BYTES: usize = 512;

/// Names that begin so are dropped in silence; they would pass for the service's own.
const RESERVED_PREFIXES: [&str; 6] = ["PH-", "Plivo", "FS-", "SipAuth", "ZT-", "Twilio"];
const RESERVED_NAME: &str = "ClientRegion";

/// Names, without the `X-PH-` that goes before them on the wire, and values.
pub type SipHeaders = Vec<(String, String)>;

/// Reads `k=v,k2=v2`, with or without a comma at the end; none if a name is no
/// token, if there is a control character, or if there is too much of anything.
pub(crate) fn parse(text: &str) -> Option<SipHeaders> {
    // Before anything is trimmed: the characters that end a line count as blanks.
    if text.chars().any(char::is_control) {
        return None;
    }
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let headers: Vec<_> = parts.map(header).collect::<Option<_>>()?;
    (headers.len() <= MAX_SIP_HEADERS)
        .then(|| headers.into_iter().filter(|(name, _)| !is_reserved(name)).collect())
}

fn header(part: &str) -> Option<(String, String)> {
    let (name, value) = part.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let name = without_prefix(name, "X-PH-").unwrap_or(name);
    let is_name = (1..=MAX_SIP_HEADER_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let is_value = value.len() <= MAX_SIP_HEADER_VALUE_BYTES;
    (is_name && is_value).then(|| (name.to_owned(), value.to_owned()))
}

fn is_reserved(name: &str) -> bool {
    name.eq_ignore_ascii_case(RESERVED_NAME)
        || RESERVED_PREFIXES.iter().any(|prefix| without_prefix(name, prefix).is_some())
}

/// What follows `prefix` in any letter case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn headers_are_read_with_and_without_a_last_comma() {
        let headers = vec![pair("Order", "7"), pair("Name", "a=b c")];
        assert_eq!(parse("Order=7,Name=a=b c"), Some(headers.clone()));
        assert_eq!(parse(" X-PH-Order = 7 , name=,"), Some(vec![pair("Order", "7"), pair("name", "")]));
        assert_eq!(parse("Order=7,Name=a=b c,"), Some(headers));
    }

    #[test]
    fn reserved_names_are_dropped() {
        let text = "PH-a=1,plivo-x=1,FS-b=1,SipAuthUser=1,zt-c=1,TwilioSid=1,clientregion=1,ClientRegionX=2";
        assert_eq!(parse(text), Some(vec![pair("ClientRegionX", "2")]));
    }

    #[test]
    fn a_header_cannot_bring_another_one_along() {
        for text in ["a=1\r\nVia: x", "a\r\nb=1", "a=\u{0}", "a b=1", "a:b=1", "é=1", "a", "=1", "a=\u{85}"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&format!("{}=1", "a".repeat(MAX_SIP_HEADER_NAME_BYTES + 1))), None);
        assert_eq!(parse(&format!("a={}", "1".repeat(MAX_SIP_HEADER_VALUE_BYTES + 1))), None);
        assert_eq!(parse(&"a=1,".repeat(MAX_SIP_HEADERS + 1)), None);
    }
}
