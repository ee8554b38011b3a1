//! Offer and answer (RFC 3264) for one audio stream.
//!
//! Descriptions come from the network: every limit is named, nothing panics, and what cannot be
//! understood is a typed error, to be answered with 488.

mod crypto;
mod description;
mod ice;
mod negotiate;
mod opus;
mod payload;
mod security;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use mixminus_codec::{Format, OpusSettings};
use mixminus_ice::Credentials;
use mixminus_rtp::MediaParameters;
use mixminus_rtp::srtp::{Fingerprint, SrtpKey};
use thiserror::Error;

pub use negotiate::{negotiate, offer, read_answer};
pub use security::{DtlsRole, Security};

/// Which way audio flows, seen from us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendReceive,
    /// From us only.
    SendOnly,
    /// To us only.
    ReceiveOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// The same stream seen from the other end.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            both => both,
        }
    }

    const fn without_sending(self) -> Self {
        match self {
            Self::SendReceive | Self::ReceiveOnly => Self::ReceiveOnly,
            Self::SendOnly | Self::Inactive => Self::Inactive,
        }
    }

    fn from_attribute(name: &str) -> Option<Self> {
        match name {
            "sendrecv" => Some(Self::SendReceive),
            "sendonly" => Some(Self::SendOnly),
            "recvonly" => Some(Self::ReceiveOnly),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    const fn attribute(self) -> &'static str {
        match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Our end of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where we receive RTP.
    pub address: SocketAddr,
    /// Identifies the session for its whole life (`o=` line).
    pub session_id: u64,
    /// One more for each description that differs from the one sent before it.
    pub version: u64,
    /// What we speak, best first, each once.
    pub formats: Vec<Format>,
    /// What our Opus encoder may spend, and whether silence need not be sent.
    pub opus: OpusSettings,
    /// How packets are protected.
    pub srtp: LocalSrtp,
    /// How it is checked where the far end is, with one that does the checking (ICE).
    pub ice: Option<LocalIce>,
}

/// Our end of checks (ICE-lite, RFC 8445).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIce {
    /// What was agreed on last, which goes on until the far end begins anew.
    pub agreed: Option<Ice>,
    /// What we are called where nothing goes on.
    pub fresh: Credentials,
    /// Whether our offers propose it, as browsers need it: with a handshake, and all at one port.
    pub offers: bool,
}

/// What both ends call each other in checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ice {
    /// Our names.
    pub ours: Credentials,
    /// The far end's user name fragment.
    pub theirs: String,
}

/// How we protect packets (SRTP, RFC 3711).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalSrtp {
    /// Whether there is an audio stream without it.
    pub policy: SrtpPolicy,
    /// What we protect with, a key for each suite that we speak, best first. They stay for the whole session.
    pub keys: Vec<SrtpKey>,
    /// That of the certificate that we show in handshakes, if we do those.
    pub fingerprint: Option<Fingerprint>,
    /// Whether our offers propose a handshake instead of keys. What we answer follows the offer.
    pub offers_dtls: bool,
}

/// Whether packets are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SrtpPolicy {
    /// Never.
    #[default]
    Off,
    /// When the far end can do it, too: an offer says so beside plain RTP (RFC 8643).
    Optional,
    /// Always; there is no audio with who cannot.
    Required,
}

/// What both ends agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Coding of the audio and the payload types, as the far end has them.
    pub parameters: MediaParameters,
    /// Where the far end receives RTP. The address is unspecified while it holds us the old way, and of no
    /// meaning with `ice`.
    pub remote: SocketAddr,
    /// Where the far end receives RTCP: where it says, else one port above RTP. Port 0 is nowhere.
    pub remote_rtcp: SocketAddr,
    /// Whether RTCP goes over the ports of RTP, both ways (RFC 5761).
    pub rtcp_mux: bool,
    /// Whether the far end takes VoIP metrics in its RTCP (RFC 3611).
    pub voip_metrics: bool,
    /// Which way audio flows.
    pub direction: Direction,
    /// How packets are protected.
    pub security: Security,
    /// How it is checked where the far end is, if it is.
    pub ice: Option<Ice>,
}

/// Why there is no audio stream in a description.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// More bytes, lines or media than any phone sends.
    #[error("the session description is too long")]
    TooLong,
    /// It does not begin with `v=0`.
    #[error("the session description does not begin with v=0")]
    Version,
    /// A line that is not `letter=value`, or an `m=` line without its parts.
    #[error("cannot read the line {0:?} of the session description")]
    Line(String),
    /// A connection address that is no IP address.
    #[error("cannot read the connection address {0:?}")]
    Address(String),
    /// No `m=audio` over RTP/AVP or RTP/SAVP with a port and an address of our family.
    #[error("the session description offers no audio over RTP that can be reached")]
    NoAudio,
    /// Audio, but not protected as is required here, or protected as we cannot do it.
    #[error("no common protection of audio (SRTP)")]
    NoCommonProtection,
    /// Audio, but in no format that both ends speak.
    #[error("no common audio format")]
    NoCommonFormat,
}
