//! Making a call.

use std::time::Duration;

use super::fields::required;
use super::{Arguments, RestError};
use crate::join::Target;
use crate::{Destination, Key, Method, SipHeaders};

/// The most destinations of one request.
pub const MAX_CALL_DESTINATIONS: usize = 1000;
const DEFAULT_TIME_LIMIT: Duration = Duration::from_hours(4);
const DEFAULT_RING_TIMEOUT: Duration = Duration::from_mins(2);
const DAY_SECONDS: u32 = 86_400;

/// A request for calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakeCall {
    /// The caller id.
    pub from: String,
    /// Whom to call, at least one; each gets a call of its own.
    pub to: Vec<Destination>,
    /// Asked what to do once the call is answered.
    pub answer: Target,
    /// Told that it rings.
    pub ring: Option<Target>,
    /// Told that the call ended; otherwise the answer URL is.
    pub hangup: Option<Target>,
    /// Asked if the answer URL fails.
    pub fallback: Option<Target>,
    /// The caller's name.
    pub caller_name: Option<String>,
    /// Sent after the answer.
    pub send_digits: Vec<Key>,
    /// Whether they are sent with early media already.
    pub send_on_preanswer: bool,
    /// The longest the call may last.
    pub time_limit: Duration,
    /// Hang up so long after it began to ring.
    pub hangup_on_ring: Option<Duration>,
    /// Whether and how an answering machine is looked for.
    pub machine_detection: Option<MachineDetection>,
    /// Custom headers of the call.
    pub sip_headers: SipHeaders,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// The call that this one belongs to.
    pub parent_call_uuid: Option<String>,
    /// Whether no such call is an error.
    pub error_if_parent_not_found: bool,
}

/// How an answering machine is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineDetection {
    /// Whether a machine is hung up on.
    pub hangup: bool,
    /// The longest it may take.
    pub time: Duration,
    /// Told the outcome, without which the document waits for it.
    pub callback: Option<Target>,
    /// Speech that is longer without a pause comes from a machine.
    pub maximum_speech_length: Duration,
    /// Silence that is longer at the beginning leaves it open who answered.
    pub initial_silence: Duration,
    /// More words, or rather sentences, come from a machine.
    pub maximum_words: u32,
    /// A greeting that is longer comes from a machine.
    pub initial_greeting: Duration,
    /// Silence after the greeting that is longer comes from a person.
    pub silence: Duration,
}

impl MakeCall {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter that is missing or has a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let post = Method::Post;
        let from = required("from", body.caller_id()?)?;
        let to = body.destinations("to")?;
        if to.is_empty() {
            return Err(RestError::Missing("to"));
        }
        if to.len() > MAX_CALL_DESTINATIONS {
            return Err(RestError::Parameter("to"));
        }
        if to.iter().any(|destination| destination.as_str() == from) {
            return Err(RestError::CallsItself);
        }
        Ok(Self {
            from,
            to,
            answer: required("answer_url", body.target("answer_url", ("answer_method", post))?)?,
            ring: body.target("ring_url", ("ring_method", post))?,
            hangup: body.target("hangup_url", ("hangup_method", post))?,
            fallback: body.target("fallback_url", ("fallback_method", post))?,
            caller_name: body.caller_name()?,
            send_digits: body.keys("send_digits")?,
            send_on_preanswer: body.flag_or("send_on_preanswer", false)?,
            time_limit: body.seconds("time_limit", 1..=DAY_SECONDS)?.unwrap_or(DEFAULT_TIME_LIMIT),
            hangup_on_ring: body.seconds("hangup_on_ring", 0..=DAY_SECONDS)?,
            machine_detection: machine_detection(body)?,
            sip_headers: body.sip_headers()?,
            ring_timeout: body
                .seconds("ring_timeout", 0..=super::MAX_RING_SECONDS)?
                .unwrap_or(DEFAULT_RING_TIMEOUT),
            parent_call_uuid: body.line("parent_call_uuid")?,
            error_if_parent_not_found: body.flag_or("error_if_parent_not_found", false)?,
        })
    }
}

fn machine_detection(body: &Arguments) -> Result<Option<MachineDetection>, RestError> {
    let words = [("true", Some(false)), ("hangup", Some(true)), ("false", None)];
    let hangup = body.choice("machine_detection", &words)?.flatten();
    let ms = |name, range, default| {
        body.milliseconds(name, range).map(|ms| ms.unwrap_or(Duration::from_millis(default)))
    };
    let detection = MachineDetection {
        hangup: hangup.unwrap_or(false),
        time: ms("machine_detection_time", 2000..=10_000, 5000)?,
        callback: body.target("machine_detection_url", ("machine_detection_method", Method::Post))?,
        maximum_speech_length: ms("machine_detection_maximum_speech_length", 1000..=6000, 5000)?,
        initial_silence: ms("machine_detection_initial_silence", 2000..=10_000, 4500)?,
        maximum_words: body.number("machine_detection_maximum_words", 2..=10)?.unwrap_or(3),
        initial_greeting: ms("machine_detection_initial_greeting", 1000..=5000, 1500)?,
        silence: ms("machine_detection_silence", 500..=5000, 800)?,
    };
    Ok(hangup.map(|_| detection))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<MakeCall, RestError> {
        MakeCall::parse(&Arguments::from_body(None, json.as_bytes()).unwrap())
    }

    fn to(method: Method, url: &str) -> Target {
        Target { url: url.into(), method }
    }

    fn plain() -> MakeCall {
        MakeCall {
            from: "14151234567".into(),
            to: vec![Destination::Number("14157654321".into())],
            answer: to(Method::Get, "http://127.0.0.1:9000/answer"),
            ring: None,
            hangup: None,
            fallback: None,
            caller_name: None,
            send_digits: Vec::new(),
            send_on_preanswer: false,
            time_limit: Duration::from_hours(4),
            hangup_on_ring: None,
            machine_detection: None,
            sip_headers: Vec::new(),
            ring_timeout: Duration::from_mins(2),
            parent_call_uuid: None,
            error_if_parent_not_found: false,
        }
    }

    #[test]
    fn what_the_sdks_send_is_understood() {
        for json in [
            r#"{"from": "14151234567", "to": "14157654321", "answer_url": "http://127.0.0.1:9000/answer", "answer_method": "GET", "ring_method": "POST", "hangup_method": "POST", "fallback_method": "POST", "machine_detection_time": 5000, "machine_detection_method": "POST", "ring_timeout": 120, "error_if_parent_not_found": false}"#,
            r#"{"answer_method":"GET","from":"14151234567","to":"14157654321","answer_url":"http://127.0.0.1:9000/answer"}"#,
        ] {
            assert_eq!(read(json), Ok(plain()));
        }
    }

    #[test]
    fn every_field_is_read() {
        let call = read(
            r#"{"from":"14151234567","to":"2<sip:b@h","answer_url":"http://h/a","ring_url":"http://h/r",
            "ring_method":"GET","hangup_url":"http://h/h","fallback_url":"http://h/f","caller_name":"Ann",
            "send_digits":"1","send_on_preanswer":true,"time_limit":60,"hangup_on_ring":0,
            "machine_detection":"hangup","machine_detection_time":2000,"machine_detection_url":"http://h/m",
            "machine_detection_maximum_words":5,"machine_detection_silence":900,"sip_headers":"k=v",
            "ring_timeout":"10","parent_call_uuid":"p","error_if_parent_not_found":true}"#,
        );
        let ms = Duration::from_millis;
        let expected = MakeCall {
            to: vec![Destination::Number("2".into()), Destination::Sip("sip:b@h".into())],
            answer: to(Method::Post, "http://h/a"),
            ring: Some(to(Method::Get, "http://h/r")),
            hangup: Some(to(Method::Post, "http://h/h")),
            fallback: Some(to(Method::Post, "http://h/f")),
            caller_name: Some("Ann".into()),
            send_digits: vec![Key::Press('1')],
            send_on_preanswer: true,
            time_limit: ms(60_000),
            hangup_on_ring: Some(ms(0)),
            machine_detection: Some(MachineDetection {
                hangup: true,
                time: ms(2000),
                callback: Some(to(Method::Post, "http://h/m")),
                maximum_speech_length: ms(5000),
                initial_silence: ms(4500),
                maximum_words: 5,
                initial_greeting: ms(1500),
                silence: ms(900),
            }),
            sip_headers: vec![("k".into(), "v".into())],
            ring_timeout: ms(10_000),
            parent_call_uuid: Some("p".into()),
            error_if_parent_not_found: true,
            ..plain()
        };
        assert_eq!(call, Ok(expected));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (json, text) in [
            (r#"{"to":"2","answer_url":"http://h/a"}"#, "from is required (current value: None)"),
            (r#"{"from":"1","answer_url":"http://h/a"}"#, "to is required (current value: None)"),
            (r#"{"from":"1","to":"2"}"#, "answer_url is required (current value: None)"),
            (r#"{"from":"1","to":"2<1","answer_url":"http://h/a"}"#, "src and destination cannot overlap"),
            (r#"{"from":"1\r\n","to":"2","answer_url":"x"}"#, "answer_url parameter is invalid"),
            (r#"{"from":"1\r\n2","to":"2"}"#, "from parameter is invalid"),
            (
                r#"{"from":"1","to":"2","answer_url":"http://h/a","machine_detection_time":1}"#,
                "2000 <= machine_detection_time <= 10000 (actual value: 1)",
            ),
            (
                r#"{"from":"1","to":"2","answer_url":"http://h/a","machine_detection_silence":499}"#,
                "500 <= machine_detection_silence <= 5000 (actual value: 499)",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), text);
        }
    }
}
