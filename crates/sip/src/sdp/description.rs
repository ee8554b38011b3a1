//! What a session description says, as far as an audio leg cares.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mixminus_rtp::srtp::Fingerprint;

use super::ice::Named;
use super::payload::Coding;
use super::{Direction, SdpError, crypto};

/// Longest description that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Most lines that are read.
const MAX_LINES: usize = 512;
/// Most media descriptions that are read.
const MAX_MEDIA: usize = 16;
/// Most formats of one media description that are read.
const MAX_FORMATS: usize = 64;

/// A session description (RFC 8866), borrowed from its text.
#[derive(Debug, Default)]
pub(super) struct Description<'a> {
    pub connection: Option<IpAddr>,
    pub direction: Option<Direction>,
    /// Of all media that have none of their own (RFC 8122).
    pub fingerprint: Option<Fingerprint>,
    /// Of all media that have none of their own (RFC 4145).
    pub setup: Option<&'a str>,
    /// Of all media that have none of their own (RFC 8839).
    pub ice: Named<'a>,
    /// The sender of the description only answers checks.
    pub ice_lite: bool,
    /// The streams that may share a port (RFC 9143).
    pub bundle: Option<&'a str>,
    pub media: Vec<Media<'a>>,
}

/// One `m=` line and the lines below it.
#[derive(Debug)]
pub(super) struct Media<'a> {
    pub kind: &'a str,
    pub port: u16,
    pub protocol: &'a str,
    pub formats: Vec<&'a str>,
    pub connection: Option<IpAddr>,
    /// Port and, if it is another one, address for RTCP (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// As the sender of the description sees it.
    pub direction: Option<Direction>,
    /// Payload types and what `a=rtpmap:` says of them.
    pub mappings: Vec<(&'a str, Coding<'a>)>,
    /// Payload types and what `a=fmtp:` says of them.
    pub parameters: Vec<(&'a str, &'a str)>,
    pub ptime_ms: Option<u32>,
    pub max_ptime_ms: Option<u32>,
    /// RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// The sender of the description wants VoIP metrics (RFC 3611, section 5).
    pub voip_metrics: bool,
    /// What `a=crypto:` lines say (RFC 4568).
    pub crypto: Vec<&'a str>,
    /// Of the certificate that the sender of the description shows.
    pub fingerprint: Option<Fingerprint>,
    /// Who begins the handshake.
    pub setup: Option<&'a str>,
    /// Whose checks are believed.
    pub ice: Named<'a>,
    /// What the stream is called (RFC 5888).
    pub mid: Option<&'a str>,
    /// It has no port of its own, and needs none (RFC 9143).
    pub bundle_only: bool,
}

impl<'a> Description<'a> {
    /// Reads a description. Lines of no interest are skipped, contradictory ones are not judged.
    pub(super) fn parse(text: &'a str) -> Result<Self, SdpError> {
        if text.len() > MAX_BYTES {
            return Err(SdpError::TooLong);
        }
        let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty());
        if lines.next() != Some("v=0") {
            return Err(SdpError::Version);
        }
        let mut description = Self::default();
        for (index, line) in lines.enumerate() {
            if index == MAX_LINES {
                return Err(SdpError::TooLong);
            }
            let (kind, value) = line.split_once('=').ok_or_else(|| SdpError::Line(shown(line)))?;
            match kind {
                "m" if description.media.len() == MAX_MEDIA => return Err(SdpError::TooLong),
                "m" => {
                    let media = Media::parse(value).ok_or_else(|| SdpError::Line(shown(line)))?;
                    description.media.push(media);
                }
                "c" => *description.connection_slot() = Some(connection(value)?),
                "a" => description.attribute(value),
                _ if kind.len() == 1 => {}
                _ => return Err(SdpError::Line(shown(line))),
            }
        }
        Ok(description)
    }

    fn connection_slot(&mut self) -> &mut Option<IpAddr> {
        match self.media.last_mut() {
            Some(media) => &mut media.connection,
            None => &mut self.connection,
        }
    }

    fn attribute(&mut self, value: &'a str) {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match (Direction::from_attribute(name), self.media.last_mut()) {
            (Some(direction), Some(media)) => media.direction = Some(direction),
            (Some(direction), None) => self.direction = Some(direction),
            (None, Some(media)) => media.attribute(name, value),
            (None, None) if name == "fingerprint" => {
                self.fingerprint = self.fingerprint.or(value.parse().ok());
            }
            (None, None) => match name {
                "setup" => self.setup = Some(value.trim()),
                "ice-lite" => self.ice_lite = true,
                "group" => self.bundle = self.bundle.or(value.strip_prefix("BUNDLE ")),
                _ => self.ice.attribute(name, value),
            },
        }
    }
}

impl<'a> Media<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next()?;
        let port = words.next()?;
        let port = port.split_once('/').map_or(port, |(port, _)| port).parse().ok()?;
        let protocol = words.next()?;
        let formats: Vec<_> = words.take(MAX_FORMATS).collect();
        if formats.is_empty() {
            return None;
        }
        Some(Self {
            kind,
            port,
            protocol,
            formats,
            connection: None,
            rtcp: None,
            direction: None,
            mappings: Vec::new(),
            parameters: Vec::new(),
            ptime_ms: None,
            max_ptime_ms: None,
            rtcp_mux: false,
            voip_metrics: false,
            crypto: Vec::new(),
            fingerprint: None,
            setup: None,
            ice: Named::default(),
            mid: None,
            bundle_only: false,
        })
    }

    fn attribute(&mut self, name: &str, value: &'a str) {
        match name {
            "rtpmap" => self.mappings.extend(mapping(value)),
            "fmtp" => self.parameters.extend(value.split_once(' ')),
            "ptime" => self.ptime_ms = value.trim().parse().ok(),
            "maxptime" => self.max_ptime_ms = value.trim().parse().ok(),
            "rtcp" => self.rtcp = rtcp(value),
            "rtcp-mux" => self.rtcp_mux = true,
            "crypto" if self.crypto.len() < crypto::MAX_LINES => self.crypto.push(value),
            // There may be one for each hash; we know one hash.
            "fingerprint" => self.fingerprint = self.fingerprint.or(value.parse().ok()),
            "setup" => self.setup = Some(value.trim()),
            "mid" => self.mid = Some(value.trim()),
            "bundle-only" => self.bundle_only = true,
            "rtcp-xr" => {
                self.voip_metrics = value.split_ascii_whitespace().any(|report| report == "voip-metrics");
            }
            _ => self.ice.attribute(name, value),
        }
    }
}

fn mapping(value: &str) -> Option<(&str, Coding<'_>)> {
    let (payload_type, coding) = value.split_once(' ')?;
    Some((payload_type, Coding::parse(coding.trim())?))
}

/// What cannot be read is as good as absent: no call shall fail for its reports.
fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    match value.trim().split_once(' ') {
        None => Some((value.trim().parse().ok()?, None)),
        Some((port, address)) => Some((port.parse().ok()?, Some(connection(address).ok()?))),
    }
}

fn connection(value: &str) -> Result<IpAddr, SdpError> {
    let refused = || SdpError::Address(shown(value));
    let mut words = value.split_ascii_whitespace();
    let (network, family, address) = (words.next(), words.next(), words.next().unwrap_or_default());
    let address = address.split_once('/').map_or(address, |(address, _)| address);
    match (network, family) {
        (Some("IN"), Some("IP4")) => address.parse().map(|a: Ipv4Addr| a.into()).map_err(|_| refused()),
        (Some("IN"), Some("IP6")) => address.parse().map(|a: Ipv6Addr| a.into()).map_err(|_| refused()),
        _ => Err(refused()),
    }
}

/// The start of a refused line, for the log.
fn shown(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(64).collect()
}
