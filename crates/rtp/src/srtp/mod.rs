//! Protection of RTP and RTCP (SRTP, RFC 3711, and with AES-GCM, RFC 7714), in place and without allocation.
//!
//! Keys are agreed elsewhere. There is no key derivation rate, no master key identifier, and reports are always
//! encrypted; nobody negotiates otherwise.

mod cipher;
mod fingerprint;
mod inbound;
mod index;
mod key;
mod outbound;

use thiserror::Error;

pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use inbound::Unprotector;
pub use key::{SrtpKey, SrtpKeys, SrtpSuite};
pub use outbound::Protector;

/// The most bytes by which protection makes a packet or a report longer.
pub const MAX_OVERHEAD_BYTES: usize = 16 + REPORT_INDEX_BYTES;

/// Where the encrypted part of a report begins.
const REPORT_HEADER_BYTES: usize = 8;

/// A report's number, with a bit that says that it is encrypted.
const REPORT_INDEX_BYTES: usize = 4;

/// That a report is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// Why a packet is not what the far end sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SrtpError {
    /// It is no RTP or RTCP, or too short to be protected.
    #[error("too short to be protected")]
    Malformed,
    /// It has come before, or is older than what is remembered of those that came.
    #[error("came before, or too late to tell")]
    Replayed,
    /// Its tag is not that of its content: it was changed, or is protected by another key, or not at all.
    #[error("not protected by the agreed key")]
    Forged,
}

/// Length of an RTP packet's header with contributing sources and extension, if it is as long as it says.
fn header_bytes(packet: &[u8]) -> Option<usize> {
    let (&first, fixed) = (packet.first()?, 12);
    let sources = fixed + 4 * usize::from(first & 0x0F);
    let length = if first & 0x10 == 0 {
        sources
    } else {
        let words = packet.get(sources + 2..sources + 4)?;
        sources + 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]))
    };
    (first >> 6 == 2 && length <= packet.len()).then_some(length)
}

/// Sequence number and SSRC of a packet that has a header.
fn numbers(packet: &[u8]) -> (u16, u32) {
    (u16::from_be_bytes([packet[2], packet[3]]), word(packet, 8))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
