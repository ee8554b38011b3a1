//! What a tick of a bridge costs, and the making of its plan.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_mixer::{Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Seated, SinkRoutes, SourceId};

const RATE: SampleRate = SampleRate::Hz8000;
const FRAME: usize = RATE.frame_samples();

/// A leg that costs nothing of its own: a copy in and a look at the payload.
struct BenchLeg {
    contribution: Contribution,
    frame: [i16; FRAME],
}

impl BenchLeg {
    /// Noise at -25 dBov, so that two who speak stay below the limiter's threshold and a hundred do not.
    fn new(id: u64, contribution: Contribution) -> Self {
        let mut state = id + 1;
        let frame = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % 6_001) as i16 - 3_000
        });
        Self { contribution, frame }
    }
}

impl Leg for BenchLeg {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        frame.copy_from_slice(&self.frame);
        self.contribution
    }

    fn format(&self) -> Format {
        Format::Pcmu
    }

    fn send(&mut self, payload: &[u8]) {
        black_box(payload);
    }
}

/// A conference in which all hear all others.
fn room(participants: u64) -> Vec<SinkRoutes> {
    let others =
        |id| (0..participants).filter(move |&other| other != id).map(|other| SourceId::Leg(LegId(other)));
    (0..participants).map(|id| SinkRoutes { leg: LegId(id), hears: others(id).collect() }).collect()
}

fn bridge(participants: u64, talking: u64) -> Bridge<BenchLeg> {
    let plan = MixPlan::compile(&room(participants)).expect("a room is sound");
    let mut arrangement = Arrangement::new(plan, RATE);
    for id in 0..participants {
        let contribution = if id < talking { Contribution::Audio } else { Contribution::Silence };
        let leg = Seated::new(LegId(id), BenchLeg::new(id, contribution), RATE);
        arrangement.seat(Box::new(leg)).expect("the plan names it");
    }
    Bridge::new(Box::new(arrangement))
}

fn tick(criterion: &mut Criterion) {
    for talking in ["all talking", "two talking"] {
        let mut group = criterion.benchmark_group(format!("tick, {talking}"));
        for participants in [3, 10, 100] {
            let mut bridge = bridge(participants, if talking == "all talking" { participants } else { 2 });
            group.throughput(Throughput::Elements(participants));
            group.bench_function(BenchmarkId::from_parameter(participants), |bencher| {
                bencher.iter(|| bridge.tick(&mut |_| ()));
            });
        }
        group.finish();
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

criterion_group!(benches, tick, plan);
criterion_main!(benches);
