//! A leg whose frames the test writes and whose payloads it reads.

use std::sync::Arc;

use mixminus_audio::{Pcm, SampleRate};
use mixminus_codec::{Decoder, Encoder, Format};
use mixminus_mixer::{
    Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Plays, Prompt, PromptId, Seated, SinkRoutes,
    SourceId,
};

pub const RATE: SampleRate = SampleRate::Hz8000;
pub const FRAME: usize = RATE.frame_samples();

/// One tick of audio.
pub type Frame = [i16; FRAME];

/// Sends what the test says, and keeps what it is sent.
#[derive(Debug)]
pub struct TestLeg {
    pub format: Format,
    /// What the far end says in the next tick; none is silence.
    pub says: Option<Frame>,
    /// The last payload.
    pub heard: [u8; FRAME],
    pub contributed: u32,
    pub sent: u32,
}

impl TestLeg {
    pub fn new(format: Format) -> Self {
        Self { format, says: None, heard: [0; FRAME], contributed: 0, sent: 0 }
    }

    pub fn saying(sample: i16) -> Self {
        Self { says: Some([sample; FRAME]), ..Self::new(Format::Pcmu) }
    }

    /// What was heard last, decoded.
    pub fn heard_samples(&self) -> Frame {
        let mut samples = [0; FRAME];
        Decoder::new(self.format).decode(&self.heard, &mut samples).expect("a payload is one frame");
        samples
    }
}

impl Leg for TestLeg {
    /// Silence comes with noise in the frame: it must not be read.
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        self.contributed += 1;
        frame.copy_from_slice(&self.says.unwrap_or([i16::MAX; FRAME]));
        if self.says.is_some() { Contribution::Audio } else { Contribution::Silence }
    }

    fn format(&self) -> Format {
        self.format
    }

    fn send(&mut self, payload: &[u8]) {
        self.sent += 1;
        self.heard.copy_from_slice(payload);
    }
}

pub fn leg(id: u64) -> SourceId {
    SourceId::Leg(LegId(id))
}

pub fn prompt(id: u64) -> SourceId {
    SourceId::Prompt(PromptId(id))
}

pub fn hears(id: u64, sources: &[SourceId]) -> SinkRoutes {
    SinkRoutes { leg: LegId(id), hears: sources.to_vec() }
}

pub fn arrangement(routes: &[SinkRoutes]) -> Box<Arrangement<TestLeg>> {
    Box::new(Arrangement::new(MixPlan::compile(routes).expect("the routes are sound"), RATE))
}

/// A bridge in which leg `n` says `legs[n]`.
pub fn bridge(routes: &[SinkRoutes], legs: Vec<TestLeg>) -> Bridge<TestLeg> {
    let mut bridge = Bridge::new(arrangement(routes));
    for (id, leg) in (0..).zip(legs) {
        bridge.seat_leg(seated(id, leg)).expect("the plan names it");
    }
    bridge
}

pub fn seated(id: u64, leg: TestLeg) -> Box<Seated<TestLeg>> {
    Box::new(Seated::new(LegId(id), leg, RATE))
}

pub fn clip(id: u64, samples: Vec<i16>, plays: Plays) -> Box<Prompt> {
    Box::new(Prompt::new(PromptId(id), Arc::new(Pcm { rate: RATE, samples }), plays))
}

pub fn encoded(format: Format, frame: &Frame) -> [u8; FRAME] {
    let mut payload = [0; FRAME];
    Encoder::new(format).encode(frame, &mut payload);
    payload
}
