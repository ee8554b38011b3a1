//! What a caller hears: packets in, findings out.

use std::time::Duration;

use mixminus_audio::{Dbov, goertzel};
use mixminus_codec::{Decoder, Format};
use mixminus_rtp::PacketView;

use crate::timeline::Timeline;
use crate::voice::{FRAME, RATE, tone_hz};

/// Frames of one window: 100 ms, a whole number of periods of every tone.
const WINDOW_FRAMES: usize = 5;
/// Windows that are kept, spread over the voices.
const WINDOWS: u32 = 10;
/// A click is louder than this sample value.
const CLICK_THRESHOLD: u16 = 1000;
/// A click follows at least 100 ms of quiet.
const CLICK_QUIET_SAMPLES: usize = 800;
/// What may still be on the way when a turn begins: its sound is heard only later.
const TURN_MARGIN: Duration = Duration::from_millis(500);
/// Packets a second of which arrivals are kept; a server that sends more is measured on its first.
const MAX_ARRIVALS_PER_SECOND: usize = 100;

/// A listener's ear.
#[derive(Debug)]
pub(crate) struct Ear {
    timeline: Timeline,
    /// Number of turns; 0 when everybody sounds at once.
    turns: u32,
    decoder: Decoder,
    stream: Stream,
    /// Frames of the window that is being collected.
    window: Vec<i16>,
    windows: Vec<Vec<i16>>,
    /// Sum of squares and number of samples of each turn.
    energies: Vec<(f64, u64)>,
    quiet_samples: usize,
    arrivals: Arrivals,
    /// When clicks were heard, since the start.
    pub(crate) clicks: Vec<Duration>,
}

/// Sequence numbers of the counted part.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    first: Option<u16>,
    /// Distance of the newest from the first.
    newest: u32,
    received: u64,
}

/// Arrival times of the counted part.
#[derive(Debug, Default)]
struct Arrivals {
    last: Option<Duration>,
    gaps: Vec<Duration>,
    limit: usize,
}

impl Ear {
    /// An ear for `turns` speakers one after the other, or for tones at once when it is 0.
    pub(crate) fn new(timeline: Timeline, turns: u32) -> Self {
        let limit = timeline.duration().as_secs() as usize * MAX_ARRIVALS_PER_SECOND;
        Self {
            timeline,
            turns,
            decoder: Decoder::new(Format::Pcmu),
            stream: Stream::default(),
            window: Vec::with_capacity(WINDOW_FRAMES * FRAME),
            windows: Vec::new(),
            energies: vec![(0.0, 0); turns as usize],
            quiet_samples: 0,
            arrivals: Arrivals { limit, ..Arrivals::default() },
            clicks: Vec::new(),
        }
    }

    /// Takes the datagram that arrived at `at` after the start.
    pub(crate) fn hear(&mut self, at: Duration, datagram: &[u8]) {
        let Ok(packet) = PacketView::parse(datagram) else { return };
        let mut samples = [0; 2 * FRAME];
        if packet.header.payload_type != Format::Pcmu.payload_type() {
            return;
        }
        let Ok(count) = self.decoder.decode(packet.payload, &mut samples) else { return };
        let samples = &samples[..count];
        if self.timeline.counted().contains(&at) {
            let in_order = self.stream.count(packet.header.sequence);
            self.arrivals.note(at);
            if self.timeline.voices().contains(&at) {
                self.listen(at, samples, in_order);
            }
        }
        self.wait_for_click(at, samples);
    }

    fn listen(&mut self, at: Duration, samples: &[i16], in_order: bool) {
        if let Some(turn) = self.turn(at) {
            let (energy, count) = &mut self.energies[turn];
            *energy += samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            *count += samples.len() as u64;
        }
        let voices = self.timeline.voices();
        let due = voices.start + self.timeline.voiced_for() * self.windows.len() as u32 / WINDOWS;
        if at < due || !in_order {
            self.window.clear();
        } else {
            self.window.extend(samples);
            if self.window.len() >= WINDOW_FRAMES * FRAME {
                self.window.truncate(WINDOW_FRAMES * FRAME);
                self.windows.push(std::mem::take(&mut self.window));
            }
        }
    }

    /// The turn that is heard for certain at `at`.
    fn turn(&self, at: Duration) -> Option<usize> {
        let tick = |at: Duration| (at.as_millis() / 20) as u32;
        let turn = self.timeline.turn(tick(at), self.turns.max(1))?;
        let before = self.timeline.turn(tick(at.checked_sub(TURN_MARGIN)?), self.turns.max(1))?;
        (turn == before && turn < self.turns).then_some(turn as usize)
    }

    fn wait_for_click(&mut self, at: Duration, samples: &[i16]) {
        for (index, sample) in samples.iter().enumerate() {
            if sample.unsigned_abs() < CLICK_THRESHOLD {
                self.quiet_samples += 1;
                continue;
            }
            let onset = at + Duration::from_secs(index as u64) / RATE.hz();
            if self.quiet_samples >= CLICK_QUIET_SAMPLES && self.timeline.clicks().contains(&onset) {
                self.clicks.push(onset);
            }
            self.quiet_samples = 0;
        }
    }

    /// Packets that arrived, and those whose sequence number never did.
    pub(crate) fn packets(&self) -> (u64, u64) {
        let sent = self.stream.first.map_or(0, |_| u64::from(self.stream.newest) + 1);
        (self.stream.received, sent.saturating_sub(self.stream.received))
    }

    /// Times from one packet to the next.
    pub(crate) fn gaps(&self) -> &[Duration] {
        &self.arrivals.gaps
    }

    /// The level of a tone in the middle one of the windows, from the quietest to the loudest: a
    /// window in which something slipped decides nothing. Silence when nothing was heard.
    pub(crate) fn tone(&self, tone: u32) -> Dbov {
        let mut levels: Vec<_> =
            self.windows.iter().map(|window| goertzel(window, RATE, tone_hz(tone)).0).collect();
        levels.sort_unstable_by(f32::total_cmp);
        levels.get(levels.len() / 2).map_or(Dbov::SILENCE, |level| Dbov(*level))
    }

    /// The level during a turn.
    pub(crate) fn turn_level(&self, turn: u32) -> Dbov {
        match self.energies.get(turn as usize) {
            Some(&(energy, count)) if energy > 0.0 => {
                let mean = energy / count as f64 / 32_768.0_f64.powi(2);
                Dbov((10.0 * mean.log10()) as f32)
            }
            _ => Dbov::SILENCE,
        }
    }
}

impl Stream {
    /// Counts a packet; whether it directly follows the newest.
    fn count(&mut self, sequence: u16) -> bool {
        let first = *self.first.get_or_insert(sequence);
        // What the low 16 bits must grow by; a late packet makes it negative.
        let step = sequence.wrapping_sub(first.wrapping_add(self.newest as u16)) as i16;
        self.received += 1;
        self.newest = self.newest.saturating_add_signed(i32::from(step).max(0));
        step == 1 || self.received == 1
    }
}

impl Arrivals {
    fn note(&mut self, at: Duration) {
        if let Some(last) = self.last.replace(at)
            && self.gaps.len() < self.limit
        {
            self.gaps.push(at.saturating_sub(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::TICK;
    use mixminus_codec::Encoder;
    use mixminus_rtp::{MAX_PACKET_BYTES, Sender, SenderIdentity};

    use super::*;
    use crate::voice::{Mouth, Speech, Voice, tone_level};

    const DELAY: Duration = Duration::from_micros(31_500);

    /// A line from mouths to an ear, with a fixed delay.
    struct Line {
        timeline: Timeline,
        mouths: Vec<Mouth>,
        sender: Sender,
        ear: Ear,
    }

    impl Line {
        fn new(seconds: u32, turns: u32, mouths: Vec<Mouth>) -> Self {
            let timeline = Timeline::new(seconds);
            let identity = SenderIdentity { ssrc: 1, sequence: 65_500, timestamp: 0 };
            Self { timeline, mouths, sender: Sender::new(identity), ear: Ear::new(timeline, turns) }
        }

        /// Plays everything except packets for which `lost` is true.
        fn play(mut self, lost: impl Fn(u32) -> bool) -> Ear {
            for tick in 0..self.timeline.ticks() {
                let mut mix = [0; FRAME];
                for mouth in &mut self.mouths {
                    let mut frame = [0; FRAME];
                    mouth.speak(self.timeline, tick, &mut frame);
                    mix.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
                }
                let (mut payload, mut packet) = ([0; FRAME], [0; MAX_PACKET_BYTES]);
                Encoder::new(Format::Pcmu).encode(&mix, &mut payload);
                let bytes = self.sender.packet(Format::Pcmu, &payload, &mut packet);
                if !lost(tick) {
                    self.ear.hear(TICK * tick + DELAY, &packet[..bytes]);
                }
            }
            self.ear
        }
    }

    fn tones(tones: &[u32]) -> Vec<Mouth> {
        let mouth = |tone: &u32| Mouth { voice: Voice::tone(*tone, 10), clicks: false };
        tones.iter().map(mouth).collect()
    }

    #[test]
    fn tones_that_sound_are_heard_and_others_are_not() {
        let ear = Line::new(10, 0, tones(&[0, 1, 2, 4, 5, 299])).play(|_| false);
        let relative = |tone| ear.tone(tone).0 - tone_level(10).0;
        for tone in [0, 1, 2, 4, 5, 299] {
            assert!(relative(tone).abs() < 1.0, "{tone}: {}", relative(tone));
        }
        for tone in [3, 6, 7, 100, 298] {
            assert!(relative(tone) < -40.0, "{tone}: {}", relative(tone));
        }
        assert_eq!(ear.windows.len(), 10);
    }

    #[test]
    fn lost_packets_are_counted_and_spoil_no_window() {
        let ear = Line::new(10, 0, tones(&[0, 1])).play(|tick| tick % 7 == 3);
        // 425 packets arrive while they count, or would: one in seven is lost.
        assert_eq!(ear.packets(), (365, 60));
        assert!(ear.tone(0).0 - tone_level(10).0 > -1.0);
        assert!(ear.tone(2).0 - tone_level(10).0 < -40.0);
    }

    #[test]
    fn gaps_between_arrivals_are_kept() {
        let ear = Line::new(10, 0, tones(&[0])).play(|tick| tick == 200);
        assert_eq!(ear.gaps().iter().filter(|gap| **gap == TICK).count(), ear.gaps().len() - 1);
        assert_eq!(ear.gaps().iter().max(), Some(&(TICK * 2)));
    }

    #[test]
    fn clicks_are_heard_to_the_sample() {
        let mouth = Mouth { voice: Voice::tone(0, 1), clicks: true };
        let ear = Line::new(10, 0, vec![mouth]).play(|_| false);
        let timeline = Timeline::new(10);
        let spoken = (0..timeline.ticks()).filter_map(|tick| {
            let offset = timeline.click(tick)? as u32;
            Some(TICK * tick + Duration::from_secs(1) * offset / 8000)
        });
        let late: Vec<_> =
            ear.clicks.iter().zip(spoken).map(|(heard, said)| heard.abs_diff(said + DELAY)).collect();
        assert_eq!(late.len(), 3);
        assert!(late.iter().all(|late| *late <= Duration::from_micros(125)), "{late:?}");
    }

    #[test]
    fn turns_have_levels_of_their_own() {
        let speech = Speech { samples: vec![3000, -3000].into(), participants: 3 };
        let mouth = |turn| Mouth { voice: Voice::speech(speech.clone(), turn), clicks: false };
        let seconds = Timeline::seconds_for_turns(3);
        let ear = Line::new(seconds, 3, vec![mouth(0), mouth(2)]).play(|_| false);
        assert!((ear.turn_level(0).0 - speech.level().0).abs() < 0.5);
        assert!((ear.turn_level(2).0 - speech.level().0).abs() < 0.5);
        assert!(ear.turn_level(1) < Dbov(-70.0));
    }

    #[test]
    fn noise_from_the_network_is_ignored() {
        let mut ear = Ear::new(Timeline::new(10), 0);
        for datagram in [&[][..], &[0x80; 11], &[0xff; 600], &[0x80; 2000]] {
            ear.hear(Duration::from_secs(3), datagram);
        }
        assert_eq!(ear.packets(), (0, 0));
        assert_eq!(ear.tone(0), Dbov::SILENCE);
    }
}
