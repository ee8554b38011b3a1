//! What a leg's incoming stream has been like.

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
}
