//! What a tick of a bridge costs, on average and at worst, and the making of its plan.

use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mixminus_audio::SampleRate;
use mixminus_codec::{Encoder, Encoding, Format};
use mixminus_mixer::{
    Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Seated, SinkRoutes, SourceId, TapCapacity,
    TapChannel, TapId, TapReader, TapRoutes, tap,
};

const OPUS: Format = Format::Opus(SampleRate::Hz16000);

/// The formats of a room's legs, in turn.
const ROOMS: [(&str, &[Format]); 4] = [
    ("PCMU", &[Format::Pcmu]),
    ("G722", &[Format::G722]),
    ("Opus", &[OPUS]),
    ("mixed", &[Format::Pcmu, Format::G722, OPUS]),
];

/// Frames of a voice before it repeats itself: a second.
const VOICE_FRAMES: usize = 50;

/// A leg that costs nothing of its own: a copy in, its encoder, and a look at the payload.
struct BenchLeg {
    talks: bool,
    voice: Vec<i16>,
    frame: usize,
    encoder: Encoder,
}

impl BenchLeg {
    fn new(id: u64, format: Format, talks: bool) -> Self {
        let rate = format.sample_rate();
        Self { talks, voice: voice(id, rate), frame: id as usize, encoder: Encoder::new(format.into()) }
    }
}

impl Leg for BenchLeg {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        if !self.talks {
            return Contribution::Silence;
        }
        frame.copy_from_slice(&self.voice[self.frame % VOICE_FRAMES * frame.len()..][..frame.len()]);
        self.frame += 1;
        Contribution::Audio
    }

    fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }

    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn send(&mut self, payload: &[u8]) {
        black_box(payload);
    }
}

/// Harmonics in syllables, with breath, at -25 dBov: two who talk stay below the limiter's threshold, a hundred do
/// not.
fn voice(id: u64, rate: SampleRate) -> Vec<i16> {
    let (mut noise, pitch) = (id + 1, 90.0 + 7.0 * (id % 17) as f64);
    let samples = (0..VOICE_FRAMES * rate.frame_samples()).map(|n| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let breath = (noise >> 33) as f64 / 2_f64.powi(31) - 0.5;
        let time = n as f64 / f64::from(rate.hz());
        let syllables = (TAU * 2.0 * time).sin().abs();
        let harmonics: f64 = (1..20).map(|n| (TAU * pitch * f64::from(n) * time).sin() / f64::from(n)).sum();
        (1_700.0 * syllables * harmonics + 300.0 * breath) as i16
    });
    samples.collect()
}

/// A conference in which all hear all others.
fn room(participants: u64) -> Vec<SinkRoutes> {
    let others =
        |id| (0..participants).filter(move |&other| other != id).map(|other| SourceId::Leg(LegId(other)));
    (0..participants).map(|id| SinkRoutes { leg: LegId(id), hears: others(id).collect() }).collect()
}

fn arrangement(participants: u64, formats: &[Format]) -> Box<Arrangement<BenchLeg>> {
    arrangement_of(MixPlan::compile(&room(participants)).expect("a room is sound"), formats)
}

fn arrangement_of(plan: MixPlan, formats: &[Format]) -> Box<Arrangement<BenchLeg>> {
    let rate = formats.iter().map(|format| format.sample_rate()).max().expect("a room has a format");
    let encodings: Vec<_> = formats.iter().map(|&format| format.into()).collect();
    Box::new(Arrangement::new(plan, rate, &encodings))
}

/// A room that has run until all who are silent share an encoder.
fn bridge(participants: u64, talking: u64, formats: &[Format]) -> Bridge<BenchLeg> {
    let mut arrangement = arrangement(participants, formats);
    for id in 0..participants {
        let leg = BenchLeg::new(id, formats[id as usize % formats.len()], id < talking);
        arrangement.seat(Box::new(Seated::new(LegId(id), leg))).expect("the plan names it");
    }
    let mut bridge = Bridge::new(arrangement);
    (0..200).for_each(|_| bridge.tick(&mut |_| ()));
    bridge
}

fn tick(criterion: &mut Criterion) {
    for (name, formats) in ROOMS {
        for talking in ["all talking", "two talking"] {
            let mut group = criterion.benchmark_group(format!("tick, {name}, {talking}"));
            for participants in [3, 10, 100] {
                let talkers = if talking == "all talking" { participants } else { 2 };
                group.throughput(Throughput::Elements(participants));
                group.bench_function(BenchmarkId::from_parameter(participants), |bencher| {
                    let mut bridge = bridge(participants, talkers, formats);
                    bencher.iter(|| bridge.tick(&mut |_| ()));
                });
            }
            group.finish();
        }
    }
}

/// What a tap carries of a leg.
type Carries = fn(LegId) -> Vec<TapChannel>;

const TAPS: [(&str, Carries); 3] = [
    ("no tap", |_| vec![]),
    ("contributions", |leg| vec![TapChannel::Source(SourceId::Leg(leg))]),
    ("contributions and mixes", |leg| vec![TapChannel::Source(SourceId::Leg(leg)), TapChannel::Heard(leg)]),
];

/// Ticks between two readings of a tap.
const READ_TICKS: usize = 50;

/// Puts a tap on everybody in `bridge`; its reader.
fn put_tap(bridge: &mut Bridge<BenchLeg>, formats: &[Format], carries: Carries) -> TapReader {
    let channels: Vec<_> = bridge.plan().legs().iter().copied().flat_map(carries).collect();
    let frames = READ_TICKS * channels.len();
    let capacity = TapCapacity { ticks: READ_TICKS, frames, samples: frames * 160 };
    let (tap, reader) = tap(TapId(1), capacity);
    if !channels.is_empty() {
        let routes = TapRoutes { tap: TapId(1), channels, paused: false };
        let plan = bridge.plan().clone().with_taps(&[routes]).expect("all are in the room");
        drop(bridge.adopt(arrangement_of(plan, formats)));
        bridge.attach_tap(Box::new(tap)).expect("the plan names it");
    }
    reader
}

/// What a tap costs the tick; that it is read costs somebody else.
fn tapped_tick(criterion: &mut Criterion) {
    for (name, carries) in TAPS {
        let mut group = criterion.benchmark_group(format!("tick, PCMU, all talking, {name}"));
        for participants in [10, 100] {
            group.throughput(Throughput::Elements(participants));
            group.bench_function(BenchmarkId::from_parameter(participants), |bencher| {
                let formats = &[Format::Pcmu];
                let mut bridge = bridge(participants, participants, formats);
                let mut reader = put_tap(&mut bridge, formats, carries);
                let read = || {
                    reader.read(&mut |tick| {
                        black_box(tick);
                    });
                };
                let size = BatchSize::NumIterations(READ_TICKS as u64);
                bencher.iter_batched(read, |()| bridge.tick(&mut |_| ()), size);
                assert_eq!(reader.lost(), 0);
            });
        }
        group.finish();
    }
}

/// Ticks of an hour in which two talk at a time, others in turn, and every ten seconds a new plan is adopted. What the
/// system takes away from one of several equal hours is not counted: a tick costs what it costs in the fastest.
fn worst_tick(_: &mut Criterion) {
    const TICKS: usize = 180_000;
    const HOURS: usize = 3;
    for (name, formats, participants) in
        [("PCMU", &[Format::Pcmu][..], 100), ("mixed", &[Format::Pcmu, Format::G722, OPUS], 10)]
    {
        let mut ticks = vec![Duration::MAX; TICKS];
        for _ in 0..HOURS {
            let mut bridge = bridge(participants, 0, formats);
            for (tick, shortest) in ticks.iter_mut().enumerate() {
                if tick % 150 == 0 {
                    let talkers = [tick as u64 / 150, tick as u64 / 450].map(|turn| turn * 7 % participants);
                    bridge.legs_mut().for_each(|(id, leg)| leg.talks = talkers.contains(&id.0));
                }
                let next = (tick % 500 == 499).then(|| arrangement(participants, formats));
                #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
                let start = Instant::now();
                let old = next.map(|next| bridge.adopt(next));
                bridge.tick(&mut |_| ());
                *shortest = start.elapsed().min(*shortest);
                drop(old);
            }
        }
        ticks.sort_unstable();
        let [middle, last] = [TICKS / 2, TICKS - 1].map(|place| ticks[place]);
        println!(
            "an hour of {participants} participants, {name}: a tick takes {middle:?}, the longest {last:?}"
        );
    }
}

/// What control pays when somebody joins or leaves.
fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan, all hear all");
    for participants in [10, 100, 1_000] {
        let routes = room(participants);
        group.throughput(Throughput::Elements(participants));
        group.bench_function(BenchmarkId::from_parameter(participants), |bencher| {
            bencher.iter(|| MixPlan::compile(black_box(&routes)));
        });
    }
    group.finish();
}

criterion_group!(benches, tick, tapped_tick, plan, worst_tick);
criterion_main!(benches);
