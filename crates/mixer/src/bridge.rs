//! A mixing context with one clock.

use crate::arrangement::{Arrangement, Refused};
use crate::leg::{Gains, Leg, Seated};
use crate::plan::{LegId, MixPlan, PromptId};
use crate::prompt::Prompt;
use crate::tap::Tap;
use crate::tapped::TapId;

/// Mixes its legs and prompts as its plan says, one tick at a time.
///
/// Nothing here allocates, frees or waits; so a thread that must never wait can own it.
#[derive(Debug)]
pub struct Bridge<L> {
    arrangement: Box<Arrangement<L>>,
}

impl<L> Bridge<L> {
    /// A bridge that follows `arrangement`.
    pub const fn new(arrangement: Box<Arrangement<L>>) -> Self {
        Self { arrangement }
    }

    /// Ends the bridge, for its arrangement to be emptied and freed elsewhere.
    pub fn into_arrangement(self) -> Box<Arrangement<L>> {
        self.arrangement
    }

    /// The plan that it follows.
    pub fn plan(&self) -> &MixPlan {
        self.arrangement.plan()
    }

    /// Seats a leg that the plan names, to be heard from the next tick on.
    ///
    /// # Errors
    ///
    /// As [`Arrangement::seat`].
    pub fn seat_leg(&mut self, leg: Box<Seated<L>>) -> Result<(), Refused<Seated<L>>> {
        self.arrangement.seat(leg)
    }

    /// The leg in its seat.
    pub fn leg_mut(&mut self, leg: LegId) -> Option<&mut L> {
        self.arrangement.leg_mut(leg)
    }

    /// Every leg that is seated.
    pub fn legs_mut(&mut self) -> impl Iterator<Item = (LegId, &mut L)> {
        self.arrangement.legs_mut()
    }

    /// Whose voice dominates among those that anybody hears; after the last tick, and while all are silent, who talked
    /// last. A fact for control, which knows who may learn of whom: a coach can be it.
    pub const fn active_speaker(&self) -> Option<LegId> {
        self.arrangement.active_speaker()
    }

    /// Changes the gains of a leg, within the next tick. Returns whether it is here.
    pub fn set_gains(&mut self, leg: LegId, gains: Gains) -> bool {
        self.arrangement.set_gains(leg, gains)
    }

    /// Places a prompt that the plan names, to start with the next tick.
    ///
    /// # Errors
    ///
    /// As [`Arrangement::place`].
    pub fn place_prompt(&mut self, prompt: Box<Prompt>) -> Result<(), Refused<Prompt>> {
        self.arrangement.place(prompt)
    }

    /// The prompt in its place, to which parts may be added.
    pub fn prompt_mut(&mut self, prompt: PromptId) -> Option<&mut Prompt> {
        self.arrangement.prompt_mut(prompt)
    }

    /// Takes a prompt away, silent from the next tick on.
    pub fn take_prompt(&mut self, prompt: PromptId) -> Option<Box<Prompt>> {
        self.arrangement.take_prompt(prompt)
    }

    /// Attaches a tap that the plan names, to be written from the next tick on.
    ///
    /// # Errors
    ///
    /// As [`Arrangement::attach`].
    pub fn attach_tap(&mut self, tap: Box<Tap>) -> Result<(), Refused<Tap>> {
        self.arrangement.attach(tap)
    }

    /// Takes a tap away.
    pub fn take_tap(&mut self, tap: TapId) -> Option<Box<Tap>> {
        self.arrangement.take_tap(tap)
    }

    /// Says which number the next tick has for taps, on a time line that all bridges share so that a tap can go from
    /// one to another; each after it has one more. A bridge that is not told begins with 0.
    pub const fn set_next_tick(&mut self, tick: u64) {
        self.arrangement.set_next_tick(tick);
    }
}

impl<L: Leg> Bridge<L> {
    /// Follows `next` from the next tick on. Legs and prompts that both plans name stay, with all
    /// their state. Returns the old arrangement with those that the new plan does not name.
    pub fn adopt(&mut self, mut next: Box<Arrangement<L>>) -> Box<Arrangement<L>> {
        next.succeed(&mut self.arrangement);
        std::mem::replace(&mut self.arrangement, next)
    }

    /// Takes a leg away, silent from the next tick on.
    pub fn take_leg(&mut self, leg: LegId) -> Option<Box<Seated<L>>> {
        self.arrangement.take_leg(leg)
    }

    /// One step of 20 ms: takes a frame from each leg and prompt, and sends each leg one payload of
    /// what the plan lets it hear, if only silence. Calls `ended` once for each prompt, in the tick
    /// that has its last sample.
    pub fn tick(&mut self, ended: &mut impl FnMut(PromptId)) {
        self.arrangement.tick(ended);
    }
}
