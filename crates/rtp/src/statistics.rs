//! What a leg's streams have been like.

use std::time::Duration;

use mixminus_audio::Dbov;

use crate::Mos;
use crate::rtcp::VoipMetrics;

/// Counters over a leg's life, and how it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Packets of the stream, duplicates not counted.
    pub received: u64,
    /// Packets that were sent, by their sequence numbers, and have not come.
    pub lost: u64,
    /// Packets that came after their audio was due; counted in `received` too.
    pub late: u64,
    /// Packets overtaken by one that was sent after them.
    pub reordered: u64,
    /// Packets that had come before.
    pub duplicated: u64,
    /// Packets whose audio came with the next one, by in-band FEC; counted in `lost` too.
    pub recovered: u64,
    /// Datagrams that could not be used: malformed, of another kind than agreed, or after a jump.
    pub rejected: u64,
    /// Times that the sender changed its SSRC.
    pub source_changes: u64,
    /// Digits pressed.
    pub digits: u64,
    /// Interarrival jitter (RFC 3550, section 6.4.1).
    pub jitter: Duration,
    /// By how many parts in a million the sender's clock is faster than ours, once that can be told.
    pub drift_ppm: Option<f32>,
    /// Frames in which audio of the sender was due, heard or concealed.
    pub played_frames: u64,
    /// Frames of those that hold made-up audio.
    pub concealed_frames: u64,
    /// Frames dropped because more waited than may.
    pub shed_frames: u64,
    /// Audio taken out of the stream, period by period, to give back delay.
    pub shortened: Duration,
    /// Audio put into it so that late packets are in time.
    pub lengthened: Duration,
    /// Audio waiting in the jitter buffer after each frame.
    pub delay: BufferDelay,
    /// How loud the far end has been in about the last second; `None` when it was silent.
    pub level: Option<Dbov>,
    /// Frames with samples at the end of the format's scale.
    pub clipped_frames: u64,
    /// How long the far end has talked.
    pub talk_time: Duration,
    /// Packets sent.
    pub sent: u64,
    /// Bytes of payload sent.
    pub sent_bytes: u64,
    /// How the far end receives what is sent, as it last reported.
    pub remote: Option<RemoteQuality>,
    /// The same in more detail, if it reports that.
    pub remote_metrics: Option<VoipMetrics>,
    /// Time to the far end and back, as its last report yields it.
    pub round_trip: Option<Duration>,
    /// What we hear of the far end, estimated over about the last ten seconds.
    pub mos: Option<Mos>,
    /// What the far end hears of us: as it says itself, else estimated from its last report.
    pub remote_mos: Option<Mos>,
}

impl Statistics {
    /// Share of the frames with audio due that was made up, 0 to 1.
    pub fn concealed_share(&self) -> f64 {
        self.concealed_frames as f64 / self.played_frames.max(1) as f64
    }
}

/// The delay that a jitter buffer adds, without the wait of 0 to 20 ms for the tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferDelay {
    /// At the last frame.
    pub now: Duration,
    /// On average.
    pub mean: Duration,
    /// At most.
    pub max: Duration,
    /// What late packets of the last seconds have needed.
    pub target: Duration,
}

/// What the far end says about the outgoing stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteQuality {
    /// Share of packets lost since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the stream began; negative when duplicates outnumber losses.
    pub lost: i32,
    /// Interarrival jitter.
    pub jitter: Duration,
}
