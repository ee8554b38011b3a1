//! `Subaccount/`: accounts below the main account, which alone reaches them here.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::AccountId;
use mixminus_plivo::rest::List;
use mixminus_store::{Estate, SubaccountRecord, Token};
use serde::Serialize;
use serde_json::json;

use super::account::text;
use super::asked::{Asked, accepted, path, random};
use super::reply::{self, ApiError, no_content};
use crate::account::{AuthId, AuthToken};
use crate::dialect;

/// A subaccount in a reply; every field is there every time.
#[derive(Debug, Serialize)]
struct SubaccountObject {
    account: String,
    auth_id: String,
    auth_token: String,
    created: String,
    enabled: bool,
    modified: Option<String>,
    name: String,
    resource_uri: String,
}

impl SubaccountObject {
    fn new(record: SubaccountRecord) -> Self {
        let SubaccountRecord { id, main, name, token, enabled, created_at, modified_at } = record;
        Self {
            account: path(&main, ""),
            resource_uri: path(&main, &format!("Subaccount/{id}")),
            auth_id: id.0,
            auth_token: token.0,
            created: dialect::day(created_at),
            enabled,
            modified: modified_at.map(dialect::day),
            name,
        }
    }
}

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let (page, wanted) = asked.page()?;
    let (records, total) = asked.state.store.subaccounts(&asked.account, wanted).await?;
    let objects = records.into_iter().map(SubaccountObject::new).collect();
    let path = asked.path("Subaccount");
    Ok(reply::json(StatusCode::OK, List::new(objects, page, total as usize, &path, &[])))
}

/// Makes one, which has to be enabled before it may use the API.
pub async fn create(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let name = text(asked.arguments, "name")?.ok_or_else(|| ApiError::bad("name parameter is required"))?;
    let enabled = asked.arguments.flag("enabled")?.unwrap_or(false);
    if asked.state.accounts.count() >= asked.state.max_subaccounts {
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
    let body = json!({ "auth_id": record.id.0, "auth_token": record.token.0, "message": "created" });
    save(asked, record).await?;
    Ok(reply::json(StatusCode::CREATED, body))
}

/// One of them.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, SubaccountObject::new(find(asked, id)?)))
}

/// Changes its name, and whether it may use the API.
pub async fn change(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let kept = find(asked, id)?;
    let name = text(asked.arguments, "name")?.unwrap_or_else(|| kept.name.clone());
    let enabled = asked.arguments.flag("enabled")?.unwrap_or(kept.enabled);
    save(asked, SubaccountRecord { name, enabled, modified_at: Some(asked.now()), ..kept }).await?;
    Ok(accepted("changed"))
}

/// Deletes it; its applications and endpoints go with it if `cascade` says so, else to the main account.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked, id)?;
    let cascade = asked.arguments.flag("cascade")?.unwrap_or(false);
    let estate = if cascade { Estate::Deleted } else { Estate::Inherited };
    // From here on it is not admitted, whether or not the store can be written.
    asked.state.accounts.remove(&record.id);
    if let Err(error) = asked.state.store.delete_subaccount(&record, estate, asked.now()).await {
        asked.state.accounts.put(record);
        return Err(error.into());
    }
    asked.state.rates.remove(&record.id);
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
