//! Reports that are sent.

use super::{
    BLOCK_BYTES, CNAME_BYTES, CNAME_ITEM, Cname, EXTENDED_REPORT, GOODBYE, HEAD_BYTES, NtpTime,
    RECEIVER_REPORT, SENDER_INFO_BYTES, SENDER_REPORT, SOURCE_DESCRIPTION, VOIP_METRICS_BLOCK, VoipMetrics,
};
use crate::rtcp::voip_metrics::METRICS_BYTES;

/// Size of the largest report that is sent.
pub const MAX_REPORT_BYTES: usize =
    HEAD_BYTES + 4 + SENDER_INFO_BYTES + BLOCK_BYTES + DESCRIPTION_BYTES + EXTENDED_BYTES + GOODBYE_BYTES;

/// Size of our extended report: head, SSRC, and one block with its own head.
const EXTENDED_BYTES: usize = HEAD_BYTES + 4 + HEAD_BYTES + METRICS_BYTES;

/// Size of the end of one stream.
const GOODBYE_BYTES: usize = HEAD_BYTES + 4;

/// Size of our description: head, SSRC, item with its type and size, and at least one zero up to a whole word.
const DESCRIPTION_BYTES: usize = HEAD_BYTES + 4 + (2 + CNAME_BYTES + 1).next_multiple_of(4);

/// The range of a cumulative loss: 24 bits with sign.
const LOST: (i32, i32) = (-0x80_0000, 0x7F_FFFF);

/// What an end has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// When it was so.
    pub ntp: NtpTime,
    /// The same instant on the clock of the stream.
    pub timestamp: u32,
    /// Packets since the stream began; wraps.
    pub packets: u32,
    /// Bytes of payload since the stream began; wraps.
    pub octets: u32,
}

/// How one stream was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Share of packets lost since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the stream began; negative when duplicates outnumber losses. 24 bits.
    pub lost: i32,
    /// The highest sequence number received; the upper half counts its wraps.
    pub highest_sequence: u32,
    /// Interarrival jitter in units of the clock rate.
    pub jitter_units: u32,
    /// The middle of the NTP time of the last sender report received, else zero.
    pub last_report: u32,
    /// How long ago that one came, in 65,536ths of a second.
    pub since_last_report: u32,
}

/// All that one end says at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The stream of the end that reports.
    pub ssrc: u32,
    /// Its name.
    pub cname: Cname,
    /// What it sent, if it sends.
    pub sender: Option<SenderInfo>,
    /// What it received, if it did.
    pub block: Option<ReportBlock>,
    /// How what it received sounds, if that is to be said.
    pub metrics: Option<VoipMetrics>,
    /// A stream of its own that has ended, if one has.
    pub goodbye: Option<u32>,
}

impl Report {
    /// Writes it to the start of `out` and returns its size in bytes.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_REPORT_BYTES`] is enough.
    pub fn write(&self, out: &mut [u8]) -> usize {
        let packet_type = if self.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        let mut bytes = Bytes { out, size_bytes: 0 };
        let words =
            1 + self.sender.map_or(0, |_| SENDER_INFO_BYTES / 4) + self.block.map_or(0, |_| BLOCK_BYTES / 4);
        bytes.head(u8::from(self.block.is_some()), packet_type, words);
        bytes.numbers(&[self.ssrc]);
        if let Some(SenderInfo { ntp, timestamp, packets, octets }) = self.sender {
            bytes.put(&ntp.0.to_be_bytes());
            bytes.numbers(&[timestamp, packets, octets]);
        }
        if let Some(block) = self.block {
            let lost = block.lost.clamp(LOST.0, LOST.1) as u32 & 0xFF_FFFF;
            let losses = u32::from(block.fraction_lost) << 24 | lost;
            let ReportBlock { ssrc, highest_sequence, jitter_units, last_report, since_last_report, .. } =
                block;
            bytes.numbers(&[ssrc, losses, highest_sequence, jitter_units, last_report, since_last_report]);
        }
        bytes.description(self.ssrc, &self.cname);
        if let Some(metrics) = self.metrics {
            bytes.head(0, EXTENDED_REPORT, EXTENDED_BYTES / 4 - 1);
            bytes.numbers(&[self.ssrc]);
            bytes.put(&[VOIP_METRICS_BLOCK, 0, 0, (METRICS_BYTES / 4) as u8]);
            bytes.numbers(&metrics.to_words());
        }
        if let Some(ended) = self.goodbye {
            bytes.head(1, GOODBYE, GOODBYE_BYTES / 4 - 1);
            bytes.numbers(&[ended]);
        }
        bytes.size_bytes
    }
}

/// A datagram being written.
struct Bytes<'a> {
    out: &'a mut [u8],
    size_bytes: usize,
}

impl Bytes<'_> {
    fn head(&mut self, count: u8, packet_type: u8, words: usize) {
        let [high, low] = (words as u16).to_be_bytes();
        self.put(&[2 << 6 | count, packet_type, high, low]);
    }

    fn description(&mut self, ssrc: u32, cname: &Cname) {
        self.head(1, SOURCE_DESCRIPTION, DESCRIPTION_BYTES / 4 - 1);
        self.numbers(&[ssrc]);
        self.put(&[CNAME_ITEM, CNAME_BYTES as u8]);
        self.put(cname.as_bytes());
        self.put(&[0; DESCRIPTION_BYTES - HEAD_BYTES - 4 - 2 - CNAME_BYTES]);
    }

    fn numbers(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.put(&number.to_be_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out[self.size_bytes..][..bytes.len()].copy_from_slice(bytes);
        self.size_bytes += bytes.len();
    }
}
