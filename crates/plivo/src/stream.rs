//! What a call's stream and its WebSocket say to each other: one JSON object in each text message.
//!
//! Source: Plivo's reference of audio streaming. Where it is silent: samples of 16 bits have the low byte first,
//! and timestamps are milliseconds of Unix time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{AudioTrack, Key, Method, Request, StreamFormat};

/// The longest message that is read: half a minute at 24 kHz, and more at lower rates.
pub const MAX_MESSAGE_BYTES: usize = 2 << 20;

/// The longest name of a checkpoint.
pub const MAX_NAME_BYTES: usize = 256;

/// Something to be told to the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The first one: what the stream is of.
    Start {
        /// The call.
        call_uuid: &'a str,
        /// Whose it is.
        account_id: &'a str,
        /// What is sent.
        track: AudioTrack,
        /// As what.
        format: StreamFormat,
    },
    /// Audio.
    Media {
        /// Of which side; not both.
        track: AudioTrack,
        /// Milliseconds since 1970 at its first sample.
        timestamp_ms: i64,
        /// Its number on its track, from 1.
        chunk: u64,
        /// In the format of the stream.
        payload: &'a [u8],
    },
    /// The far end pressed a key.
    Digit {
        /// Which.
        digit: char,
        /// Milliseconds since 1970.
        timestamp_ms: i64,
    },
    /// All audio before the checkpoint of this name was heard.
    Played(&'a str),
    /// What was still to be heard is forgotten.
    Cleared,
}

/// Writes and numbers the messages of one stream.
#[derive(Clone, Debug)]
pub struct Writer {
    stream_id: String,
    extra_headers: String,
    last: u64,
}

impl Writer {
    /// Of a stream that said nothing yet. `extra_headers` are told as they were given.
    pub const fn new(stream_id: String, extra_headers: String) -> Self {
        Self { stream_id, extra_headers, last: 0 }
    }

    /// The text of the next message.
    pub fn write(&mut self, message: &Message<'_>) -> String {
        self.last += 1;
        let mut envelope = Envelope { sequence_number: self.last, ..Envelope::default() };
        envelope.extra_headers = &self.extra_headers;
        envelope.stream_id = Some(&self.stream_id);
        match *message {
            Message::Start { call_uuid, account_id, track, format } => {
                envelope.event = "start";
                envelope.stream_id = None;
                envelope.start = Some(Start {
                    call_id: call_uuid,
                    stream_id: &self.stream_id,
                    account_id,
                    tracks: track.parts().iter().filter_map(|part| part.name()).collect(),
                    media_format: MediaFormat { encoding: format.encoding(), sample_rate: format.rate_hz() },
                });
            }
            Message::Media { track, timestamp_ms, chunk, payload } => {
                let (timestamp, payload) = (timestamp_ms.to_string(), STANDARD.encode(payload));
                envelope.event = "media";
                envelope.media = Some(Media { track: track.name(), timestamp, chunk, payload });
            }
            Message::Digit { digit, timestamp_ms } => {
                let timestamp = timestamp_ms.to_string();
                envelope.event = "dtmf";
                envelope.dtmf = Some(Dtmf { track: AudioTrack::Inbound.name(), digit, timestamp });
            }
            Message::Played(name) => {
                envelope.event = "playedStream";
                envelope.name = Some(name);
            }
            Message::Cleared => envelope.event = "clearedAudio",
        }
        serde_json::to_string(&envelope).expect("messages have string keys and no floats")
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    event: &'static str,
    sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Start<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<Media>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtmf: Option<Dtmf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "extra_headers")]
    extra_headers: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    call_id: &'a str,
    stream_id: &'a str,
    account_id: &'a str,
    tracks: Vec<&'static str>,
    media_format: MediaFormat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MediaFormat {
    encoding: &'static str,
    sample_rate: u32,
}

#[derive(Serialize)]
struct Media {
    track: Option<&'static str>,
    timestamp: String,
    chunk: u64,
    payload: String,
}

#[derive(Serialize)]
struct Dtmf {
    track: Option<&'static str>,
    digit: char,
    timestamp: String,
}

/// Something that the WebSocket asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Let the far end hear this after what it hears already.
    Play {
        /// What it is.
        format: StreamFormat,
        /// Its bytes, in that format.
        payload: Vec<u8>,
    },
    /// Say when all audio so far was heard, by this name.
    Checkpoint(String),
    /// Forget what is still to be heard.
    Clear,
    /// Send these to the far end.
    SendDigits(Vec<Key>),
}

/// Why a message of the WebSocket is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It is no JSON object with the fields of its event.
    #[error("no message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// There is no such event.
    #[error("no event of this name is known")]
    UnknownEvent,
    /// Audio in a format that is not played.
    #[error(
        "audio is played as audio/x-l16 of 8000, 16000 or 24000, or audio/x-mulaw of 8000 samples a second"
    )]
    UnknownFormat,
    /// The audio is not what base64 makes.
    #[error("the payload is no base64")]
    NoBase64,
    /// A checkpoint has no name or a longer one.
    #[error("a checkpoint has a name of 1 to {MAX_NAME_BYTES} bytes")]
    CheckpointName,
    /// There are no digits or others.
    #[error("digits are 0-9 * # w W")]
    NoDigits,
}

impl Order {
    /// Reads a text message of at most [`MAX_MESSAGE_BYTES`].
    ///
    /// # Errors
    ///
    /// [`OrderError`]: it asks for nothing that can be done.
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let asked: Asked = serde_json::from_str(text)?;
        match asked.event.as_str() {
            "playAudio" => {
                let media = asked.media.ok_or(OrderError::UnknownFormat)?;
                let format = media.format().ok_or(OrderError::UnknownFormat)?;
                let payload = STANDARD.decode(&media.payload).map_err(|_| OrderError::NoBase64)?;
                Ok(Self::Play { format, payload })
            }
            "checkpoint" => {
                let name = asked.name.filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len()));
                name.map(Self::Checkpoint).ok_or(OrderError::CheckpointName)
            }
            "clearAudio" => Ok(Self::Clear),
            "sendDTMF" => {
                let keys = asked.dtmf.as_deref().and_then(Key::sequence);
                keys.map(Self::SendDigits).ok_or(OrderError::NoDigits)
            }
            _ => Err(OrderError::UnknownEvent),
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    event: String,
    media: Option<AskedMedia>,
    name: Option<String>,
    dtmf: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedMedia {
    content_type: String,
    sample_rate: Option<Rate>,
    payload: String,
}

/// Some clients write the rate as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rate {
    Number(u32),
    Text(String),
}

impl AskedMedia {
    /// The rate is that of `sampleRate`, else of the media type, else 8000.
    fn format(&self) -> Option<StreamFormat> {
        let (encoding, parameters) = self.content_type.split_once(';').unwrap_or((&self.content_type, ""));
        let rate_hz = match &self.sample_rate {
            Some(Rate::Number(hz)) => *hz,
            Some(Rate::Text(hz)) => hz.parse().ok()?,
            None => match parameters.trim().strip_prefix("rate=") {
                Some(hz) => hz.parse().ok()?,
                None => 8_000,
            },
        };
        let mut known = StreamFormat::WORDS.iter().map(|(_, format)| *format);
        known.find(|format| format.encoding() == encoding.trim() && format.rate_hz() == rate_hz)
    }
}

/// What is signed of the request that opens a WebSocket at `url`: a GET of it as if it were `http://`.
pub fn signed_request(url: &str) -> Request {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    Request { method: Method::Get, url: format!("http://{rest}"), parameters: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_numbered_and_have_the_documented_shape() {
        let mut writer = Writer::new("s-1".into(), "a=1,b=2".into());
        let start = Message::Start {
            call_uuid: "c-1",
            account_id: "MA1",
            track: AudioTrack::Both,
            format: StreamFormat::MulawAt8000,
        };
        let media = Message::Media {
            track: AudioTrack::Outbound,
            timestamp_ms: 1_705_312_200_000,
            chunk: 1,
            payload: &[255, 0],
        };
        let digit = Message::Digit { digit: '#', timestamp_ms: 20 };
        for (message, text) in [
            (
                start,
                r#"{"event":"start","sequenceNumber":1,"start":{"callId":"c-1","streamId":"s-1","accountId":"MA1","tracks":["inbound","outbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"extra_headers":"a=1,b=2"}"#,
            ),
            (
                media,
                r#"{"event":"media","sequenceNumber":2,"streamId":"s-1","media":{"track":"outbound","timestamp":"1705312200000","chunk":1,"payload":"/wA="},"extra_headers":"a=1,b=2"}"#,
            ),
            (
                digit,
                r##"{"event":"dtmf","sequenceNumber":3,"streamId":"s-1","dtmf":{"track":"inbound","digit":"#","timestamp":"20"},"extra_headers":"a=1,b=2"}"##,
            ),
            (
                Message::Played("half \"way\""),
                r#"{"event":"playedStream","sequenceNumber":4,"streamId":"s-1","name":"half \"way\"","extra_headers":"a=1,b=2"}"#,
            ),
            (
                Message::Cleared,
                r#"{"event":"clearedAudio","sequenceNumber":5,"streamId":"s-1","extra_headers":"a=1,b=2"}"#,
            ),
        ] {
            assert_eq!(writer.write(&message), text);
        }
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let play = |format| Order::Play { format, payload: vec![1, 2] };
        for (text, order) in [
            (
                r#"{"event":"playAudio","streamId":"s","media":{"contentType":"audio/x-l16","sampleRate":24000,"payload":"AQI="}}"#,
                play(StreamFormat::L16At24000),
            ),
            (
                r#"{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":"16000","payload":"AQI="}}"#,
                play(StreamFormat::L16At16000),
            ),
            (
                r#"{"event":"playAudio","media":{"contentType":"audio/x-l16; rate=16000","payload":"AQI="}}"#,
                play(StreamFormat::L16At16000),
            ),
            (
                r#"{"event":"playAudio","media":{"contentType":"audio/x-mulaw","payload":"AQI="}}"#,
                play(StreamFormat::MulawAt8000),
            ),
            (r#"{"event":"checkpoint","streamId":"s","name":"one"}"#, Order::Checkpoint("one".into())),
            (r#"{"event":"clearAudio","streamId":"s"}"#, Order::Clear),
            (
                r#"{"event":"sendDTMF","dtmf":"1#"}"#,
                Order::SendDigits(vec![Key::Press('1'), Key::Press('#')]),
            ),
        ] {
            assert_eq!(Order::parse(text).unwrap(), order, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_a_reason() {
        let long = format!(r#"{{"event":"checkpoint","name":"{}"}}"#, "n".repeat(MAX_NAME_BYTES + 1));
        for (text, reason) in [
            ("{", "no message"),
            (r#"{"event":7}"#, "no message"),
            (r#"{"event":"stop"}"#, "no event"),
            (r#"{"event":"playAudio"}"#, "audio is played as"),
            (r#"{"event":"playAudio","media":{"contentType":"wav","payload":""}}"#, "audio is played as"),
            (
                r#"{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":16000,"payload":""}}"#,
                "audio is played as",
            ),
            (
                r#"{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":8000,"payload":"?"}}"#,
                "the payload",
            ),
            (r#"{"event":"checkpoint","name":""}"#, "a checkpoint"),
            (&long, "a checkpoint"),
            (r#"{"event":"sendDTMF","dtmf":"12x"}"#, "digits are"),
        ] {
            let refused = Order::parse(text).unwrap_err().to_string();
            assert!(refused.starts_with(reason), "{text}: {refused}");
        }
    }

    #[test]
    fn the_request_for_a_websocket_is_signed_as_plain_http() {
        for scheme in ["wss", "ws"] {
            let request = signed_request(&format!("{scheme}://h:8443/s?a=b"));
            assert_eq!((request.method, request.url.as_str()), (Method::Get, "http://h:8443/s?a=b"));
        }
    }
}
