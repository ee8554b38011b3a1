//! The offer/answer exchange.

use std::net::{IpAddr, SocketAddr};

use mixminus_codec::Format;

use super::description::{Description, Media};
use super::{Direction, LocalMedia, Negotiated, SdpError};

/// Payload type that we offer for digits; what most phones use too.
const DIGIT_PAYLOAD_TYPE: u8 = 101;
/// Longest packet that a leg takes, in milliseconds.
const MAX_PTIME_MS: u32 = 60;
/// Payload types that an `rtpmap` may give a meaning (RFC 3551).
const DYNAMIC_PAYLOAD_TYPES: std::ops::RangeInclusive<u8> = 96..=127;

/// Answers an offer: its first usable audio stream, in the first of its formats that we speak, under
/// the payload types that it chose. Every other stream is refused with port 0.
///
/// # Errors
///
/// [`SdpError`] when the offer cannot be read or has no stream for us.
pub fn negotiate(offer: &str, local: &LocalMedia) -> Result<(String, Negotiated), SdpError> {
    let description = Description::parse(offer)?;
    let mut refusal = SdpError::NoAudio;
    for (index, media) in description.media.iter().enumerate() {
        match agree(&description, media, &local.formats) {
            Ok(agreed) if agreed.remote.is_ipv4() == local.address.is_ipv4() => {
                return Ok((answer(&description, index, local, &agreed), agreed));
            }
            Err(SdpError::NoCommonFormat) => refusal = SdpError::NoCommonFormat,
            Ok(_) | Err(_) => {}
        }
    }
    Err(refusal)
}

/// An offer of every format that we speak, and digits.
pub fn offer(local: &LocalMedia, direction: Direction) -> String {
    let mut lines = header(local);
    lines.extend(stream(local, "RTP/AVP", &local.formats, Some(DIGIT_PAYLOAD_TYPE)));
    lines.push(format!("a={}", direction.attribute()));
    text(&lines)
}

/// Reads the answer to an [`offer`].
///
/// # Errors
///
/// [`SdpError`] when the answer cannot be read or refuses the stream.
pub fn read_answer(answer: &str) -> Result<Negotiated, SdpError> {
    let description = Description::parse(answer)?;
    let media = description.media.first().ok_or(SdpError::NoAudio)?;
    agree(&description, media, &Format::ALL)
}

/// What a remote stream and we have in common, seen from us.
fn agree(description: &Description, media: &Media, ours: &[Format]) -> Result<Negotiated, SdpError> {
    if media.kind != "audio" || !matches!(media.protocol, "RTP/AVP" | "RTP/AVPF") || media.port == 0 {
        return Err(SdpError::NoAudio);
    }
    let address = media.connection.or(description.connection).ok_or(SdpError::NoAudio)?;
    let format = media.formats.iter().find_map(|payload_type| spoken(media, payload_type, ours));
    let format = format.ok_or(SdpError::NoCommonFormat)?;
    let direction = media.direction.or(description.direction).unwrap_or_default().mirrored();
    Ok(Negotiated {
        format,
        digit_payload_type: media.formats.iter().find_map(|payload_type| digits(media, payload_type)),
        remote: SocketAddr::new(address, media.port),
        remote_rtcp: rtcp(media, address),
        // RFC 3264 section 8.4: an unspecified address is how RFC 2543 says hold.
        direction: if address.is_unspecified() { direction.without_sending() } else { direction },
    })
}

/// Where a stream at `address` takes its reports. Another address is believed if we can reach it from the
/// same socket.
fn rtcp(media: &Media, address: IpAddr) -> SocketAddr {
    let (port, elsewhere) = media.rtcp.unwrap_or((media.port.checked_add(1).unwrap_or(0), None));
    let elsewhere = elsewhere.filter(|elsewhere| elsewhere.is_ipv4() == address.is_ipv4());
    SocketAddr::new(elsewhere.unwrap_or(address), port)
}

/// Our format behind a payload type. G.711 is taken under its static number only: the number under
/// which a leg sends it is part of the format.
fn spoken(media: &Media, payload_type: &str, ours: &[Format]) -> Option<Format> {
    let number: u8 = payload_type.parse().ok()?;
    let (encoding, clock_rate) = media.encoding(payload_type)?;
    let format = ours.iter().find(|format| format.payload_type() == number)?;
    let named = encoding.eq_ignore_ascii_case(format.encoding_name());
    (named && clock_rate == format.clock_rate().hz()).then_some(*format)
}

fn digits(media: &Media, payload_type: &str) -> Option<u8> {
    let number = payload_type.parse().ok().filter(|number| DYNAMIC_PAYLOAD_TYPES.contains(number))?;
    let (encoding, clock_rate) = media.encoding(payload_type)?;
    (encoding.eq_ignore_ascii_case("telephone-event") && clock_rate == 8000).then_some(number)
}

fn answer(offer: &Description, accepted: usize, local: &LocalMedia, agreed: &Negotiated) -> String {
    let mut lines = header(local);
    for (index, media) in offer.media.iter().enumerate() {
        if index == accepted {
            lines.extend(stream(local, media.protocol, &[agreed.format], agreed.digit_payload_type));
            lines.push(format!("a={}", agreed.direction.attribute()));
        } else {
            lines.push(format!("m={} 0 {} {}", media.kind, media.protocol, media.formats[0]));
        }
    }
    text(&lines)
}

fn header(local: &LocalMedia) -> Vec<String> {
    let address = local.address.ip();
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    vec![
        "v=0".to_owned(),
        format!("o=- {} {} IN {family} {address}", local.session_id, local.version),
        "s=-".to_owned(),
        format!("c=IN {family} {address}"),
        "t=0 0".to_owned(),
    ]
}

/// The lines of our audio stream, all but its direction.
fn stream(local: &LocalMedia, protocol: &str, formats: &[Format], digits: Option<u8>) -> Vec<String> {
    let numbers = formats.iter().map(|format| format.payload_type()).chain(digits);
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    let mut lines = vec![format!("m=audio {} {protocol} {}", local.address.port(), numbers.join(" "))];
    lines.extend(formats.iter().map(|format| {
        let (number, name, rate) = (format.payload_type(), format.encoding_name(), format.clock_rate());
        format!("a=rtpmap:{number} {name}/{}", rate.hz())
    }));
    if let Some(digits) = digits {
        lines.push(format!("a=rtpmap:{digits} telephone-event/8000"));
        lines.push(format!("a=fmtp:{digits} 0-15"));
    }
    lines.push("a=ptime:20".to_owned());
    lines.push(format!("a=maxptime:{MAX_PTIME_MS}"));
    lines
}

fn text(lines: &[String]) -> String {
    lines.join("\r\n") + "\r\n"
}
