//! All memory that a bridge needs to follow one plan.

use std::sync::Arc;
use std::{fmt, mem};

use mixminus_audio::{ActiveSpeaker, Resampler, SampleRate};
use mixminus_codec::Encoding;

use crate::base::Base;
use crate::heard::{self, Heard};
use crate::hearing::Scratch;
use crate::inherit::{Move, inherit};
use crate::leg::{Gains, Leg, Seated};
use crate::plan::{LegId, MixPlan, PromptId, Sink, SourceId};
use crate::prompt::Prompt;
use crate::sum::Sum;
use crate::tap::{Head, Tap};
use crate::tapped::{TapChannel, TapId};

/// A plan with a seat for each leg and prompt that it names, and all working memory for its ticks.
///
/// It is made where allocation is allowed, adopted by a [`Bridge`](crate::Bridge) between two ticks,
/// and goes home, to be freed there, when the bridge adopts the next one. Only [`Self::new`]
/// allocates, and only dropping it frees.
#[derive(Debug)]
pub struct Arrangement<L> {
    plan: Arc<MixPlan>,
    rate: SampleRate,
    encodings: Box<[Encoding]>,
    /// How many ticks the bridge has mixed.
    ticks: u64,
    /// The number of the next tick on the time line of all bridges.
    next_tick: u64,
    /// The plan before this one that was followed in a tick.
    previous: Arc<MixPlan>,
    /// Whether this one has been.
    begun: bool,
    /// Whether somebody may hear somebody newly in the next tick.
    opens: bool,
    /// In the order of the plan's legs.
    seats: Box<[Option<Box<Seated<L>>>]>,
    /// In the order of the plan's prompts.
    prompts: Box<[Option<Box<Prompt>>]>,
    /// In the order of the plan's taps.
    taps: Box<[Option<Box<Tap>>]>,
    /// In the order of the plan's bases.
    bases: Box<[Base]>,
    speaker: ActiveSpeaker<LegId>,
    active_speaker: Option<LegId>,
    /// Of a leg that others do not go with.
    own_sum: Sum,
    scratch: Scratch,
    moves: Vec<Move>,
}

/// Why something was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The plan does not name it.
    #[error("the plan does not name it")]
    NotInPlan,
    /// There is one with the same id already.
    #[error("its seat is taken")]
    Taken,
}

/// What was not taken in, given back so that nothing is freed here.
#[derive(thiserror::Error)]
#[error("{reason}")]
pub struct Refused<T> {
    /// Why.
    pub reason: Refusal,
    /// What was to be taken in.
    pub returned: Box<T>,
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<L> Arrangement<L> {
    /// All that a bridge at `rate` needs to follow `plan`, with every seat empty. Legs that hear the same and say
    /// nothing share an encoder if their encoding is among `encodings`.
    pub fn new(plan: MixPlan, rate: SampleRate, encodings: &[Encoding]) -> Self {
        Resampler::prepare();
        let mut sinks = vec![0; plan.bases().len()];
        plan.sinks().iter().for_each(|sink| sinks[sink.base] += 1);
        let shared = |sinks| if sinks > 1 { encodings } else { &[] };
        let plan = Arc::new(plan);
        Self {
            ticks: 0,
            next_tick: 0,
            previous: Arc::clone(&plan),
            begun: false,
            opens: true,
            seats: plan.legs().iter().map(|_| None).collect(),
            prompts: plan.prompts().iter().map(|_| None).collect(),
            taps: plan.taps().iter().map(|_| None).collect(),
            bases: sinks.into_iter().map(|sinks| Base::new(rate, shared(sinks))).collect(),
            speaker: ActiveSpeaker::default(),
            active_speaker: None,
            own_sum: Sum::new(rate),
            scratch: Scratch::new(rate),
            moves: Vec::with_capacity(plan.legs().len()),
            encodings: encodings.into(),
            plan,
            rate,
        }
    }

    /// What there are shared encoders for.
    pub fn encodings(&self) -> &[Encoding] {
        &self.encodings
    }

    /// The plan.
    pub fn plan(&self) -> &MixPlan {
        &self.plan
    }

    /// The rate of the bridge that this is for.
    pub const fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Seats a leg; from now on it is heard and hears what the plan says.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the leg, if the plan does not name it or it is there already.
    pub fn seat(&mut self, mut leg: Box<Seated<L>>) -> Result<(), Refused<Seated<L>>> {
        leg.arrive();
        self.opens = true;
        let place = self.plan.legs().binary_search(&leg.id());
        put(&mut self.seats, place, leg)
    }

    /// Places a prompt; it starts with the next tick, unless it has been playing elsewhere.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the prompt, if the plan does not name it or it is there already.
    pub fn place(&mut self, mut prompt: Box<Prompt>) -> Result<(), Refused<Prompt>> {
        prompt.arrive();
        let place = self.plan.prompts().binary_search(&prompt.id());
        put(&mut self.prompts, place, prompt)
    }

    /// The prompt in its place.
    pub(crate) fn prompt_mut(&mut self, prompt: PromptId) -> Option<&mut Prompt> {
        self.prompts[self.plan.prompts().binary_search(&prompt).ok()?].as_deref_mut()
    }

    /// Takes a prompt out.
    pub fn take_prompt(&mut self, prompt: PromptId) -> Option<Box<Prompt>> {
        self.prompts[self.plan.prompts().binary_search(&prompt).ok()?].take()
    }

    /// Takes out every prompt.
    pub fn take_prompts(&mut self) -> impl Iterator<Item = Box<Prompt>> {
        self.prompts.iter_mut().filter_map(Option::take)
    }

    /// Attaches a tap; it has a tick for each of the bridge from now on.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the tap, if the plan does not name it or it is there already.
    pub fn attach(&mut self, tap: Box<Tap>) -> Result<(), Refused<Tap>> {
        put(&mut self.taps, self.plan.taps().binary_search(&tap.id()), tap)
    }

    /// Takes a tap out.
    pub fn take_tap(&mut self, tap: TapId) -> Option<Box<Tap>> {
        self.taps[self.plan.taps().binary_search(&tap).ok()?].take()
    }

    /// Takes out every tap.
    pub fn take_taps(&mut self) -> impl Iterator<Item = Box<Tap>> {
        self.taps.iter_mut().filter_map(Option::take)
    }

    /// See [`Bridge::set_next_tick`](crate::Bridge::set_next_tick).
    pub(crate) const fn set_next_tick(&mut self, tick: u64) {
        self.next_tick = tick;
    }

    /// The leg in its seat.
    pub fn leg_mut(&mut self, leg: LegId) -> Option<&mut L> {
        self.seat_mut(leg).map(Seated::leg_mut)
    }

    /// See [`Bridge::active_speaker`](crate::Bridge::active_speaker).
    pub(crate) const fn active_speaker(&self) -> Option<LegId> {
        self.active_speaker
    }

    /// See [`Bridge::set_gains`](crate::Bridge::set_gains).
    pub(crate) fn set_gains(&mut self, leg: LegId, gains: Gains) -> bool {
        self.seat_mut(leg).map(|seat| seat.set_gains(gains)).is_some()
    }

    fn seat_mut(&mut self, leg: LegId) -> Option<&mut Seated<L>> {
        self.seats[self.plan.legs().binary_search(&leg).ok()?].as_deref_mut()
    }

    /// Every leg that is seated.
    pub fn legs_mut(&mut self) -> impl Iterator<Item = (LegId, &mut L)> {
        self.seats.iter_mut().flatten().map(|seat| (seat.id(), seat.leg_mut()))
    }
}

impl<L: Leg> Arrangement<L> {
    /// Takes a leg out of its seat.
    pub fn take_leg(&mut self, leg: LegId) -> Option<Box<Seated<L>>> {
        let mut seated = self.seats[self.plan.legs().binary_search(&leg).ok()?].take()?;
        seated.depart(&mut self.bases);
        Some(seated)
    }

    /// Takes out every leg.
    pub fn take_legs(&mut self) -> impl Iterator<Item = Box<Seated<L>>> {
        let bases = &mut self.bases;
        self.seats.iter_mut().filter_map(Option::take).map(|mut seated| {
            seated.depart(bases);
            seated
        })
    }

    /// Moves in from `old` what both plans name. What is here already goes to `old` in exchange: what
    /// has been playing or speaking goes on.
    pub(crate) fn succeed(&mut self, old: &mut Self) {
        (self.ticks, self.next_tick) = (old.ticks, old.next_tick);
        (self.speaker, self.active_speaker) = (old.speaker, old.active_speaker);
        self.previous = Arc::clone(if old.begun { &old.plan } else { &old.previous });
        exchange(old.plan.legs(), &mut old.seats, self.plan.legs(), &mut self.seats);
        exchange(old.plan.prompts(), &mut old.prompts, self.plan.prompts(), &mut self.prompts);
        exchange(old.plan.taps(), &mut old.taps, self.plan.taps(), &mut self.taps);
        old.seats.iter_mut().flatten().for_each(|seat| seat.depart(&mut old.bases));
        inherit(&mut self.seats, self.plan.sinks(), &mut self.moves, (&mut self.bases, &mut old.bases));
    }

    /// One tick; see [`Bridge::tick`](crate::Bridge::tick).
    pub(crate) fn tick(&mut self, ended: &mut impl FnMut(PromptId)) {
        self.ticks += 1;
        self.contribute(ended);
        self.sum();
        for (seat, sink) in seated(&mut self.seats, &self.plan) {
            seat.choose(sink, &mut self.bases[sink.base], self.ticks);
        }
        self.bases.iter_mut().for_each(|base| base.mix(&mut self.scratch.wide));
        self.send();
        self.copy_to_taps();
        if mem::take(&mut self.opens) {
            self.begun = true;
            seated(&mut self.seats, &self.plan).for_each(|(seat, sink)| seat.hearing.note(sink));
            (0..).zip(&mut self.bases).for_each(|(place, base)| base.origin = Some(place));
        }
        let heard = seated(&mut self.seats, &self.plan).filter(|(_, sink)| sink.in_base);
        self.active_speaker = self.speaker.hear(heard.map(|(seat, _)| seat.voice()));
    }

    fn copy_to_taps(&mut self) {
        let (tick, rate) = (self.next_tick, self.rate);
        self.next_tick += 1;
        for (tap, set) in self.taps.iter_mut().zip(self.plan.tapped()) {
            let Some(tap) = tap else { continue };
            let paused = set.paused;
            let channels = if paused { &[][..] } else { &set.channels[..] };
            let (seats, prompts, bases) = (&self.seats, &self.prompts, &self.bases);
            let frame = |&(channel, place): &(TapChannel, usize)| {
                let frame = match channel {
                    TapChannel::Source(SourceId::Leg(_)) => seats[place].as_ref()?.part(Heard::Still).frame,
                    TapChannel::Source(SourceId::Prompt(_)) => prompts[place].as_ref()?.contribution(),
                    TapChannel::Heard(_) => {
                        seats[place].as_ref()?.hearing.mix(&bases[self.plan.sinks()[place].base].shared)
                    }
                };
                Some((channel, frame?))
            };
            let frames = channels.iter().filter_map(frame).count();
            tap.write(Head { tick, rate, paused, frames }, channels.iter().filter_map(frame));
        }
    }

    fn contribute(&mut self, ended: &mut impl FnMut(PromptId)) {
        let seats = self.seats.iter_mut().flatten();
        if self.opens {
            seats.for_each(|seat| seat.open(self.rate));
        } else {
            seats.for_each(|seat| seat.contribute(self.rate));
        }
        for prompt in self.prompts.iter_mut().flatten() {
            if prompt.contribute(self.rate) {
                ended(prompt.id());
            }
        }
    }

    fn sum(&mut self) {
        let last = if self.begun { &self.plan } else { &self.previous };
        for (base, set) in self.bases.iter_mut().zip(self.plan.bases()) {
            if self.opens {
                base.sum.make(set, &self.seats, &self.prompts, heard::since(last, base.origin));
            } else {
                base.sum.make(set, &self.seats, &self.prompts, |_| Heard::Still);
            }
            base.begin(self.ticks);
        }
    }

    fn send(&mut self) {
        let last = if self.begun { &self.plan } else { &self.previous };
        for (place, &sink) in self.plan.sinks().iter().enumerate() {
            // Out of its seat, a leg is not among those whom it hears.
            let Some(mut seat) = self.seats[place].take() else { continue };
            let base = &self.bases[sink.base];
            if self.opens && !seat.hearing.goes_with(base) {
                let heard = heard::since(last, seat.hearing.origin());
                self.own_sum.make(&self.plan.bases()[sink.base], &self.seats, &self.prompts, heard);
                seat.send_own(&self.own_sum, &mut self.scratch);
            } else {
                seat.send(sink, base, &mut self.scratch);
            }
            self.seats[place] = Some(seat);
        }
    }
}

/// Those who are there, each with what the plan says it hears.
fn seated<'a, L>(
    seats: &'a mut [Option<Box<Seated<L>>>],
    plan: &'a MixPlan,
) -> impl Iterator<Item = (&'a mut Seated<L>, Sink)> {
    let seats = seats.iter_mut().zip(plan.sinks());
    seats.filter_map(|(seat, sink)| Some((seat.as_deref_mut()?, *sink)))
}

fn put<T>(
    seats: &mut [Option<Box<T>>],
    place: Result<usize, usize>,
    returned: Box<T>,
) -> Result<(), Refused<T>> {
    match place.map(|place| &mut seats[place]) {
        Ok(seat @ None) => {
            *seat = Some(returned);
            Ok(())
        }
        Ok(Some(_)) => Err(Refused { reason: Refusal::Taken, returned }),
        Err(_) => Err(Refused { reason: Refusal::NotInPlan, returned }),
    }
}

/// Swaps what `old` has of the ids in both lists, which ascend, into `new`.
fn exchange<I: Ord, T>(old_ids: &[I], old: &mut [Option<T>], new_ids: &[I], new: &mut [Option<T>]) {
    let mut incoming = new_ids.iter().zip(new).peekable();
    for (id, old) in old_ids.iter().zip(old) {
        while incoming.next_if(|(new_id, _)| *new_id < id).is_some() {}
        if let Some((_, new)) = incoming.next_if(|(new_id, _)| *new_id == id)
            && old.is_some()
        {
            mem::swap(old, new);
        }
    }
}
