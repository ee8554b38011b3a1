//! What is done to a call while it lasts.

use std::time::Duration;

use super::fields::required;
use super::{Arguments, Legs, RestError};
use crate::media::{AudioTrack, StreamFormat, Transcription, TranscriptionType, extra_headers};
use crate::{FileFormat, Key, Method, Target};

/// Where the legs of a call go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The document of the first leg.
    pub aleg: Option<Target>,
    /// The document of the leg that was dialled from it.
    pub bleg: Option<Target>,
}

impl Transfer {
    /// Reads the body. Without `legs`, it is the first one.
    ///
    /// # Errors
    ///
    /// [`RestError::Missing`] if a leg that is to go on has no URL.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let legs = Legs::parse(body, "legs")?;
        let aleg = body.target("aleg_url", ("aleg_method", Method::Post))?;
        let bleg = body.target("bleg_url", ("bleg_method", Method::Post))?;
        Ok(Self {
            aleg: match legs {
                Legs::Bleg => None,
                Legs::Aleg | Legs::Both => Some(required("aleg_url", aleg)?),
            },
            bleg: match legs {
                Legs::Aleg => None,
                Legs::Bleg | Legs::Both => Some(required("bleg_url", bleg)?),
            },
        })
    }
}

/// How a call is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The longest.
    pub time_limit: Duration,
    /// Format of the file.
    pub file_format: FileFormat,
    /// Whether the two sides are two channels.
    pub stereo: bool,
    /// Told when it ended. This is no [`AsyncCallback`](super::AsyncCallback).
    pub callback: Option<Target>,
    /// Whether it is transcribed, and how.
    pub transcription: Option<Transcription>,
}

impl CallRecord {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let kind = body.choice("transcription_type", TranscriptionType::WORDS)?;
        let told = body.target("transcription_url", ("transcription_method", Method::Post))?;
        let is_transcribed = kind.is_some() || told.is_some();
        let minute = Duration::from_mins(1);
        Ok(Self {
            time_limit: body.seconds("time_limit", 1..=86_400)?.unwrap_or(minute),
            file_format: body.choice("file_format", FileFormat::WORDS)?.unwrap_or_default(),
            stereo: body.choice("record_channel_type", &[("stereo", true), ("mono", false)])?.unwrap_or(true),
            callback: body.target("callback_url", ("callback_method", Method::Post))?,
            transcription: is_transcribed
                .then(|| Transcription { kind: kind.unwrap_or(TranscriptionType::Auto), callback: told }),
        })
    }

    /// Reads the `URL` of the recording to stop; without one, all are.
    ///
    /// # Errors
    ///
    /// [`RestError`] if it is no URL.
    pub fn parse_stop(body: &Arguments) -> Result<Option<String>, RestError> {
        body.url("URL")
    }
}

/// Digits to be sent to a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendDigits {
    /// The digits, at least one.
    pub keys: Vec<Key>,
    /// To whom.
    pub legs: Legs,
}

impl SendDigits {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there are no digits, or other characters among them.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let keys = body.keys("digits")?;
        if keys.is_empty() {
            return Err(RestError::Missing("digits"));
        }
        Ok(Self { keys, legs: Legs::parse(body, "leg")? })
    }
}

/// A call's audio over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartStream {
    /// The WebSocket.
    pub service_url: String,
    /// Whether audio comes back by it.
    pub bidirectional: bool,
    /// What is sent.
    pub audio_track: AudioTrack,
    /// The longest.
    pub stream_timeout: Duration,
    /// Told its events.
    pub status_callback: Option<Target>,
    /// Format of the audio.
    pub content_type: StreamFormat,
    /// `k=v,k2=v2`, told to the other side.
    pub extra_headers: Option<String>,
}

impl StartStream {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no WebSocket URL, for the first wrong value,
    /// and for a bidirectional stream of more than what the far end says.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let bidirectional = body.flag_or("bidirectional", false)?;
        let audio_track = body.choice("audio_track", AudioTrack::WORDS)?.unwrap_or_default();
        if bidirectional && audio_track != AudioTrack::Inbound {
            return Err(RestError::Parameter("audio_track"));
        }
        let day = Duration::from_hours(24);
        Ok(Self {
            service_url: required("service_url", body.websocket_url("service_url")?)?,
            bidirectional,
            audio_track,
            stream_timeout: body.seconds("stream_timeout", 1..=86_400)?.unwrap_or(day),
            status_callback: body.target("status_callback_url", ("status_callback_method", Method::Post))?,
            content_type: body.choice("content_type", StreamFormat::WORDS)?.unwrap_or_default(),
            extra_headers: body.read("extra_headers", extra_headers)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Arguments {
        Arguments::from_body(None, json.as_bytes()).unwrap()
    }

    fn post(url: &str) -> Target {
        Target { url: url.into(), method: Method::Post }
    }

    #[test]
    fn legs_go_on_where_they_are_sent() {
        let (aleg, bleg) = (Some(post("http://h/a")), Some(post("http://h/b")));
        for (json, transfer) in [
            (
                r#"{"call_uuid":"u1","legs":"aleg","aleg_url":"http://h/a","aleg_method":"POST"}"#,
                Transfer { aleg: aleg.clone(), bleg: None },
            ),
            (r#"{"aleg_url":"http://h/a"}"#, Transfer { aleg: aleg.clone(), bleg: None }),
            (r#"{"legs":"bleg","bleg_url":"http://h/b"}"#, Transfer { aleg: None, bleg: bleg.clone() }),
            (r#"{"legs":"both","aleg_url":"http://h/a","bleg_url":"http://h/b"}"#, Transfer { aleg, bleg }),
        ] {
            assert_eq!(Transfer::parse(&body(json)), Ok(transfer), "{json}");
        }
        for (json, name) in [("{}", "aleg_url"), (r#"{"legs":"both","aleg_url":"http://h/a"}"#, "bleg_url")] {
            assert_eq!(Transfer::parse(&body(json)), Err(RestError::Missing(name)));
        }
    }

    #[test]
    fn a_call_is_recorded_for_a_minute_unless_asked_otherwise() {
        let plain = CallRecord {
            time_limit: Duration::from_mins(1),
            file_format: FileFormat::Mp3,
            stereo: true,
            callback: None,
            transcription: None,
        };
        assert_eq!(CallRecord::parse(&body("{}")), Ok(plain));
        let full = CallRecord::parse(&body(
            r#"{"time_limit":10,"file_format":"wav","record_channel_type":"mono","callback_url":"http://h/c",
            "transcription_url":"http://h/t"}"#,
        ));
        let expected = CallRecord {
            time_limit: Duration::from_secs(10),
            file_format: FileFormat::Wav,
            stereo: false,
            callback: Some(post("http://h/c")),
            transcription: Some(Transcription {
                kind: TranscriptionType::Auto,
                callback: Some(post("http://h/t")),
            }),
        };
        assert_eq!(full, Ok(expected));
        assert_eq!(CallRecord::parse_stop(&body(r#"{"URL":"http://h/1"}"#)), Ok(Some("http://h/1".into())));
    }

    #[test]
    fn digits_are_sent_to_the_first_leg() {
        let sent = SendDigits::parse(&body(r#"{"digits":12,"leg":"bleg"}"#)).unwrap();
        assert_eq!((sent.keys, sent.legs), (vec![Key::Press('1'), Key::Press('2')], Legs::Bleg));
        assert_eq!(SendDigits::parse(&body(r#"{"digits":"1"}"#)).unwrap().legs, Legs::Aleg);
        for (json, error) in
            [("{}", RestError::Missing("digits")), (r#"{"digits":"1x"}"#, RestError::Parameter("digits"))]
        {
            assert_eq!(SendDigits::parse(&body(json)), Err(error));
        }
    }

    #[test]
    fn a_call_is_streamed_as_asked() {
        let stream = StartStream::parse(&body(
            r#"{"service_url":"wss://h/s","bidirectional":"true","stream_timeout":60,
            "content_type":"audio/x-mulaw;rate=8000","extra_headers":"k=v","status_callback_url":"http://h/c"}"#,
        ));
        let expected = StartStream {
            service_url: "wss://h/s".into(),
            bidirectional: true,
            audio_track: AudioTrack::Inbound,
            stream_timeout: Duration::from_mins(1),
            status_callback: Some(post("http://h/c")),
            content_type: StreamFormat::MulawAt8000,
            extra_headers: Some("k=v".into()),
        };
        assert_eq!(stream, Ok(expected));
        for (json, text) in [
            ("{}", "service_url is required (current value: None)"),
            (r#"{"service_url":"http://h/s"}"#, "service_url parameter is invalid"),
            (
                r#"{"service_url":"ws://h/s","bidirectional":true,"audio_track":"both"}"#,
                "audio_track parameter is invalid",
            ),
        ] {
            assert_eq!(StartStream::parse(&body(json)).unwrap_err().to_string(), text);
        }
    }
}
