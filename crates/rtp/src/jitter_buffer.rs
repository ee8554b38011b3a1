//! Absorbs the variation with which packets arrive.

use mixminus_audio::{Dbov, SampleRate, level};
use mixminus_codec::Concealment;

use crate::Statistics;
use crate::ring::{Ring, Run};
use crate::slack::Slack;

/// The most delay that is kept for late packets. Higher hears more of a bad network and makes talking with
/// it harder.
pub const MAX_TARGET_FRAMES: u32 = 10;

/// The most audio that may wait; beyond, the oldest is dropped at once.
pub const MAX_DEPTH_FRAMES: u32 = 16;

/// Frames for which there is room: the deepest buffer and a packet of 60 ms more, twice over.
const RING_FRAMES: usize = 32;

/// Delay is given back at most one frame in this many ticks, so that speech is not hurried audibly.
const SHED_INTERVAL_TICKS: u32 = 10;

/// A frame below this level is dropped unnoticed.
const QUIET: Dbov = Dbov(-50.0);

/// How long a quiet frame is waited for, in ticks, before a loud one is dropped.
const QUIET_WAIT_TICKS: u32 = 35;

/// Whether a packet was sent after all others that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It was.
    Newest,
    /// A later one came before.
    Overtaken,
}

/// What became of a packet's audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It will be played.
    Buffered,
    /// It was due already.
    Late,
}

/// Whether a frame holds sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playout {
    /// The frame is all zeros.
    Silence,
    /// The frame holds received or made-up audio.
    Audio,
}

/// Turns packets of any length and order into one frame a tick, concealing what is missing.
///
/// It keeps the delay at which the latest packet of the last seconds would just have been in time: a late
/// packet raises the delay at once, by concealment; when every packet came at least a frame sooner than
/// needed, a frame is shed. It needs no clock but its ticks, so a sender's drift is a cause like any other.
///
/// When it runs dry it waits: time that was concealed and then turns out to have been lost or silent is
/// skipped, so a pause adds no delay. Allocates only when it is made.
#[derive(Debug)]
pub struct JitterBuffer {
    ring: Ring,
    concealment: Concealment,
    slack: Slack,
    /// Samples in a frame.
    frame: i64,
    /// Position of the next sample to play, once there is one.
    next: Option<u32>,
    /// Where the last buffered sample ends. Never before `next`.
    end: u32,
    /// Samples concealed since it ran dry.
    waited: i64,
    /// Samples still to be concealed in order to raise the delay.
    raise: i64,
    /// The delay to keep, in samples.
    target: i64,
    /// Ticks for which there has been delay to give back.
    ticks_spare: u32,
}

impl JitterBuffer {
    /// An empty buffer for audio at `rate`.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            ring: Ring::new(RING_FRAMES * rate.frame_samples()),
            concealment: Concealment::new(rate),
            slack: Slack::new(),
            frame: rate.frame_samples() as i64,
            next: None,
            end: 0,
            waited: 0,
            raise: 0,
            target: rate.frame_samples() as i64,
            ticks_spare: 0,
        }
    }

    /// Forgets the stream but not the delay that it needed: another one begins with the next packet.
    pub fn restart(&mut self) {
        self.ring.clear();
        if self.next.take().is_some() {
            self.concealment.interrupt();
        }
        self.waited = 0;
        self.raise = 0;
    }

    /// Takes a packet's `samples`, at most 60 ms, the first of which is at `position` of the stream.
    /// Positions count samples and wrap.
    pub fn insert(
        &mut self,
        position: u32,
        samples: &[i16],
        order: Order,
        statistics: &mut Statistics,
    ) -> Inserted {
        let length = samples.len() as i64;
        debug_assert!(length <= 3 * self.frame);
        let behind = self.next.map(|next| -distance(next, position));
        match (behind, order) {
            (None, _) => self.begin(position),
            // Audio that follows all other cannot be late, for only what came was played: the sender has
            // turned its timestamps back.
            (Some(behind), Order::Newest) if behind >= length => self.begin(position),
            (Some(behind), Order::Overtaken) if behind >= length => {
                statistics.late += 1;
                self.raise_for(behind);
                return Inserted::Late;
            }
            _ if self.waited > 0 => self.resume(position, statistics),
            _ => {}
        }
        let next = self.make_room(position, length, statistics);
        let ahead = distance(next, position);
        let played = (-ahead).clamp(0, length);
        self.ring.write(position.wrapping_add(played as u32), &samples[played as usize..]);
        self.slack.note(ahead.max(0));
        self.report(statistics);
        Inserted::Buffered
    }

    /// Writes the next frame. To be called exactly once a tick.
    pub fn playout(&mut self, frame: &mut [i16], statistics: &mut Statistics) -> Playout {
        debug_assert_eq!(frame.len() as i64, self.frame);
        self.slack.tick();
        let made_up = self.next_frame(frame, statistics);
        statistics.concealed_frames += u64::from(made_up);
        self.report(statistics);
        if frame.iter().fold(0, |any, sample| any | sample) == 0 { Playout::Silence } else { Playout::Audio }
    }

    /// Writes the next frame and returns whether made-up audio is heard in it.
    fn next_frame(&mut self, frame: &mut [i16], statistics: &mut Statistics) -> bool {
        let Some(next) = self.next else { return self.concealment.conceal(frame) };
        let depth = self.depth(next);
        if depth < self.frame {
            return self.run_dry(next, depth, frame);
        }
        if self.raise > 0 {
            self.raise -= self.frame;
            return self.concealment.conceal(frame);
        }
        if self.sheds(next, depth, frame) {
            self.shed(next, frame);
            statistics.shed_frames += 1;
            return false;
        }
        self.next = Some(next.wrapping_add(self.frame as u32));
        self.fill(next, frame)
    }

    /// A stream begins, or goes on elsewhere, at `position`, to be played after the delay that was needed
    /// until now.
    fn begin(&mut self, position: u32) {
        self.restart();
        self.next = Some(position.wrapping_sub((self.target - self.frame) as u32));
        self.end = position;
    }

    /// Audio comes again after the buffer had run dry.
    fn resume(&mut self, position: u32, statistics: &mut Statistics) {
        if self.waited >= self.max_target() {
            self.begin(position);
            return;
        }
        let next = self.next.unwrap_or(position);
        let missing = distance(self.end, position).max(0);
        let skipped = missing.min(self.waited);
        let late = self.waited - skipped;
        self.next = Some(next.wrapping_add(skipped as u32));
        self.end = self.end.wrapping_add(skipped as u32);
        self.waited = 0;
        if late > 0 {
            statistics.late += 1;
            self.target = (self.target + late).min(self.max_target());
        }
    }

    /// A packet came `late` samples after it was due, while others were in time.
    fn raise_for(&mut self, late: i64) {
        let whole_frames = (late + self.frame - 1) / self.frame * self.frame;
        if whole_frames > self.raise && self.target + whole_frames - self.raise <= self.max_target() {
            self.target += whole_frames - self.raise;
            self.raise = whole_frames;
        }
    }

    /// Nothing follows the `depth` samples that are left: plays them, makes up the rest and waits.
    fn run_dry(&mut self, next: u32, depth: i64, frame: &mut [i16]) -> bool {
        let (left, rest) = frame.split_at_mut(depth as usize);
        self.next = Some(self.end);
        self.waited = (self.waited + rest.len() as i64).min(self.max_target());
        self.fill(next, left) | self.concealment.conceal(rest)
    }

    /// Plays the samples from `next` and conceals those that are missing. Returns whether any of the latter
    /// can be heard.
    fn fill(&mut self, next: u32, out: &mut [i16]) -> bool {
        let (mut done, mut made_up) = (0, false);
        while done < out.len() {
            let position = next.wrapping_add(done as u32);
            let run = self.ring.run(position, out.len() - done);
            let part = &mut out[done..done + run.length];
            if run.present {
                self.ring.read(position, part);
                self.concealment.good(part);
            } else {
                made_up |= self.concealment.conceal(part);
            }
            done += run.length;
        }
        self.ring.forget(next, out.len());
        made_up
    }

    /// Whether this is the moment to give back a frame of delay. `scratch` is overwritten.
    fn sheds(&mut self, next: u32, depth: i64, scratch: &mut [i16]) -> bool {
        let both = 2 * scratch.len();
        let spare = self.slack.least() >= self.frame
            && depth >= 2 * self.frame
            && self.ring.run(next, both) == Run { present: true, length: both };
        self.ticks_spare = if spare { self.ticks_spare + 1 } else { 0 };
        if self.ticks_spare < SHED_INTERVAL_TICKS || self.ticks_spare >= QUIET_WAIT_TICKS {
            return self.ticks_spare >= QUIET_WAIT_TICKS;
        }
        self.ring.read(next, scratch);
        level(scratch) < QUIET
    }

    /// Plays two frames in the time of one, the first fading out while the second fades in.
    fn shed(&mut self, next: u32, frame: &mut [i16]) {
        self.ring.read(next, frame);
        let second = next.wrapping_add(self.frame as u32);
        for (n, sample) in (0..).zip(frame.iter_mut()) {
            let mut later = [0];
            self.ring.read(second.wrapping_add(n as u32), &mut later);
            let change = i64::from(later[0]) - i64::from(*sample);
            *sample = (i64::from(*sample) + change * (n + 1) / self.frame) as i16;
        }
        self.ring.forget(next, 2 * frame.len());
        self.concealment.good(frame);
        self.next = Some(second.wrapping_add(self.frame as u32));
        self.ticks_spare = 0;
        self.slack.use_up(self.frame);
        self.target = (self.target - self.frame).max(self.frame);
    }

    /// Extends the buffer by a packet, and returns where it now begins. When more is waiting than may, because
    /// of a burst after a stall or a jump of the timestamps, the oldest is dropped down to the delay to keep.
    fn make_room(&mut self, position: u32, length: i64, statistics: &mut Statistics) -> u32 {
        let next = self.next.unwrap_or(position);
        let (before, depth) = (self.depth(next), distance(next, position) + length);
        if depth > before {
            self.end = position.wrapping_add(length as u32);
        }
        if depth <= MAX_DEPTH_FRAMES as i64 * self.frame {
            return next;
        }
        let excess = depth - self.target;
        self.ring.forget(next, excess as usize);
        self.concealment.interrupt();
        statistics.shed_frames += (excess.min(before) / self.frame) as u64;
        let next = next.wrapping_add(excess as u32);
        self.next = Some(next);
        next
    }

    fn report(&self, statistics: &mut Statistics) {
        let depth = self.next.map_or(0, |next| self.depth(next));
        statistics.depth_frames = (depth / self.frame) as u32;
        statistics.target_frames = (self.target as u32).div_ceil(self.frame as u32);
    }

    fn depth(&self, next: u32) -> i64 {
        distance(next, self.end)
    }

    fn max_target(&self) -> i64 {
        MAX_TARGET_FRAMES as i64 * self.frame
    }
}

/// How far `to` is after `from`; negative when it is before.
fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}
