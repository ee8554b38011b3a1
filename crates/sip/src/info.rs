//! Digits in INFO requests, as phones and carriers without telephone events send them.

use mixminus_rtp::Digit;
use rsipstack::sip::{Header, Request, StatusCode};
use rsipstack::transaction::transaction::Transaction;

use crate::call::CallEvent;
use crate::message;
use crate::task::CallTask;

/// Body with a line `Signal=5`.
const RELAY: &str = "application/dtmf-relay";
/// Body with nothing but the digit.
const PLAIN: &str = "application/dtmf";

impl CallTask {
    /// Answers an INFO. One that was `repeated`, because our answer was lost, counts once.
    pub(crate) async fn inform(&mut self, request: &Transaction, repeated: bool) {
        match digit(&request.original) {
            Ok(digit) => {
                self.agent.answer(request, StatusCode::OK, vec![]).await;
                if let Some(digit) = digit.filter(|_| !repeated) {
                    self.report(CallEvent::Digit(digit));
                }
            }
            Err(status) => {
                let accept = Header::Accept(format!("{RELAY}, {PLAIN}").into());
                self.agent.answer(request, status, vec![accept]).await;
            }
        }
    }
}

/// The digit of an INFO. One without a body asks for nothing, and other keys (flash) are no digits.
fn digit(request: &Request) -> Result<Option<Digit>, StatusCode> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let body = std::str::from_utf8(&request.body).map_err(|_| StatusCode::BadRequest)?;
    match message::media_type(&request.headers).to_ascii_lowercase().as_str() {
        RELAY => {
            let signal = body.lines().filter_map(|line| line.split_once('='));
            let mut signal = signal.filter(|(name, _)| name.trim().eq_ignore_ascii_case("signal"));
            Ok(signal.next().and_then(|(_, value)| key(value.trim())))
        }
        PLAIN => Ok(key(body.trim())),
        _ => Err(StatusCode::UnsupportedMediaType),
    }
}

/// A digit by its character or, from 10 on, by the number of its telephone event.
fn key(text: &str) -> Option<Digit> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(key), None) => Digit::try_from(key).ok(),
        _ => text.parse().ok().and_then(Digit::from_event),
    }
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::SipMessage;

    use super::*;

    fn read(media_type: &str, body: &str) -> Result<Option<char>, StatusCode> {
        let headers = format!("Content-Type: {media_type}\r\nContent-Length: {}", body.len());
        let text = format!("INFO sip:a@b SIP/2.0\r\n{headers}\r\n\r\n{body}");
        let SipMessage::Request(request) = SipMessage::try_from(text.as_str()).unwrap() else { panic!() };
        digit(&request).map(|digit| digit.map(char::from))
    }

    #[test]
    fn a_digit_is_read_in_either_form() {
        for (body, key) in [
            ("Signal=5\r\nDuration=160\r\n", '5'),
            ("Duration = 160\r\nsignal = #\r\n", '#'),
            ("Signal=10", '*'),
            ("Signal=d", 'D'),
        ] {
            assert_eq!(read("Application/DTMF-Relay", body), Ok(Some(key)), "{body}");
        }
        assert_eq!(read("application/dtmf;x=y", "*\r\n"), Ok(Some('*')));
        assert_eq!(read("application/dtmf", "11"), Ok(Some('#')));
    }

    #[test]
    fn what_is_no_digit_is_none() {
        for body in ["Signal=16", "Signal=!", "Signal=", "Signal", "Signal=55", "Duration=5"] {
            assert_eq!(read(RELAY, body), Ok(None), "{body}");
        }
        assert_eq!(read("text/plain", ""), Ok(None));
        assert_eq!(read("text/plain", "5"), Err(StatusCode::UnsupportedMediaType));
    }
}
