//! The offer/answer exchange.

use std::net::{IpAddr, SocketAddr};

use mixminus_codec::{Encoding, Format, Ptime};
use mixminus_rtp::MediaParameters;

use super::description::{Description, Media};
use super::opus;
use super::payload::{self, Coding, Payload};
use super::security::{self, Settled};
use super::{Direction, LocalMedia, Negotiated, SdpError, ice};

/// Half the step between two packetisation times, for the nearest one.
const HALF_STEP_MS: u32 = 5;
/// What the stream of our offers is called where that matters.
const MID: &str = "0";
/// That we want VoIP metrics and send them (RFC 3611, section 5).
const VOIP_METRICS: &str = "a=rtcp-xr:voip-metrics";

/// Whose description is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// An offer.
    Offer,
    /// The answer to ours.
    Answer,
}

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
        match Agreed::on(&description, media, local, Reading::Offer) {
            Ok(agreed) if agreed.reaches(local) => {
                return Ok((answer(&description, index, local, &agreed), agreed.negotiated));
            }
            Err(error @ (SdpError::NoCommonFormat | SdpError::NoCommonProtection)) => refusal = error,
            Ok(_) | Err(_) => {}
        }
    }
    Err(refusal)
}

/// An offer of our formats, and digits. Comfort noise is not offered, only answered: offering it invites
/// far ends to cut the beginnings of words.
pub fn offer(local: &LocalMedia, direction: Direction) -> String {
    let (audio, digits) = payload::offered(&local.formats);
    let audio = audio.into_iter().map(|(number, format)| described(number, format, local));
    let payloads: Vec<_> = audio.chain(digits).collect();
    let mut lines = header(local);
    let to_browser = local.ice.as_ref().is_some_and(|ice| ice.offers);
    let (protocol, secured) = security::offer(&local.srtp, to_browser);
    let checked = ice::offered(local);
    lines.extend(checked.into_iter().flat_map(|_| ice::session_lines(Some(MID))));
    lines.extend(stream(local, protocol, &payloads));
    lines.extend(secured);
    lines.extend(checked.into_iter().flat_map(|ours| ice::stream_lines(local, ours, Some(MID))));
    lines.push("a=rtcp-mux".to_owned());
    lines.push(format!("a={}", direction.attribute()));
    text(&lines)
}

/// Reads the answer to an [`offer`] that `local` made. Payload types that differ from those offered are the
/// ones to send with.
///
/// # Errors
///
/// [`SdpError`] when the answer cannot be read or refuses the stream.
pub fn read_answer(answer: &str, local: &LocalMedia) -> Result<Negotiated, SdpError> {
    let description = Description::parse(answer)?;
    let media = description.media.first().ok_or(SdpError::NoAudio)?;
    Agreed::on(&description, media, local, Reading::Answer).map(|agreed| agreed.negotiated)
}

/// What a remote stream and we have in common, and what an answer says of it.
struct Agreed {
    negotiated: Negotiated,
    payloads: Vec<Payload>,
    /// The lines of the answer that say how it is protected.
    secured: Vec<String>,
}

impl Agreed {
    fn on(
        description: &Description,
        media: &Media,
        local: &LocalMedia,
        reading: Reading,
    ) -> Result<Self, SdpError> {
        let rtp = matches!(media.protocol.strip_prefix("UDP/TLS/"), Some("RTP/SAVP" | "RTP/SAVPF"))
            || matches!(media.protocol, "RTP/AVP" | "RTP/AVPF" | "RTP/SAVP" | "RTP/SAVPF");
        let ice = ice::agree(description, media, local, reading);
        let has_port = media.port != 0 || (media.bundle_only && ice.is_some());
        if media.kind != "audio" || !rtp || !has_port {
            return Err(SdpError::NoAudio);
        }
        let settled = Settled::on(description, media, &local.srtp, reading)?;
        let address = media.connection.or(description.connection).ok_or(SdpError::NoAudio)?;
        let held = address.is_unspecified() && ice.is_none();
        let (number, format) = media.first_of(&local.formats).ok_or(SdpError::NoCommonFormat)?;
        let encoding = match format {
            Format::Opus(_) => opus::Wishes::parse(media.parameters_of(number)).encoding(format, local.opus),
            _ => Encoding::from(format),
        };
        let format = encoding.format();
        let (digits, noise) = (media.digits(format), media.comfort_noise(format));
        let direction = media.direction.or(description.direction).unwrap_or_default().mirrored();
        let negotiated = Negotiated {
            parameters: MediaParameters {
                encoding,
                payload_type: number,
                ptime: ptime(media),
                digit_payload_type: digits.as_ref().map(|digits| digits.number),
                comfort_noise_payload_type: noise.as_ref().map(|noise| noise.number),
            },
            remote: SocketAddr::new(address, media.port),
            remote_rtcp: rtcp(media, address),
            rtcp_mux: media.rtcp_mux,
            voip_metrics: media.voip_metrics,
            // RFC 3264 section 8.4: an unspecified address is how RFC 2543 says hold.
            direction: if held { direction.without_sending() } else { direction },
            security: settled.security,
            ice,
        };
        let audio = described(number, format, local);
        Ok(Self {
            negotiated,
            payloads: [audio].into_iter().chain(noise).chain(digits).collect(),
            secured: settled.lines,
        })
    }

    /// Whether packets come to the far end from our address. Checks find a way, if there is one.
    fn reaches(&self, local: &LocalMedia) -> bool {
        self.negotiated.ice.is_some() || self.negotiated.remote.is_ipv4() == local.address.is_ipv4()
    }
}

/// How much audio a packet to `media` holds: the nearest to what it asks for, but not more than it takes.
fn ptime(media: &Media) -> Ptime {
    let wish = media.ptime_ms.map_or(Ptime::default(), |ms| Ptime::at_most(ms.saturating_add(HALF_STEP_MS)));
    wish.min(media.max_ptime_ms.map_or(Ptime::MAX, Ptime::at_most))
}

/// Where a stream at `address` takes its reports. Another address is believed if we can reach it from the
/// same socket.
fn rtcp(media: &Media, address: IpAddr) -> SocketAddr {
    if media.rtcp_mux {
        return SocketAddr::new(address, media.port);
    }
    let (port, elsewhere) = media.rtcp.unwrap_or((media.port.checked_add(1).unwrap_or(0), None));
    let elsewhere = elsewhere.filter(|elsewhere| elsewhere.is_ipv4() == address.is_ipv4());
    SocketAddr::new(elsewhere.unwrap_or(address), port)
}

fn answer(offer: &Description, accepted: usize, local: &LocalMedia, agreed: &Agreed) -> String {
    let mut lines = header(local);
    let checked = agreed.negotiated.ice.as_ref();
    let bundled = offer.media[accepted].mid.filter(|mid| ice::is_bundled(offer, mid));
    lines.extend(checked.into_iter().flat_map(|_| ice::session_lines(bundled)));
    for (index, media) in offer.media.iter().enumerate() {
        if index == accepted {
            lines.extend(stream(local, media.protocol, &agreed.payloads));
            lines.extend(agreed.secured.clone());
            lines.extend(checked.into_iter().flat_map(|ice| ice::stream_lines(local, &ice.ours, media.mid)));
            lines.extend(media.rtcp_mux.then(|| "a=rtcp-mux".to_owned()));
            lines.extend(media.voip_metrics.then(|| VOIP_METRICS.to_owned()));
            lines.push(format!("a={}", agreed.negotiated.direction.attribute()));
        } else {
            lines.push(format!("m={} 0 {} {}", media.kind, media.protocol, media.formats[0]));
            lines.extend(media.mid.filter(|_| checked.is_some()).map(|mid| format!("a=mid:{mid}")));
        }
    }
    text(&lines)
}

fn described(number: u8, format: Format, local: &LocalMedia) -> Payload {
    let parameters = match format {
        Format::Opus(rate) => Some(opus::parameters(rate, local.opus)),
        _ => None,
    };
    Payload { number, coding: Coding::of(format), parameters }
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

/// The lines of our audio stream up to its packetisation.
fn stream(local: &LocalMedia, protocol: &str, payloads: &[Payload]) -> Vec<String> {
    let numbers: Vec<_> = payloads.iter().map(|payload| payload.number.to_string()).collect();
    let mut lines = vec![format!("m=audio {} {protocol} {}", local.address.port(), numbers.join(" "))];
    for Payload { number, coding, parameters } in payloads {
        lines.push(format!("a=rtpmap:{number} {coding}"));
        lines.extend(parameters.as_ref().map(|parameters| format!("a=fmtp:{number} {parameters}")));
    }
    lines.push(format!("a=ptime:{}", Ptime::default().ms()));
    lines.push(format!("a=maxptime:{}", Ptime::MAX.ms()));
    lines
}

fn text(lines: &[String]) -> String {
    lines.join("\r\n") + "\r\n"
}
