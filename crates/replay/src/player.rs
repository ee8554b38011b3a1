//! Bridges that do what a log says.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use mixminus_audio::{Clip, Decibels, Pcm, SampleRate};
use mixminus_codec::{Encoder, Encoding};
use mixminus_mixer::{
    Arrangement, Bridge, Contribution, Gains, Leg, LegId, MixPlan, PlanError, Prompt, PromptId, Refused,
    Seated, SinkRoutes,
};

use crate::{Event, Install, LogError, LoggedEncoding, Placed, Reader, Seat};

/// Differences that are kept; more say no more.
const MAX_DIFFERENCES: usize = 100;

/// Why a log could not be replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It contradicts itself.
    #[error("event {event}: {source}")]
    Play {
        /// Which event, counted from 1.
        event: u64,
        /// What is wrong.
        source: PlayError,
    },
}

/// Replays the log in `bytes` to its end.
///
/// # Errors
///
/// [`ReplayError`] when it has no end that can be reached.
pub fn replay(bytes: impl Read) -> Result<Outcome, ReplayError> {
    let (mut reader, mut player) = (Reader::new(bytes)?, Player::default());
    let mut number = 0;
    while let Some(event) = reader.next_event()? {
        number += 1;
        player.play(event).map_err(|source| ReplayError::Play { event: number, source })?;
    }
    Ok(player.outcome)
}

/// Plays a log, one event after the other.
#[derive(Debug, Default)]
pub struct Player {
    bridges: HashMap<u32, Bridge<Voice>>,
    /// Legs and prompts that are in no bridge.
    legs: HashMap<u64, Box<Seated<Voice>>>,
    /// Of legs that have not come yet.
    gains: HashMap<u64, Gains>,
    prompts: HashMap<u64, Box<Prompt>>,
    clips: HashMap<u64, Arc<Clip>>,
    /// What was said of legs since the last tick of their bridge.
    lines: HashMap<u64, Line>,
    outcome: Outcome,
}

/// What a replay has yielded so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Ticks of bridges.
    pub ticks: u64,
    /// Payloads that were made.
    pub payloads: u64,
    /// Payloads that differ from those in the log.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// Whether the log says that it was cut.
    pub cut: bool,
}

/// A payload that is not what the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which tick of the log, counted from 1.
    pub tick: u64,
    /// To which leg.
    pub leg: u64,
    /// The first byte that differs, or the length of the shorter payload.
    pub byte: usize,
}

/// Why an event cannot be played: the log contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// A bridge that is not open.
    #[error("bridge {0} is not open")]
    Bridge(u32),
    /// A leg of which nothing is said before the tick of its bridge, or that is not where it should be.
    #[error("leg {0} is not there, or nothing is said of it")]
    Leg(u64),
    /// A prompt that is not where it should be.
    #[error("prompt {0} is not there")]
    Prompt(u64),
    /// A clip that was not defined.
    #[error("clip {0} is not defined")]
    Clip(u64),
    /// A frame of another length than the leg's format has.
    #[error("leg {leg} contributes {samples} samples")]
    Frame {
        /// Whose.
        leg: u64,
        /// Its length.
        samples: usize,
    },
    /// Routes that make no plan.
    #[error("the routes make no plan: {0}")]
    Plan(#[from] PlanError),
}

/// A leg that says what the log says it said.
#[derive(Debug)]
struct Voice {
    encoder: Encoder,
    frame: Option<Box<[i16]>>,
    sent: Vec<u8>,
}

#[derive(Debug)]
struct Line {
    encoding: Encoding,
    frame: Option<Box<[i16]>>,
    payload: Box<[u8]>,
}

impl Outcome {
    /// Whether every payload was what the log says.
    pub fn is_identical(&self) -> bool {
        self.differing == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ticks, payloads, differing, .. } = self;
        writeln!(
            formatter,
            "{ticks} ticks of bridges, {payloads} payloads, {differing} of them differ from the log"
        )?;
        if self.cut {
            writeln!(formatter, "the log was cut at its limit; what came after is unknown")?;
        }
        self.differences.iter().try_for_each(|difference| writeln!(formatter, "{difference}"))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "tick {}: leg {} is sent another payload from byte {} on",
            self.tick, self.leg, self.byte
        )
    }
}

impl Player {
    /// Does what `event` says.
    ///
    /// # Errors
    ///
    /// [`PlayError`] when that is impossible.
    pub fn play(&mut self, event: Event) -> Result<(), PlayError> {
        match event {
            Event::Clip { clip, rate, loops, samples } => {
                let pcm = Pcm { rate: rate.into(), samples: samples.into_owned() };
                let audio = if loops { Clip::looping(pcm) } else { Clip::new(pcm) };
                for rate in SampleRate::ALL {
                    audio.prepare(rate);
                }
                self.clips.insert(clip, Arc::new(audio));
                Ok(())
            }
            Event::Install(install) => self.install(&install),
            Event::Close { bridge } => {
                let closed = self.bridges.remove(&bridge).ok_or(PlayError::Bridge(bridge))?;
                self.put_outside(&mut closed.into_arrangement());
                Ok(())
            }
            Event::Seat { bridge, seat } => {
                let leg = self.leg_from_outside(seat);
                self.bridge(bridge)?.seat_leg(leg).map_err(|refused| missing(&refused))
            }
            Event::Take { bridge, leg } => {
                let taken = self.bridge(bridge)?.take_leg(LegId(leg));
                self.legs.extend(taken.map(|taken| (leg, taken)));
                Ok(())
            }
            Event::Place { bridge, prompt } => {
                let placed = self.prompt_from_outside(&prompt)?;
                let refused = self.bridge(bridge)?.place_prompt(placed);
                refused.map_err(|_| PlayError::Prompt(prompt.prompt))
            }
            Event::Stop { bridge, prompt } => {
                let taken = self.bridge(bridge)?.take_prompt(PromptId(prompt));
                self.prompts.extend(taken.map(|taken| (prompt, taken)));
                Ok(())
            }
            Event::Append { bridge, prompt, clip } => {
                let clip = clip.map(|clip| self.clip(clip)).transpose()?;
                let growing = self.bridge(bridge)?.prompt_mut(PromptId(prompt));
                grow(growing.ok_or(PlayError::Prompt(prompt))?, clip);
                Ok(())
            }
            Event::Gains { leg, incoming_db, outgoing_db } => {
                let gains = Gains { incoming: Decibels(incoming_db), outgoing: Decibels(outgoing_db) };
                self.set_gains(leg, gains);
                Ok(())
            }
            Event::Leg { leg, encoding, frame, payload } => {
                let frame = frame.map(|frame| frame.into_owned().into());
                let line = Line { encoding: encoding.into(), frame, payload: payload.into_owned().into() };
                self.lines.insert(leg, line.checked(leg)?);
                Ok(())
            }
            Event::Tick { bridge } => self.tick(bridge),
            Event::Cut => {
                self.outcome.cut = true;
                Ok(())
            }
        }
    }

    /// What the replay has yielded so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    fn bridge(&mut self, bridge: u32) -> Result<&mut Bridge<Voice>, PlayError> {
        self.bridges.get_mut(&bridge).ok_or(PlayError::Bridge(bridge))
    }

    fn install(&mut self, install: &Install) -> Result<(), PlayError> {
        let routes: Vec<_> = install.routes.iter().map(SinkRoutes::from).collect();
        let encodings: Vec<_> = install.encodings.iter().copied().map(Encoding::from).collect();
        let mut next =
            Box::new(Arrangement::new(MixPlan::compile(&routes)?, install.rate.into(), &encodings));
        for &seat in &install.seats {
            next.seat(self.leg_from_outside(seat)).map_err(|refused| missing(&refused))?;
        }
        for &(from, leg) in &install.moves {
            if let Some(moved) = self.bridge(from)?.take_leg(LegId(leg)) {
                next.seat(moved).map_err(|refused| missing(&refused))?;
            }
        }
        for prompt in &install.prompts {
            let placed = self.prompt_from_outside(prompt)?;
            next.place(placed).map_err(|_| PlayError::Prompt(prompt.prompt))?;
        }
        match self.bridges.get_mut(&install.bridge) {
            Some(bridge) => {
                let mut old = bridge.adopt(next);
                self.put_outside(&mut old);
            }
            None => {
                self.bridges.insert(install.bridge, Bridge::new(next));
            }
        }
        Ok(())
    }

    fn set_gains(&mut self, leg: u64, gains: Gains) {
        if let Some(outside) = self.legs.get_mut(&leg) {
            outside.set_gains(gains);
        } else if !self.bridges.values_mut().any(|bridge| bridge.set_gains(LegId(leg), gains)) {
            self.gains.insert(leg, gains);
        }
    }

    fn put_outside(&mut self, old: &mut Arrangement<Voice>) {
        self.legs.extend(old.take_legs().map(|leg| (leg.id().0, leg)));
        self.prompts.extend(old.take_prompts().map(|prompt| (prompt.id().0, prompt)));
    }

    /// A leg that was in a bridge before, as it was, or a new one.
    fn leg_from_outside(&mut self, Seat { leg, encoding }: Seat) -> Box<Seated<Voice>> {
        self.legs.remove(&leg).unwrap_or_else(|| {
            let mut seated = Seated::new(LegId(leg), Voice::new(encoding));
            self.gains.remove(&leg).into_iter().for_each(|gains| seated.set_gains(gains));
            Box::new(seated)
        })
    }

    /// A prompt that was in a bridge before, with what it has got since, or a new one.
    fn prompt_from_outside(&mut self, placed: &Placed) -> Result<Box<Prompt>, PlayError> {
        let new = || Box::new(Prompt::growing(PromptId(placed.prompt), placed.plays()));
        let mut prompt = self.prompts.remove(&placed.prompt).unwrap_or_else(new);
        for clip in placed.clips.iter().skip(prompt.parts().len()) {
            grow(&mut prompt, Some(self.clip(*clip)?));
        }
        if placed.whole {
            grow(&mut prompt, None);
        }
        Ok(prompt)
    }

    fn clip(&self, number: u64) -> Result<Arc<Clip>, PlayError> {
        self.clips.get(&number).cloned().ok_or(PlayError::Clip(number))
    }

    fn tick(&mut self, number: u32) -> Result<(), PlayError> {
        let bridge = self.bridges.get_mut(&number).ok_or(PlayError::Bridge(number))?;
        for (LegId(leg), voice) in bridge.legs_mut() {
            voice.learn(self.lines.get_mut(&leg).ok_or(PlayError::Leg(leg))?);
        }
        bridge.tick(&mut |_| {});
        self.outcome.ticks += 1;
        for (LegId(leg), voice) in bridge.legs_mut() {
            if let Some(line) = self.lines.remove(&leg) {
                self.outcome.compare(leg, &voice.sent, &line.payload);
            }
        }
        Ok(())
    }
}

impl Outcome {
    fn compare(&mut self, leg: u64, made: &[u8], logged: &[u8]) {
        self.payloads += 1;
        if made == logged {
            return;
        }
        self.differing += 1;
        if self.differences.len() < MAX_DIFFERENCES {
            let byte = made.iter().zip(logged).take_while(|(made, logged)| made == logged).count();
            self.differences.push(Difference { tick: self.ticks, leg, byte });
        }
    }
}

impl Line {
    fn checked(self, leg: u64) -> Result<Self, PlayError> {
        let expected = self.encoding.format().sample_rate().frame_samples();
        match &self.frame {
            Some(frame) if frame.len() != expected => Err(PlayError::Frame { leg, samples: frame.len() }),
            _ => Ok(self),
        }
    }
}

impl Voice {
    fn new(encoding: LoggedEncoding) -> Self {
        Self { encoder: Encoder::new(encoding.into()), frame: None, sent: Vec::new() }
    }

    /// Takes what is said of it in this tick.
    fn learn(&mut self, line: &mut Line) {
        let now = self.encoder.encoding();
        if now.with_expected_loss(line.encoding.expected_loss_percent()) != line.encoding {
            self.encoder = Encoder::new(line.encoding);
        } else if now != line.encoding {
            self.encoder.expect_loss(line.encoding.expected_loss_percent());
        }
        self.frame = line.frame.take();
        self.sent.clear();
    }
}

impl Leg for Voice {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        match &self.frame {
            Some(said) => {
                frame.copy_from_slice(said);
                Contribution::Audio
            }
            None => Contribution::Silence,
        }
    }

    fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }

    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn send(&mut self, payload: &[u8]) {
        self.sent.extend_from_slice(payload);
    }
}

/// Adds `part` to `prompt`, or says that there is none any more. One that the prompt does not take, it did not take
/// when the log was written.
fn grow(prompt: &mut Prompt, part: Option<Arc<Clip>>) {
    match part {
        Some(clip) => drop(prompt.append(clip)),
        None => prompt.complete(),
    }
}

fn missing(refused: &Refused<Seated<Voice>>) -> PlayError {
    PlayError::Leg(refused.returned.id().0)
}
