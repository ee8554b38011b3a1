//! What happens in a world, as a log that `mixminus replay` plays.

use std::fs;
use std::path::Path;

use mixminus_mixer::{Arrangement, Bridge, Leg, LegId, PromptId, SourceId};
use mixminus_replay::{Event, Install, PREAMBLE, Placed, Route, Seat, to_bytes};

use crate::legs::{RATE, TestLeg};
use crate::world::Recording;

pub struct Diary {
    log: Vec<u8>,
    recordings: Vec<Recording>,
}

impl Diary {
    /// Nothing has happened: two bridges follow empty plans. Prompts go by the places of their `recordings`.
    pub fn new(recordings: &[Recording]) -> Self {
        let mut diary = Self { log: PREAMBLE.to_vec(), recordings: recordings.to_vec() };
        for (clip, recording) in (0..).zip(recordings) {
            let samples = recording.samples[..].into();
            diary.note(&Event::Clip { clip, rate: RATE.into(), loops: false, samples });
        }
        for bridge in 0..2 {
            diary.note(&Event::Install(Install { bridge, ..Install::default() }));
        }
        diary
    }

    /// A bridge adopts an arrangement that has just been given the `brought` legs and prompts.
    pub fn follows(&mut self, bridge: usize, next: &mut Arrangement<TestLeg>, brought: &[SourceId]) {
        let mut install = Install {
            bridge: bridge as u32,
            rate: next.rate().into(),
            encodings: next.encodings().iter().map(|&encoding| encoding.into()).collect(),
            routes: Route::all(next.plan()),
            ..Install::default()
        };
        for source in brought {
            match *source {
                SourceId::Leg(leg) => install.seats.push(seat(leg, next.leg_mut(leg).unwrap())),
                SourceId::Prompt(prompt) => install.prompts.push(self.placed(prompt)),
            }
        }
        self.note(&Event::Install(install));
    }

    /// A leg or a prompt has come to a bridge.
    pub fn comes(&mut self, source: SourceId, number: usize, bridge: &mut Bridge<TestLeg>) {
        let number = number as u32;
        let event = match source {
            SourceId::Leg(leg) => {
                Event::Seat { bridge: number, seat: seat(leg, bridge.leg_mut(leg).unwrap()) }
            }
            SourceId::Prompt(prompt) => Event::Place { bridge: number, prompt: self.placed(prompt) },
        };
        self.note(&event);
    }

    /// A leg or a prompt leaves its bridge.
    pub fn leaves(&mut self, source: SourceId, bridge: usize) {
        let bridge = bridge as u32;
        self.note(&match source {
            SourceId::Leg(leg) => Event::Take { bridge, leg: leg.0 },
            SourceId::Prompt(prompt) => Event::Stop { bridge, prompt: prompt.0 },
        });
    }

    /// A bridge has had a tick.
    pub fn ticks(&mut self, number: usize, bridge: &mut Bridge<TestLeg>) {
        for (LegId(leg), heard) in bridge.legs_mut() {
            let event = Event::Leg {
                leg,
                encoding: heard.encoding().into(),
                frame: heard.says.as_deref().map(Into::into),
                payload: (&heard.heard[..]).into(),
            };
            self.log.extend(to_bytes(&event));
        }
        self.note(&Event::Tick { bridge: number as u32 });
    }

    pub fn log(&self) -> &[u8] {
        &self.log
    }

    /// Keeps it for a look at what went wrong, and tells where.
    pub fn keep(&self, name: &str) -> String {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("replay");
        fs::write(&file, &self.log).unwrap();
        format!("mixminus replay {}", file.display())
    }

    fn note(&mut self, event: &Event) {
        self.log.extend(to_bytes(event));
    }

    fn placed(&self, prompt: PromptId) -> Placed {
        Placed::new(prompt, vec![prompt.0], self.recordings[prompt.0 as usize].plays)
    }
}

fn seat(leg: LegId, seated: &TestLeg) -> Seat {
    Seat { leg: leg.0, encoding: seated.encoding().into() }
}
