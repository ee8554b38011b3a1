//! Tokens with which browsers join conferences: short-lived, and good for one call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mixminus_control::{AccountId, ConferenceRequest};
use rand::Rng;
use sha2::{Digest, Sha256};

/// Tokens that are good at one time; more are refused. One takes about a kilobyte.
const MAX_TOKENS: usize = 10_000;
/// 256 bits: nobody finds one by trying.
const TOKEN_BYTES: usize = 32;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Whose conference it is.
    pub account: AccountId,
    /// The calling party's name.
    pub name: String,
    /// How somebody joins.
    pub request: ConferenceRequest,
}

/// A token that was shown, which nobody else can show meanwhile.
#[derive(Debug)]
pub struct Pass {
    /// What it is good for.
    pub join: Join,
    hash: [u8; 32],
    until: Instant,
}

/// Tokens that were issued and not used. Only their hashes are kept, and not for longer than the process lives.
#[derive(Debug, Default)]
pub struct JoinTokens(Mutex<HashMap<[u8; 32], (Join, Instant)>>);

impl JoinTokens {
    /// Makes a token, good until `until`; `None` when there are too many.
    pub fn issue(&self, join: Join, until: Instant, now: Instant) -> Option<String> {
        let mut bytes = [0; TOKEN_BYTES];
        rand::make_rng::<rand::rngs::StdRng>().fill_bytes(&mut bytes);
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let mut issued = self.lock();
        if issued.len() >= MAX_TOKENS {
            issued.retain(|_, (_, until)| now < *until);
        }
        let fits = issued.len() < MAX_TOKENS;
        if fits {
            issued.insert(hash(&token), (join, until));
        }
        fits.then_some(token)
    }

    /// Takes a token that is shown.
    pub fn take(&self, token: &str, now: Instant) -> Option<Pass> {
        let hash = hash(token);
        let (join, until) = self.lock().remove(&hash)?;
        (now < until).then_some(Pass { join, hash, until })
    }

    /// Lets a token be shown again whose call did not come about.
    pub fn give_back(&self, Pass { join, hash, until }: Pass) {
        self.lock().insert(hash, (join, until));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Join, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a token that is made `now` is not good any more.
pub fn until(now: Instant, seconds: u32) -> Instant {
    now + Duration::from_secs(seconds.into())
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use mixminus_plivo::rest::{Arguments, NewJoinToken};
    use mixminus_plivo::xml::Limits;

    use super::*;
    use crate::dialect;

    fn join() -> Join {
        let body = br#"{"mpc_name":"sales","role":"agent","name":"Ann"}"#;
        let body = Arguments::from_body(None, body).unwrap();
        let NewJoinToken { mpc, name, .. } = NewJoinToken::parse(&body, &Limits::default()).unwrap();
        Join { account: AccountId("MA1".into()), name, request: dialect::conference(mpc) }
    }

    #[expect(clippy::disallowed_methods, reason = "an origin for simulated time")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_token_is_good_once_and_again_if_its_call_did_not_come_about() {
        let (tokens, now) = (JoinTokens::default(), now());
        let token = tokens.issue(join(), until(now, 10), now).unwrap();
        assert!(tokens.take("another", now).is_none());
        let pass = tokens.take(&token, now).unwrap();
        assert_eq!(pass.join, join());
        assert!(tokens.take(&token, now).is_none());
        tokens.give_back(pass);
        assert!(tokens.take(&token, now).is_some());
    }

    #[test]
    fn a_token_is_good_for_as_long_as_it_says() {
        let (tokens, now) = (JoinTokens::default(), now());
        let [one, other] = [(); 2].map(|()| tokens.issue(join(), until(now, 10), now).unwrap());
        assert_ne!(one, other);
        assert!(tokens.take(&one, now + Duration::from_millis(9_999)).is_some());
        assert!(tokens.take(&other, now + Duration::from_secs(10)).is_none());
    }

    #[test]
    fn no_more_tokens_are_good_at_a_time_than_may_be() {
        let (tokens, now) = (JoinTokens::default(), now());
        let later = now + Duration::from_secs(10);
        for _ in 0..MAX_TOKENS {
            assert!(tokens.issue(join(), later, now).is_some());
        }
        assert_eq!(tokens.issue(join(), later, now), None);
        assert!(tokens.issue(join(), until(later, 1), later).is_some(), "the others are over");
    }
}
