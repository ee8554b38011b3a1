//! What a leg's streams have been like.

use std::time::Duration;

/// Counters over a leg's life and the present state of its jitter buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Datagrams that could not be used: malformed, of another kind than agreed, or after a jump.
    pub rejected: u64,
    /// Times that the sender changed its SSRC.
    pub source_changes: u64,
    /// Digits pressed.
    pub digits: u64,
    /// Frames that hold made-up audio.
    pub concealed_frames: u64,
    /// Frames dropped to give back delay.
    pub shed_frames: u64,
    /// Audio waiting in the jitter buffer, in frames, rounded down.
    pub depth_frames: u32,
    /// The delay that the jitter buffer keeps, in frames.
    pub target_frames: u32,
    /// Interarrival jitter (RFC 3550, section 6.4.1).
    pub jitter: Duration,
    /// Packets sent.
    pub sent: u64,
    /// Bytes of payload sent.
    pub sent_bytes: u64,
    /// How the far end receives what is sent, as it last reported.
    pub remote: Option<RemoteQuality>,
    /// Time to the far end and back, as its last report yields it.
    pub round_trip: Option<Duration>,
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
