//! `Application/`: where calls to numbers and endpoints are answered.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{Action, ApplicationId, ApplicationRecord, HttpMethod};
use mixminus_plivo::Method;
use mixminus_plivo::rest::{
    ApplicationCreated, ApplicationDelete, ApplicationFilter, ApplicationSettings, List, Message,
    NewApplication, RestError,
};
use mixminus_store::{DirectoryFilter, Orphaned, Page, StoreError};

use super::asked::{Asked, digits};
use super::reply::{self, ApiError, no_content};
use crate::dialect;

/// Length of an id, which is Plivo's.
const ID_DIGITS: u32 = 17;

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let filter = ApplicationFilter::parse(asked.arguments)?;
    let wanted = DirectoryFilter {
        account: filter.sub_account.clone().map(mixminus_control::AccountId),
        name: filter.app_name.clone(),
    };
    let page = Page { limit: filter.page.limit as u32, offset: filter.page.offset as u64 };
    let (records, total) = asked.state.store.applications(&asked.account, &wanted, page).await?;
    let objects = records.iter().map(dialect::application).collect();
    let path = asked.path("Application");
    Ok(reply::json(StatusCode::OK, List::new(objects, filter.page, total as usize, &path, filter.given())))
}

/// Makes one.
pub async fn create(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let NewApplication { app_name, settings } = NewApplication::parse(asked.arguments)?;
    let bare = ApplicationRecord {
        id: ApplicationId(digits(ID_DIGITS)),
        account: asked.account.clone(),
        name: app_name,
        answer: None,
        fallback: None,
        hangup: None,
        message: None,
        default_for_numbers: false,
        default_for_endpoints: false,
        public: false,
        logs_messages: true,
        created_at: asked.now(),
    };
    let record = changed(asked, bare, settings)?;
    save(asked, &record).await?;
    Ok(reply::json(StatusCode::CREATED, ApplicationCreated::new(record.id.0)))
}

/// One of them.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, dialect::application(&find(asked, id).await?)))
}

/// Changes what is named of it.
pub async fn change(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let settings = ApplicationSettings::parse(asked.arguments)?;
    let record = changed(asked, find(asked, id).await?, settings)?;
    save(asked, &record).await?;
    Ok(reply::json(StatusCode::ACCEPTED, Message::CHANGED))
}

/// Deletes it; its endpoints get another one, if one is named, or go with it unless they are to stay.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let ApplicationDelete { cascade, new_endpoint_application } = ApplicationDelete::parse(asked.arguments)?;
    let record = find(asked, id).await?;
    let endpoints = match new_endpoint_application {
        Some(other) if other != record.id.0 => {
            let other = find(asked, &other).await;
            Orphaned::MovedTo(other.map_err(|_| RestError::Parameter("new_endpoint_application"))?.id)
        }
        Some(_) => return Err(RestError::Parameter("new_endpoint_application").into()),
        None if cascade => Orphaned::Deleted,
        None => Orphaned::Kept,
    };
    for username in asked.state.store.delete_application(&record.id, &endpoints).await? {
        asked.state.registrar.forget(&username);
    }
    Ok(no_content())
}

/// The application `id` that the account reaches.
pub async fn find(asked: &Asked<'_>, id: &str) -> Result<ApplicationRecord, ApiError> {
    let found = asked.state.store.application(&asked.account, &ApplicationId(id.into())).await?;
    found.ok_or_else(|| ApiError::absent("application"))
}

async fn save(asked: &Asked<'_>, record: &ApplicationRecord) -> Result<(), ApiError> {
    asked.state.store.save_application(record).await.map_err(|error| match error {
        StoreError::Taken(_) => ApiError::bad("app_name is taken by another application"),
        error => error.into(),
    })
}

fn changed(
    asked: &Asked<'_>,
    kept: ApplicationRecord,
    to: ApplicationSettings,
) -> Result<ApplicationRecord, ApiError> {
    let account = match to.sub_account {
        None => kept.account,
        named => asked.owner(named)?,
    };
    Ok(ApplicationRecord {
        account,
        answer: action(kept.answer, to.answer_url, to.answer_method),
        fallback: action(kept.fallback, to.fallback_answer_url, to.fallback_method),
        hangup: action(kept.hangup, to.hangup_url, to.hangup_method),
        message: action(kept.message, to.message_url, to.message_method),
        default_for_numbers: to.default_number_app.unwrap_or(kept.default_for_numbers),
        default_for_endpoints: to.default_endpoint_app.unwrap_or(kept.default_for_endpoints),
        public: to.public_uri.unwrap_or(kept.public),
        logs_messages: to.log_incoming_messages.unwrap_or(kept.logs_messages),
        ..kept
    })
}

/// A method means nothing without a URL.
fn action(kept: Option<Action>, url: Option<String>, method: Option<Method>) -> Option<Action> {
    let (kept_url, kept_method) = kept.map(|kept| (kept.url, kept.method)).unzip();
    let method = method.map(dialect::http_method).or(kept_method).unwrap_or(HttpMethod::Post);
    url.or(kept_url).map(|url| Action { url, method })
}
