//! Read-only copies of what sources add to a bridge and of what its legs hear.
//!
//! A [`Tap`] is the end that a bridge writes, a [`TapReader`] the one that somebody reads elsewhere, whenever there is
//! time. Between them is a bounded ring: whoever reads too slowly loses whole ticks, and nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mixminus_audio::SampleRate;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::convert::SILENCE;
use crate::tapped::{TapChannel, TapId};

/// How much a tap holds that has not been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapCapacity {
    /// Ticks, silent ones included.
    pub ticks: usize,
    /// Frames that are not silent.
    pub frames: usize,
    /// Samples of these frames.
    pub samples: usize,
}

/// Ticks that a tap holds: two seconds. A disk that stalls for longer is for its writer to bear, not for this ring.
const TICKS: usize = 100;

/// Channels that may sound all that time.
const SOUNDING: usize = 4;

/// Ticks, half a second, for which all other channels may sound too: more is noise that nobody can talk against, and a
/// hundred channels would take 19 MB instead of 5.
const TICKS_OF_ALL: usize = 25;

impl TapCapacity {
    /// Two seconds of as many as four channels that sound at 48 kHz, and half a second of the rest of `channels`. At
    /// lower rates the samples last accordingly longer, the ticks do not. A tap may come to have more channels than
    /// that; they share the room.
    pub const fn of(channels: usize) -> Self {
        let sounding = if channels < SOUNDING { channels } else { SOUNDING };
        let frames = TICKS * sounding + TICKS_OF_ALL * (channels - sounding);
        Self { ticks: TICKS, frames, samples: frames * SampleRate::Hz48000.frame_samples() }
    }
}

/// The end that a bridge writes: one tick for each of its own, in order.
///
/// It goes with its arrangements like a leg, and its reader sees the end when it is dropped.
#[derive(Debug)]
pub struct Tap {
    id: TapId,
    ticks: Producer<Head>,
    channels: Producer<TapChannel>,
    samples: Producer<i16>,
    /// The number of the last tick.
    last: Option<u64>,
    lost: Arc<AtomicU64>,
}

/// What is written of a tick besides its frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub tick: u64,
    pub rate: SampleRate,
    pub paused: bool,
    /// How many frames are not silent.
    pub frames: usize,
}

/// The end that is read. It sees only whole ticks.
#[derive(Debug)]
pub struct TapReader {
    ticks: Consumer<Head>,
    channels: Consumer<TapChannel>,
    samples: Consumer<i16>,
    lost: Arc<AtomicU64>,
    /// Working memory: the frames of one tick.
    sounding: Vec<TapChannel>,
    frames: Vec<i16>,
}

/// One tick of a tap.
#[derive(Clone, Copy, Debug)]
pub struct TapTick<'a> {
    /// Its number on the time line that all bridges share, in ticks of 20 ms: always greater than the one before, and
    /// by more than one where ticks were lost or the tap was in no bridge.
    pub tick: u64,
    /// The rate of the bridge in this tick.
    pub rate: SampleRate,
    /// Whether the tap was paused, so that there is no frame whatever was said.
    pub paused: bool,
    channels: &'a [TapChannel],
    samples: &'a [i16],
}

/// A tap that holds `capacity`, and its reader.
pub fn tap(id: TapId, capacity: TapCapacity) -> (Tap, TapReader) {
    let (to_ticks, ticks) = RingBuffer::new(capacity.ticks);
    let (to_channels, channels) = RingBuffer::new(capacity.frames);
    let (to_samples, samples) = RingBuffer::new(capacity.samples);
    let lost = Arc::<AtomicU64>::default();
    let tap = Tap {
        id,
        ticks: to_ticks,
        channels: to_channels,
        samples: to_samples,
        last: None,
        lost: Arc::clone(&lost),
    };
    (tap, TapReader { ticks, channels, samples, lost, sounding: Vec::new(), frames: Vec::new() })
}

impl Tap {
    /// Which tap it is.
    pub const fn id(&self) -> TapId {
        self.id
    }

    /// Writes a tick that has so many `frames`, one for each channel that is not silent, unless there is no room for
    /// all of it. One that is not later than the last is left out: its time has been written, in a bridge whose worker
    /// was ahead.
    pub(crate) fn write<'a>(&mut self, head: Head, frames: impl Iterator<Item = (TapChannel, &'a [i16])>) {
        if self.last.is_some_and(|last| head.tick <= last) {
            return;
        }
        self.last = Some(head.tick);
        let frame_samples = head.rate.frame_samples();
        let has_room = self.ticks.slots() > 0
            && self.channels.slots() >= head.frames
            && self.samples.slots() >= head.frames * frame_samples;
        if !has_room {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut written = true;
        for (channel, frame) in frames {
            written &= self.samples.push_entire_slice(frame).is_ok();
            // A prompt may end within a tick.
            written &= self.samples.push_entire_slice(&SILENCE[frame.len()..frame_samples]).is_ok();
            written &= self.channels.push(channel).is_ok();
        }
        // Last, for it makes the frames known to the reader.
        written &= self.ticks.push(head).is_ok();
        debug_assert!(written, "only this tap fills the rings, and they had room");
    }
}

impl TapReader {
    /// Hands `each` tick that has come since, in order.
    pub fn read(&mut self, each: &mut impl FnMut(&TapTick<'_>)) {
        for _ in 0..self.ticks.slots() {
            let Ok(Head { tick, rate, paused, frames }) = self.ticks.pop() else { return };
            let channels = self.channels.read_chunk(frames).expect("frames are written before their tick");
            self.sounding.clear();
            self.sounding.extend(channels);
            self.frames.resize(frames * rate.frame_samples(), 0);
            let read = self.samples.pop_entire_slice(&mut self.frames);
            read.expect("frames are written before their tick");
            each(&TapTick { tick, rate, paused, channels: &self.sounding, samples: &self.frames });
        }
    }

    /// Whether all has been read that will ever come.
    pub fn is_over(&self) -> bool {
        self.ticks.is_abandoned() && self.ticks.is_empty()
    }

    /// How many ticks there was no room for, since the beginning.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl<'a> TapTick<'a> {
    /// The frame of each channel that is not silent.
    pub fn frames(&self) -> impl Iterator<Item = (TapChannel, &'a [i16])> {
        self.channels.iter().copied().zip(self.samples.chunks_exact(self.rate.frame_samples()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LegId;

    const CHANNEL: TapChannel = TapChannel::Heard(LegId(1));
    const RATE: SampleRate = SampleRate::Hz8000;

    /// Two ticks, and one frame at 8 kHz.
    const SMALL: TapCapacity = TapCapacity { ticks: 2, frames: 1, samples: 160 };

    fn write(tap: &mut Tap, tick: u64, frames: &[&[i16]]) {
        let head = Head { tick, rate: RATE, paused: false, frames: frames.len() };
        tap.write(head, frames.iter().map(|&frame| (CHANNEL, frame)));
    }

    /// The ticks that have come, each with its samples.
    fn read(reader: &mut TapReader) -> Vec<(u64, Vec<i16>)> {
        let mut ticks = vec![];
        reader.read(&mut |tick| {
            ticks.push((tick.tick, tick.frames().flat_map(|(_, frame)| frame).copied().collect()));
        });
        ticks
    }

    #[test]
    fn a_tick_for_which_there_is_no_room_is_lost_whole_and_counted() {
        let (mut tap, mut reader) = tap(TapId(1), SMALL);
        write(&mut tap, 1, &[&[7; 160]]);
        write(&mut tap, 2, &[&[8; 160]]);
        write(&mut tap, 3, &[]);
        write(&mut tap, 4, &[]);
        assert_eq!(read(&mut reader), [(1, vec![7; 160]), (3, vec![])]);
        write(&mut tap, 5, &[&[9; 160], &[9; 160]]);
        write(&mut tap, 6, &[&[6; 160]]);
        assert_eq!((read(&mut reader), reader.lost()), (vec![(6, vec![6; 160])], 3));
    }

    #[test]
    fn a_time_that_has_been_written_is_not_written_again() {
        let (mut tap, mut reader) = tap(TapId(1), SMALL);
        for tick in [5, 4, 5] {
            write(&mut tap, tick, &[]);
        }
        assert_eq!((read(&mut reader), reader.lost()), (vec![(5, vec![])], 0));
    }

    #[test]
    fn what_ends_within_a_tick_is_followed_by_silence() {
        let (mut tap, mut reader) = tap(TapId(1), SMALL);
        write(&mut tap, 1, &[&[7; 60]]);
        assert_eq!(read(&mut reader), [(1, [[7; 60].as_slice(), &[0; 100]].concat())]);
    }

    #[test]
    fn a_tap_is_over_when_it_is_gone_and_its_last_tick_was_read() {
        let (mut tap, mut reader) = tap(TapId(1), SMALL);
        write(&mut tap, 1, &[]);
        assert_eq!((read(&mut reader).len(), reader.is_over()), (1, false));
        write(&mut tap, 2, &[]);
        drop(tap);
        assert!(!reader.is_over());
        assert_eq!((read(&mut reader).len(), reader.is_over()), (1, true));
    }

    #[test]
    fn more_channels_take_more_room_but_not_in_proportion() {
        let second = 48_000;
        assert_eq!(TapCapacity::of(1), TapCapacity { ticks: 100, frames: 100, samples: 2 * second });
        assert_eq!(TapCapacity::of(4).samples, 8 * second);
        assert_eq!(TapCapacity::of(100).samples, (8 + 48) * second);
    }
}
