//! How both ends agree on the protection of a stream.

use std::fmt::Display;

use mixminus_rtp::srtp::{Fingerprint, SrtpKey, SrtpKeys};

use super::crypto;
use super::description::{Description, Media};
use super::negotiate::Reading;
use super::{LocalSrtp, SdpError, SrtpPolicy};

/// How a stream is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// SRTP by these keys, which the descriptions have (RFC 4568).
    Keys(SrtpKeys),
    /// SRTP by keys of a DTLS handshake (RFC 5763).
    Dtls {
        /// That of the certificate that the far end has to show.
        fingerprint: Fingerprint,
        /// Whether we begin.
        role: DtlsRole,
    },
}

/// Who begins a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// We do.
    Active,
    /// The far end does.
    Passive,
}

/// What a stream's security comes to, and the lines of an answer that say so.
pub(super) struct Settled {
    pub security: Security,
    pub lines: Vec<String>,
}

impl Settled {
    /// The security of a stream, or why there is none that would do.
    pub(super) fn on(
        description: &Description,
        media: &Media,
        local: &LocalSrtp,
        reading: Reading,
    ) -> Result<Self, SdpError> {
        let by_dtls = media.protocol.starts_with("UDP/TLS/");
        let needed = local.policy == SrtpPolicy::Required || media.protocol.contains("/SAVP");
        let keys = || Self::by_keys(media, &local.keys, reading).filter(|_| !by_dtls);
        let dtls = || Self::by_dtls(description, media, local, reading);
        let settled = match local.policy {
            SrtpPolicy::Off => None,
            SrtpPolicy::Optional | SrtpPolicy::Required => keys().or_else(dtls),
        };
        match settled {
            None if needed => Err(SdpError::NoCommonProtection),
            None => Ok(Self { security: Security::Plain, lines: Vec::new() }),
            Some(settled) => Ok(settled),
        }
    }

    fn by_keys(media: &Media, ours: &[SrtpKey], reading: Reading) -> Option<Self> {
        let (keys, lines) = match reading {
            Reading::Offer => {
                let (keys, line) = crypto::answer(&media.crypto, ours)?;
                (keys, vec![line])
            }
            Reading::Answer => (crypto::agreed(&media.crypto, ours)?, Vec::new()),
        };
        Some(Self { security: Security::Keys(keys), lines })
    }

    fn by_dtls(
        description: &Description,
        media: &Media,
        local: &LocalSrtp,
        reading: Reading,
    ) -> Option<Self> {
        let ours = local.fingerprint?;
        let fingerprint = media.fingerprint.or(description.fingerprint)?;
        // Behind a translator only the far end can begin, so it does unless it refuses to (RFC 5763, section 5).
        let (role, setup) = match (media.setup.or(description.setup), reading) {
            (Some("passive"), _) => (DtlsRole::Active, "active"),
            (Some("active") | None, _) | (Some("actpass"), Reading::Offer) => (DtlsRole::Passive, "passive"),
            _ => return None,
        };
        let lines = identified(ours, setup);
        Some(Self { security: Security::Dtls { fingerprint, role }, lines: lines.into() })
    }
}

/// The protocol of our offers, and the lines that say how they are protected.
pub(super) fn offer(local: &LocalSrtp, to_browser: bool) -> (&'static str, Vec<String>) {
    let by_dtls = local.fingerprint.filter(|_| local.offers_dtls || to_browser);
    if let (Some(fingerprint), true) = (by_dtls, to_browser) {
        return ("UDP/TLS/RTP/SAVPF", identified(fingerprint, "actpass").into());
    }
    let protocol = match (local.policy, by_dtls) {
        (SrtpPolicy::Required, Some(_)) => "UDP/TLS/RTP/SAVP",
        (SrtpPolicy::Required, None) => "RTP/SAVP",
        (SrtpPolicy::Off | SrtpPolicy::Optional, _) => "RTP/AVP",
    };
    let lines = match (local.policy, by_dtls) {
        (SrtpPolicy::Off, _) => Vec::new(),
        (_, Some(fingerprint)) => identified(fingerprint, "actpass").into(),
        (_, None) => crypto::offer(&local.keys).collect(),
    };
    (protocol, lines)
}

fn identified(fingerprint: impl Display, setup: &str) -> [String; 2] {
    [format!("a=fingerprint:{fingerprint}"), format!("a=setup:{setup}")]
}
