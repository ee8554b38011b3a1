//! Where the audio comes from that is played next.

use mixminus_codec::Format;

use super::{Idle, JitterBuffer, MAX_TARGET, RECOVERY_WINDOW};
use crate::Statistics;
use crate::packets::{Entry, Head, Kind};

impl JitterBuffer {
    /// Fills the queue up to `wanted` samples at least.
    pub(super) fn supply(&mut self, wanted: usize, statistics: &mut Statistics) {
        while self.queue.len() < wanted {
            let missing = wanted - self.queue.len();
            if let Some(head) = self.packets.head() {
                self.advance(head, missing, statistics);
            } else {
                let (made_up, heard) = self.make_up(missing, missing + self.grain());
                self.frame.waiting |= heard;
                self.waited += made_up;
            }
        }
    }

    /// Decodes what follows without a gap, up to `wanted` samples if there are so many.
    pub(super) fn look_ahead(&mut self, wanted: usize) {
        while self.queue.len() < wanted
            && let Some(head) = self.packets.head()
            && head.entry.kind == Kind::Audio
            && self.next.is_some_and(|next| head.entry.position <= next)
        {
            self.decode(head);
        }
    }

    /// Goes on towards the packet `head`: up to `missing` samples if there is a gap before it, else by all
    /// that it holds.
    fn advance(&mut self, head: Head, missing: usize, statistics: &mut Statistics) {
        let next = match self.next {
            None => self.begin(head),
            Some(next) if self.waited > 0 => self.resume(head, next, statistics),
            Some(next) => next,
        };
        self.next = Some(next);
        let gap = head.entry.position - next;
        if gap > 0 {
            self.bridge(head, gap as usize, missing, statistics);
        } else if head.entry.kind == Kind::Audio {
            self.decode(head);
        } else {
            self.noise.describe(self.packets.payload(head.entry.sequence));
            self.idle = Idle::Noise;
            self.packets.pop(head.entry.sequence);
        }
    }

    /// A stream begins, or goes on after a stall, to be played after the delay that was needed until then.
    /// Returns where the queue now ends in it.
    fn begin(&mut self, head: Head) -> i64 {
        let stalled = self.next.is_some();
        let spread = self.lateness.spread().min(self.samples(MAX_TARGET));
        if stalled {
            self.lateness.settle(self.newest, spread);
        } else {
            self.lateness.restart(self.newest, spread);
        }
        (self.waited, self.unexplained_frames) = (0, 0);
        let wait = (spread - (head.entry.lateness - self.newest)).max(0);
        let next = head.entry.position - wait;
        next - self.room(self.playing(next)).min(0)
    }

    /// Audio comes again after the buffer had run dry: the time that was waited was lost or silent as far as
    /// there is a gap; else the audio was late. Returns where the queue now ends in the stream.
    fn resume(&mut self, head: Head, next: i64, statistics: &mut Statistics) -> i64 {
        let gap = head.entry.position - next;
        let skipped = gap.clamp(0, self.waited);
        let late = self.waited - skipped;
        let stalled = late > self.samples(MAX_TARGET);
        // After a pause comes one packet, after a stall all that were held up.
        if head.missing > 0 || late > 0 && (!stalled || head.entry.lateness > self.newest) {
            statistics.concealed_frames += self.unexplained_frames;
            statistics.played_frames += self.unexplained_frames;
        }
        if stalled {
            return self.begin(head);
        }
        (self.waited, self.unexplained_frames) = (0, 0);
        statistics.late += u64::from(late > 0);
        if skipped > 0 && self.recovers_late(head, gap, statistics) {
            return head.entry.position;
        }
        let next = next + skipped;
        let spare = self.lateness.most().map_or(0, |most| self.clock - self.playing(next) - most);
        // A pause is when delay can be given back unheard.
        next + spare.clamp(0, (gap - skipped).max(0))
    }

    /// Whether the audio that was lost has come with the packet after it, and is played although it is late,
    /// so that the next such audio is in time. It is if that was so a short time ago.
    fn recovers_late(&mut self, head: Head, gap: i64, statistics: &mut Statistics) -> bool {
        if gap > self.room(head.entry.position) || !self.recovers(head, gap) {
            return false;
        }
        let before = self.recovered_at.replace(self.clock);
        if before.is_none_or(|before| self.clock - before > self.samples(RECOVERY_WINDOW)) {
            return false;
        }
        self.take_recovered(head, gap, statistics);
        true
    }

    /// Fills part of the gap before `head`, or all of it.
    fn bridge(&mut self, head: Head, gap: usize, missing: usize, statistics: &mut Statistics) {
        let length = head.entry.length as usize;
        let lost = head.missing > 0;
        if lost && self.recovers(head, gap as i64) {
            self.recovered_at = Some(self.clock);
            self.take_recovered(head, gap as i64, statistics);
        } else {
            // What comes with the next packet is that one's length, at the end of the gap.
            let room = if gap > length { gap - length } else { gap };
            let (made_up, heard) = self.make_up(missing.min(room), room);
            self.frame.concealed |= heard && lost;
            self.next = self.next.map(|next| next + made_up);
        }
    }

    /// Decodes to the end of the queue, where it does not count yet, the packet lost before `head`, if `head`
    /// tells of it.
    fn recovers(&mut self, head: Head, gap: i64) -> bool {
        let payload = self.packets.payload(head.entry.sequence);
        head.missing > 0
            && gap == head.entry.length
            && self.decoder.recover(payload, self.queue.space(gap as usize))
    }

    fn take_recovered(&mut self, head: Head, gap: i64, statistics: &mut Statistics) {
        self.queue.extend(gap as usize);
        self.next = Some(head.entry.position);
        // It came with a packet that was sent so much later.
        self.lateness.note(head.entry.lateness + gap);
        statistics.recovered += 1;
    }

    /// Decodes `head`, less what of it has been played in another way.
    fn decode(&mut self, head: Head) {
        let Entry { sequence, position, length, .. } = head.entry;
        let next = self.next.unwrap_or(position);
        let end = next.max(position + length);
        if end > next {
            let samples = length as usize;
            let space = self.queue.space(samples);
            if self.decoder.decode(self.packets.payload(sequence), space).is_ok() {
                self.queue.extend(samples);
                if self.idle == Idle::Noise {
                    self.queue.smooth_tail(samples);
                }
                self.queue.cut_tail(samples, (next - position) as usize);
                self.idle = Idle::Concealment;
            } else {
                let rest = (end - next) as usize;
                self.frame.concealed |= self.make_up(rest, rest).1;
            }
        }
        self.next = Some(end);
        self.packet = length;
        self.packets.pop(sequence);
        (0..head.missing).for_each(|_| self.bursts.lose());
        self.bursts.play();
    }

    /// Puts made-up audio into the queue: so many samples, or a few more if there is room. Returns how many,
    /// and whether they can be heard and stand for audio.
    fn make_up(&mut self, samples: usize, room: usize) -> (i64, bool) {
        let (mut made_up, mut heard) = (samples, false);
        match self.idle {
            Idle::Silence => self.queue.space(samples).fill(0),
            Idle::Noise => self.noise.fill(self.queue.space(samples)),
            Idle::Concealment => {
                let whole = samples.next_multiple_of(self.grain());
                made_up = whole.min(room);
                heard = self.decoder.conceal(self.queue.space(whole));
                self.idle = if heard { Idle::Concealment } else { Idle::Silence };
            }
        }
        self.queue.extend(made_up);
        (made_up as i64, heard)
    }

    /// Samples of which concealment makes a multiple: for Opus 2.5 ms.
    fn grain(&self) -> usize {
        let opus = matches!(self.format, Format::Opus(_));
        if opus { self.format.sample_rate().hz() as usize / 400 } else { 1 }
    }
}
