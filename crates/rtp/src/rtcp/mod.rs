//! Reports on both streams (RTCP, RFC 3550, section 6).

mod cname;
mod compound;
mod ntp;
mod report;
mod reporter;
mod voip_metrics;

pub use cname::{CNAME_BYTES, Cname};
pub use compound::{Blocks, Compound, ExtendedReport, RtcpError, RtcpPacket, SourceDescription};
pub use ntp::{NtpClock, NtpTime};
pub use report::{MAX_REPORT_BYTES, Report, ReportBlock, SenderInfo};
pub use reporter::Reporter;
pub use voip_metrics::VoipMetrics;

/// Packet types (RFC 3550, section 12.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const EXTENDED_REPORT: u8 = 207;

/// Type of the block of VoIP metrics in an extended report.
const VOIP_METRICS_BLOCK: u8 = 7;

/// Type of the SDES item that holds a CNAME.
const CNAME_ITEM: u8 = 1;

/// Size of a packet's own header.
const HEAD_BYTES: usize = 4;

/// Size of the sender's part of a sender report, without its SSRC.
const SENDER_INFO_BYTES: usize = 20;

/// Size of a report on one stream.
const BLOCK_BYTES: usize = 24;

/// Whether a datagram on a port for RTP and RTCP is RTCP (RFC 5761, section 4): what would be payload types 64
/// to 95 are not used for RTP there.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|packet_type| (192..=223).contains(packet_type))
}

/// `bytes` as `WORDS` numbers; the caller sees to it that there are so many.
fn words<const WORDS: usize>(bytes: &[u8]) -> [u32; WORDS] {
    let chunks = bytes.as_chunks::<4>().0;
    std::array::from_fn(|index| u32::from_be_bytes(chunks[index]))
}
