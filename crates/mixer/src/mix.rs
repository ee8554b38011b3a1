//! The sums of a tick, and what its sinks are sent.

use mixminus_audio::{Limiter, SampleRate};
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};

use crate::leg::{Leg, Seated};
use crate::plan::{BaseSet, Sink, SourceId};
use crate::prompt::Prompt;

/// The sum of one base, and the one mix for all sinks that hear exactly that.
#[derive(Debug)]
pub(crate) struct Base {
    wide: Box<[i32]>,
    /// The fingerprints, added up, of the sources that are there, silent or not.
    audible: u64,
    limiter: Limiter,
    /// The state that the limiter had before this tick; none until `frame` is made.
    limited_from: Option<Limiter>,
    frame: Box<[i16]>,
    payloads: [Payload; Format::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
struct Payload {
    bytes: [u8; MAX_PAYLOAD_BYTES],
    /// None until it is made.
    size_bytes: Option<usize>,
}

/// Working memory for the mix of one sink alone.
#[derive(Debug)]
pub(crate) struct Personal {
    wide: Box<[i32]>,
    frame: Box<[i16]>,
    payload: [u8; MAX_PAYLOAD_BYTES],
}

impl Base {
    pub fn new(rate: SampleRate) -> Self {
        Self {
            wide: vec![0; rate.frame_samples()].into(),
            audible: 0,
            limiter: Limiter::new(rate),
            limited_from: None,
            frame: vec![0; rate.frame_samples()].into(),
            payloads: [Payload { bytes: [0; MAX_PAYLOAD_BYTES], size_bytes: None }; _],
        }
    }

    /// Begins a tick with the sum of what the sources in `set` contribute to it.
    pub fn sum<L>(
        &mut self,
        set: &BaseSet,
        seats: &[Option<Box<Seated<L>>>],
        prompts: &[Option<Box<Prompt>>],
    ) {
        self.wide.fill(0);
        self.audible = 0;
        self.limited_from = None;
        for seat in set.legs.iter().filter_map(|&place| seats[place].as_deref()) {
            self.include(SourceId::Leg(seat.id()), seat.contribution());
        }
        for prompt in set.prompts.iter().filter_map(|&place| prompts[place].as_deref()) {
            self.include(SourceId::Prompt(prompt.id()), prompt.contribution());
        }
    }

    fn include(&mut self, source: SourceId, contribution: Option<&[i16]>) {
        self.audible = self.audible.wrapping_add(fingerprint(source));
        if let Some(frame) = contribution {
            add(&mut self.wide, frame);
        }
    }

    /// Makes the shared mix unless it is made. Returns the limiter state it was made from.
    fn limit(&mut self) -> &Limiter {
        self.limited_from.get_or_insert_with(|| {
            let before = self.limiter.clone();
            self.limiter.limit(&self.wide, &mut self.frame);
            self.payloads.iter_mut().for_each(|payload| payload.size_bytes = None);
            before
        })
    }

    /// The shared mix in `format`, encoded when first asked for.
    fn payload(&mut self, format: Format) -> &[u8] {
        let Payload { bytes, size_bytes } = &mut self.payloads[format as usize];
        let size_bytes = *size_bytes.get_or_insert_with(|| encode(format, &self.frame, bytes));
        &bytes[..size_bytes]
    }
}

impl Personal {
    pub fn new(rate: SampleRate) -> Self {
        Self {
            wide: vec![0; rate.frame_samples()].into(),
            frame: vec![0; rate.frame_samples()].into(),
            payload: [0; MAX_PAYLOAD_BYTES],
        }
    }

    /// Sends to `seat` what it hears of `base`: the shared mix, or its own where that might differ.
    ///
    /// Sharing saves work and changes nothing: the two are made from equal sums by equal limiters.
    pub fn send<L: Leg>(&mut self, seat: &mut Seated<L>, sink: Sink, base: &mut Base) {
        let own = if sink.in_base { fingerprint(SourceId::Leg(seat.id())) } else { 0 };
        let audible = base.audible.wrapping_sub(own);
        let rerouted = std::mem::replace(&mut seat.audible, audible) != audible;
        let speaks = sink.in_base && seat.contribution().is_some();
        let format = seat.leg().format();
        if !rerouted && !speaks && *base.limit() == seat.limiter {
            seat.limiter.clone_from(&base.limiter);
            seat.declick.frame_sent(&base.frame);
            seat.leg_mut().send(base.payload(format));
            return;
        }
        self.wide.copy_from_slice(&base.wide);
        if let Some(own) = seat.contribution().filter(|_| sink.in_base) {
            subtract(&mut self.wide, own);
        }
        seat.limiter.limit(&self.wide, &mut self.frame);
        if rerouted {
            seat.declick.smooth(&mut self.frame);
        }
        seat.declick.frame_sent(&self.frame);
        let size_bytes = encode(format, &self.frame, &mut self.payload);
        seat.leg_mut().send(&self.payload[..size_bytes]);
    }
}

/// A number that stands for a source. Their wrapping sum stands for a set of sources, and one
/// source's number can be taken out of it again as its contribution can be out of the audio. Two
/// sets with one sum are as good as impossible, and would cost no more than a click.
fn fingerprint(source: SourceId) -> u64 {
    let id = match source {
        SourceId::Leg(leg) => leg.0.wrapping_mul(2),
        SourceId::Prompt(prompt) => prompt.0.wrapping_mul(2).wrapping_add(1),
    };
    // SplitMix64: every bit of the number depends on every bit of the id.
    let mut mixed = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// G.711 keeps nothing from frame to frame, so a new encoder continues any stream.
fn encode(format: Format, frame: &[i16], payload: &mut [u8]) -> usize {
    debug_assert_eq!(frame.len(), format.sample_rate().frame_samples(), "formats run at the bridge's rate");
    Encoder::new(format).encode(frame, payload)
}

fn add(sum: &mut [i32], frame: &[i16]) {
    for (sum, &sample) in sum.iter_mut().zip(frame) {
        *sum += i32::from(sample);
    }
}

fn subtract(sum: &mut [i32], frame: &[i16]) {
    for (sum, &sample) in sum.iter_mut().zip(frame) {
        *sum -= i32::from(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leg::Contribution;
    use crate::plan::LegId;

    const RATE: SampleRate = SampleRate::Hz8000;

    struct Says(Option<i16>);

    impl Leg for Says {
        fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
            frame.fill(self.0.unwrap_or(0));
            self.0.map_or(Contribution::Silence, |_| Contribution::Audio)
        }
        fn format(&self) -> Format {
            Format::Pcmu
        }
        fn send(&mut self, _: &[u8]) {}
    }

    /// One tick of a room where all hear all. Returns who got a mix of their own.
    fn tick(seats: &mut [Option<Box<Seated<Says>>>], base: &mut Base) -> Vec<u64> {
        seats.iter_mut().flatten().for_each(|seat| seat.contribute(RATE));
        base.sum(&BaseSet { legs: (0..seats.len()).collect(), prompts: vec![] }, seats, &[]);
        let mut alone = vec![];
        for seat in seats.iter_mut().flatten() {
            let mut personal = Personal::new(RATE);
            personal.wide.fill(i32::MAX);
            personal.send(seat, Sink { base: 0, in_base: true }, base);
            if personal.wide[0] != i32::MAX {
                alone.push(seat.id().0);
            }
        }
        alone
    }

    #[test]
    fn only_who_speaks_or_was_rerouted_or_is_still_limited_costs_a_mix_of_its_own() {
        let voices = [Some(30_000), Some(30_000), None, None];
        let seat = |(id, voice)| Some(Box::new(Seated::new(LegId(id), Says(voice), RATE)));
        let mut seats: Vec<_> = (0..).zip(voices).map(seat).collect();
        let mut base = Base::new(RATE);
        assert_eq!(tick(&mut seats, &mut base), [0, 1, 2, 3], "all are new");
        assert_eq!(tick(&mut seats, &mut base), [0, 1, 2, 3], "the base's limiter begins now");
        seats.iter_mut().flatten().for_each(|seat| seat.leg_mut().0 = None);
        let shares: Vec<_> = (0..20).map(|_| tick(&mut seats, &mut base).len()).collect();
        assert_eq!(shares.last(), Some(&0), "{shares:?}");
    }
}
