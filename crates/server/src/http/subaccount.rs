//! `Subaccount/`: accounts below the main account, which alone reaches them here.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::AccountId;
use mixminus_plivo::rest::{
    List, Message, SubaccountBody, SubaccountCreated, SubaccountObject, parse_cascade,
};
use mixminus_store::{Estate, SubaccountRecord, Token};

use super::asked::{Asked, random};
use super::reply::{self, ApiError, no_content};
use crate::account::{AuthId, AuthToken};
use crate::dialect;

fn object(record: SubaccountRecord) -> SubaccountObject {
    let [resource_uri, account] = SubaccountObject::uris(&record.main.0, &record.id.0);
    SubaccountObject {
        account,
        auth_id: record.id.0,
        auth_token: record.token.0,
        created: dialect::instant(record.created_at),
        enabled: record.enabled,
        modified: record.modified_at.map(dialect::instant),
        name: record.name,
        resource_uri,
    }
}

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let (page, wanted) = asked.page()?;
    let (records, total) = asked.state.store.subaccounts(&asked.account, wanted).await?;
    let objects = records.into_iter().map(object).collect();
    let path = asked.path("Subaccount");
    Ok(reply::json(StatusCode::OK, List::new(objects, page, total as usize, &path, &[])))
}

/// Makes one, which has to be enabled before it may use the API.
pub async fn create(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let SubaccountBody { name, enabled } = SubaccountBody::parse(asked.arguments)?;
    if asked.state.accounts.count() >= asked.state.limits.max_subaccounts {
        return Err(ApiError::bad("there are as many subaccounts as may be"));
    }
    let mut rng = random();
    let record = SubaccountRecord {
        id: AccountId(AuthId::for_subaccount(&mut rng).as_str().into()),
        main: asked.account.clone(),
        name,
        token: Token(AuthToken::generate(&mut rng).expose().into()),
        enabled,
        created_at: asked.now(),
        modified_at: None,
    };
    let body = SubaccountCreated::new(record.id.0.clone(), record.token.0.clone());
    save(asked, record).await?;
    Ok(reply::json(StatusCode::CREATED, body))
}

/// One of them.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, object(find(asked, id)?)))
}

/// Changes its name, and whether it may use the API.
pub async fn change(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let kept = find(asked, id)?;
    let SubaccountBody { name, enabled } = SubaccountBody::parse(asked.arguments)?;
    save(asked, SubaccountRecord { name, enabled, modified_at: Some(asked.now()), ..kept }).await?;
    Ok(reply::json(StatusCode::ACCEPTED, Message::CHANGED))
}

/// Deletes it; its applications and endpoints go with it if `cascade` says so, else to the main account.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked, id)?;
    let estate = if parse_cascade(asked.arguments)? { Estate::Deleted } else { Estate::Inherited };
    // From here on it is not admitted, whether or not the store can be written.
    asked.state.accounts.remove(&record.id);
    match asked.state.store.delete_subaccount(&record, estate, asked.now()).await {
        Ok(deleted) => deleted.iter().for_each(|username| asked.state.registrar.forget(username)),
        Err(error) => {
            asked.state.accounts.put(record);
            return Err(error.into());
        }
    }
    asked.state.limits.rates.remove(&record.id);
    Ok(no_content())
}

/// Admitted by what was written, and only after it was.
async fn save(asked: &Asked<'_>, record: SubaccountRecord) -> Result<(), ApiError> {
    asked.state.store.save_subaccount(&record).await?;
    asked.state.accounts.put(record);
    Ok(())
}

fn find(asked: &Asked<'_>, id: &str) -> Result<SubaccountRecord, ApiError> {
    asked.main_only()?;
    let found = asked.state.accounts.subaccount(&AccountId(id.into()));
    found.ok_or_else(|| ApiError::absent("subaccount"))
}
