//! Reports on both streams (RTCP, RFC 3550, section 6).

mod cname;
mod compound;
mod ntp;
mod report;
mod reporter;

pub use cname::{CNAME_BYTES, Cname};
pub use compound::{Blocks, Compound, RtcpError, RtcpPacket, SourceDescription};
pub use ntp::{NtpClock, NtpTime};
pub use report::{MAX_REPORT_BYTES, Report, ReportBlock, SenderInfo};
pub use reporter::Reporter;

/// Packet types (RFC 3550, section 12.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Type of the SDES item that holds a CNAME.
const CNAME_ITEM: u8 = 1;

/// Size of a packet's own header.
const HEAD_BYTES: usize = 4;

/// Size of the sender's part of a sender report, without its SSRC.
const SENDER_INFO_BYTES: usize = 20;

/// Size of a report on one stream.
const BLOCK_BYTES: usize = 24;
