//! The gate in front of the SIP stack: on UDP as a socket, on connections behind [`crate::flow`].
//!
//! The stack drops what it cannot read, keeps state for whatever it can, and loses the body of a
//! request without Content-Length. The gate answers malformed requests and those of strangers
//! itself, without keeping anything, and passes on only what the stack will understand.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rsipstack::platform::net::UdpSocket as StackSocket;
use rsipstack::sip::{HeadersExt, Method, SipMessage, ToTypedHeader};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use tokio::net::UdpSocket;
use tracing::debug;

use crate::door::Door;
use crate::switch::Switch;
use crate::unfold::unfold;

/// A UDP socket whose receiving side is the gate.
pub(crate) struct Gate {
    pub(crate) socket: Arc<UdpSocket>,
    /// All UDP sockets. The stack sends every request by one of them, whatever the peer's family.
    pub(crate) all: Arc<[Arc<UdpSocket>]>,
    pub(crate) door: Arc<Door>,
    pub(crate) switch: Arc<Switch>,
}

impl Gate {
    fn socket_to(&self, target: SocketAddr) -> &UdpSocket {
        let same = |socket: &&Arc<UdpSocket>| {
            socket.local_addr().is_ok_and(|local| local.is_ipv4() == target.is_ipv4())
        };
        std::iter::once(&self.socket).chain(self.all.iter()).find(same).unwrap_or(&self.socket)
    }
}

#[async_trait]
impl StackSocket for Gate {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (length, source) = self.socket.recv_from(buffer).await?;
            // A datagram that fills the buffer was longer.
            let verdict = if length == buffer.len() {
                refuse(buffer, TOO_LARGE)
            } else {
                self.door.inspect(buffer, length, source.ip())
            };
            match verdict {
                Verdict::Pass(length) => return Ok((length, source)),
                Verdict::Answer(response) => {
                    let sent = self.socket.send_to(&response, source).await;
                    debug!(%source, sent = sent.is_ok(), "refused a datagram");
                }
                Verdict::Drop => debug!(%source, length, "dropped a datagram"),
            }
        }
    }

    async fn send_to(&self, datagram: &[u8], target: SocketAddr) -> rsipstack::Result<usize> {
        if self.switch.takes(datagram, target).await {
            return Ok(datagram.len());
        }
        Ok(self.socket_to(target).send_to(datagram, target).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

/// What becomes of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The stack gets this many bytes of the buffer.
    Pass(usize),
    /// The sender gets this response.
    Answer(Vec<u8>),
    /// Not SIP, or nothing that an answer is due to.
    Drop,
}

/// A status line after `SIP/2.0`.
pub(crate) type Refusal = &'static str;

pub(crate) const BAD_REQUEST: Refusal = "400 Bad Request";
const FORBIDDEN: Refusal = "403 Forbidden";
const UNSUPPORTED_SCHEME: Refusal = "416 Unsupported URI Scheme";
const NOT_IMPLEMENTED: Refusal = "501 Not Implemented";
const VERSION_NOT_SUPPORTED: Refusal = "505 Version Not Supported";
pub(crate) const TOO_LARGE: Refusal = "513 Message Too Large";

/// Refuses a request unseen, even a part of one, with a status line after `SIP/2.0` and maybe headers.
pub(crate) fn refuse(request: &[u8], refusal: &str) -> Verdict {
    Head::read(&String::from_utf8_lossy(request)).map_or(Verdict::Drop, |head| head.answer(refusal))
}

/// Judges the message in `buffer[..length]`, from a source that is `allowed` or not, and mends its
/// length: bytes after the body are cut off and a missing Content-Length is added.
pub(crate) fn inspect(buffer: &mut [u8], length: usize, allowed: bool) -> Verdict {
    let datagram = &buffer[..length];
    if datagram.iter().all(u8::is_ascii_whitespace) {
        return Verdict::Pass(length); // keep-alive
    }
    if datagram.starts_with(b"SIP/") {
        return if is_response(datagram) { Verdict::Pass(length) } else { Verdict::Drop };
    }
    let length = head_length(datagram).map_or(length, |head| unfold(buffer, head, length));
    let datagram = &buffer[..length];
    let text = String::from_utf8_lossy(datagram);
    let Some(head) = Head::read(&text) else { return Verdict::Drop };
    let judged = if allowed { head.judge(datagram) } else { Err(FORBIDDEN) };
    match judged {
        Ok(Length { head: end, body, stated: true }) => Verdict::Pass(end + body),
        Ok(Length { head: end, body, stated: false }) => {
            let line = format!("Content-Length: {body}\r\n");
            let Some(total) = Some(length + line.len()).filter(|total| *total <= buffer.len()) else {
                return head.answer(BAD_REQUEST);
            };
            let at = end - 2;
            drop(text);
            buffer.copy_within(at..length, at + line.len());
            buffer[at..at + line.len()].copy_from_slice(line.as_bytes());
            Verdict::Pass(total)
        }
        Err(refusal) => head.answer(refusal),
    }
}

fn is_response(datagram: &[u8]) -> bool {
    let Ok(SipMessage::Response(response)) = SipMessage::try_from(datagram) else { return false };
    TransactionKey::from_response(&response, TransactionRole::Client).is_ok()
}

/// Length of request line or status line and headers, with the empty line after them.
pub(crate) fn head_length(message: &[u8]) -> Option<usize> {
    Some(message.windows(4).position(|window| window == b"\r\n\r\n")? + 4)
}

/// The length of the body by the headers of a message, unless they do not say or disagree.
pub(crate) fn stated_length(head: &str) -> Option<usize> {
    let fields = fields(head.split("\r\n").skip(1));
    let mut lengths = fields.iter().filter(|(name, _)| *name == "Content-Length").map(|(_, value)| value);
    let length = lengths.next()?;
    let body = length.parse::<u32>().ok().filter(|_| lengths.all(|other| other == length))?;
    usize::try_from(body).ok()
}

/// Where the body begins, how long it is, and whether the datagram says so.
struct Length {
    head: usize,
    body: usize,
    stated: bool,
}

/// Full name and value of a header.
type Field<'a> = (&'static str, Cow<'a, str>);

/// The request line and headers of a datagram that means to be a SIP request.
struct Head<'a> {
    method: &'a str,
    target: &'a str,
    version: &'a str,
    fields: Vec<Field<'a>>,
}

impl<'a> Head<'a> {
    /// `None` when the first line does not end like that of a request.
    fn read(text: &'a str) -> Option<Self> {
        let end = text.find("\r\n\r\n").unwrap_or(text.len());
        let mut lines = text[..end].split("\r\n");
        let mut words = lines.next()?.trim_end_matches(' ').splitn(2, ' ');
        let (method, rest) = (words.next()?, words.next()?);
        let (target, version) = rest.rsplit_once(' ')?;
        if method.is_empty() || !version.starts_with("SIP/") {
            return None;
        }
        Some(Self { method, target, version, fields: fields(lines) })
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| *field == name).map(|(_, value)| value.as_ref())
    }

    /// The body's length, or why the request is refused.
    fn judge(&self, datagram: &[u8]) -> Result<Length, Refusal> {
        if self.version != "SIP/2.0" {
            return Err(VERSION_NOT_SUPPORTED);
        }
        // The stack reads methods in any case, and so would answer `invite` too.
        if !self.method.parse::<Method>().is_ok_and(|method| method.to_string() == self.method) {
            return Err(NOT_IMPLEMENTED);
        }
        let end = head_length(datagram).ok_or(BAD_REQUEST)?;
        if std::str::from_utf8(&datagram[..end]).is_err() || self.target.contains(char::is_whitespace) {
            return Err(BAD_REQUEST);
        }
        if !self.targets_sip()? {
            return Err(UNSUPPORTED_SCHEME);
        }
        let once = |name| self.all(name).count() == 1;
        if !["From", "To", "Call-ID", "CSeq"].into_iter().all(once) || !self.counts_its_method() {
            return Err(BAD_REQUEST);
        }
        if !is_understood(datagram) || !self.is_whole() {
            return Err(BAD_REQUEST);
        }
        let available = datagram.len() - end;
        let mut lengths = self.all("Content-Length").map(|value| value.parse::<u32>().ok());
        match lengths.next() {
            None => Ok(Length { head: end, body: available, stated: false }),
            Some(Some(body)) if body as usize <= available && lengths.all(|other| other == Some(body)) => {
                Ok(Length { head: end, body: body as usize, stated: true })
            }
            Some(_) => Err(BAD_REQUEST),
        }
    }

    /// Whether the target is of a scheme that the stack can read. It must not carry headers, which would
    /// be another request than its sender signed (RFC 3261 section 19.1.5).
    fn targets_sip(&self) -> Result<bool, Refusal> {
        let (scheme, rest) = self.target.split_once(':').ok_or(BAD_REQUEST)?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        // An address of IPv6 without brackets could be read in several ways (RFC 5118 section 4.2).
        let colons = host.split(';').next().unwrap_or_default().matches(':').count();
        let is_clear = host.starts_with('[') || colons <= 1;
        if scheme.is_empty() || !scheme.bytes().all(named) || host.contains('?') || !is_clear {
            return Err(BAD_REQUEST);
        }
        Ok(["sip", "sips", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
    }

    /// Whether quotes end, and separators separate: the stack takes either as it comes.
    fn is_whole(&self) -> bool {
        let quotes = |value: &str| value.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        let parts = |value: &str| value.split([';', ',']).all(|part| !part.trim().is_empty());
        self.all("From").chain(self.all("To")).all(|value| quotes(value) % 2 == 0)
            && self.all("Via").all(parts)
    }

    /// Whether CSeq names the method of the request line and a number below 2^31.
    fn counts_its_method(&self) -> bool {
        let mut words = self.all("CSeq").flat_map(str::split_ascii_whitespace);
        let number = words.next().and_then(|word| word.parse::<u32>().ok());
        number.is_some_and(|number| number < 1 << 31) && words.next() == Some(self.method)
    }

    /// The response, if there is somebody to send it to: no Via, no transaction; ACK has no answer.
    fn answer(&self, refusal: &str) -> Verdict {
        if self.method == "ACK" || self.all("Via").next().is_none() {
            return Verdict::Drop;
        }
        let mut lines = vec![format!("SIP/2.0 {refusal}")];
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "Content-Length") {
            let tag = if *name == "To" && !value.contains("tag=") { self.tag() } else { String::new() };
            lines.push(format!("{name}: {value}{tag}"));
        }
        lines.push("Content-Length: 0\r\n\r\n".to_owned());
        Verdict::Answer(lines.join("\r\n").into_bytes())
    }

    /// The same To tag for every retransmission (RFC 3261 section 8.2.7).
    fn tag(&self) -> String {
        format!(";tag={}", stateless_tag(self.fields.iter().map(|(_, value)| value.as_ref())))
    }
}

/// The headers that [`known`] knows, unfolded.
fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Field<'a>> {
    let mut fields: Vec<Field> = Vec::new();
    let mut folded = None;
    for line in lines {
        if line.starts_with([' ', '\t']) {
            if let Some(index) = folded {
                let (_, value): &mut Field = &mut fields[index];
                *value = format!("{value}{line}").trim().to_owned().into();
            }
            continue;
        }
        folded = None;
        if let Some((name, value)) = line.split_once(':')
            && let Some(name) = known(name.trim())
        {
            folded = Some(fields.len());
            fields.push((name, Cow::Borrowed(value.trim())));
        }
    }
    fields
}

/// A To tag that only depends on `parts`, for responses that leave no state behind.
pub(crate) fn stateless_tag<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = DefaultHasher::new();
    parts.for_each(|part| part.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

/// The full name of a header that a response copies or that frames the body.
fn known(name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 6] = [
        ("Via", "v"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("CSeq", "CSeq"),
        ("Content-Length", "l"),
    ];
    let same =
        |(long, short): &&(&str, &str)| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short);
    NAMES.iter().find(same).map(|(long, _)| *long)
}

/// Whether the stack can make a transaction of the request.
fn is_understood(datagram: &[u8]) -> bool {
    let Ok(SipMessage::Request(request)) = SipMessage::try_from(datagram) else { return false };
    let addressed = request.to_header().is_ok_and(|to| to.typed().is_ok());
    addressed && TransactionKey::from_request(&request, TransactionRole::Server).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
        f: <sip:b@127.0.0.1>;tag=1\r\nt: <sip:a@127.0.0.1>\r\ni: 1@x\r\nCSeq: 1 OPTIONS\r\n";

    fn judge(datagram: &str) -> (Verdict, Vec<u8>) {
        let mut buffer = vec![0; 8192];
        buffer[..datagram.len()].copy_from_slice(datagram.as_bytes());
        (inspect(&mut buffer, datagram.len(), true), buffer)
    }

    fn status(datagram: &str) -> Option<String> {
        match judge(datagram).0 {
            Verdict::Answer(bytes) => Some(String::from_utf8(bytes[8..11].to_vec()).unwrap()),
            Verdict::Pass(_) => Some("pass".into()),
            Verdict::Drop => None,
        }
    }

    #[test]
    fn a_request_without_content_length_gets_one() {
        let (verdict, buffer) = judge(&format!("{OPTIONS}\r\nv=0"));
        let mended = format!("{OPTIONS}Content-Length: 3\r\n\r\nv=0");
        assert_eq!(verdict, Verdict::Pass(mended.len()));
        assert_eq!(buffer[..mended.len()], *mended.as_bytes());
    }

    #[test]
    fn bytes_after_the_body_are_cut_off() {
        let whole = format!("{OPTIONS}l: 3\r\n\r\nv=0");
        assert_eq!(judge(&format!("{whole}more")).0, Verdict::Pass(whole.len()));
    }

    #[test]
    fn a_wrong_content_length_is_a_bad_request() {
        for lines in ["l: 4", "l: -1", "l: x", "l: 99999999999", "l: 3\r\nContent-Length: 2"] {
            assert_eq!(status(&format!("{OPTIONS}{lines}\r\n\r\nv=0")).as_deref(), Some("400"), "{lines}");
        }
    }

    #[test]
    fn a_malformed_request_is_answered() {
        let request = |from: &str, to: &str| status(&format!("{}\r\n", OPTIONS.replace(from, to)));
        assert_eq!(request("1 OPTIONS", "1 INVITE").as_deref(), Some("400"));
        assert_eq!(request("1 OPTIONS", "4294967296 OPTIONS").as_deref(), Some("400"));
        assert_eq!(request("i: 1@x\r\n", "").as_deref(), Some("400"));
        assert_eq!(request("i: 1@x", "i: 1@x\r\ni: 2@x").as_deref(), Some("400"));
        assert_eq!(request(";tag=1", "").as_deref(), Some("400"));
        assert_eq!(request("a@127.0.0.1 SIP", "a@127.0.0.1  SIP").as_deref(), Some("400"));
        assert_eq!(request("a@127.0.0.1 SIP", "a@127.0.0.1?Route=x SIP").as_deref(), Some("400"));
        assert_eq!(request("a@127.0.0.1 SIP", "a@2001:db8::10 SIP").as_deref(), Some("400"));
        assert_eq!(request("a@127.0.0.1 SIP", "a@[2001:db8::10]:5060;x=a:b:c SIP").as_deref(), Some("pass"));
        assert_eq!(request("sip:a@127.0.0.1 SIP", "mailto:a@127.0.0.1 SIP").as_deref(), Some("416"));
        assert_eq!(request("sip:a@127.0.0.1 SIP/2.0", "<sip:a@127.0.0.1> SIP/7.0").as_deref(), Some("505"));
        assert_eq!(status(&OPTIONS.replace("OPTIONS", "DANCE")).as_deref(), Some("501"));
        assert_eq!(status(&OPTIONS.replace("OPTIONS", "options")).as_deref(), Some("501"));
        assert_eq!(status(OPTIONS).as_deref(), Some("400"), "no empty line");
        assert_eq!(status(&format!("{OPTIONS}\r\n")).as_deref(), Some("pass"));
    }

    #[test]
    fn what_no_answer_is_due_to_is_dropped() {
        assert_eq!(status("hello"), None);
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), None);
        assert_eq!(status("OPTIONS sip:a@b SIP/2.0\r\n\r\n"), None);
        assert_eq!(status(&OPTIONS.replace("OPTIONS", "ACK")), None);
        assert_eq!(status("SIP/2.0 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn a_refusal_copies_what_identifies_the_request_and_tags_it_alike_each_time() {
        let mut buffer = [0; 1024];
        let datagram = format!("{OPTIONS}\r\n");
        buffer[..datagram.len()].copy_from_slice(datagram.as_bytes());
        let Verdict::Answer(first) = inspect(&mut buffer, datagram.len(), false) else { panic!() };
        assert_eq!(inspect(&mut buffer, datagram.len(), false), Verdict::Answer(first.clone()));
        let text = String::from_utf8(first).unwrap();
        assert!(text.starts_with("SIP/2.0 403 Forbidden\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"));
        assert!(text.contains("\r\nTo: <sip:a@127.0.0.1>;tag="));
        assert!(text.contains("\r\nCall-ID: 1@x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn any_datagram_is_judged(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut buffer = vec![0; 600];
            buffer[..bytes.len()].copy_from_slice(&bytes);
            let _ = inspect(&mut buffer, bytes.len(), true);
        }

        #[test]
        fn what_passes_is_understood(at in 0usize..300, byte in any::<u8>(), cut in 0usize..300) {
            let mut buffer = format!("{OPTIONS}l: 3\r\n\r\nv=0").into_bytes();
            let length = buffer.len().saturating_sub(cut / 4);
            let at = at % buffer.len();
            buffer[at] = byte;
            if let Verdict::Pass(length) = inspect(&mut buffer, length, true)
                && !buffer[..length].starts_with(b"SIP/")
            {
                prop_assert!(length <= buffer.len());
                prop_assert!(is_understood(&buffer[..length]));
            }
        }
    }
}
