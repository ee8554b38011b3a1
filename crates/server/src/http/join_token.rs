//! `JoinToken/`: what lets a browser into a conference.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_plivo::rest::{JoinTokenCreated, NewJoinToken};

use super::asked::Asked;
use super::now;
use super::reply::{self, ApiError};
use crate::dialect;
use crate::join_tokens::{Join, until};

/// Makes one.
pub async fn create(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let NewJoinToken { mpc, name, expires_in_seconds } =
        NewJoinToken::parse(asked.arguments, &asked.state.document_limits)?;
    let join = Join { account: asked.account.clone(), name, request: dialect::conference(mpc) };
    let now = now();
    let token = asked.state.whip.tokens.issue(join, until(now, expires_in_seconds), now);
    let token = token.ok_or_else(|| ApiError::conflict("too many tokens are good at the moment"))?;
    Ok(reply::json(StatusCode::CREATED, JoinTokenCreated::new(token, expires_in_seconds)))
}
