//! One request, and what answering it takes.

use axum::http::Method;
use mixminus_control::{AccountId, Timestamp};
use mixminus_plivo::rest::{Arguments, Page, RestError};
use mixminus_store as store;
use rand::RngExt;
use rand::rngs::StdRng;

use super::ApiState;
use super::reply::ApiError;

/// A request by a caller who may act for the account.
pub struct Asked<'a> {
    /// What answers are made from.
    pub state: &'a ApiState,
    /// The account that the path names.
    pub account: AccountId,
    /// What is to be done.
    pub method: Method,
    /// With what.
    pub arguments: &'a Arguments,
}

impl Asked<'_> {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.state.clock.now()
    }

    /// The path of something of this account, with a slash at both ends.
    pub fn path(&self, below: &str) -> String {
        path(&self.account, below)
    }

    /// The page that is asked for, as the client and as the store counts it.
    pub fn page(&self) -> Result<(Page, store::Page), ApiError> {
        let page = Page::parse(self.arguments)?;
        Ok((page, store::Page { limit: page.limit as u32, offset: page.offset as u64 }))
    }

    /// The account that something new is for: `subaccount`, which only the main
    /// account may name, or this one.
    pub fn owner(&self, subaccount: Option<String>) -> Result<AccountId, ApiError> {
        let Some(named) = subaccount.map(AccountId) else { return Ok(self.account.clone()) };
        if self.reaches(&named) { Ok(named) } else { Err(RestError::Parameter("subaccount").into()) }
    }

    /// Whether what is of `account` can be asked for: this one, or a subaccount of it.
    pub fn reaches(&self, account: &AccountId) -> bool {
        reaches(self.state, &self.account, account)
    }

    /// What is asked for by the main account only, in its own name.
    pub fn main_only(&self) -> Result<(), ApiError> {
        if self.account == *self.state.accounts.main_id() { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

/// Whether what is of `account` can be asked for in the name of `asking`.
pub fn reaches(state: &ApiState, asking: &AccountId, account: &AccountId) -> bool {
    let accounts = &state.accounts;
    account == asking || asking == accounts.main_id() && accounts.subaccount(account).is_some()
}

/// The path of something of `account`: `Word/id` without slashes around it, or nothing.
pub fn path(account: &AccountId, below: &str) -> String {
    let slash = if below.is_empty() { "" } else { "/" };
    format!("/v1/Account/{account}/{below}{slash}")
}

/// A new id: so many decimal digits, the first of them not 0.
pub fn digits(count: u32) -> String {
    random().random_range(10_u64.pow(count - 1)..10_u64.pow(count)).to_string()
}

/// Where new ids and tokens come from.
pub fn random() -> StdRng {
    rand::make_rng()
}
