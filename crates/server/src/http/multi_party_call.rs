//! The resources under `MultiPartyCall/`: read from the store, changed by the exchange.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{
    AccountId, CallId, Command, CommandError, ConferenceChange, ConferenceRecord, Outcome, ParticipantId,
    Placed, PlacementId, PlayKind, Playback, PromptContent, RecordChange, RecordScope, Selector,
};
use mixminus_plivo::rest::{
    AddParticipant, AddParticipantReply, AddedCall, List, MemberPlay, MemberReply, MemberSelector, MpcFilter,
    MpcObject, MpcPath, MpcRecord, MpcRecordReply, MpcSegment, ParticipantFilter, ParticipantObject,
    ParticipantUpdate, RestError, Speech, TrackType, UpdateReply, parse_start,
};
use mixminus_store::{Page, StoreError};

use super::asked::Asked;
use super::call::NO_PARENT;
use super::reply::{ApiError, json, no_content};
use super::route::{Resource, Taping};
use crate::dialect;
use crate::exchange::handle::ExchangeError;

/// What a client is asked to wait for room.
const CROWDED_RETRY_AFTER: Duration = Duration::from_secs(10);

/// Carries out what is asked on `resource`, which takes the method.
pub async fn answer(asked: &Asked<'_>, resource: Resource) -> Result<Response, ApiError> {
    match (asked.method.as_str(), resource) {
        (_, Resource::Conferences) => asked.conferences().await,
        ("GET", Resource::Conference(mpc)) => asked.conference(mpc).await,
        ("POST", Resource::Conference(mpc)) => asked.start(&mpc).await,
        (_, Resource::Conference(mpc)) => asked.end(&mpc).await,
        ("GET", Resource::Participants(mpc)) => asked.participants(mpc).await,
        (_, Resource::Participants(mpc)) => asked.add(&mpc).await,
        ("GET", Resource::Participant(mpc, member)) => asked.participant(mpc, &member).await,
        ("POST", Resource::Participant(mpc, member)) => asked.update(&mpc, &member).await,
        (_, Resource::Participant(mpc, member)) => asked.kick(&mpc, &member).await,
        ("POST", Resource::Heard(mpc, member, kind)) => asked.play(&mpc, &member, kind).await,
        (_, Resource::Heard(mpc, member, kind)) => asked.stop_playing(&mpc, &member, kind).await,
        ("POST", Resource::Recorded(mpc, member, Taping::Record)) => asked.record(&mpc, member).await,
        (_, Resource::Recorded(mpc, member, taping)) => {
            let change = match taping {
                Taping::Record => RecordChange::Stop,
                Taping::Pause => RecordChange::Pause,
                Taping::Resume => RecordChange::Resume,
            };
            asked.change_recording(&mpc, member, change).await
        }
        _ => Err(ApiError::not_found()),
    }
}

/// Of whom `member`, where a path names one, is recorded.
fn scope(member: Option<&str>) -> Result<RecordScope, RestError> {
    match member {
        None => Ok(RecordScope::All),
        Some(member) => Ok(RecordScope::One(ParticipantId(MemberSelector::parse(member)?.sole()?))),
    }
}

impl Asked<'_> {
    async fn conferences(&self) -> Result<Response, ApiError> {
        let filter = MpcFilter::parse(self.arguments)?;
        let page = Page { limit: filter.page.limit as u32, offset: filter.page.offset as u64 };
        let (records, count) = match dialect::conference_filter(&filter) {
            Some(wanted) => self.state.store.conferences(&self.account, &wanted, page).await?,
            None => (Vec::new(), 0),
        };
        let object = |record: &ConferenceRecord| {
            let path = self.mpc_path(MpcSegment::Uuid(record.id.to_string()));
            MpcObject::new(&dialect::mpc(record), &path)
        };
        let objects = records.iter().map(object).collect();
        let path = MpcPath::collection(&self.account.0);
        let list = List::new(objects, filter.page, count as usize, &path, filter.given());
        Ok(json(StatusCode::OK, list))
    }

    async fn conference(&self, mpc: MpcSegment) -> Result<Response, ApiError> {
        let record = self.find(&mpc).await?;
        Ok(json(StatusCode::OK, MpcObject::new(&dialect::mpc(&record), &self.mpc_path(mpc))))
    }

    async fn start(&self, mpc: &MpcSegment) -> Result<Response, ApiError> {
        parse_start(self.arguments)?;
        self.change_mpc(mpc, ConferenceChange::Start).await?;
        Ok(no_content())
    }

    async fn end(&self, mpc: &MpcSegment) -> Result<Response, ApiError> {
        self.change_mpc(mpc, ConferenceChange::End).await?;
        Ok(no_content())
    }

    async fn add(&self, mpc: &MpcSegment) -> Result<Response, ApiError> {
        let name = match mpc {
            MpcSegment::Name(name) => name.clone(),
            MpcSegment::Uuid(_) => self.find(mpc).await?.name,
        };
        let request = AddParticipant::parse(self.arguments, &name, &self.state.document_limits)?;
        let invitation = dialect::invitation(request).ok_or(RestError::NotFound("call"))?;
        let recording = invitation.request.recording.as_ref();
        self.transcribable(recording.and_then(|recording| recording.terms.transcript.as_ref()))?;
        let selector = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        let Outcome::Placed(request, calls) =
            self.command(Command::Invite(selector, Box::new(invitation))).await?
        else {
            return Err(ApiError::internal());
        };
        let added = |one: Placed| AddedCall { to: one.to, from: one.from, call_uuid: one.call.to_string() };
        let reply = AddParticipantReply::new(calls.into_iter().map(added).collect(), request.to_string());
        Ok(json(StatusCode::CREATED, reply))
    }

    async fn play(&self, mpc: &MpcSegment, member: &str, kind: PlayKind) -> Result<Response, ApiError> {
        let members = dialect::members(&MemberSelector::parse(member)?);
        let (content, mixed) = match kind {
            PlayKind::File => (PromptContent::File(MemberPlay::parse(self.arguments)?.url), true),
            PlayKind::Speech => {
                let speech = Speech::parse(self.arguments)?;
                let mixed = speech.mix;
                (self.sayable(dialect::said(speech))?, mixed)
            }
        };
        let change = ConferenceChange::Play { members, playback: Playback::once(content), kind, mixed };
        let Outcome::Conference(conference, members) = self.change_mpc(mpc, change).await? else {
            return Err(ApiError::internal());
        };
        let members: Vec<_> = members.iter().map(|id| id.0).collect();
        let reply = match kind {
            PlayKind::File => MemberReply::play(&conference.name, &members),
            PlayKind::Speech => MemberReply::speak(&conference.name, &members),
        };
        Ok(json(StatusCode::ACCEPTED, reply))
    }

    /// `content` if it needs no voice that is not installed.
    pub(super) fn sayable(&self, content: PromptContent) -> Result<PromptContent, ApiError> {
        if let PromptContent::Speech { voice, language, .. } = &content {
            let available = self.state.speech.available(voice, language);
            available.map_err(|missing| ApiError::bad(missing.to_string()))?;
        }
        Ok(content)
    }

    async fn stop_playing(
        &self,
        mpc: &MpcSegment,
        member: &str,
        kind: PlayKind,
    ) -> Result<Response, ApiError> {
        let members = dialect::members(&MemberSelector::parse(member)?);
        self.change_mpc(mpc, ConferenceChange::StopPlaying(members, kind)).await?;
        Ok(no_content())
    }

    async fn participants(&self, mpc: MpcSegment) -> Result<Response, ApiError> {
        let filter = ParticipantFilter::parse(self.arguments)?;
        let record = self.find(&mpc).await?;
        let records = match dialect::participant_filter(&filter, &mpc) {
            Some(wanted) => self.state.store.participants(record.id, &wanted).await?,
            None => Vec::new(),
        };
        let path = self.mpc_path(mpc);
        let page = records.iter().skip(filter.page.offset).take(filter.page.limit);
        let objects =
            page.map(|record| ParticipantObject::new(&dialect::participant(record), &path)).collect();
        let list = List::new(objects, filter.page, records.len(), &path.participants(), &filter.given());
        Ok(json(StatusCode::OK, list))
    }

    /// By name, those who left are not found, as their conference would not be.
    async fn participant(&self, mpc: MpcSegment, member: &str) -> Result<Response, ApiError> {
        let id = MemberSelector::parse(member)?.sole()?;
        let conference = self.find(&mpc).await?;
        let record = self.state.store.participant(conference.id, ParticipantId(id)).await?;
        let by_name = matches!(mpc, MpcSegment::Name(_));
        let record = record
            .filter(|record| !by_name || record.left_at.is_none())
            .ok_or(RestError::MemberNotFound(id))?;
        let object = ParticipantObject::new(&dialect::participant(&record), &self.mpc_path(mpc));
        Ok(json(StatusCode::OK, object))
    }

    async fn update(&self, mpc: &MpcSegment, member: &str) -> Result<Response, ApiError> {
        let members = MemberSelector::parse(member)?;
        let update = ParticipantUpdate::parse(self.arguments, &members)?;
        let change = ConferenceChange::Update(dialect::members(&members), dialect::change(update));
        let Outcome::Conference(conference, _) = self.change_mpc(mpc, change).await? else {
            return Err(ApiError::internal());
        };
        Ok(json(StatusCode::ACCEPTED, UpdateReply::new(&conference.name, update)))
    }

    async fn kick(&self, mpc: &MpcSegment, member: &str) -> Result<Response, ApiError> {
        let members = dialect::members(&MemberSelector::parse(member)?);
        self.change_mpc(mpc, ConferenceChange::Kick(members)).await?;
        Ok(no_content())
    }

    async fn record(&self, mpc: &MpcSegment, member: Option<String>) -> Result<Response, ApiError> {
        let scope = scope(member.as_deref())?;
        let terms = dialect::recording_terms(&MpcRecord::parse(self.arguments)?);
        self.transcribable(terms.transcript.as_ref())?;
        let Outcome::Recording(recording) =
            self.change_mpc(mpc, ConferenceChange::Record(scope, terms)).await?
        else {
            return Err(ApiError::internal());
        };
        let name = recording.of.conference.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
        let (id, url) = (recording.id.to_string(), recording.url.clone());
        let reply = match scope {
            RecordScope::All => MpcRecordReply::mpc(name, id, url),
            RecordScope::One(_) => MpcRecordReply::participant(name, id, url),
        };
        Ok(json(StatusCode::ACCEPTED, reply))
    }

    async fn change_recording(
        &self,
        mpc: &MpcSegment,
        member: Option<String>,
        change: RecordChange,
    ) -> Result<Response, ApiError> {
        let scope = scope(member.as_deref())?;
        TrackType::parse(self.arguments)?;
        self.change_mpc(mpc, ConferenceChange::ChangeRecording(scope, change)).await?;
        Ok(no_content())
    }

    async fn change_mpc(&self, mpc: &MpcSegment, change: ConferenceChange) -> Result<Outcome, ApiError> {
        let conference = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        self.command(Command::Conference(conference, change)).await
    }

    async fn find(&self, mpc: &MpcSegment) -> Result<ConferenceRecord, ApiError> {
        let selector = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        let found = self.state.store.conference(&self.account, &selector).await?;
        Ok(found.ok_or(RestError::MpcNotFound)?)
    }

    /// Has the exchange carry out `command`.
    pub(super) async fn command(&self, command: Command) -> Result<Outcome, ApiError> {
        let account = self.in_whose_name(&command).await?;
        let done = self.state.exchange.command(account, command).await;
        done.map_err(|error| match error {
            ExchangeError::Refused(error) => refused(&error),
            ExchangeError::Storage => ApiError::storage(),
            ExchangeError::Stopped => ApiError::stopping(),
        })
    }

    /// The account that `command` is carried out for: a subaccount, if it names what is live of one.
    async fn in_whose_name(&self, command: &Command) -> Result<AccountId, ApiError> {
        let store = &self.state.store;
        let named = match command {
            _ if self.main_only().is_err() => None,
            Command::Call(call, _) => store.call(*call).await?.map(|call| call.account),
            Command::Cancel(PlacementId(id)) => store.call(CallId(*id)).await?.map(|call| call.account),
            Command::Conference(selector @ Selector::Id(_), _)
            | Command::Invite(selector @ Selector::Id(_), _) => {
                store.conference(&self.account, selector).await?.map(|conference| conference.account)
            }
            _ => None,
        };
        Ok(named.filter(|named| self.reaches(named)).unwrap_or_else(|| self.account.clone()))
    }

    fn mpc_path(&self, mpc: MpcSegment) -> MpcPath {
        MpcPath { account: self.account.0.clone(), mpc }
    }
}

/// How a refused command is answered.
fn refused(error: &CommandError) -> ApiError {
    match error {
        CommandError::ConferenceNotFound => RestError::MpcNotFound.into(),
        CommandError::ParticipantNotFound(id) => RestError::MemberNotFound(id.0).into(),
        CommandError::CallNotFound => RestError::NotFound("call").into(),
        CommandError::ParentNotFound => NO_PARENT.into(),
        CommandError::NotStreamed => RestError::NotFound("stream").into(),
        CommandError::PlacementNotFound => RestError::NotFound("request").into(),
        CommandError::TooMany => ApiError::too_many_requests(CROWDED_RETRY_AFTER),
        CommandError::ConferenceFull
        | CommandError::NoOtherLeg
        | CommandError::NotAnswered
        | CommandError::NotRecording
        | CommandError::AlreadyStreamed => ApiError::bad(error.to_string()),
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store does not answer");
        Self::internal()
    }
}
