//! The account itself: `Account/{auth_id}/`.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_plivo::rest::{AccountObject, AccountUpdate, Message};
use mixminus_store::Profile;

use super::asked::Asked;
use super::reply::{self, ApiError};

/// Whose account it is; a subaccount has the name that it was made under.
pub async fn get(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let Profile { name, city, address } = asked.state.store.profile(&asked.account).await?;
    let subaccount = asked.state.accounts.subaccount(&asked.account);
    let name = subaccount.map_or(name, |subaccount| subaccount.name);
    let object = AccountObject::new(&asked.account.0, [&name, &city, &address]);
    Ok(reply::json(StatusCode::OK, object))
}

/// Changes whose account it is.
pub async fn change(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let AccountUpdate { name, city, address } = AccountUpdate::parse(asked.arguments)?;
    let store = &asked.state.store;
    let kept = store.profile(&asked.account).await?;
    let profile = Profile {
        name: name.unwrap_or(kept.name),
        city: city.unwrap_or(kept.city),
        address: address.unwrap_or(kept.address),
    };
    store.save_profile(&asked.account, &profile).await?;
    Ok(reply::json(StatusCode::ACCEPTED, Message::CHANGED))
}
