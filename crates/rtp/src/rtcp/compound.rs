//! Reports from the network, read in place.

use super::{
    BLOCK_BYTES, CNAME_ITEM, EXTENDED_REPORT, GOODBYE, HEAD_BYTES, NtpTime, RECEIVER_REPORT, ReportBlock,
    SENDER_INFO_BYTES, SENDER_REPORT, SOURCE_DESCRIPTION, SenderInfo, VOIP_METRICS_BLOCK, VoipMetrics,
    voip_metrics::METRICS_BYTES, words,
};

/// Why a datagram is no compound of RTCP packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// It ends inside a packet.
    #[error("an RTCP packet exceeds the datagram")]
    TooShort,
    /// A packet has another version than 2.
    #[error("RTCP version is not 2")]
    Version,
    /// It does not begin with a report (RFC 3550, section 6.1).
    #[error("the first RTCP packet is no report")]
    NotAReport,
    /// A packet has less in it than it says.
    #[error("the contents of an RTCP packet exceed it")]
    Contents,
    /// A packet's padding is empty, exceeds it, or is not at the end of the datagram.
    #[error("RTCP padding does not fit")]
    Padding,
}

/// The packets of one datagram, all of them well-formed. Nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// [`RtcpError`] when any of its packets is malformed.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtcpError> {
        let (first, mut rest) = split(datagram)?;
        if !matches!(first, RtcpPacket::SenderReport { .. } | RtcpPacket::ReceiverReport { .. }) {
            return Err(RtcpError::NotAReport);
        }
        while !rest.is_empty() {
            (_, rest) = split(rest)?;
        }
        Ok(Self(datagram))
    }

    /// Its packets in order.
    pub fn packets(self) -> impl Iterator<Item = RtcpPacket<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (packet, after) = split(rest).ok()?;
            rest = after;
            Some(packet)
        })
    }
}

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPacket<'a> {
    /// From an end that sends.
    SenderReport {
        /// Its stream.
        ssrc: u32,
        /// What it sent.
        sender: SenderInfo,
        /// What it received.
        blocks: Blocks<'a>,
    },
    /// From an end that does not send.
    ReceiverReport {
        /// Its stream, if it had one.
        ssrc: u32,
        /// What it received.
        blocks: Blocks<'a>,
    },
    /// Who sends.
    SourceDescription(SourceDescription<'a>),
    /// Streams that have ended.
    Goodbye {
        /// Their SSRCs, as they are on the wire.
        sources: &'a [[u8; 4]],
    },
    /// What standard reports have no room for (RFC 3611).
    ExtendedReport(ExtendedReport<'a>),
    /// Anything else.
    Other {
        /// Its packet type.
        packet_type: u8,
    },
}

/// Reports on single streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [[u8; BLOCK_BYTES]]);

impl<'a> Blocks<'a> {
    /// Each of them.
    pub fn iter(self) -> impl ExactSizeIterator<Item = ReportBlock> + 'a {
        self.0.iter().map(ReportBlock::from_bytes)
    }

    fn parse(count: usize, body: &'a [u8]) -> Result<Self, RtcpError> {
        let blocks = body.get(..count * BLOCK_BYTES).ok_or(RtcpError::Contents)?;
        Ok(Self(blocks.as_chunks().0))
    }
}

/// Names of the ends that send. What is malformed in it ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a>(&'a [u8]);

impl<'a> SourceDescription<'a> {
    /// The name of the end that sends the stream `ssrc`.
    pub fn cname(self, ssrc: u32) -> Option<&'a [u8]> {
        let mut chunks = self.0;
        loop {
            let (source, mut items) = chunks.split_first_chunk::<4>()?;
            while let Some((&kind, rest)) = items.split_first()
                && kind != 0
            {
                let (&size_bytes, rest) = rest.split_first()?;
                let (text, rest) = rest.split_at_checked(size_bytes.into())?;
                if kind == CNAME_ITEM && u32::from_be_bytes(*source) == ssrc {
                    return Some(text);
                }
                items = rest;
            }
            // One zero ends the items, and more fill the word.
            let zeros = 1 + items.len().checked_sub(1)? % 4;
            chunks = &items[zeros..];
        }
    }
}

/// Blocks of an extended report. What is malformed in them ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedReport<'a>(&'a [u8]);

impl ExtendedReport<'_> {
    /// How the stream `ssrc` is received.
    pub fn voip_metrics(self, ssrc: u32) -> Option<VoipMetrics> {
        let mut blocks = self.0;
        loop {
            let (&[block, _, high, low], rest) = blocks.split_first_chunk()?;
            let (body, after) = rest.split_at_checked(4 * usize::from(u16::from_be_bytes([high, low])))?;
            if block == VOIP_METRICS_BLOCK
                && let Ok(body) = <&[u8; METRICS_BYTES]>::try_from(body)
                && let metrics = VoipMetrics::from(body)
                && metrics.ssrc == ssrc
            {
                return Some(metrics);
            }
            blocks = after;
        }
    }
}

impl<'a> RtcpPacket<'a> {
    fn parse(count: usize, packet_type: u8, body: &'a [u8]) -> Result<Self, RtcpError> {
        Ok(match packet_type {
            SENDER_REPORT => {
                let (ssrc, body) = number(body)?;
                let (info, body) =
                    body.split_first_chunk::<SENDER_INFO_BYTES>().ok_or(RtcpError::Contents)?;
                let sender = SenderInfo::from_bytes(info);
                Self::SenderReport { ssrc, sender, blocks: Blocks::parse(count, body)? }
            }
            RECEIVER_REPORT => {
                let (ssrc, body) = number(body)?;
                Self::ReceiverReport { ssrc, blocks: Blocks::parse(count, body)? }
            }
            SOURCE_DESCRIPTION => Self::SourceDescription(SourceDescription(body)),
            GOODBYE => {
                let sources = body.get(..4 * count).ok_or(RtcpError::Contents)?;
                Self::Goodbye { sources: sources.as_chunks().0 }
            }
            EXTENDED_REPORT => Self::ExtendedReport(ExtendedReport(number(body)?.1)),
            packet_type => Self::Other { packet_type },
        })
    }
}

impl SenderInfo {
    fn from_bytes(bytes: &[u8; SENDER_INFO_BYTES]) -> Self {
        let [ntp_high, ntp_low, timestamp, packets, octets] = words(bytes);
        let ntp = NtpTime(u64::from(ntp_high) << 32 | u64::from(ntp_low));
        Self { ntp, timestamp, packets, octets }
    }
}

impl ReportBlock {
    fn from_bytes(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let [ssrc, losses, highest_sequence, jitter_units, last_report, since_last_report] = words(bytes);
        Self {
            ssrc,
            fraction_lost: (losses >> 24) as u8,
            // Shifted up and down again, the sign of 24 bits becomes that of 32.
            lost: (losses << 8) as i32 >> 8,
            highest_sequence,
            jitter_units,
            last_report,
            since_last_report,
        }
    }
}

/// The packet at the start of `datagram`, and what follows it.
fn split(datagram: &[u8]) -> Result<(RtcpPacket<'_>, &[u8]), RtcpError> {
    let head = datagram.first_chunk::<HEAD_BYTES>().ok_or(RtcpError::TooShort)?;
    if head[0] >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    let size_bytes = HEAD_BYTES + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
    let (packet, rest) = datagram.split_at_checked(size_bytes).ok_or(RtcpError::TooShort)?;
    let mut body = &packet[HEAD_BYTES..];
    if head[0] & 0x20 != 0 {
        let padding = usize::from(*body.last().ok_or(RtcpError::Padding)?);
        let end = body.len().checked_sub(padding).ok_or(RtcpError::Padding)?;
        if padding == 0 || !padding.is_multiple_of(4) || !rest.is_empty() {
            return Err(RtcpError::Padding);
        }
        body = &body[..end];
    }
    Ok((RtcpPacket::parse(usize::from(head[0] & 0x1F), head[1], body)?, rest))
}

fn number(body: &[u8]) -> Result<(u32, &[u8]), RtcpError> {
    let (bytes, rest) = body.split_first_chunk::<4>().ok_or(RtcpError::Contents)?;
    Ok((u32::from_be_bytes(*bytes), rest))
}
