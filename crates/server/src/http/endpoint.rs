//! `Endpoint/`: SIP accounts for phones.

use std::fmt::Write;

use axum::http::StatusCode;
use axum::response::Response;
use md5::{Digest, Md5};
use mixminus_control::{ApplicationId, EndpointId, EndpointRecord, PasswordDigests};
use mixminus_plivo::rest::{EndpointCreated, EndpointUpdate, List, Message, NewEndpoint, RestError};
use mixminus_store::{DirectoryFilter, StoreError};
use sha2::Sha256;

use super::application;
use super::asked::{Asked, digits};
use super::reply::{self, ApiError, no_content};
use crate::dialect;

/// Length of an id, which is Plivo's.
const ID_DIGITS: u32 = 14;
/// Digits after a user name, so that it is one of a kind.
const SUFFIX_DIGITS: u32 = 12;
/// What phones are asked to register with.
const REALM: &str = "phone.plivo.com";

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let (page, wanted) = asked.page()?;
    let (records, total) =
        asked.state.store.endpoints(&asked.account, &DirectoryFilter::default(), wanted).await?;
    let objects = records.iter().map(dialect::endpoint).collect();
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
    Ok(reply::json(StatusCode::OK, dialect::endpoint(&find(asked, id).await?)))
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
        Some(password) => password_digests(&kept.username, password.expose()),
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

/// HA1 of RFC 7616, section 3.4.2; the password itself is not kept.
fn password_digests(username: &str, password: &str) -> PasswordDigests {
    let secret = format!("{username}:{REALM}:{password}");
    PasswordDigests {
        md5: hexadecimal(&Md5::digest(secret.as_bytes())),
        sha256: hexadecimal(&Sha256::digest(secret.as_bytes())),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_a_phone_computes() {
        let digests = password_digests("bob123456789012", "secret");
        assert_eq!(digests.md5, "953c908ddb9663b6b8ac86094f7f4d77");
        assert_eq!(digests.sha256, "90adaccba64f4a49082c16c0408180f272dd050a7ce131c6bb677ee33416c757");
        assert_eq!(format!("{digests:?}"), "…");
    }
}
