//! The resources under `Call/` and `Request/`.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{CallChange, CallId, CallRecord, Command, Outcome, PlayKind};
use mixminus_plivo::rest::{
    self, CallFired, CallIds, CallList, CallObject, CallPlay, CallRecordReply, CallSpeak, CallView, List,
    LiveCallObject, MakeCall, Message, RestError, SendDigits, Transfer,
};
use mixminus_store::Page;

use super::asked::Asked;
use super::live;
use super::reply::{ApiError, json, no_content};
use super::route::Resource;
use crate::dialect;

const NOT_FOUND: RestError = RestError::NotFound("call");
pub(super) const NO_PARENT: RestError = RestError::NotFound("parent call");

/// Carries out what is asked on `resource`, which takes the method.
pub async fn answer(asked: &Asked<'_>, resource: Resource) -> Result<Response, ApiError> {
    match (asked.method.as_str(), resource) {
        ("GET", Resource::Calls) => asked.calls().await,
        (_, Resource::Calls) => asked.make_calls().await,
        ("GET", Resource::Call(id)) => asked.call(&id).await,
        ("POST", Resource::Call(id)) => {
            let change = dialect::transfer(Transfer::parse(asked.arguments)?);
            asked.change_call(&id, change).await?;
            Ok(json(StatusCode::ACCEPTED, Message::CALL_TRANSFERRED))
        }
        (_, Resource::Call(id)) => {
            asked.change_call(&id, CallChange::HangUp).await?;
            Ok(no_content())
        }
        ("POST", Resource::CallHears(id, kind)) => {
            let (change, said) = match kind {
                PlayKind::File => (dialect::play(CallPlay::parse(asked.arguments)?), Message::PLAY_STARTED),
                PlayKind::Speech => {
                    let change = dialect::speak(CallSpeak::parse(asked.arguments)?);
                    if let CallChange::Play { playback, .. } = &change {
                        asked.sayable(playback.content.clone())?;
                    }
                    (change, Message::SPEAK_STARTED)
                }
            };
            asked.change_call(&id, change).await?;
            Ok(json(StatusCode::ACCEPTED, said))
        }
        (_, Resource::CallHears(id, kind)) => {
            asked.change_call(&id, CallChange::StopPlaying(kind)).await?;
            Ok(no_content())
        }
        ("POST", Resource::CallRecorded(id)) => {
            let change = dialect::record_call(rest::CallRecord::parse(asked.arguments)?);
            if let CallChange::Record(terms, _) = &change {
                asked.transcribable(terms.transcript.as_ref())?;
            }
            let Outcome::Recording(recording) = asked.change_call(&id, change).await? else {
                return Err(ApiError::internal());
            };
            let reply = CallRecordReply::new(recording.id.to_string(), recording.url.clone());
            Ok(json(StatusCode::ACCEPTED, reply))
        }
        (_, Resource::CallRecorded(id)) => {
            let url = rest::CallRecord::parse_stop(asked.arguments)?;
            let stop = dialect::stop_recording(url.as_deref()).ok_or(RestError::NotFound("recording"))?;
            asked.change_call(&id, stop).await?;
            Ok(no_content())
        }
        (_, Resource::CallDigits(id)) => {
            let change = dialect::send_digits(&SendDigits::parse(asked.arguments)?);
            asked.change_call(&id, change).await?;
            Ok(json(StatusCode::ACCEPTED, Message::DIGITS_SENT))
        }
        (_, Resource::Request(id)) => {
            let cancel = dialect::cancel(&id).ok_or(RestError::NotFound("request"))?;
            asked.command(cancel).await?;
            Ok(no_content())
        }
        _ => Err(ApiError::not_found()),
    }
}

impl Asked<'_> {
    async fn make_calls(&self) -> Result<Response, ApiError> {
        let calls = dialect::calls(MakeCall::parse(self.arguments)?).ok_or(NO_PARENT)?;
        let Outcome::Placed(_, calls) = self.command(Command::Place(Box::new(calls))).await? else {
            return Err(ApiError::internal());
        };
        let uuids = calls.iter().map(|one| one.call.to_string()).collect();
        Ok(json(StatusCode::CREATED, CallFired::new(uuids)))
    }

    async fn calls(&self) -> Result<Response, ApiError> {
        let (list, details) = live::parse(self.arguments)?;
        if let (CallList::Live(filter), true) = (&list, details) {
            return live::list(self, filter).await;
        }
        let (view, filter) = match &list {
            CallList::Live(filter) => (CallView::Live, filter),
            CallList::Queued(filter) => (CallView::Queued, filter),
            CallList::Records(filter) => (CallView::Record, filter),
        };
        let page = Page { limit: filter.page.limit as u32, offset: filter.page.offset as u64 };
        let (records, count) = match dialect::call_filter(filter, view) {
            Some(wanted) => self.state.store.calls(&self.account, &wanted, page).await?,
            None => (Vec::new(), 0),
        };
        if view != CallView::Record {
            let calls = records.iter().map(|record| record.id.to_string()).collect();
            return Ok(json(StatusCode::OK, CallIds { calls }));
        }
        let objects = records.iter().map(|record| CallObject::new(&dialect::call(record))).collect();
        let list = List::new(objects, filter.page, count as usize, &self.path("Call"), filter.given());
        Ok(json(StatusCode::OK, list))
    }

    async fn call(&self, id: &str) -> Result<Response, ApiError> {
        let view = CallView::parse(self.arguments)?;
        let record = self.find_call(id).await?;
        let call = dialect::call(&record);
        match view {
            CallView::Live if record.is_live() => Ok(json(StatusCode::OK, LiveCallObject::live(&call))),
            CallView::Queued if record.is_queued() => Ok(json(StatusCode::OK, LiveCallObject::queued(&call))),
            CallView::Record => Ok(json(StatusCode::OK, CallObject::new(&call))),
            CallView::Live | CallView::Queued => Err(NOT_FOUND.into()),
        }
    }

    pub(super) async fn find_call(&self, id: &str) -> Result<CallRecord, ApiError> {
        let id: CallId = dialect::call_id(id).ok_or(NOT_FOUND)?;
        let record = self.state.store.call(id).await?;
        Ok(record.filter(|record| self.reaches(&record.account)).ok_or(NOT_FOUND)?)
    }

    pub(super) async fn change_call(&self, id: &str, change: CallChange) -> Result<Outcome, ApiError> {
        let id = dialect::call_id(id).ok_or(NOT_FOUND)?;
        self.command(Command::Call(id, change)).await
    }
}
