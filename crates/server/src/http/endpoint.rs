//! `Endpoint/`: SIP accounts for phones.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{ApplicationId, EndpointId, EndpointRecord};
use mixminus_plivo::rest::{
    EndpointCreated, EndpointObject, EndpointUpdate, List, Message, NewEndpoint, Registration, RestError,
};
use mixminus_store::{DirectoryFilter, StoreError};

use super::application;
use super::asked::{Asked, digits};
use super::reply::{self, ApiError, no_content};
use crate::dialect;
use crate::endpoints::password_digests;

/// Length of an id, which is Plivo's.
const ID_DIGITS: u32 = 14;
/// Digits after a user name, so that it is one of a kind.
const SUFFIX_DIGITS: u32 = 12;

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let (page, wanted) = asked.page()?;
    let (records, total) =
        asked.state.store.endpoints(&asked.account, &DirectoryFilter::default(), wanted).await?;
    let objects = records.iter().map(|record| shown(asked, record)).collect();
    let path = asked.path("Endpoint");
    Ok(reply::json(StatusCode::OK, List::new(objects, page, total as usize, &path, &[])))
}

/// Makes one, with the application that is named or else the account's default.
pub async fn create(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let NewEndpoint { username, password, alias, app_id } = NewEndpoint::parse(asked.arguments)?;
    let username = format!("{username}{}", digits(SUFFIX_DIGITS));
    let application = match app_id {
        Some(id) => Some(named(asked, &id).await?),
        None => asked.state.store.default_application(&asked.account).await?.map(|found| found.id),
    };
    let record = EndpointRecord {
        id: EndpointId(digits(ID_DIGITS)),
        account: asked.account.clone(),
        digests: password_digests(&username, password.expose()),
        username,
        alias,
        application,
        created_at: asked.now(),
    };
    save(asked, &record).await?;
    let body = EndpointCreated::new(record.id.0, record.alias, record.username);
    Ok(reply::json(StatusCode::CREATED, body))
}

/// One of them.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, shown(asked, &find(asked, id).await?)))
}

/// The endpoint in a reply, with where it is by now.
fn shown(asked: &Asked<'_>, record: &EndpointRecord) -> EndpointObject {
    let bindings = asked.state.registrar.bindings(&record.username);
    let newest = bindings.iter().max_by_key(|binding| binding.expires_at);
    let registration = newest.map(|binding| Registration {
        sip_contact: binding.contact.clone(),
        sip_expires: dialect::instant(asked.now() + binding.expires_in()).in_seconds(),
        sip_user_agent: binding.user_agent.clone(),
    });
    dialect::endpoint(record, registration)
}

/// Changes what is named of it.
pub async fn change(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let EndpointUpdate { password, alias, app_id } = EndpointUpdate::parse(asked.arguments)?;
    let kept = find(asked, id).await?;
    let application = match app_id {
        Some(id) => Some(named(asked, &id).await?),
        None => kept.application,
    };
    let digests = match password {
        Some(password) => {
            asked.state.registrar.forget(&kept.username);
            password_digests(&kept.username, password.expose())
        }
        None => kept.digests,
    };
    let record = EndpointRecord { application, digests, alias: alias.unwrap_or(kept.alias), ..kept };
    save(asked, &record).await?;
    Ok(reply::json(StatusCode::ACCEPTED, Message::CHANGED))
}

/// Deletes it.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked, id).await?;
    asked.state.store.delete_endpoint(&record.id).await?;
    asked.state.registrar.forget(&record.username);
    Ok(no_content())
}

async fn find(asked: &Asked<'_>, id: &str) -> Result<EndpointRecord, ApiError> {
    let found = asked.state.store.endpoint(&asked.account, &EndpointId(id.into())).await?;
    found.ok_or_else(|| ApiError::absent("endpoint"))
}

async fn named(asked: &Asked<'_>, id: &str) -> Result<ApplicationId, ApiError> {
    match application::find(asked, id).await {
        Ok(found) => Ok(found.id),
        Err(_) => Err(RestError::Parameter("app_id").into()),
    }
}

async fn save(asked: &Asked<'_>, record: &EndpointRecord) -> Result<(), ApiError> {
    asked.state.store.save_endpoint(record).await.map_err(|error| match error {
        StoreError::Taken(_) => ApiError::bad("username is taken by another endpoint"),
        error => error.into(),
    })
}
