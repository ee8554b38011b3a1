//! Frames from one rate to another, 24 kHz included.

use mixminus_audio::{MAX_FRAME_SAMPLES, Resampler, SampleRate};

/// The rate beside the usual ones: half of the highest.
const HALF: SampleRate = SampleRate::Hz48000;

/// A rate at which a WebSocket talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireRate {
    /// One of ours.
    Usual(SampleRate),
    /// 24 kHz.
    Half,
}

impl WireRate {
    pub const fn frame_samples(self) -> usize {
        match self {
            Self::Usual(rate) => rate.frame_samples(),
            Self::Half => HALF.frame_samples() / 2,
        }
    }

    const fn carrier(self) -> SampleRate {
        match self {
            Self::Usual(rate) => rate,
            Self::Half => HALF,
        }
    }
}

/// Converts frames of 20 ms between a bridge's rate and a WebSocket's, without seams.
///
/// A filter that halves a rate is the same at every rate, so that between 8 and 16 kHz serves, a third of a
/// frame at a time, between 24 and 48 kHz.
#[derive(Debug)]
pub(super) struct Line {
    wire: WireRate,
    bridge: SampleRate,
    resampler: Resampler,
    /// From 48 to 24 kHz, or back.
    half: Resampler,
}

impl Line {
    pub fn to_wire(bridge: SampleRate, wire: WireRate) -> Self {
        let half = Resampler::new(SampleRate::Hz16000, SampleRate::Hz8000);
        Self { wire, bridge, resampler: Resampler::new(bridge, wire.carrier()), half }
    }

    pub fn to_bridge(wire: WireRate, bridge: SampleRate) -> Self {
        let half = Resampler::new(SampleRate::Hz8000, SampleRate::Hz16000);
        Self { wire, bridge, resampler: Resampler::new(wire.carrier(), bridge), half }
    }

    /// Whether it is between these two.
    pub fn is_between(&self, wire: WireRate, bridge: SampleRate) -> bool {
        (self.wire, self.bridge) == (wire, bridge)
    }

    /// A frame of the bridge as one of the wire.
    pub fn send(&mut self, frame: &[i16]) -> Vec<i16> {
        let mut carried = [0; MAX_FRAME_SAMPLES];
        let carried = &mut carried[..self.wire.carrier().frame_samples()];
        self.resampler.process(frame, carried);
        match self.wire {
            WireRate::Usual(_) => carried.to_vec(),
            WireRate::Half => self.in_thirds(carried),
        }
    }

    /// A frame of the wire as one of the bridge.
    pub fn receive(&mut self, frame: &[i16]) -> Vec<i16> {
        let mut out = vec![0; self.bridge.frame_samples()];
        match self.wire {
            WireRate::Usual(_) => self.resampler.process(frame, &mut out),
            WireRate::Half => {
                let carried = self.in_thirds(frame);
                self.resampler.process(&carried, &mut out);
            }
        }
        out
    }

    fn in_thirds(&mut self, frame: &[i16]) -> Vec<i16> {
        let [from, to] = [self.half.from(), self.half.to()].map(SampleRate::frame_samples);
        let mut out = vec![0; frame.len() / from * to];
        for (input, output) in frame.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
            self.half.process(input, output);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Dbov, Sine, level};

    use super::*;

    #[test]
    fn a_tone_keeps_its_level_there_and_back_at_every_pair_of_rates() {
        for bridge in SampleRate::ALL {
            for wire in
                [WireRate::Usual(SampleRate::Hz8000), WireRate::Usual(SampleRate::Hz16000), WireRate::Half]
            {
                let (mut there, mut back) = (Line::to_wire(bridge, wire), Line::to_bridge(wire, bridge));
                let mut tone = Sine::new(bridge, 1_000.0, Dbov(-20.0));
                let mut frame = vec![0; bridge.frame_samples()];
                let mut levels = (Dbov::SILENCE, Dbov::SILENCE);
                for _ in 0..10 {
                    tone.fill(&mut frame);
                    let sent = there.send(&frame);
                    assert_eq!(sent.len(), wire.frame_samples());
                    levels = (level(&sent), level(&back.receive(&sent)));
                }
                let expected = level(&frame).0;
                let near = |level: Dbov| (level.0 - expected).abs() < 0.1;
                assert!(near(levels.0) && near(levels.1), "{bridge:?} {wire:?}: {levels:?}, not {expected}");
            }
        }
    }
}
