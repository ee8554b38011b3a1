//! A leg whose frames the test writes and whose payloads it reads.

use std::sync::Arc;

use mixminus_audio::{Clip, Dbov, Pcm, SampleRate};
use mixminus_codec::{Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES, OpusSettings};
use mixminus_mixer::{
    Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Plays, Prompt, PromptId, Seated, SinkRoutes,
    SourceId,
};

pub const RATE: SampleRate = SampleRate::Hz8000;
pub const FRAME: usize = RATE.frame_samples();

pub const OPUS: Format = Format::Opus(SampleRate::Hz48000);

/// Formats that lose nothing, one for each rate.
pub const LINEAR: [Format; 3] =
    [Format::L16(SampleRate::Hz8000), Format::L16(SampleRate::Hz16000), Format::L16(SampleRate::Hz48000)];

/// Sends what the test says, and keeps what it is sent.
#[derive(Debug)]
pub struct TestLeg {
    pub encoding: Encoding,
    encoder: Encoder,
    decoder: Decoder,
    /// What the far end says in the next tick, at the rate of its format; none is silence.
    pub says: Option<Vec<i16>>,
    /// The last payload.
    pub heard: Vec<u8>,
    pub contributed: u32,
    pub sent: u32,
    /// Whether the last payload was made for this leg alone.
    pub alone: bool,
    /// How loud it talks, as far as control is told.
    pub talks: Option<Dbov>,
}

impl TestLeg {
    pub fn new(format: Format) -> Self {
        Self::with(encoding(format))
    }

    pub fn with(encoding: Encoding) -> Self {
        Self {
            encoding,
            encoder: Encoder::new(encoding),
            decoder: Decoder::new(encoding.format()),
            says: None,
            heard: Vec::with_capacity(MAX_PAYLOAD_BYTES),
            contributed: 0,
            sent: 0,
            alone: false,
            talks: None,
        }
    }

    pub fn saying(sample: i16) -> Self {
        Self::new(Format::Pcmu).who_says(Some(vec![sample; FRAME]))
    }

    pub fn who_says(self, says: Option<Vec<i16>>) -> Self {
        Self { says, ..self }
    }

    /// Goes over to another encoding, as a leg does whose far end has asked for it.
    pub fn renegotiate(&mut self, encoding: Encoding) {
        self.encoding = encoding;
        self.encoder = Encoder::new(encoding);
        self.decoder = Decoder::new(encoding.format());
    }

    pub fn rate(&self) -> SampleRate {
        self.encoding.format().sample_rate()
    }

    /// What was heard last, decoded. To be called once a tick where the format keeps a state.
    pub fn heard_samples(&mut self) -> Vec<i16> {
        let mut samples = vec![0; self.rate().frame_samples()];
        let decoded = self.decoder.decode(&self.heard, &mut samples).expect("a payload is one frame");
        assert_eq!(decoded, samples.len());
        samples
    }
}

impl Leg for TestLeg {
    /// Silence comes with noise in the frame: it must not be read.
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        self.contributed += 1;
        self.alone = false;
        match &self.says {
            Some(says) => frame.copy_from_slice(says),
            None => frame.fill(i16::MAX),
        }
        if self.says.is_some() { Contribution::Audio } else { Contribution::Silence }
    }

    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn encoder(&mut self) -> &mut Encoder {
        self.alone = true;
        &mut self.encoder
    }

    fn talks(&self) -> Option<Dbov> {
        self.talks
    }

    fn send(&mut self, payload: &[u8]) {
        self.sent += 1;
        self.heard.clear();
        self.heard.extend_from_slice(payload);
    }
}

/// The encoding of `format` that costs a test least.
pub fn encoding(format: Format) -> Encoding {
    Encoding::new(format, OpusSettings { complexity: 0, ..OpusSettings::default() })
}

/// Those that a bridge of tests shares.
pub fn encodings() -> Vec<Encoding> {
    let formats = [Format::Pcmu, Format::Pcma, Format::G722, OPUS].into_iter().chain(LINEAR);
    formats.map(encoding).chain([encoding(OPUS).with_expected_loss(10)]).collect()
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

/// Each of `legs` hears all others.
pub fn all_hear_all(legs: impl IntoIterator<Item = u64>) -> Vec<SinkRoutes> {
    let legs: Vec<_> = legs.into_iter().collect();
    let others = |id| legs.iter().filter(|&&other| other != id).map(|&id| leg(id)).collect();
    legs.iter().map(|&id| SinkRoutes { leg: LegId(id), hears: others(id) }).collect()
}

pub fn arrangement(routes: &[SinkRoutes]) -> Box<Arrangement<TestLeg>> {
    arrangement_at(RATE, routes)
}

pub fn arrangement_at(rate: SampleRate, routes: &[SinkRoutes]) -> Box<Arrangement<TestLeg>> {
    arrangement_of(rate, plan(routes))
}

pub fn arrangement_of(rate: SampleRate, plan: MixPlan) -> Box<Arrangement<TestLeg>> {
    Box::new(Arrangement::new(plan, rate, &encodings()))
}

pub fn plan(routes: &[SinkRoutes]) -> MixPlan {
    MixPlan::compile(routes).expect("the routes are sound")
}

/// A bridge at 8 kHz in which leg `n` is `legs[n]`.
pub fn bridge(routes: &[SinkRoutes], legs: Vec<TestLeg>) -> Bridge<TestLeg> {
    bridge_at(RATE, routes, legs)
}

pub fn bridge_at(rate: SampleRate, routes: &[SinkRoutes], legs: Vec<TestLeg>) -> Bridge<TestLeg> {
    let mut bridge = Bridge::new(arrangement_at(rate, routes));
    for (id, leg) in (0..).zip(legs) {
        bridge.seat_leg(seated(id, leg)).expect("the plan names it");
    }
    bridge
}

pub fn seated(id: u64, leg: TestLeg) -> Box<Seated<TestLeg>> {
    Box::new(Seated::new(LegId(id), leg))
}

pub fn clip(id: u64, samples: Vec<i16>, plays: Plays) -> Box<Prompt> {
    Box::new(Prompt::new(PromptId(id), Arc::new(Clip::new(Pcm { rate: RATE, samples })), plays))
}

/// What a fresh encoder makes of `frame`.
pub fn encoded(format: Format, frame: &[i16]) -> Vec<u8> {
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let size_bytes = Encoder::new(encoding(format)).encode(frame, &mut payload);
    payload[..size_bytes].to_vec()
}
