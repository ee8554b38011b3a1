//! Frames of changing rates on the recording's time line.

use mixminus_audio::{Resampler, SampleRate};

/// Brings the frames of one track to the recording's rate, each to exactly its place: it takes out the delay of the
/// filter by giving a frame when it hears the next one.
///
/// Where the rate changes, each filter hears the other's frame roughly brought to its rate, so that waves go on. Where the
/// stream begins and ends, it hears the nearest frame mirrored instead of what is beyond, which rings less than silence.
pub(crate) struct Aligner {
    to: SampleRate,
    /// None between streams.
    resampler: Option<Resampler>,
    /// Output samples by which the filter is late.
    delay: usize,
    /// The last frame as it came.
    last: Vec<i16>,
    /// What is known of the last frame as it goes out: all but its last `delay` samples.
    held: Vec<i16>,
    fresh: Vec<i16>,
    silent: bool,
}

impl Aligner {
    /// An aligner to frames at `to`, between streams.
    pub(crate) fn new(to: SampleRate) -> Self {
        let fresh = vec![0; to.frame_samples()];
        Self { to, resampler: None, delay: 0, last: Vec::new(), held: Vec::new(), fresh, silent: true }
    }

    /// Whether silence at `rate` would be followed by nothing but silence.
    pub(crate) fn rests(&self, rate: SampleRate) -> bool {
        self.silent && self.resampler.as_ref().is_some_and(|resampler| resampler.from() == rate)
    }

    /// Takes the next frame of the stream, at `rate`, and gives the one before to `out`: silence, if there was none.
    /// Returns whether `out` is all silence.
    pub(crate) fn next(&mut self, rate: SampleRate, frame: &[i16], out: &mut [i16]) -> bool {
        debug_assert_eq!(frame.len(), rate.frame_samples());
        let Some(resampler) = &mut self.resampler else {
            let before: Vec<_> =
                frame[frame.len() - 1..].iter().chain(frame[1..].iter().rev()).copied().collect();
            self.begin(rate, frame, &before);
            out.fill(0);
            return true;
        };
        if resampler.from() != rate {
            let beyond = at_length(frame, frame[frame.len() - 1], self.last.len());
            let before = at_length(&self.last, frame[0], frame.len());
            let silent = self.end_before(&beyond, out);
            self.begin(rate, frame, &before);
            return silent;
        }
        let quiet = is_silent(frame);
        if quiet && self.silent {
            out.fill(0);
            return true;
        }
        resampler.process(frame, &mut self.fresh);
        self.give(out);
        self.held.copy_from_slice(&self.fresh[self.delay..]);
        self.last.copy_from_slice(frame);
        self.silent = quiet && is_silent(&self.fresh);
        is_silent(out)
    }

    /// Ends the stream and gives its last frame to `out`: silence, if there was none. Returns whether `out` is all
    /// silence.
    pub(crate) fn end(&mut self, out: &mut [i16]) -> bool {
        if self.resampler.is_none() {
            out.fill(0);
            return true;
        }
        let beyond: Vec<_> = self.last.iter().rev().skip(1).chain(&self.last[..1]).copied().collect();
        self.end_before(&beyond, out)
    }

    fn end_before(&mut self, beyond: &[i16], out: &mut [i16]) -> bool {
        if let Some(mut resampler) = self.resampler.take() {
            resampler.process(beyond, &mut self.fresh);
        }
        self.give(out);
        is_silent(out)
    }

    fn begin(&mut self, rate: SampleRate, frame: &[i16], before: &[i16]) {
        let mut resampler = Resampler::new(rate, self.to);
        resampler.process(before, &mut self.fresh);
        resampler.process(frame, &mut self.fresh);
        self.delay = (resampler.delay().as_nanos() * u128::from(self.to.hz()) / 1_000_000_000) as usize;
        self.held = self.fresh[self.delay..].to_vec();
        self.last = frame.to_vec();
        self.silent = is_silent(frame);
        self.resampler = Some(resampler);
    }

    /// Puts the held frame together with the end of it that has just come.
    fn give(&self, out: &mut [i16]) {
        let (known, end) = out.split_at_mut(self.held.len());
        known.copy_from_slice(&self.held);
        end.copy_from_slice(&self.fresh[..self.delay]);
    }
}

/// A frame of `samples` samples that goes the same way as `frame`, on straight lines, and on to `next`.
fn at_length(frame: &[i16], next: i16, samples: usize) -> Vec<i16> {
    let value = |n: usize| f64::from(frame.get(n).copied().unwrap_or(next));
    let at = |n: usize| {
        let place = (n * frame.len()) as f64 / samples as f64;
        let before = place as usize;
        (value(before) + (value(before + 1) - value(before)) * place.fract()) as i16
    };
    (0..samples).map(at).collect()
}

fn is_silent(samples: &[i16]) -> bool {
    samples.iter().fold(0, |any, sample| any | sample) == 0
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Dbov, Sine};

    use super::*;

    /// What comes out of frames at these rates, of which `sample` says what they hold by their place in seconds.
    fn align(to: SampleRate, rates: &[SampleRate], sample: impl Fn(f64) -> i16) -> Vec<i16> {
        let mut aligner = Aligner::new(to);
        let mut out = vec![0; to.frame_samples()];
        let mut all = Vec::new();
        for (tick, &rate) in rates.iter().enumerate() {
            let place = |n: usize| tick as f64 * 0.02 + n as f64 / f64::from(rate.hz());
            let frame: Vec<_> = (0..rate.frame_samples()).map(|n| sample(place(n))).collect();
            aligner.next(rate, &frame, &mut out);
            all.extend_from_slice(&out);
        }
        aligner.end(&mut out);
        all.extend_from_slice(&out);
        all.split_off(to.frame_samples())
    }

    /// Every change of rate there is, with frames at both sides of it.
    fn rates() -> Vec<SampleRate> {
        let [narrow, wide, full] = SampleRate::ALL;
        [narrow, narrow, wide, full, full, wide, narrow, full, narrow].repeat(2)
    }

    #[test]
    fn a_click_stays_at_its_place_whatever_the_rates() {
        for to in SampleRate::ALL {
            for tick in 0..rates().len() {
                for offset in [0.0, 0.01, 0.0195] {
                    let at = tick as f64 * 0.02 + offset;
                    let out = align(to, &rates(), |place| if (place - at).abs() < 1e-9 { 20_000 } else { 0 });
                    assert_eq!(out.len(), rates().len() * to.frame_samples());
                    let loudest = (0..out.len()).max_by_key(|&n| out[n].unsigned_abs()).unwrap();
                    let expected = (at * f64::from(to.hz())).round() as usize;
                    assert!(loudest.abs_diff(expected) <= 1, "{loudest}, not {expected}, at {to:?}");
                }
            }
        }
    }

    #[test]
    fn a_tone_goes_on_through_every_change_of_rate() {
        let tone = |place: f64| (10_000.0 * (std::f64::consts::TAU * 440.0 * place).sin()).round() as i16;
        for to in SampleRate::ALL {
            let out = align(to, &rates(), tone);
            let ends = to.samples_per_ms();
            for (n, &sample) in out[..out.len() - ends].iter().enumerate().skip(ends) {
                let expected = tone(n as f64 / f64::from(to.hz()));
                assert!(sample.abs_diff(expected) <= 100, "{sample}, not {expected}, at {n} of {to:?}");
            }
        }
    }

    #[test]
    fn equal_rates_are_copied_exactly() {
        let mut samples = vec![0; 1_600];
        Sine::new(SampleRate::Hz16000, 700.0, Dbov(-10.0)).fill(&mut samples);
        let copy = |place: f64| samples[(place * 16_000.0).round() as usize];
        assert_eq!(align(SampleRate::Hz16000, &[SampleRate::Hz16000; 5], copy), samples);
    }
}
