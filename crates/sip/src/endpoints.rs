//! Who may come in from anywhere: endpoints, by their passwords.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use ring::rand::{SecureRandom as _, SystemRandom};
use rsipstack::sip::{Header, HeadersExt, Method, Request, ToTypedHeader, Uri};
use thiserror::Error;

use crate::attempts::Attempts;
use crate::digest::{Accepted, Algorithm, Answer, Challenges, PasswordHashes, Stale, fingerprint};
use crate::location::Expiry;
use crate::message;
use crate::registrar::Registrar;

/// Endpoints' passwords cannot be looked up for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("endpoints' passwords cannot be looked up")]
pub struct Unavailable;

/// Who has a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An endpoint, which registers and calls in its own name.
    Endpoint,
    /// A trunk, which calls in the names of others.
    Trunk,
}

/// Whoever knows the passwords of endpoints and trunks.
#[async_trait]
pub trait Passwords: Debug + Send + Sync + 'static {
    /// What the password of `username` leaves behind, and who that is, if anybody.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]; the endpoint is asked to come back.
    async fn hashes(&self, username: &str) -> Result<Option<(PasswordHashes, Standing)>, Unavailable>;
}

/// How endpoints are served.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// What passwords are hashed with, and the domain of endpoints' addresses. Phones may use any other
    /// domain for theirs.
    pub realm: String,
    /// Their passwords.
    pub passwords: Arc<dyn Passwords>,
    /// Where they are.
    pub registrar: Registrar,
    /// The hashes that they are asked for, the preferred first. There are phones that give up when the
    /// first is unknown to them.
    pub algorithms: Vec<Algorithm>,
    /// How long registrations are.
    pub expiry: Expiry,
    /// Wrong passwords so far. An address with too many in a minute gets 403 for the rest of it.
    pub attempts: Arc<Attempts>,
    /// The body of a MESSAGE by which an endpoint asks for its own address.
    pub address_query: Option<String>,
}

/// Who sent a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// This endpoint.
    Endpoint(String),
    /// A trunk.
    Trunk,
    /// It has to answer these challenges.
    Unknown(Vec<Header>),
    /// Nobody.
    Refused,
    /// That cannot be told now.
    Unavailable,
}

/// Finds out who sends requests.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) config: EndpointConfig,
    challenges: Challenges,
}

impl Endpoints {
    /// # Errors
    ///
    /// `None` if the system has no randomness.
    pub(crate) fn new(config: EndpointConfig, now: Instant) -> Option<Self> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).ok()?;
        let challenges = Challenges::new(&key, config.algorithms.clone(), now);
        Some(Self { config, challenges })
    }

    /// What has to be answered before anything is asked of the application, if anything has to.
    /// Whoever passes has received a challenge at `source`.
    pub(crate) fn first(&self, request: &Request, source: IpAddr, now: Instant) -> Option<Identity> {
        if self.config.attempts.wait(source, now).is_some() {
            return Some(Identity::Refused);
        }
        let answer = Answer::of(request, &self.config.realm);
        match &answer {
            Some(answer) if self.challenges.is_fresh(answer, source, now) => None,
            _ => Some(self.challenge(source, answer.is_some(), now)),
        }
    }

    /// Who sent `request` from `source`.
    pub(crate) async fn identify(&self, request: &Request, source: IpAddr, now: Instant) -> Identity {
        if let Some(identity) = self.first(request, source, now) {
            return identity;
        }
        let Some(answer) = Answer::of(request, &self.config.realm) else { return Identity::Refused };
        let (hashes, standing) = match self.config.passwords.hashes(&answer.username).await {
            Ok(found) => found.unzip(),
            Err(Unavailable) => return Identity::Unavailable,
        };
        // Whether there is such a user must not show in the time that the answer takes.
        let nobody = PasswordHashes { md5: "-".repeat(32), sha256: "-".repeat(64) };
        let proven = answer.proves(request, hashes.as_ref().unwrap_or(&nobody)) && hashes.is_some();
        if !proven {
            self.config.attempts.count(source, now);
            return Identity::Refused;
        }
        match self.challenges.count(&answer, fingerprint(request), now) {
            // An INVITE that is sent again meets its transaction, so this one was recorded and is replayed.
            Ok(Accepted::Repeated) if request.method == Method::Invite => self.challenge(source, true, now),
            Ok(_) if standing == Some(Standing::Trunk) => Identity::Trunk,
            Ok(_) => Identity::Endpoint(answer.username),
            Err(Stale) => self.challenge(source, true, now),
        }
    }

    /// Whether `request` claims to come from an endpoint.
    pub(crate) fn are_named_by(&self, request: &Request) -> bool {
        let Ok(from) = request.from_header().and_then(ToTypedHeader::typed) else { return false };
        self.is_ours(&from.uri)
            || self.config.registrar.is_registered(&message::user(&from.uri))
            || Answer::of(request, &self.config.realm).is_some()
    }

    /// Whether `uri` is the address of an endpoint that is not there.
    pub(crate) fn miss(&self, uri: &Uri) -> bool {
        uri.auth.is_some() && self.is_ours(uri) && !self.config.registrar.is_registered(&message::user(uri))
    }

    fn is_ours(&self, uri: &Uri) -> bool {
        uri.host_with_port.host.to_string().eq_ignore_ascii_case(&self.config.realm)
    }

    fn challenge(&self, source: IpAddr, stale: bool, now: Instant) -> Identity {
        let challenges = self.challenges.issue(&self.config.realm, source, stale, now);
        let header = |challenge: String| Header::WwwAuthenticate(challenge.into());
        Identity::Unknown(challenges.into_iter().map(header).collect())
    }
}
