//! How a call is received, in one block of an extended report (RFC 3611, section 4.7).

use super::words;

/// Size of the block without its head.
pub(super) const METRICS_BYTES: usize = 32;

/// Stands for what is not known.
const UNKNOWN: u8 = 127;

/// What one end says about a stream that it receives. Times in milliseconds, shares in 256ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The stream.
    pub ssrc: u32,
    /// Share of packets lost on the way.
    pub loss_rate: u8,
    /// Share of packets that came too late or too early.
    pub discard_rate: u8,
    /// Share of packets lost or discarded in bursts, and between them.
    pub burst_density: u8,
    /// The same in gaps.
    pub gap_density: u8,
    /// Mean length of bursts.
    pub burst_ms: u16,
    /// Mean length of gaps.
    pub gap_ms: u16,
    /// Time to the other end and back; 0 when it is not known.
    pub round_trip_ms: u16,
    /// Delay that the reporting end adds.
    pub end_system_ms: u16,
    /// Level of speech in dBm0; `None` when it is not known.
    pub signal_dbm: Option<i8>,
    /// Rating factor of the E-model, 0 to 100.
    pub rating: Option<u8>,
    /// Mean opinion score of listening, times ten.
    pub mos_listening_tenths: Option<u8>,
    /// Mean opinion score of conversation, times ten.
    pub mos_conversation_tenths: Option<u8>,
    /// The delay that its jitter buffer adds at present.
    pub buffer_ms: u16,
    /// The most that it has added lately.
    pub buffer_max_ms: u16,
    /// The most that it can add.
    pub buffer_limit_ms: u16,
}

impl From<&[u8; METRICS_BYTES]> for VoipMetrics {
    /// Reads a block without its head.
    fn from(bytes: &[u8; METRICS_BYTES]) -> Self {
        let [ssrc, rates, durations, delays, levels, quality, nominal, limits] = words(bytes);
        let [loss_rate, discard_rate, burst_density, gap_density] = rates.to_be_bytes();
        let [signal, ..] = levels.to_be_bytes();
        let [rating, _, listening, conversation] = quality.to_be_bytes();
        let known = |value: u8| (value != UNKNOWN).then_some(value);
        Self {
            ssrc,
            loss_rate,
            discard_rate,
            burst_density,
            gap_density,
            burst_ms: (durations >> 16) as u16,
            gap_ms: durations as u16,
            round_trip_ms: (delays >> 16) as u16,
            end_system_ms: delays as u16,
            signal_dbm: known(signal).map(u8::cast_signed),
            rating: known(rating),
            mos_listening_tenths: known(listening),
            mos_conversation_tenths: known(conversation),
            buffer_ms: nominal as u16,
            buffer_max_ms: (limits >> 16) as u16,
            buffer_limit_ms: limits as u16,
        }
    }
}

impl VoipMetrics {
    /// The block without its head.
    pub(super) fn to_words(self) -> [u32; METRICS_BYTES / 4] {
        let pair = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
        let or_unknown = |value: Option<u8>| value.unwrap_or(UNKNOWN);
        let signal = self.signal_dbm.map_or(UNKNOWN, i8::cast_unsigned);
        let (listening, conversation) = (self.mos_listening_tenths, self.mos_conversation_tenths);
        [
            self.ssrc,
            u32::from_be_bytes([self.loss_rate, self.discard_rate, self.burst_density, self.gap_density]),
            pair(self.burst_ms, self.gap_ms),
            pair(self.round_trip_ms, self.end_system_ms),
            u32::from_be_bytes([signal, UNKNOWN, UNKNOWN, crate::bursts::GAP_PACKETS]),
            u32::from_be_bytes([
                or_unknown(self.rating),
                UNKNOWN,
                or_unknown(listening),
                or_unknown(conversation),
            ]),
            pair(u16::from(RECEIVER) << 8, self.buffer_ms),
            pair(self.buffer_max_ms, self.buffer_limit_ms),
        ]
    }
}

/// What our receiver does: standard concealment, an adaptive jitter buffer (RFC 3611, section 4.7.6).
const RECEIVER: u8 = 0b1111_0000;
