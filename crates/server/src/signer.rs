//! Signs requests to a customer's URLs in an account's name.

use std::sync::Arc;

use mixminus_control::AccountId;
use mixminus_plivo::Request;
use mixminus_plivo::sign::{self, Nonce, Token, Tokens};
use uuid::Uuid;

use crate::account::Accounts;

/// Signs with an account's and the main account's tokens, each time with a fresh nonce.
#[derive(Debug)]
pub struct Signer(Arc<Accounts>);

impl Signer {
    /// A signer in the names of `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self(accounts)
    }

    /// The headers that prove who asks: `account`.
    pub fn sign(&self, account: &AccountId, request: &Request) -> [(&'static str, String); 6] {
        let owner = self.0.token(account);
        let tokens = Tokens { owner: Token(&owner.0), main: Token(self.0.main().token.expose()) };
        let nonce = Uuid::new_v4().simple().to_string();
        sign::headers(request, tokens, Nonce(&nonce))
    }
}
