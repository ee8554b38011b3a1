//! What real bridges did, logged by hand and played again.
#![expect(clippy::unwrap_used, reason = "a log that is no log is a failed test")]

use std::sync::Arc;

use mixminus_audio::{Clip, Pcm, SampleRate};
use mixminus_codec::{Encoder, Encoding, Format};
use mixminus_mixer::{
    Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Plays, Prompt, PromptId, Seated, SinkRoutes,
    SourceId,
};
use mixminus_replay::{
    Event, Install, PREAMBLE, Placed, PlayError, Player, Reader, Route, Seat, replay, to_bytes,
};
use proptest::prelude::*;

const FORMATS: [Format; 4] =
    [Format::Pcmu, Format::G722, Format::Opus(SampleRate::Hz48000), Format::L16(SampleRate::Hz16000)];
const PROMPT: PromptId = PromptId(1);

/// A leg that hums and keeps what it was sent.
struct Hum {
    encoder: Encoder,
    said: Option<Vec<i16>>,
    sent: Vec<u8>,
}

impl Leg for Hum {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        let Some(said) = &self.said else { return Contribution::Silence };
        frame.copy_from_slice(said);
        Contribution::Audio
    }
    fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }
    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }
    fn send(&mut self, payload: &[u8]) {
        self.sent = payload.to_vec();
    }
}

/// Two bridges of a worker and the log of all that happens to them.
struct Worker {
    bridges: [Bridge<Hum>; 2],
    #[expect(clippy::vec_box, reason = "arrangements take and give legs boxed")]
    outside: Vec<Box<Seated<Hum>>>,
    /// The prompt, while no bridge has it.
    prompt: Option<Box<Prompt>>,
    log: Vec<u8>,
    tick: usize,
}

/// One thing to happen.
#[derive(Clone, Debug)]
enum Step {
    /// The legs with these numbers, in the bridge, hear each other and the prompt.
    Route { bridge: usize, legs: Vec<u64>, rate: SampleRate, shared: bool },
    /// So many ticks; who talks, bit by bit.
    Talk { ticks: usize, talkers: u8 },
    /// Other expectations of loss.
    Loss { percent: u8 },
}

fn format(leg: u64) -> Format {
    FORMATS[leg as usize % FORMATS.len()]
}

fn plan(legs: &[u64]) -> MixPlan {
    let others =
        |leg| legs.iter().filter(move |other| **other != leg).map(|other| SourceId::Leg(LegId(*other)));
    let routes = legs.iter().map(|&leg| SinkRoutes {
        leg: LegId(leg),
        hears: others(leg).chain([SourceId::Prompt(PROMPT)]).collect(),
    });
    MixPlan::compile(&routes.collect::<Vec<_>>()).unwrap()
}

impl Worker {
    fn new() -> Self {
        let empty = || Bridge::new(Box::new(Arrangement::new(plan(&[]), SampleRate::Hz8000, &[])));
        let leg = |leg| {
            let hum = Hum { encoder: Encoder::new(format(leg).into()), said: None, sent: vec![] };
            Box::new(Seated::new(LegId(leg), hum))
        };
        let pcm = Pcm { rate: SampleRate::Hz8000, samples: (0..999).map(|n| n * 7).collect() };
        let samples = pcm.samples.clone().into();
        let clip = Clip::looping(pcm);
        for rate in SampleRate::ALL {
            clip.prepare(rate);
        }
        let mut worker = Self {
            bridges: [empty(), empty()],
            outside: (0..4).map(leg).collect(),
            prompt: Some(Box::new(Prompt::new(PROMPT, Arc::new(clip), Plays::Forever))),
            log: PREAMBLE.to_vec(),
            tick: 0,
        };
        worker.note(&Event::Clip { clip: 5, rate: SampleRate::Hz8000.into(), loops: true, samples });
        worker.note(&Event::Install(Install::default()));
        worker.note(&Event::Install(Install { bridge: 1, ..Install::default() }));
        worker
    }

    fn note(&mut self, event: &Event) {
        self.log.extend(to_bytes(event));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Route { bridge, legs, rate, shared } => self.route(*bridge, legs, *rate, *shared),
            Step::Talk { ticks, talkers } => (0..*ticks).for_each(|_| self.talk(*talkers)),
            Step::Loss { percent } => {
                let legs = self.bridges.iter_mut().flat_map(Bridge::legs_mut);
                legs.for_each(|(_, leg)| leg.encoder.expect_loss(*percent));
            }
        }
    }

    fn route(&mut self, number: usize, legs: &[u64], rate: SampleRate, shared: bool) {
        let plan = plan(legs);
        let encodings: Vec<Encoding> = if shared { FORMATS.map(Encoding::from).to_vec() } else { vec![] };
        let mut next = Box::new(Arrangement::new(plan.clone(), rate, &encodings));
        let mut install = Install {
            bridge: number as u32,
            rate: rate.into(),
            encodings: encodings.into_iter().map(Into::into).collect(),
            routes: Route::all(&plan),
            ..Install::default()
        };
        for &leg in legs {
            if let Some(place) = self.outside.iter().position(|seated| seated.id().0 == leg) {
                let seated = self.outside.remove(place);
                install.seats.push(Seat { leg, encoding: seated.leg().encoding().into() });
                next.seat(seated).unwrap();
            } else if let Some(moved) = self.bridges[1 - number].take_leg(LegId(leg)) {
                install.moves.push((1 - number as u32, leg));
                next.seat(moved).unwrap();
            }
        }
        if let Some(prompt) = self.prompt.take_if(|_| !legs.is_empty()) {
            install.prompts.push(Placed::new(PROMPT, vec![5], Plays::Forever));
            next.place(prompt).unwrap();
        }
        self.note(&Event::Install(install));
        let mut old = self.bridges[number].adopt(next);
        self.outside.extend(old.take_legs());
        self.prompt = self.prompt.take().or(old.take_prompts().next());
    }

    fn talk(&mut self, talkers: u8) {
        for number in 0..2 {
            let tick = self.tick;
            for (LegId(id), leg) in self.bridges[number].legs_mut() {
                let samples = leg.encoding().format().sample_rate().frame_samples();
                let sample = |n| ((n + tick * samples) as f32 * (0.01 + 0.01 * id as f32)).sin() * 9_000.0;
                let says = talkers >> id & 1 == 1;
                leg.said = says.then(|| (0..samples).map(|n| sample(n) as i16).collect());
            }
            self.bridges[number].tick(&mut |_| {});
            let lines = self.bridges[number].legs_mut().map(|(LegId(leg), hum)| {
                to_bytes(&Event::Leg {
                    leg,
                    encoding: hum.encoding().into(),
                    frame: hum.said.as_deref().map(Into::into),
                    payload: (&hum.sent[..]).into(),
                })
            });
            self.log.extend(lines.collect::<Vec<_>>().concat());
            self.note(&Event::Tick { bridge: number as u32 });
        }
        self.tick += 1;
    }
}

fn logged(steps: &[Step]) -> Vec<u8> {
    let mut worker = Worker::new();
    for step in steps {
        worker.step(step);
    }
    worker.log
}

fn step() -> impl Strategy<Value = Step> {
    let rate = prop::sample::select(SampleRate::ALL.to_vec());
    let legs = prop::sample::subsequence((0..4).collect::<Vec<u64>>(), 0..=4);
    prop_oneof![
        (0..2_usize, legs, rate, any::<bool>()).prop_map(|(bridge, legs, rate, shared)| Step::Route {
            bridge,
            legs,
            rate,
            shared
        }),
        (1..6_usize, any::<u8>()).prop_map(|(ticks, talkers)| Step::Talk { ticks, talkers }),
        (0..30_u8).prop_map(|percent| Step::Loss { percent }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whatever_happened_happens_again_bit_by_bit(steps in prop::collection::vec(step(), 1..20)) {
        let outcome = replay(&logged(&steps)[..]).unwrap();
        prop_assert!(outcome.is_identical(), "{:?}", outcome.differences);
    }
}

fn conversation() -> Vec<Step> {
    let rate = SampleRate::Hz48000;
    vec![
        Step::Route { bridge: 0, legs: vec![0, 1, 2, 3], rate, shared: true },
        Step::Talk { ticks: 10, talkers: 0b0110 },
    ]
}

#[test]
fn each_payload_of_each_tick_is_compared() {
    let outcome = replay(&logged(&conversation())[..]).unwrap();
    assert_eq!((outcome.ticks, outcome.payloads, outcome.differing), (20, 40, 0));
}

#[test]
fn one_other_byte_anywhere_is_found() {
    let log = logged(&conversation());
    let events: Vec<_> = {
        let mut reader = Reader::new(&log[..]).unwrap();
        std::iter::from_fn(|| reader.next_event().unwrap()).collect()
    };
    let mut player = Player::default();
    let mut seen = 0;
    for mut event in events {
        if let Event::Leg { leg: 2, payload, .. } = &mut event {
            seen += 1;
            if seen == 7 {
                payload.to_mut()[3] ^= 1;
            }
        }
        player.play(event).unwrap();
    }
    let outcome = player.outcome();
    assert_eq!(outcome.differing, 1);
    assert_eq!(outcome.differences[0].to_string(), "tick 13: leg 2 is sent another payload from byte 3 on");
}

#[test]
fn a_log_that_contradicts_itself_is_refused() {
    let mut player = Player::default();
    assert_eq!(player.play(Event::Tick { bridge: 9 }), Err(PlayError::Bridge(9)));
    assert_eq!(player.play(Event::Close { bridge: 9 }), Err(PlayError::Bridge(9)));
    let encoding = Encoding::from(Format::Pcmu).into();
    let line = Event::Leg { leg: 1, encoding, frame: Some(vec![0; 161].into()), payload: vec![].into() };
    assert_eq!(player.play(line), Err(PlayError::Frame { leg: 1, samples: 161 }));
    let seats = vec![Seat { leg: 1, encoding }];
    let nowhere = Event::Install(Install { seats: seats.clone(), ..Install::default() });
    assert_eq!(player.play(nowhere), Err(PlayError::Leg(1)));
    let routes = vec![Route { leg: 1, legs: vec![], prompts: vec![4] }];
    player.play(Event::Install(Install { seats, routes, ..Install::default() })).unwrap();
    assert_eq!(player.play(Event::Tick { bridge: 0 }), Err(PlayError::Leg(1)));
    let prompt = Placed::new(PromptId(4), vec![2], Plays::Forever);
    assert_eq!(player.play(Event::Place { bridge: 0, prompt }), Err(PlayError::Clip(2)));
}
