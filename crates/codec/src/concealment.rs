//! Audio made up for lost packets.

use mixminus_audio::SampleRate;

/// The highest and the lowest pitch that is looked for, as periods: 200 and 66 Hz. A period of 5 ms serves
/// higher voices too, as a multiple of theirs.
const SHORTEST_PERIOD_MS: usize = 5;
const LONGEST_PERIOD_MS: usize = 15;

/// Audio compared with itself to find the period.
const COMPARED_MS: usize = 20;

/// Made-up audio is as loud as the real for this long, ...
const FULL_MS: usize = 10;

/// ... and gone after this long. Longer would hum.
const FADED_MS: usize = 60;

/// Continues a stream over lost packets by repeating its last pitch period, fading to silence, and fades
/// the real audio in again. Modelled on ITU-T G.711 Appendix I, without its 3.75 ms of delay.
///
/// Every sample of the stream passes through [`good`](Self::good) or is made by [`conceal`](Self::conceal),
/// in slices of any length. Allocates only when it is made.
#[derive(Clone, Debug)]
pub struct Concealment {
    samples_per_ms: usize,
    /// The last samples of the stream, newest last.
    history: Box<[i16]>,
    /// The period that is repeated: the first `period` samples.
    cycle: Box<[f32]>,
    period: usize,
    /// Samples made up since the last real one.
    made_up: usize,
    /// Difference between the last real sample and the one before the cycle's first.
    step: f32,
}

impl Concealment {
    /// A concealment at the start of a stream at `rate`.
    pub fn new(rate: SampleRate) -> Self {
        let samples_per_ms = rate.samples_per_ms();
        Self {
            samples_per_ms,
            history: vec![0; (COMPARED_MS + LONGEST_PERIOD_MS) * samples_per_ms].into(),
            cycle: vec![0.0; LONGEST_PERIOD_MS * samples_per_ms].into(),
            period: SHORTEST_PERIOD_MS * samples_per_ms,
            made_up: 0,
            step: 0.0,
        }
    }

    /// Takes note of received audio and, after a loss, fades it in over what was made up: 4 ms, and 4 more
    /// for each 10 ms lost, up to 10.
    pub fn good(&mut self, frame: &mut [i16]) {
        if self.made_up > 0 {
            let fade_ms = (4 + 4 * (self.made_up / self.samples_per_ms / 10)).min(10);
            let fade = (fade_ms * self.samples_per_ms).min(frame.len());
            for (n, sample) in frame[..fade].iter_mut().enumerate() {
                let share = (n + 1) as f32 / (fade + 1) as f32;
                let made_up = self.make_up();
                *sample = (made_up + share * (f32::from(*sample) - made_up)).round() as i16;
            }
            self.made_up = 0;
        }
        self.remember(frame);
    }

    /// Fills `frame` with made-up audio. Returns false when all of it is silence, because the sound before
    /// has faded or was silence itself.
    pub fn conceal(&mut self, frame: &mut [i16]) -> bool {
        self.interrupt();
        if self.made_up >= FADED_MS * self.samples_per_ms {
            frame.fill(0);
        } else {
            for sample in frame.iter_mut() {
                *sample = self.make_up().round().clamp(-32_768.0, 32_767.0) as i16;
            }
        }
        self.remember(frame);
        frame.iter().fold(0, |any, sample| any | sample) != 0
    }

    /// The audio that comes next does not continue what was played: it is to be faded in.
    pub fn interrupt(&mut self) {
        if self.made_up == 0 {
            self.period = self.find_period();
            self.cut_cycle();
            self.made_up = 1;
        }
    }

    /// The next sample of the endless cycle, faded.
    fn make_up(&mut self) -> f32 {
        let n = self.made_up - 1;
        let (full, faded) = (FULL_MS * self.samples_per_ms, FADED_MS * self.samples_per_ms);
        self.made_up = (self.made_up + 1).min(faded + 1);
        let gain = faded.saturating_sub(n.max(full)) as f32 / (faded - full) as f32;
        let join = self.period / 4;
        let step = self.step * join.saturating_sub(n) as f32 / join as f32;
        gain * (self.cycle[n % self.period] + step)
    }

    /// The period with which the end of the history resembles what precedes it most. Looks at every 2nd
    /// sample at 8 kHz, every 12th at 48, then at all of them near the best.
    fn find_period(&self) -> usize {
        let stride = self.samples_per_ms / 4;
        let shortest = SHORTEST_PERIOD_MS * self.samples_per_ms;
        let longest = LONGEST_PERIOD_MS * self.samples_per_ms;
        let coarse = self.best_period((shortest..=longest).step_by(stride), stride);
        let near = coarse.saturating_sub(stride - 1).max(shortest)..=(coarse + stride - 1).min(longest);
        self.best_period(near, 1)
    }

    fn best_period(&self, periods: impl Iterator<Item = usize>, stride: usize) -> usize {
        let start = self.history.len() - COMPARED_MS * self.samples_per_ms;
        let mut best = (SHORTEST_PERIOD_MS * self.samples_per_ms, 0.0);
        for period in periods {
            let alike = resemblance(&self.history[start..], &self.history[start - period..], stride);
            if alike > best.1 {
                best = (period, alike);
            }
        }
        best.0
    }

    /// Takes the last period as the cycle. Its last quarter turns into the audio before it, so that its end
    /// leads to its beginning.
    fn cut_cycle(&mut self) {
        let (period, length) = (self.period, self.history.len());
        let quarter = period / 4;
        let last = &self.history[length - period..];
        let before = &self.history[length - period - quarter..length - period];
        for (sample, &played) in self.cycle.iter_mut().zip(last) {
            *sample = f32::from(played);
        }
        for (n, (sample, &earlier)) in self.cycle[period - quarter..period].iter_mut().zip(before).enumerate()
        {
            let share = (n + 1) as f32 / quarter as f32;
            *sample += share * (f32::from(earlier) - *sample);
        }
        self.step = f32::from(last[period - 1]) - self.cycle[period - 1];
    }

    fn remember(&mut self, frame: &[i16]) {
        let length = self.history.len();
        let new = &frame[frame.len().saturating_sub(length)..];
        self.history.copy_within(new.len().., 0);
        self.history[length - new.len()..].copy_from_slice(new);
    }
}

/// How much of `now`'s shape `earlier` has, of each `stride`-th sample: correlation over magnitude.
fn resemblance(now: &[i16], earlier: &[i16], stride: usize) -> f32 {
    let (mut product, mut energy) = (0.0_f32, 1.0_f32);
    for (&now, &earlier) in now.iter().step_by(stride).zip(earlier.iter().step_by(stride)) {
        product += f32::from(now) * f32::from(earlier);
        energy += f32::from(earlier) * f32::from(earlier);
    }
    product / energy.sqrt()
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Dbov, Sine};

    use super::*;

    /// 100 Hz, whose period at 8 kHz is 80 samples.
    fn voice(frames: usize) -> Vec<i16> {
        let mut samples = vec![0; 160 * frames];
        Sine::new(SampleRate::Hz8000, 100.0, Dbov(-12.0)).fill(&mut samples);
        samples
    }

    fn after(frames: &mut [i16]) -> Concealment {
        let mut concealment = Concealment::new(SampleRate::Hz8000);
        frames.chunks_mut(160).for_each(|frame| concealment.good(frame));
        concealment
    }

    fn steepest(samples: &[i16]) -> u16 {
        samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap()
    }

    #[test]
    fn received_audio_passes_unchanged() {
        let mut samples = voice(10);
        after(&mut samples);
        assert_eq!(samples, voice(10));
    }

    #[test]
    fn a_periodic_voice_goes_on_where_it_was() {
        let mut concealment = after(&mut voice(3));
        let mut made_up = [0; 80];
        assert!(concealment.conceal(&mut made_up));
        for (made_up, expected) in made_up.iter().zip(&voice(4)[480..]) {
            assert!(made_up.abs_diff(*expected) <= 2, "{made_up} is not {expected}");
        }
    }

    #[test]
    fn a_long_loss_fades_to_silence_in_sixty_milliseconds() {
        let mut concealment = after(&mut voice(3));
        let mut frames = [[0; 160]; 4];
        let audible = frames.each_mut().map(|frame| concealment.conceal(frame));
        assert_eq!(audible, [true, true, true, false]);
        let peaks = frames.map(|frame| frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap());
        assert!(peaks[0] > peaks[1] && peaks[1] > peaks[2] && peaks[2] > peaks[3], "{peaks:?}");
        assert_eq!(frames[3], [0; 160]);
    }

    #[test]
    fn made_up_audio_begins_where_the_real_ended() {
        let mut rising: Vec<i16> = (0..480).map(|n| n * 60 - 14_000).collect();
        let mut made_up = [0; 160];
        after(&mut rising).conceal(&mut made_up);
        assert!(made_up[0].abs_diff(rising[479]) < 500, "{} after {}", made_up[0], rising[479]);
        assert!(steepest(&made_up[..20]) < 1_000);
    }

    #[test]
    fn periods_join_without_a_click() {
        // Louder and louder, so that a period ends elsewhere than it began.
        let mut growing: Vec<i16> = (0..).zip(voice(3)).map(|(n, sample)| sample / 8 * (n / 68)).collect();
        let mut made_up = [0; 160];
        after(&mut growing).conceal(&mut made_up);
        let (own, actual) = (steepest(&growing), steepest(&made_up));
        assert!(actual < 2 * own, "{actual} where {own} is the voice's own");
    }

    #[test]
    fn the_return_does_not_click() {
        for lost in [80, 160, 200, 320, 480, 640] {
            let mut samples = voice(8);
            let mut concealment = after(&mut samples[..480]);
            concealment.conceal(&mut samples[480..480 + lost]);
            // What returns has turned its phase meanwhile and is at its peak.
            let back = &mut samples[480 + lost + 17..];
            for sample in back.iter_mut() {
                *sample = -*sample;
            }
            concealment.good(back);
            let seam = [samples[480 + lost - 1], samples[480 + lost + 17]];
            assert!(steepest(&seam) < 1_500, "{lost} lost: {seam:?}");
        }
    }

    #[test]
    fn nothing_is_made_up_out_of_silence() {
        let mut concealment = after(&mut [0; 480]);
        assert!(!concealment.conceal(&mut [1; 160]));
    }

    #[test]
    fn slices_of_any_length_make_the_same_audio() {
        let mut whole = [0; 480];
        after(&mut voice(3)).conceal(&mut whole);
        let mut pieces = [0; 480];
        let mut concealment = after(&mut voice(3));
        pieces.chunks_mut(7).for_each(|piece| {
            concealment.conceal(piece);
        });
        assert_eq!(whole, pieces);
    }

    #[test]
    fn every_rate_is_concealed() {
        for rate in SampleRate::ALL {
            let mut concealment = Concealment::new(rate);
            let mut sine = Sine::new(rate, 125.0, Dbov(-12.0));
            let mut frame = vec![0; rate.frame_samples()];
            for _ in 0..3 {
                sine.fill(&mut frame);
                concealment.good(&mut frame);
            }
            let mut made_up = frame.clone();
            assert!(concealment.conceal(&mut made_up));
            sine.fill(&mut frame);
            for (made_up, expected) in made_up.iter().zip(&frame[..frame.len() / 2]) {
                assert!(made_up.abs_diff(*expected) <= 2, "{rate:?}: {made_up} is not {expected}");
            }
        }
    }
}
