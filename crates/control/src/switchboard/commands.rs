//! Carries out what API clients ask.

use super::placement::{Goal, Order};
use super::{Switchboard, find};
use crate::call::{Call, Ending, StreamedBy};
use crate::command::{
    CallChange, Calls, Command, CommandError, ConferenceChange, Invitation, Invited, Legs, Outcome, Parent,
    Placed, PlayKind, Playback, Selector,
};
use crate::instruction::{Action, CallUrls, ConferenceRequest, Destination, DialTerms};
use crate::record::{
    AccountId, CallId, ConferenceId, ConferenceKind, EndCause, ExitCause, HangupCause, HangupSource,
    PlacementId,
};

/// Ends a call because a client asked.
const BY_REQUEST: HangupSource = HangupSource::ApiRequest;

impl Switchboard {
    pub(super) fn command(&mut self, account: &AccountId, command: Command) -> Result<Outcome, CommandError> {
        match command {
            Command::Conference(selector, change) => {
                let id = self.find(account, &selector)?;
                self.change_conference(id, change)
            }
            Command::Invite(selector, invitation) => self.invite(account, &selector, *invitation),
            Command::Place(calls) => self.place_calls(account, *calls),
            Command::Call(id, change) => {
                self.own(account, id)?;
                self.change_call(id, change)
            }
            Command::Cancel(placement) => self.cancel(account, placement),
        }
    }

    fn find(&self, account: &AccountId, selector: &Selector) -> Result<ConferenceId, CommandError> {
        let wanted = (selector, ConferenceKind::Supervised);
        find(&self.conferences, account, wanted).ok_or(CommandError::ConferenceNotFound)
    }

    /// The account's live call.
    fn own(&self, account: &AccountId, id: CallId) -> Result<&Call, CommandError> {
        let call = self.calls.get(&id).filter(|call| call.record().account == *account);
        call.ok_or(CommandError::CallNotFound)
    }

    fn change_conference(
        &mut self,
        id: ConferenceId,
        change: ConferenceChange,
    ) -> Result<Outcome, CommandError> {
        self.touched.push(id);
        let context = &mut self.context;
        let conference = self.conferences.get_mut(&id).ok_or(CommandError::ConferenceNotFound)?;
        let mut concerned = Vec::new();
        match change {
            ConferenceChange::Start => conference.start(None, context),
            ConferenceChange::End => self.end_conference(id, EndCause::ApiRequest),
            ConferenceChange::Update(members, change) => {
                concerned = conference.select(&members)?;
                conference.update(&concerned, change, context);
            }
            ConferenceChange::Kick(members) => {
                concerned = conference.select(&members)?;
                self.leave(id, &concerned, ExitCause::Kicked);
            }
            ConferenceChange::Play { members, playback, kind, mixed } => {
                concerned = conference.play(playback, (members, kind, mixed), context)?;
            }
            ConferenceChange::StopPlaying(members, kind) => conference.stop_playing(&members, kind, context),
            ConferenceChange::Record(scope, terms) => {
                let recording = conference.start_recording(scope, &terms, context)?;
                return Ok(Outcome::Recording(Box::new(recording)));
            }
            ConferenceChange::ChangeRecording(scope, change) => {
                conference.change_recording(scope, change, context)?;
            }
        }
        Ok(Outcome::Conference(Box::new(self.conferences[&id].record().clone()), concerned))
    }

    fn invite(
        &mut self,
        account: &AccountId,
        selector: &Selector,
        invitation: Invitation,
    ) -> Result<Outcome, CommandError> {
        let Invitation { invited, mut request, creates } = invitation;
        let known = match (self.find(account, selector), selector) {
            (Err(_), Selector::Name(_)) if creates => None,
            (found, _) => Some(found?),
        };
        if known.is_some_and(|id| self.conferences[&id].is_full()) {
            return Err(CommandError::ConferenceFull);
        }
        if known.is_none() && !self.takes_conference() {
            return Err(CommandError::TooMany);
        }
        if let Some(id) = known {
            request.name.clone_from(&self.conferences[&id].record().name);
        } else if let Selector::Name(name) = selector {
            request.name.clone_from(name);
        }
        match invited {
            Invited::Call(call) => self.invite_call(account, call, request),
            Invited::Dialled(destinations, terms) => {
                self.invite_others(account, destinations, terms, &request)
            }
        }
    }

    /// Moves a live call into the conference.
    fn invite_call(
        &mut self,
        account: &AccountId,
        id: CallId,
        request: ConferenceRequest,
    ) -> Result<Outcome, CommandError> {
        let call = self.own(account, id)?;
        if call.leg().is_none() || call.placement().is_some() {
            return Err(CommandError::NotAnswered);
        }
        let placed = Placed { call: id, from: call.record().from.clone(), to: call.record().to.clone() };
        let was_in = call.conferring().map(|(conference, _)| conference);
        let conference = self.find_or_create(account, &request).ok_or(CommandError::TooMany)?;
        let stays = was_in == Some(conference);
        if !stays {
            self.release(id);
        }
        self.touched.push(conference);
        if let (Some(call), Some(inside)) = (self.calls.get(&id), self.conferences.get_mut(&conference)) {
            inside.invite(call.record(), &request, &mut self.context);
            if stays {
                inside.invitation_ended(call.record(), request.role, true, &mut self.context);
            }
        }
        if !stays {
            self.join_invited(id, conference, request);
        }
        Ok(Outcome::Placed(PlacementId(id.0), vec![placed]))
    }

    /// Takes a call out of all that it does, for something else.
    fn release(&mut self, id: CallId) {
        let connection = self.detach(id, ExitCause::CallTransferred);
        if let Some(connection) = connection {
            self.end_other(&connection, id, Ending::by(BY_REQUEST, HangupCause::Normal));
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.interrupt(&mut self.context);
        }
    }

    fn invite_others(
        &mut self,
        account: &AccountId,
        destinations: Vec<Destination>,
        terms: DialTerms,
        request: &ConferenceRequest,
    ) -> Result<Outcome, CommandError> {
        self.room_for(destinations.len())?;
        let conference = self.find_or_create(account, request).ok_or(CommandError::TooMany)?;
        self.touched.push(conference);
        let urls = CallUrls { progress: terms.progress.clone(), ..CallUrls::default() };
        let goal = Goal::Conference(conference, Box::new(request.clone()), terms.music.clone());
        let account = account.clone();
        let order = Order { account, parent: None, destinations, terms, urls, time_limit: None, goal };
        let outcome = self.placed(order);
        if let Outcome::Placed(_, placed) = &outcome {
            for one in placed {
                let (Some(call), Some(inside)) =
                    (self.calls.get(&one.call), self.conferences.get_mut(&conference))
                else {
                    continue;
                };
                inside.invite(call.record(), request, &mut self.context);
            }
        }
        Ok(outcome)
    }

    fn place_calls(&mut self, account: &AccountId, calls: Calls) -> Result<Outcome, CommandError> {
        self.room_for(calls.destinations.len())?;
        let Calls { destinations, from, caller_name, answer, urls, time_limit, parent, machine } = calls;
        let parent = match parent {
            Some(Parent { call, required }) => match self.own(account, call) {
                Err(_) if required => return Err(CommandError::ParentNotFound),
                found => found.ok().map(Call::id),
            },
            None => None,
        };
        let terms = DialTerms { from, caller_name, machine, ..DialTerms::default() };
        let (account, goal) = (account.clone(), Goal::Answer(answer));
        let time_limit = Some(time_limit);
        Ok(self.placed(Order { account, parent, destinations, terms, urls, time_limit, goal }))
    }

    fn room_for(&self, calls: usize) -> Result<(), CommandError> {
        if self.draining || self.calls.len() + calls > self.limits.max_calls {
            return Err(CommandError::TooMany);
        }
        Ok(())
    }

    fn placed(&mut self, order: Order) -> Outcome {
        let id = self.place(order);
        let placed = self.placements[&id].calls.iter().map(|call| {
            let record = self.calls[call].record();
            Placed { call: *call, from: record.from.clone(), to: record.to.clone() }
        });
        Outcome::Placed(id, placed.collect())
    }

    /// Gives up what is unanswered of a placement, or one call of it by the call's own id.
    fn cancel(&mut self, account: &AccountId, id: PlacementId) -> Result<Outcome, CommandError> {
        let ending = Ending::by(BY_REQUEST, HangupCause::Canceled);
        if self.placements.get(&id).is_some_and(|one| one.account == *account) {
            self.give_up(id, ending);
            return Ok(Outcome::Done);
        }
        let call = self.own(account, CallId(id.0)).ok().filter(|call| call.placement().is_some());
        let call = call.map(Call::id).ok_or(CommandError::PlacementNotFound)?;
        self.end_call(call, ending);
        Ok(Outcome::Done)
    }

    fn change_call(&mut self, id: CallId, change: CallChange) -> Result<Outcome, CommandError> {
        match change {
            CallChange::Record(terms, longest) => {
                let call = self.calls.get_mut(&id).ok_or(CommandError::CallNotFound)?;
                let recording = call.start_recording(&terms, longest, &mut self.context)?;
                return Ok(Outcome::Recording(Box::new(recording)));
            }
            CallChange::StopRecording(which) => {
                let call = self.calls.get_mut(&id).ok_or(CommandError::CallNotFound)?;
                let next = call.stop_recordings(which, &mut self.context)?;
                self.follow_up(id, next);
            }
            CallChange::Stream(terms) => {
                let call = self.calls.get_mut(&id).ok_or(CommandError::CallNotFound)?;
                let stream = call.start_stream(*terms, StreamedBy::Request, &mut self.context)?;
                return Ok(Outcome::Streamed(Box::new(stream)));
            }
            CallChange::StopStream(stream) => {
                let call = self.calls.get_mut(&id).ok_or(CommandError::CallNotFound)?;
                let next = call.stop_stream(stream, &mut self.context)?;
                self.follow_up(id, next);
            }
            CallChange::HangUp => {
                let answered = self.calls.get(&id).is_some_and(Call::is_answered);
                let cause = if answered { HangupCause::Normal } else { HangupCause::Canceled };
                self.end_call(id, Ending::by(BY_REQUEST, cause));
            }
            CallChange::Transfer { this, other } => self.transfer(id, this, other)?,
            CallChange::Play { playback, legs, mixed, kind } => {
                for call in self.ends(id, legs)? {
                    self.play_to_call(call, playback.clone(), kind, mixed)?;
                }
            }
            CallChange::StopPlaying(kind) => {
                for call in self.ends(id, Legs::Both)? {
                    self.stop_playing_to_call(call, kind);
                }
            }
            CallChange::SendDigits(digits, legs) => {
                for call in self.ends(id, legs)? {
                    if let Some(call) = self.calls.get_mut(&call) {
                        call.send_digits(&digits, &mut self.context);
                    }
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// The calls that `legs` means from the view of `id`, all of them answered.
    fn ends(&self, id: CallId, legs: Legs) -> Result<Vec<CallId>, CommandError> {
        let other = self.other_end(id);
        let ends = match legs {
            Legs::This => vec![id],
            Legs::Other => vec![other.ok_or(CommandError::NoOtherLeg)?],
            Legs::Both => [Some(id), other].into_iter().flatten().collect(),
        };
        if ends.iter().all(|end| self.calls.get(end).is_some_and(Call::is_answered)) {
            Ok(ends)
        } else {
            Err(CommandError::NotAnswered)
        }
    }

    fn other_end(&self, id: CallId) -> Option<CallId> {
        let connection = self.calls.get(&id)?.connection()?;
        Some(self.connections.get(&connection)?.other(id))
    }

    fn transfer(
        &mut self,
        id: CallId,
        this: Option<Action>,
        other: Option<Action>,
    ) -> Result<(), CommandError> {
        let moved = [(Some(id), this), (self.other_end(id), other)];
        if moved.iter().any(|(call, action)| action.is_some() && call.is_none()) {
            return Err(CommandError::NoOtherLeg);
        }
        let moved: Vec<_> = moved.into_iter().filter_map(|(call, action)| Some((call?, action?))).collect();
        self.ends(id, Legs::This)?;
        // Whoever is asked for a key belongs to whom it was placed for.
        if self.calls.get(&id).is_some_and(|call| call.placement().is_some()) {
            return Err(CommandError::NotAnswered);
        }
        if moved.is_empty() {
            return Ok(());
        }
        if let [(only, _)] = moved[..] {
            self.release(only);
        } else {
            self.detach(id, ExitCause::CallTransferred);
        }
        for (call, action) in moved {
            if let Some(call) = self.calls.get_mut(&call) {
                call.transfer(action, &mut self.context);
            }
        }
        Ok(())
    }

    fn play_to_call(
        &mut self,
        id: CallId,
        playback: Playback,
        kind: PlayKind,
        mixed: bool,
    ) -> Result<(), CommandError> {
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        if let Some((conference, participant)) = call.conferring() {
            let members = crate::Members::Listed(vec![participant]);
            if let Some(inside) = self.conferences.get_mut(&conference) {
                inside.play(playback, (members, kind, mixed), &mut self.context)?;
                self.touched.push(conference);
            }
            return Ok(());
        }
        call.overlay(playback, kind, mixed, &mut self.context);
        if let Some(connection) = call.connection() {
            self.route_connection(connection);
        }
        Ok(())
    }

    fn stop_playing_to_call(&mut self, id: CallId, kind: PlayKind) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some((conference, participant)) = call.conferring() {
            let members = crate::Members::Listed(vec![participant]);
            if let Some(inside) = self.conferences.get_mut(&conference) {
                inside.stop_playing(&members, kind, &mut self.context);
                self.touched.push(conference);
            }
            return;
        }
        call.stop_overlay(Some(kind), &mut self.context);
        if let Some(connection) = call.connection() {
            self.route_connection(connection);
        }
    }
}
