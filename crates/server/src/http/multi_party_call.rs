//! The resources under `MultiPartyCall/`: read from the store, changed by the exchange.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{Command, ConferenceRecord, ParticipantId};
use mixminus_plivo::rest::{
    List, MemberSelector, MpcFilter, MpcObject, MpcPath, MpcSegment, ParticipantFilter, ParticipantObject,
    ParticipantUpdate, RestError, UpdateReply, parse_start,
};
use mixminus_store::{Page, StoreError};

use super::asked::Asked;
use super::reply::{ApiError, json, no_content};
use super::route::Resource;
use crate::dialect;
use crate::exchange::handle::ExchangeError;

/// Carries out what is asked on `resource`, which takes the method.
pub async fn answer(asked: &Asked<'_>, resource: Resource) -> Result<Response, ApiError> {
    match (asked.method.as_str(), resource) {
        (_, Resource::Conferences) => asked.conferences().await,
        ("GET", Resource::Conference(mpc)) => asked.conference(mpc).await,
        ("POST", Resource::Conference(mpc)) => asked.start(&mpc).await,
        (_, Resource::Conference(mpc)) => asked.end(&mpc).await,
        (_, Resource::Participants(mpc)) => asked.participants(mpc).await,
        ("GET", Resource::Participant(mpc, member)) => asked.participant(mpc, &member).await,
        ("POST", Resource::Participant(mpc, member)) => asked.update(&mpc, &member).await,
        (_, Resource::Participant(mpc, member)) => asked.kick(&mpc, &member).await,
        (_, Resource::Account | Resource::List(_) | Resource::One(..)) => Err(ApiError::not_found()),
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
        let conference = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        self.command(Command::StartConference { account: self.account.clone(), conference }).await?;
        Ok(no_content())
    }

    async fn end(&self, mpc: &MpcSegment) -> Result<Response, ApiError> {
        let conference = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        self.command(Command::EndConference { account: self.account.clone(), conference }).await?;
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
        // The answer names the conference, so it is looked up before anything
        // is changed: nothing that can fail comes after the change.
        let name = self.find(mpc).await?.name;
        let conference = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        let command = Command::UpdateParticipants {
            account: self.account.clone(),
            conference,
            members: dialect::members(&members),
            change: dialect::change(update),
        };
        self.command(command).await?;
        Ok(json(StatusCode::ACCEPTED, UpdateReply::new(&name, update)))
    }

    async fn kick(&self, mpc: &MpcSegment, member: &str) -> Result<Response, ApiError> {
        let members = dialect::members(&MemberSelector::parse(member)?);
        let conference = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        self.command(Command::Kick { account: self.account.clone(), conference, members }).await?;
        Ok(no_content())
    }

    async fn find(&self, mpc: &MpcSegment) -> Result<ConferenceRecord, ApiError> {
        let selector = dialect::selector(mpc).ok_or(RestError::MpcNotFound)?;
        let found = self.state.store.conference(&self.account, &selector).await?;
        Ok(found.ok_or(RestError::MpcNotFound)?)
    }

    async fn command(&self, command: Command) -> Result<(), ApiError> {
        self.state.exchange.command(command).await.map_err(|error| match error {
            ExchangeError::Refused(error) => dialect::refusal(&error).into(),
            ExchangeError::Storage => ApiError::storage(),
            ExchangeError::Stopped => ApiError::stopping(),
        })
    }

    fn mpc_path(&self, mpc: MpcSegment) -> MpcPath {
        MpcPath { account: self.account.0.clone(), mpc }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store does not answer");
        Self::internal()
    }
}
