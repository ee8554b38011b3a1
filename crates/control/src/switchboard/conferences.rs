//! How calls get into conferences and out of them.

use super::recordings::Ended;
use super::{DRAINED, Switchboard, find};
use crate::call::{Ending, Next};
use crate::command::Selector;
use crate::conference::{Conference, Departure, Joiner};
use crate::context::Owner;
use crate::instruction::ConferenceRequest;
use crate::record::{
    AccountId, CallId, ConferenceId, ConferenceRecord, ConferenceState, EndCause, ExitCause, HangupCause,
    HangupSource, ParticipantId,
};

impl Switchboard {
    pub(super) fn join(&mut self, id: CallId, request: ConferenceRequest) -> Next {
        let Some(call) = self.calls.get_mut(&id) else { return Next::Idle };
        let account = call.record().account.clone();
        let Some(conference) = self.find_or_create(&account, &request) else {
            return self.calls.get_mut(&id).map_or(Next::Idle, |call| call.run(&mut self.context));
        };
        let inside = &self.conferences[&conference];
        let (full, crowded) = (inside.is_full(), self.crowded.contains(&inside.bridge()));
        let Some(call) = self.calls.get_mut(&id) else { return Next::Idle };
        if full {
            return call.run(&mut self.context);
        }
        if crowded {
            return call.shed(&mut self.context);
        }
        self.enter(id, conference, request);
        Next::Idle
    }

    /// The account's live conference of that name and kind, or a new one if there may be one more.
    pub(super) fn find_or_create(
        &mut self,
        account: &AccountId,
        request: &ConferenceRequest,
    ) -> Option<ConferenceId> {
        let named = Selector::Name(request.name.clone());
        let found = find(&self.conferences, account, (&named, request.kind));
        if found.is_some() || !self.takes_conference() {
            return found;
        }
        let created = Conference::create(account.clone(), request, &mut self.context);
        let id = created.record().id;
        self.conferences.insert(id, created);
        self.touched.push(id);
        Some(id)
    }

    /// Whether there may be one more conference.
    pub(super) fn takes_conference(&self) -> bool {
        self.conferences.values().filter(|one| !one.has_ended()).count() < self.limits.max_conferences
    }

    /// Brings a call into a conference that has room for it.
    pub(super) fn enter(&mut self, id: CallId, conference: ConferenceId, request: ConferenceRequest) {
        let (Some(call), Some(inside)) = (self.calls.get_mut(&id), self.conferences.get_mut(&conference))
        else {
            return;
        };
        call.answer(&mut self.context);
        let Some(leg) = call.leg() else { return };
        let joiner = Joiner { call: call.record().clone(), leg };
        let stream = request.stream.clone();
        let participant = inside.join(joiner, request, &mut self.context);
        call.joined((conference, participant), stream.as_deref(), &mut self.context);
        self.touched.push(conference);
    }

    /// Brings a call that was asked into its conference, if that still takes it.
    pub(super) fn join_invited(&mut self, id: CallId, conference: ConferenceId, request: ConferenceRequest) {
        let role = request.role;
        let takes = self.conferences.get(&conference);
        let takes = takes
            .is_some_and(|one| !one.has_ended() && !one.is_full() && !self.crowded.contains(&one.bridge()));
        if takes {
            if let Some(call) = self.calls.get_mut(&id) {
                call.be_invited();
            }
            self.enter(id, conference, request);
        }
        let record = self.calls.get(&id).map(|call| call.record().clone());
        if let (Some(record), Some(inside)) = (record, self.conferences.get_mut(&conference)) {
            if !takes {
                inside.stayed_away(&record, role, &mut self.context);
            }
            inside.invitation_ended(&record, role, takes, &mut self.context);
            self.touched.push(conference);
        }
        if !takes {
            self.end_call(id, Ending::by(HangupSource::Service, HangupCause::ConferenceEnded));
            self.end_if_deserted(conference);
        }
    }

    /// Ends a conference that nobody entered and nobody is called to enter any more.
    pub(super) fn end_if_deserted(&mut self, id: ConferenceId) {
        let deserted = self.conferences.get(&id).is_some_and(|one| one.is_empty() && !one.has_ended());
        if deserted && self.placements_for(id).is_empty() {
            self.end_conference(id, EndCause::NoParticipants);
        }
    }

    pub(super) fn leave(&mut self, id: ConferenceId, participants: &[ParticipantId], cause: ExitCause) {
        let Some(conference) = self.conferences.get_mut(&id) else {
            return;
        };
        let departures = conference.leave(participants, cause, &mut self.context);
        self.depart(id, departures);
    }

    pub(super) fn end_conference(&mut self, id: ConferenceId, cause: EndCause) {
        let Some(conference) = self.conferences.get_mut(&id) else {
            return;
        };
        let departures = conference.end(cause, &mut self.context);
        self.depart(id, departures);
    }

    /// Gives up the calls that were to join a conference that ended.
    pub(super) fn give_up_invitations(&mut self, id: ConferenceId) {
        for placement in self.placements_for(id) {
            self.give_up(placement, Ending::by(HangupSource::Service, HangupCause::ConferenceEnded));
        }
    }

    /// Lets those who left a conference go on with their flow.
    pub(super) fn depart(&mut self, id: ConferenceId, departures: Vec<Departure>) {
        self.touched.push(id);
        let Some(record) = self.conferences.get(&id).map(|one| one.record().clone()) else {
            return;
        };
        for departure in departures {
            let stays = matches!(
                departure.participant.exit_cause,
                Some(ExitCause::Kicked | ExitCause::ConferenceEnded)
            );
            if stays {
                self.go_on(&record, departure);
            }
        }
        if record.state == ConferenceState::Ended {
            self.give_up_invitations(id);
        }
    }

    pub(super) fn go_on(&mut self, conference: &ConferenceRecord, departure: Departure) {
        if self.draining {
            return self.end_call(departure.call, DRAINED);
        }
        let left = Box::new((conference.clone(), departure.participant));
        self.drive(departure.call, |call, context| call.left(departure.on_exit, left, context));
    }

    /// Brings every touched conference's bridge and row up to date, once.
    pub(super) fn settle(&mut self) {
        self.follow_legs();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            let Some(conference) = self.conferences.get_mut(&id) else {
                continue;
            };
            conference.settle(&mut self.context);
            if conference.has_ended()
                && let Some(ended) = self.conferences.remove(&id)
                && ended.is_recorded()
            {
                self.finishing.insert(Owner::Conference(id), Ended::Conference(Box::new(ended)));
            }
        }
    }
}
