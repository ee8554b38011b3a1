//! Who is asking, and whether that address may ask again.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mixminus_sip::Attempts;

use crate::account::{Accounts, Caller};
use crate::http::now;
use crate::http::reply::ApiError;

/// The address of the far end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Who `request` is by.
///
/// # Errors
///
/// 401 without credentials of an account; 429 from an address that sent too many wrong ones.
pub fn authenticate(request: &Request, accounts: &Accounts, attempts: &Attempts) -> Result<Caller, ApiError> {
    let header = request.headers().get(AUTHORIZATION).ok_or_else(ApiError::unauthorized)?;
    let peer = request.extensions().get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
    let now = now();
    if let Some(wait) = attempts.wait(peer, now) {
        return Err(ApiError::too_many_requests(wait));
    }
    let given = basic(header.as_bytes());
    given.and_then(|(id, token)| accounts.admit(&id, &token)).ok_or_else(|| {
        attempts.count(peer, now);
        ApiError::unauthorized()
    })
}

fn basic(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut id = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let colon = id.iter().position(|byte| *byte == b':')?;
    let token = id.split_off(colon + 1);
    id.truncate(colon);
    Some((id, token))
}
