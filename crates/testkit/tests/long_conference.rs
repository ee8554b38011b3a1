//! A conference of hours: clocks that drift, legs that come and go, and with them the bridge's rate.
//!
//! A quarter of an hour by default; `MIXMINUS_HOURS=8` for as many.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_mixer::{Arrangement, Bridge, LegId, MixPlan, Seated, SinkRoutes, SourceId};
use mixminus_rtp::{Header, MediaParameters, PacketView, SenderIdentity};
use mixminus_testkit::{Arrival, Hearing, Line, Network, Phone, Random, Talker, Voice};

const TICK: Duration = Duration::from_millis(20);
const TICKS_PER_MINUTE: u64 = 3_000;
const TICKS_PER_CHURN: u64 = 351;
const L16: Format = Format::L16(SampleRate::Hz8000);

/// Those who talk all the time, with the drift of their clocks. The leg of the next number but one hears
/// each alone, so bit by bit.
const DRIFTS_PPM: [(u64, f64); 2] = [(1, 1_500.0), (2, -1_500.0)];
const MONITOR: u64 = 2;

/// Those who come and go, each in a format of its own. With G.722 the bridge runs at 16 kHz.
const GUESTS: [(u64, Format); 4] = [(10, Format::Pcmu), (11, Format::Pcma), (12, L16), (13, Format::G722)];

/// The most delay of any talk in the hours, and the most of it that is not as it was sent, in a minute.
const MOST_DELAY_MS: f64 = 45.0;
const MOST_CHANGED: f64 = 0.02;

/// What may be kept beyond what was kept after the first minutes: queues that have once been longer.
const MOST_GROWTH_BYTES: i64 = 64 * 1024;

/// The far end of a leg.
#[derive(Default)]
struct Ear {
    packets: u64,
    last: Option<Header>,
    frame: Vec<i16>,
}

impl Ear {
    /// Takes the next packet, which must be the very next.
    fn hear(&mut self, packet: &[u8], frame_units: u32) {
        let PacketView { header, payload } = PacketView::parse(packet).expect("a packet");
        if let Some(last) = self.last.replace(header) {
            let sequence = last.sequence.wrapping_add(1);
            let timestamp = last.timestamp.wrapping_add(frame_units);
            assert_eq!(header, Header { sequence, timestamp, marker: false, ..last });
        }
        self.packets += 1;
        if self.frame.len() == payload.len() / 2 {
            let samples = payload.as_chunks().0.iter().map(|bytes| i16::from_be_bytes(*bytes));
            self.frame.iter_mut().zip(samples).for_each(|(heard, sample)| *heard = sample);
        }
    }
}

type Leg = Phone<Box<dyn FnMut(&[u8])>>;

struct Member {
    ear: Rc<RefCell<Ear>>,
    line: Option<Line>,
    format: Format,
    joined_at: u64,
}

struct Conference {
    bridge: Bridge<Leg>,
    members: BTreeMap<u64, Member>,
    voice: Arc<Voice>,
    random: Random,
    ticks: u64,
}

impl Conference {
    fn new(seed: u64) -> Self {
        let plan = MixPlan::compile(&[]).expect("nobody");
        let mut conference = Self {
            bridge: Bridge::new(Box::new(Arrangement::new(plan, SampleRate::Hz8000, &[]))),
            members: BTreeMap::new(),
            voice: Arc::new(Voice::new(seed, 30)),
            random: Random::new(seed),
            ticks: 0,
        };
        for (id, ppm) in DRIFTS_PPM {
            conference.join(id, L16, Some((ppm, Network::lan(id))));
            conference.join(id + MONITOR, L16, None);
        }
        conference
    }

    fn now(&self) -> Duration {
        Duration::from_millis(20 * self.ticks)
    }

    fn join(&mut self, id: u64, format: Format, talks: Option<(f64, Network)>) {
        let parameters = MediaParameters::of(format);
        let start = self.now() + self.random.uniform(&(Duration::ZERO..TICK));
        let double = |&sample: &i16| [sample; 2];
        let audio: Arc<[i16]> = match format.sample_rate() {
            SampleRate::Hz8000 => self.voice.samples().into(),
            _ => self.voice.samples().iter().flat_map(double).collect(),
        };
        let talker = |ppm| Talker::new(format.into(), parameters.payload_type, audio, start).drift(ppm);
        let line = talks.map(|(ppm, network)| Line { talker: talker(ppm), network });
        let ear = Rc::new(RefCell::new(Ear { frame: vec![0; 160], ..Ear::default() }));
        let hears = Rc::clone(&ear);
        let units = format.clock_rate().frame_units();
        let identity = SenderIdentity {
            ssrc: id as u32,
            sequence: self.random.number() as u16,
            timestamp: self.random.number(),
        };
        let phone: Leg =
            Phone::new(parameters, identity, Box::new(move |packet| hears.borrow_mut().hear(packet, units)));
        self.members.insert(id, Member { ear, line, format, joined_at: self.ticks });
        let mut next = self.arrangement();
        next.seat(Box::new(Seated::new(LegId(id), phone))).expect("the plan names it");
        drop(self.bridge.adopt(next));
    }

    fn leave(&mut self, id: u64) {
        let member = self.members.remove(&id).expect("it is here");
        assert_eq!(member.ear.borrow().packets, self.ticks - member.joined_at, "a packet each tick");
        let next = self.arrangement();
        assert_eq!(self.bridge.adopt(next).take_legs().count(), 1);
    }

    /// Monitors hear their talker; the others hear all that talk.
    fn arrangement(&self) -> Box<Arrangement<Leg>> {
        let talkers = || self.members.iter().filter(|(_, member)| member.line.is_some()).map(|(id, _)| *id);
        let hears = |id: u64| -> Vec<_> {
            let monitored = |talker| id == talker + MONITOR;
            let heard = |talker: &u64| match self.members[&id].line {
                Some(_) => *talker != id,
                None => monitored(*talker),
            };
            talkers().filter(heard).map(|talker| SourceId::Leg(LegId(talker))).collect()
        };
        let routes: Vec<_> =
            self.members.keys().map(|&id| SinkRoutes { leg: LegId(id), hears: hears(id) }).collect();
        let rate = self.members.values().map(|member| member.format.sample_rate()).max().expect("some stay");
        let encodings: Vec<_> = GUESTS.iter().map(|(_, format)| (*format).into()).collect();
        Box::new(Arrangement::new(MixPlan::compile(&routes).expect("few legs"), rate, &encodings))
    }

    fn tick(&mut self) {
        self.ticks += 1;
        let now = self.now();
        let mut arrived: Vec<(u64, Arrival)> = vec![];
        for (id, member) in &mut self.members {
            let line = member.line.iter_mut();
            arrived.extend(
                line.flat_map(|line| std::iter::from_fn(|| line.arrival(now))).map(|arrival| (*id, arrival)),
            );
        }
        let bridge = &mut self.bridge;
        let info = measure(|| {
            for (id, arrival) in &arrived {
                let leg = bridge.leg_mut(LegId(*id)).expect("it is seated");
                leg.media.receive(arrival.at, &arrival.datagram);
            }
            bridge.tick(&mut |_| {});
        });
        assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
    }

    fn churn(&mut self) {
        let (id, format) = GUESTS[self.random.number() as usize % GUESTS.len()];
        if self.members.contains_key(&id) {
            self.leave(id);
        } else {
            let ppm = f64::from(self.random.noise(1_500));
            let seed = self.random.number().into();
            self.join(id, format, Some((ppm, Network::wifi(seed))));
        }
    }

    /// A minute, and what was heard of each talker by its monitor, while the bridge ran at their rate.
    fn minute(&mut self) -> [Hearing; 2] {
        let mut hearings = DRIFTS_PPM.map(|_| Hearing::new(Arc::clone(&self.voice)));
        for _ in 0..TICKS_PER_MINUTE {
            self.tick();
            let narrow =
                self.members.values().all(|member| member.format.sample_rate() == SampleRate::Hz8000);
            for ((talker, _), hearing) in DRIFTS_PPM.iter().zip(&mut hearings).filter(|_| narrow) {
                let monitor = self.members[&(talker + MONITOR)].ear.borrow();
                let line = self.members[talker].line.as_ref().expect("it talks");
                hearing.take(self.now(), &monitor.frame, &line.talker);
            }
            if self.ticks.is_multiple_of(TICKS_PER_CHURN) {
                self.churn();
            }
        }
        hearings
    }

    fn all_guests_leave(&mut self) {
        let here: Vec<_> =
            GUESTS.iter().map(|guest| guest.0).filter(|id| self.members.contains_key(id)).collect();
        for id in here {
            self.leave(id);
        }
    }
}

#[test]
fn after_hours_it_is_as_in_the_first_minute() {
    let hours: f64 = std::env::var("MIXMINUS_HOURS").map_or(0.25, |hours| hours.parse().unwrap());
    let seed = 1;
    let mut conference = Conference::new(seed);
    let (mut growth_bytes, mut worst_ms, mut worst_changed) = (0, 0.0_f64, 0.0_f64);
    for minute in 0..(60.0 * hours) as u32 {
        let info = measure(|| {
            let hearings = conference.minute();
            conference.all_guests_leave();
            for ((talker, ppm), hearing) in DRIFTS_PPM.iter().zip(hearings) {
                let heard = hearing.whole();
                worst_ms = worst_ms.max(heard.quantile_ms(1.0));
                worst_changed = worst_changed.max(if minute > 0 { heard.made_up() } else { 0.0 });
                let what = format!("seed {seed}, minute {minute}, talker {talker} at {ppm} ppm");
                assert!(worst_ms <= MOST_DELAY_MS, "{worst_ms} ms: {what}");
                assert!(worst_changed <= MOST_CHANGED, "{worst_changed} changed: {what}");
            }
        });
        growth_bytes += if minute < 2 { 0 } else { info.bytes_current };
        assert!(
            growth_bytes <= MOST_GROWTH_BYTES,
            "{growth_bytes} bytes more in minute {minute}, seed {seed}"
        );
    }
    for member in conference.members.values() {
        assert_eq!(member.ear.borrow().packets, conference.ticks, "those who stayed got a packet each tick");
    }
    println!(
        "{hours} h: {worst_ms:.1} ms at most, {worst_changed:.4} of a minute changed, {growth_bytes} bytes kept"
    );
}
