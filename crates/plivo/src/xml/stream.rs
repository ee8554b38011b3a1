//! `<Stream>`.

use std::time::Duration;

use super::attributes::Attributes;
use super::{Target, XmlError};
use crate::Method;
use crate::join::MAX_URL_BYTES;
use crate::media::{AudioTrack, MAX_EXTRA_HEADERS_BYTES, StreamFormat, extra_headers};

/// `<Stream>`: send a call's audio over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The WebSocket.
    pub service_url: String,
    /// Whether audio comes back by it.
    pub bidirectional: bool,
    /// What is sent.
    pub audio_track: AudioTrack,
    /// The longest.
    pub stream_timeout: Duration,
    /// Format of the audio.
    pub content_type: StreamFormat,
    /// Whether the document waits for the end of the stream.
    pub keep_call_alive: bool,
    /// `k=v,k2=v2`, told to the other side.
    pub extra_headers: Option<String>,
    /// Told its events.
    pub status_callback: Option<Target>,
    /// How much noise is taken out, from 60 to 100, if any.
    pub noise_cancellation_level: Option<u32>,
}

pub(super) fn stream(attributes: &Attributes<'_, '_>) -> Result<Stream, XmlError> {
    let url = attributes.own_content();
    let accepted = || format!("a URL, ws or wss, of at most {MAX_URL_BYTES} bytes");
    let service_url = attributes
        .resolve(&url, &["ws", "wss"])
        .filter(|_| url.len() <= MAX_URL_BYTES)
        .ok_or_else(|| attributes.refuse_content(&url, accepted()))?;
    let bidirectional = attributes.flag("bidirectional", false)?;
    let audio_track = attributes.choice("audioTrack", AudioTrack::WORDS)?.unwrap_or_default();
    if bidirectional && audio_track != AudioTrack::Inbound {
        return Err(attributes.refuse("audioTrack", "inbound, since the stream is bidirectional"));
    }
    let level = attributes.number("noiseCancellationLevel", 60..=100)?.unwrap_or(85);
    let short = format!("at most {MAX_EXTRA_HEADERS_BYTES} bytes on one line");
    Ok(Stream {
        service_url,
        bidirectional,
        audio_track,
        stream_timeout: attributes.seconds("streamTimeout", 1..=86_400)?.unwrap_or(Duration::from_hours(24)),
        content_type: attributes.choice("contentType", StreamFormat::WORDS)?.unwrap_or_default(),
        keep_call_alive: attributes.flag("keepCallAlive", false)?,
        extra_headers: attributes.read("extraHeaders", short, extra_headers)?,
        status_callback: attributes.target("statusCallbackUrl", ("statusCallbackMethod", Method::Post))?,
        noise_cancellation_level: attributes.flag("noiseCancellation", false)?.then_some(level),
    })
}
