//! Signs requests to a customer's URLs in the account's name.

use std::sync::Arc;

use mixminus_plivo::Request;
use mixminus_plivo::sign::{self, Nonce, Token, Tokens};
use uuid::Uuid;

use crate::account::Credentials;

/// Signs with an account's token, each time with a fresh nonce.
#[derive(Debug)]
pub struct Signer(Arc<Credentials>);

impl Signer {
    /// A signer in the name of `account`.
    pub const fn new(account: Arc<Credentials>) -> Self {
        Self(account)
    }

    /// The headers that prove who asks.
    pub fn sign(&self, request: &Request) -> [(&'static str, String); 6] {
        let token = Token(self.0.token.expose());
        let nonce = Uuid::new_v4().simple().to_string();
        sign::headers(request, Tokens { owner: token, main: token }, Nonce(&nonce))
    }
}
