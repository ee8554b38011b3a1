//! Resampling of frames that follow each other.

use std::cmp::Ordering;
use std::f64::consts::PI;
use std::sync::LazyLock;
use std::time::Duration;

use crate::pcm::round_to_i16;
use crate::{MAX_FRAME_SAMPLES, SampleRate};

/// Output samples, or samples of one phase of the output, that are computed together: what fills the
/// vector registers of any x86-64, and divides every frame that is not at the highest rate.
const BLOCK: usize = 32;

/// The lower one of two rates never has longer frames than this.
const MAX_LOWER_FRAME_SAMPLES: usize = SampleRate::Hz16000.frame_samples();

/// Filters as short as lets 3.4 of 4 kHz, and 7 of 8 kHz, pass with less than 0.1 dB of ripple and stops all
/// from 4 and 8 kHz on by 80 dB. With a reach that is one shorter, the tests of that fail.
const NARROW: Shape = Shape { lower_hz: 8_000.0, reach: 31, cutoff_hz: 3_660.0, beta: 8.2 };
const WIDE: Shape = Shape { lower_hz: 16_000.0, reach: 36, cutoff_hz: 7_433.0, beta: 8.0 };

/// The filters, each for both directions between two rates.
static FILTERS: [LazyLock<Filter>; 3] = [
    LazyLock::new(|| Filter::design(&NARROW, 2)),
    LazyLock::new(|| Filter::design(&NARROW, 6)),
    LazyLock::new(|| Filter::design(&WIDE, 3)),
];

/// The longest reach, and the most samples of input that a resampler remembers: twice the reach, at the
/// higher rate when that is the input's.
const MAX_REACH: usize = WIDE.reach;
const MAX_HISTORY_SAMPLES: usize = 2 * NARROW.reach * 6;

/// Converts a stream from one sample rate to another, frame by frame.
///
/// The filter has linear phase and is finite, so the state is no more than the last few milliseconds of
/// input, held inline: a resampler can be copied and compared, and two that have heard the same for
/// longer than twice their [`delay`](Self::delay) are equal and go on equally, whatever they heard before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resampler {
    from: SampleRate,
    to: SampleRate,
    history: [i16; MAX_HISTORY_SAMPLES],
}

impl Resampler {
    /// Computes the filters, which allocates and takes a fraction of a millisecond the first time.
    pub fn prepare() {
        for filter in &FILTERS {
            LazyLock::force(filter);
        }
    }

    /// A resampler that has heard nothing but silence. The first one between two rates computes their
    /// filter, unless that was [prepared](Self::prepare); all others only copy.
    pub fn new(from: SampleRate, to: SampleRate) -> Self {
        if from != to {
            LazyLock::force(filter(from, to));
        }
        Self { from, to, history: [0; MAX_HISTORY_SAMPLES] }
    }

    /// The rate of its input.
    pub const fn from(&self) -> SampleRate {
        self.from
    }

    /// The rate of its output.
    pub const fn to(&self) -> SampleRate {
        self.to
    }

    /// By how much the output is later than the input; nothing between equal rates.
    pub fn delay(&self) -> Duration {
        if self.from == self.to {
            return Duration::ZERO;
        }
        let lower_hz = self.from.min(self.to).hz();
        Duration::from_secs(1) * filter(self.from, self.to).reach as u32 / lower_hz
    }

    /// Converts `frame`, one tick at the input's rate, to `out`, one tick at the output's. Between equal
    /// rates it copies exactly.
    pub fn process(&mut self, frame: &[i16], out: &mut [i16]) {
        debug_assert_eq!(frame.len(), self.from.frame_samples());
        debug_assert_eq!(out.len(), self.to.frame_samples());
        let order = self.from.cmp(&self.to);
        if order == Ordering::Equal {
            out.copy_from_slice(frame);
        } else if is_silent(frame) && is_silent(&self.history) {
            out.fill(0);
        } else {
            let filter = filter(self.from, self.to);
            let mut samples = [0; MAX_HISTORY_SAMPLES + MAX_FRAME_SAMPLES];
            let ratio = if order == Ordering::Less { 1 } else { filter.ratio };
            let (heard, now) = samples.split_at_mut(2 * filter.reach * ratio);
            heard.copy_from_slice(&self.history[..heard.len()]);
            now[..frame.len()].copy_from_slice(frame);
            if order == Ordering::Less {
                filter.raise(&samples, out);
            } else {
                filter.lower(&samples, out);
            }
            self.remember(frame, 2 * filter.reach * ratio);
        }
    }

    /// Keeps the end of `frame`, which is longer than any filter.
    fn remember(&mut self, frame: &[i16], samples: usize) {
        self.history[..samples].copy_from_slice(&frame[frame.len() - samples..]);
    }
}

fn filter(from: SampleRate, to: SampleRate) -> &'static LazyLock<Filter> {
    match (from.min(to), from.max(to)) {
        (SampleRate::Hz8000, SampleRate::Hz16000) => &FILTERS[0],
        (SampleRate::Hz8000, _) => &FILTERS[1],
        _ => &FILTERS[2],
    }
}

/// Looks at all of it: without a way out early, eight samples are one instruction.
fn is_silent(samples: &[i16]) -> bool {
    samples.iter().fold(0, |any, sample| any | sample) == 0
}

/// What a filter is designed from: a sinc under a Kaiser window.
struct Shape {
    lower_hz: f64,
    /// Samples of the lower rate on each side of the middle; also the delay.
    reach: usize,
    cutoff_hz: f64,
    /// The depth of the window's side lobes, against the width of its main one.
    beta: f64,
}

/// A low-pass filter, split into one filter for each sample that the higher rate has for one of the lower.
struct Filter {
    reach: usize,
    ratio: usize,
    /// For each phase what the samples of the lower rate count, oldest first.
    raising: Vec<f32>,
    /// For each phase what its samples of the higher rate count, oldest first.
    lowering: Vec<f32>,
}

impl Filter {
    /// A filter between the lower rate and `ratio` times that.
    fn design(shape: &Shape, ratio: usize) -> Self {
        let reach = shape.reach;
        let middle = (reach * ratio) as i64;
        let window = |n: i64| {
            let edge = n as f64 / middle as f64;
            bessel_i0(shape.beta * (1.0 - edge * edge).max(0.0).sqrt()) / bessel_i0(shape.beta)
        };
        // Twice the cut-off in terms of the lower rate, which makes the gain one after raising.
        let width = 2.0 * shape.cutoff_hz / shape.lower_hz;
        let tap = |n: i64| {
            let x = PI * width * n as f64 / ratio as f64;
            let sinc = if n == 0 { 1.0 } else { x.sin() / x };
            if n.abs() > middle { 0.0 } else { width * sinc * window(n) }
        };
        let taps = |sign: i64, gain: f64| {
            let offsets = (0..ratio as i64).flat_map(|phase| {
                (0..=2 * reach as i64).map(move |age| (reach as i64 - age) * ratio as i64 + sign * phase)
            });
            offsets.map(|offset| (gain * tap(offset)) as f32).collect()
        };
        Self { reach, ratio, raising: taps(1, 1.0), lowering: taps(-1, 1.0 / ratio as f64) }
    }

    fn taps(&self) -> usize {
        2 * self.reach + 1
    }

    /// Filters `samples`, twice the reach of what was and then a frame, once for each phase of `out`.
    fn raise(&self, samples: &[i16], out: &mut [i16]) {
        let frame_samples = out.len() / self.ratio;
        let mut window = [0.0; 2 * MAX_REACH + MAX_LOWER_FRAME_SAMPLES];
        for (value, &sample) in window.iter_mut().zip(samples) {
            *value = f32::from(sample);
        }
        for start in (0..frame_samples).step_by(BLOCK) {
            let out = &mut out[start * self.ratio..][..BLOCK * self.ratio];
            for (phase, taps) in self.raising.chunks_exact(self.taps()).enumerate() {
                let mut sums = [0.0; BLOCK];
                convolve(&window[start..], taps, &mut sums);
                for (out, sum) in out.chunks_exact_mut(self.ratio).zip(sums) {
                    out[phase] = round_to_i16(sum);
                }
            }
        }
    }

    /// Sums up the phases of `samples`, each filtered on its own.
    fn lower(&self, samples: &[i16], out: &mut [i16]) {
        let mut sums = [0.0; MAX_LOWER_FRAME_SAMPLES];
        for (phase, taps) in self.lowering.chunks_exact(self.taps()).enumerate() {
            let mut window = [0.0; 2 * MAX_REACH + MAX_LOWER_FRAME_SAMPLES];
            for (value, samples) in window.iter_mut().zip(samples.chunks_exact(self.ratio)) {
                *value = f32::from(samples[phase]);
            }
            for (block, sums) in sums[..out.len()].as_chunks_mut().0.iter_mut().enumerate() {
                convolve(&window[block * BLOCK..], taps, sums);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = round_to_i16(sum);
        }
    }
}

/// Adds to each of `sums` what `taps` make of the samples that begin at its place in `window`.
fn convolve(window: &[f32], taps: &[f32], sums: &mut [f32; BLOCK]) {
    for (samples, &tap) in window.windows(BLOCK).zip(taps) {
        for (sum, &sample) in sums.iter_mut().zip(samples) {
            *sum += tap * sample;
        }
    }
}

/// The modified Bessel function of order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let terms = (1..40).scan(1.0, |term, k| {
        *term *= (x / 2.0 / f64::from(k)).powi(2);
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}
