//! What holds after every step, and after the last.

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{CallId, ConferenceState, Effect, Input, LegEnd, ParticipantRecord};
use mixminus_mixer::SourceId;

use crate::steps::MAX_PARTICIPANTS;
use crate::world::LegFate;
use crate::{LIMITS, Machine};

impl Machine {
    pub fn check(&mut self) {
        self.enter();
        self.books.balance();
        let live = self.books.calls.values().filter(|call| call.ended_at.is_none()).count();
        let active: Vec<_> = self.books.conferences.values().filter(|one| one.ended_at.is_none()).collect();
        let (calls, conferences) = (self.world.switchboard.calls(), self.world.switchboard.conferences());
        assert_eq!((calls, conferences), (live, active.len()), "live, and written to be");
        assert!(calls <= LIMITS.max_calls && conferences <= LIMITS.max_conferences);
        let names: BTreeSet<_> = active.iter().map(|one| &one.name).collect();
        assert_eq!(names.len(), active.len(), "two conferences of one name");
        for conference in active {
            assert!(self.books.inside(conference.id).len() <= MAX_PARTICIPANTS);
        }
        let inner = format!("{:?}", self.world.switchboard);
        assert!(!inner.contains("activity: Deciding"), "a call waits for nothing: {inner}");
        self.check_seats();
        self.check_taps();
    }

    /// Whoever can hear sits in one bridge and hears whom the policy allows.
    fn check_seats(&self) {
        for (leg, fate) in &self.world.legs {
            let listens = matches!(fate, LegFate::Answered | LegFate::Early);
            let seat = self.world.seats.get(leg);
            let may_listen = listens || *fate == LegFate::Dialled;
            assert!(if seat.is_some() { may_listen } else { !listens }, "{leg:?} is {fate:?}");
            assert_eq!(
                self.books.over.contains(leg),
                !listens && !matches!(fate, LegFate::Ringing | LegFate::Dialled)
            );
            assert!(!self.books.succeeded.contains(leg) || self.books.over.contains(leg));
            assert!(
                seat.is_none_or(|bridge| self.world.plans[bridge].legs().contains(leg)),
                "{leg:?} is in no plan"
            );
        }
        let mut playing = BTreeSet::new();
        for (bridge, plan) in &self.world.plans {
            // One that was stopped may still be named; it is silent.
            for prompt in plan.prompts().iter().filter(|prompt| self.world.prompts.contains_key(prompt)) {
                assert!(playing.insert(*prompt), "{prompt:?} is heard in two bridges");
            }
            // Nobody is listened to but who is alone and asked.
            let listens = plan.taps().iter().any(|tap| self.world.listening.contains_key(tap));
            assert!(!listens || plan.legs().len() == 1);
            for sink in plan.legs() {
                assert_eq!(
                    self.world.seats.get(sink),
                    Some(bridge),
                    "the plan names {sink:?}, which is elsewhere"
                );
                for source in plan.legs() {
                    let heard = plan.hears(*sink, SourceId::Leg(*source));
                    let may = sink != source && self.may_hear(self.calls[sink], self.calls[source]);
                    assert!(heard == may || (may && self.alone), "{sink:?} hears {source:?}: {heard}");
                }
            }
        }
    }

    fn may_hear(&self, sink: CallId, source: CallId) -> bool {
        if self.rings(sink) {
            return false;
        }
        match (self.books.participant(sink), self.books.participant(source)) {
            (Some(sink), Some(source)) => self.policy(sink, source),
            (None, None) => {
                let parent = |call| self.books.calls[&call].parent;
                let placed = parent(sink) == Some(source) || parent(source) == Some(sink);
                placed || self.joined.contains(&(sink, source))
            }
            (Some(sink), None) if self.rings(source) => {
                self.books.conferences[&sink.conference].state == ConferenceState::Active && !sink.held
            }
            _ => false,
        }
    }

    /// Whether we call it, and it has not answered.
    fn rings(&self, call: CallId) -> bool {
        let call = &self.books.calls[&call];
        call.placement.is_some() && call.answered_at.is_none()
    }

    /// The policy, in other words.
    fn policy(&self, sink: &ParticipantRecord, source: &ParticipantRecord) -> bool {
        let coached = !source.coaching || matches!(sink.role, Role::Agent | Role::AiAgent);
        let started = self.books.conferences[&sink.conference].state == ConferenceState::Active;
        let silent = source.muted || source.held || sink.held;
        sink.conference == source.conference && started && coached && !silent
    }

    /// Nobody is called, or asked for a key, for ever: a day is longer than a document can take.
    fn check_patience(&mut self) {
        self.world.finish_sounds();
        self.world.pass(Duration::from_hours(24));
        self.check();
        let inner = format!("{:?}", self.world.switchboard);
        assert!(inner.contains("placements: {}"), "somebody is still called: {inner}");
        assert!(inner.contains("timers: {}"), "something is still to happen: {inner}");
        assert!(!inner.contains("activity: Dialling"), "somebody waits for whom nobody calls: {inner}");
    }

    /// Everybody hangs up, or we do; nothing is left then.
    pub fn finish(mut self, drain: bool) {
        if drain {
            self.world.input(Input::Drain);
            let asks =
                |effect: &Effect| matches!(effect, Effect::Fetch(_) | Effect::Dial(_) | Effect::Answer(_));
            assert!(!self.world.media.iter().any(asks), "nobody is asked or called any more");
        } else {
            self.check_patience();
            for leg in self.calls.clone().into_keys() {
                let end = match self.world.legs[&leg] {
                    LegFate::Answered => LegEnd::HungUp,
                    LegFate::Ringing | LegFate::Early => LegEnd::Canceled,
                    LegFate::Dialled => LegEnd::Failed { status: 480 },
                    LegFate::Refused(_) | LegFate::HungUp | LegFate::Released => continue,
                };
                self.world.input(Input::LegEnded { leg, end });
                self.check();
            }
            self.world.pass(Duration::from_hours(5));
        }
        self.check();
        while !self.world.dials.is_empty() {
            self.dialled();
        }
        self.check();
        while !self.world.unwritten.is_empty() {
            self.world.write(0, Ok(()));
            self.check();
        }
        self.books.close(&self.with_hangup_url);
        assert!(self.world.legs.keys().eq(&self.books.over), "every leg is over once");
        assert!(self.world.plans.is_empty() && self.world.seats.is_empty(), "a bridge is left");
        assert!(self.world.prompts.is_empty(), "a prompt is left");
        assert!(self.world.listening.is_empty(), "somebody is listened to");
        let left = format!("{:?}", self.world.switchboard);
        for kept in [
            "calls",
            "legs",
            "conferences",
            "placements",
            "handovers",
            "connections",
            "prompts",
            "timers",
            "talking",
            "recordings",
            "finishing",
            "leg_taps",
            "retapped",
            "listening",
            "leg_streams",
        ] {
            assert!(left.contains(&format!("{kept}: {{}}")), "{kept} are left: {left}");
        }
    }
}
