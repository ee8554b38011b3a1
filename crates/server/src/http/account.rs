//! The account itself: `Account/{auth_id}/`.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_plivo::rest::Arguments;
use mixminus_store::Profile;
use serde_json::json;

use super::asked::{Asked, accepted};
use super::reply::{self, ApiError};

/// Longest name, city or address.
const MAX_CHARS: usize = 200;

/// What the account is. Nothing is charged here, so the credits do not end.
pub async fn get(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let profile = asked.state.store.profile(&asked.account).await?;
    let subaccount = asked.state.accounts.subaccount(&asked.account);
    Ok(reply::json(
        StatusCode::OK,
        json!({
            "account_type": if subaccount.is_some() { "subaccount" } else { "standard" },
            "address": profile.address,
            "auth_id": asked.account.0,
            "auto_recharge": false,
            "billing_mode": "prepaid",
            "cash_credits": "0.00000",
            "city": profile.city,
            "name": subaccount.map_or(profile.name, |subaccount| subaccount.name),
            "resource_uri": asked.path(""),
            "state": "",
            "timezone": "UTC",
        }),
    ))
}

/// Changes whose account it is.
pub async fn change(asked: &Asked<'_>) -> Result<Response, ApiError> {
    asked.main_only()?;
    let [name, city, address] = ["name", "city", "address"].map(|key| text(asked.arguments, key));
    let (name, city, address) = (name?, city?, address?);
    if name.is_none() && city.is_none() && address.is_none() {
        return Err(ApiError::bad("One parameter of name, city and address is required"));
    }
    let store = &asked.state.store;
    let kept = store.profile(&asked.account).await?;
    let profile = Profile {
        name: name.unwrap_or(kept.name),
        city: city.unwrap_or(kept.city),
        address: address.unwrap_or(kept.address),
    };
    store.save_profile(&asked.account, &profile).await?;
    Ok(accepted("changed"))
}

/// The text of `key`, short enough to be kept.
pub fn text(arguments: &Arguments, key: &'static str) -> Result<Option<String>, ApiError> {
    let short = |text: &str| (text.chars().count() <= MAX_CHARS).then(|| text.to_owned());
    Ok(arguments.read(key, short)?)
}
