//! All memory that a bridge needs to follow one plan.

use std::fmt;

use mixminus_audio::SampleRate;

use crate::leg::{Leg, Seated};
use crate::mix::{Base, Personal};
use crate::plan::{LegId, MixPlan, PromptId};
use crate::prompt::Prompt;

/// A plan with a seat for each leg and prompt that it names, and all working memory for its ticks.
///
/// It is made where allocation is allowed, adopted by a [`Bridge`](crate::Bridge) between two ticks,
/// and goes home, to be freed there, when the bridge adopts the next one. Only [`Self::new`]
/// allocates, and only dropping it frees.
#[derive(Debug)]
pub struct Arrangement<L> {
    plan: MixPlan,
    rate: SampleRate,
    /// In the order of the plan's legs.
    seats: Box<[Option<Box<Seated<L>>>]>,
    /// In the order of the plan's prompts.
    prompts: Box<[Option<Box<Prompt>>]>,
    /// In the order of the plan's bases.
    bases: Box<[Base]>,
    personal: Personal,
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
    /// A clip at another rate than the bridge's.
    #[error("it is at {prompt:?} in a bridge at {bridge:?}")]
    WrongRate {
        /// The rate of the prompt's clip.
        prompt: SampleRate,
        /// The rate of the bridge.
        bridge: SampleRate,
    },
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
    /// All that a bridge at `rate` needs to follow `plan`, with every seat empty.
    pub fn new(plan: MixPlan, rate: SampleRate) -> Self {
        Self {
            seats: plan.legs().iter().map(|_| None).collect(),
            prompts: plan.prompts().iter().map(|_| None).collect(),
            bases: plan.bases().iter().map(|_| Base::new(rate)).collect(),
            personal: Personal::new(rate),
            plan,
            rate,
        }
    }

    /// The plan.
    pub const fn plan(&self) -> &MixPlan {
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
    pub fn seat(&mut self, leg: Box<Seated<L>>) -> Result<(), Refused<Seated<L>>> {
        let place = self.plan.legs().binary_search(&leg.id());
        put(&mut self.seats, place, leg)
    }

    /// Places a prompt; it starts with the next tick, unless it has been playing elsewhere.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the prompt, if it is at another rate than the bridge, the plan does not name
    /// it or it is there already.
    pub fn place(&mut self, prompt: Box<Prompt>) -> Result<(), Refused<Prompt>> {
        if prompt.rate() != self.rate {
            let reason = Refusal::WrongRate { prompt: prompt.rate(), bridge: self.rate };
            return Err(Refused { reason, returned: prompt });
        }
        let place = self.plan.prompts().binary_search(&prompt.id());
        put(&mut self.prompts, place, prompt)
    }

    /// Takes a leg out of its seat.
    pub fn take_leg(&mut self, leg: LegId) -> Option<Box<Seated<L>>> {
        self.seats[self.plan.legs().binary_search(&leg).ok()?].take()
    }

    /// Takes a prompt out.
    pub fn take_prompt(&mut self, prompt: PromptId) -> Option<Box<Prompt>> {
        self.prompts[self.plan.prompts().binary_search(&prompt).ok()?].take()
    }

    /// Takes out every leg.
    pub fn take_legs(&mut self) -> impl Iterator<Item = Box<Seated<L>>> {
        self.seats.iter_mut().filter_map(Option::take)
    }

    /// Takes out every prompt.
    pub fn take_prompts(&mut self) -> impl Iterator<Item = Box<Prompt>> {
        self.prompts.iter_mut().filter_map(Option::take)
    }

    /// The leg in its seat.
    pub fn leg_mut(&mut self, leg: LegId) -> Option<&mut L> {
        let seat = self.seats[self.plan.legs().binary_search(&leg).ok()?].as_deref_mut();
        seat.map(Seated::leg_mut)
    }

    /// Every leg that is seated.
    pub fn legs_mut(&mut self) -> impl Iterator<Item = (LegId, &mut L)> {
        self.seats.iter_mut().flatten().map(|seat| (seat.id(), seat.leg_mut()))
    }

    /// Moves in from `old` what both plans name. What is here already goes to `old` in exchange: what
    /// has been playing or speaking goes on.
    pub(crate) fn succeed(&mut self, old: &mut Self) {
        exchange(old.plan.legs(), &mut old.seats, self.plan.legs(), &mut self.seats);
        if old.rate == self.rate {
            exchange(old.plan.prompts(), &mut old.prompts, self.plan.prompts(), &mut self.prompts);
        }
    }
}

impl<L: Leg> Arrangement<L> {
    /// One tick; see [`Bridge::tick`](crate::Bridge::tick).
    pub(crate) fn tick(&mut self, ended: &mut impl FnMut(PromptId)) {
        self.seats.iter_mut().flatten().for_each(|seat| seat.contribute(self.rate));
        for prompt in self.prompts.iter_mut().flatten() {
            if prompt.contribute() {
                ended(prompt.id());
            }
        }
        for (base, set) in self.bases.iter_mut().zip(self.plan.bases()) {
            base.sum(set, &self.seats, &self.prompts);
        }
        for (seat, sink) in self.seats.iter_mut().zip(self.plan.sinks()) {
            if let Some(seat) = seat {
                self.personal.send(seat, *sink, &mut self.bases[sink.base]);
            }
        }
    }
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
            std::mem::swap(old, new);
        }
    }
}
