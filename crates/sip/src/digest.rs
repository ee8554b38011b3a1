//! Digest authentication of requests that come to us (RFC 7616, RFC 8760).
//!
//! Nonces carry their own proof, so that a challenge costs no memory; only those that were answered
//! rightly are remembered, for as long as they are good, so that no answer counts twice.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use ring::hmac;
use rsipstack::sip::typed::tokenizers::AuthTokenizer;
use rsipstack::sip::{Header, Host, Request, Uri};
use subtle::ConstantTimeEq;

/// How long a nonce is good. A longer time saves phones a round trip, and costs memory for nonces.
const NONCE_LIFE: Duration = Duration::from_mins(5);
/// Answered nonces that are remembered, of about 64 bytes each; the oldest make room and are stale then.
const MAX_USED: usize = 65_536;
/// Bytes of a nonce: issued, number, proof.
const NONCE_BYTES: usize = 8 + PROOF_BYTES;
const PROOF_BYTES: usize = 12;

/// A hash for digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5, which every phone knows.
    Md5,
    /// SHA-256 (RFC 8760).
    Sha256,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        })
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Md5, Self::Sha256].into_iter().find(|a| a.to_string().eq_ignore_ascii_case(text)).ok_or(())
    }
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text.as_bytes())),
            Self::Sha256 => {
                hexadecimal(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
            }
        }
    }
}

/// What a password leaves behind: the hashes of `user:realm:password` (HA1), in lower-case hexadecimal.
/// Whoever has one can register, so it prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHashes {
    /// MD5, 32 digits.
    pub md5: String,
    /// SHA-256, 64 digits.
    pub sha256: String,
}

impl PasswordHashes {
    /// What `password` leaves behind (RFC 7616 section 3.4.2).
    pub fn of(username: &str, realm: &str, password: &str) -> Self {
        let secret = format!("{username}:{realm}:{password}");
        let [md5, sha256] = [Algorithm::Md5, Algorithm::Sha256].map(|algorithm| algorithm.hash(&secret));
        Self { md5, sha256 }
    }
}

impl fmt::Debug for PasswordHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a client answered to a challenge.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) username: String,
    nonce: Nonce,
    uri: String,
    response: String,
    algorithm: Algorithm,
    nonce_count: u32,
    /// As it was written: 8 hexadecimal digits.
    nc: String,
    cnonce: String,
}

/// The answer was right once, and another nonce may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stale;

/// What a right answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    New,
    /// The very request that was accepted before.
    Repeated,
}

impl Answer {
    /// The answer of `request` to a challenge of `realm`; none if there is none that we asked for.
    pub(crate) fn of(request: &Request, realm: &str) -> Option<Self> {
        request.headers.iter().find_map(|header| match header {
            Header::Authorization(value) => Self::read(value.value(), realm),
            _ => None,
        })
    }

    fn read(text: &str, realm: &str) -> Option<Self> {
        let AuthTokenizer { scheme, params } = AuthTokenizer::parse(text).ok()?;
        let value = |name: &str| {
            let mut named = params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| value.trim_matches('"')).filter(|_| named.next().is_none())
        };
        let asked = scheme.eq_ignore_ascii_case("Digest") && value("realm")? == realm;
        let nc = value("nc").filter(|nc| nc.len() == 8)?;
        let protected = value("qop")?.eq_ignore_ascii_case("auth");
        (asked && protected).then_some(Self {
            username: value("username")?.to_owned(),
            nonce: value("nonce")?.parse().ok()?,
            uri: value("uri")?.to_owned(),
            response: value("response")?.to_ascii_lowercase(),
            algorithm: value("algorithm").unwrap_or("MD5").parse().ok()?,
            nonce_count: u32::from_str_radix(nc, 16).ok()?,
            nc: nc.to_owned(),
            cnonce: value("cnonce").filter(|cnonce| !cnonce.is_empty())?.to_owned(),
        })
    }

    /// Whether the digest is that of the password and of this very request.
    pub(crate) fn proves(&self, request: &Request, hashes: &PasswordHashes) -> bool {
        let secret = match self.algorithm {
            Algorithm::Md5 => &hashes.md5,
            Algorithm::Sha256 => &hashes.sha256,
        };
        let hash = |text: &str| self.algorithm.hash(text);
        let what = hash(&format!("{}:{}", request.method, self.uri));
        let Self { nonce, nc, cnonce, .. } = self;
        let expected = hash(&format!("{secret}:{nonce}:{nc}:{cnonce}:auth:{what}"));
        let same: bool = expected.as_bytes().ct_eq(self.response.as_bytes()).into();
        same && is_same_target(&self.uri, &request.uri)
    }
}

/// Whether the URI that a digest is for is that of the request. Proxies and phones differ in
/// parameters and in the case of hosts.
fn is_same_target(stated: &str, target: &Uri) -> bool {
    let Ok(stated) = Uri::try_from(stated) else { return false };
    let user = |uri: &Uri| uri.auth.as_ref().map(|auth| auth.user.clone());
    let host = |uri: &Uri| match &uri.host_with_port.host {
        Host::Domain(name) => name.to_string().to_ascii_lowercase(),
        Host::IpAddr(address) => address.to_string(),
    };
    user(&stated) == user(target) && host(&stated) == host(target)
}

/// When and as what number a nonce was issued, and the proof that it was us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nonce {
    issued_s: u32,
    number: u32,
    proof: [u8; PROOF_BYTES],
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:08x}{}", self.issued_s, self.number, hexadecimal(&self.proof))
    }
}

impl FromStr for Nonce {
    type Err = ();

    /// Reads what [`fmt::Display`] writes and nothing else, so that the text of a nonce is one.
    fn from_str(text: &str) -> Result<Self, ()> {
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 2 * NONCE_BYTES || !text.bytes().all(lower) {
            return Err(());
        }
        let number =
            |at: usize, digits: usize| u32::from_str_radix(&text[at..at + digits], 16).map_err(|_| ());
        let mut proof = [0; PROOF_BYTES];
        for (index, byte) in proof.iter_mut().enumerate() {
            *byte = number(16 + 2 * index, 2)? as u8;
        }
        Ok(Self { issued_s: number(0, 8)?, number: number(8, 8)?, proof })
    }
}

/// What a request is recognised by when it is sent again.
pub(crate) type Fingerprint = [u8; 32];

/// The fingerprint of a whole request.
pub(crate) fn fingerprint(request: &Request) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, request.to_string().as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The answered nonces, the oldest first.
#[derive(Debug, Default)]
struct Used {
    last: BTreeMap<(u32, u32), (u32, Fingerprint)>,
    /// Up to this one all are stale.
    forgotten: Option<(u32, u32)>,
}

/// Issues challenges and judges their answers.
#[derive(Debug)]
pub(crate) struct Challenges {
    key: hmac::Key,
    algorithms: Vec<Algorithm>,
    began: Instant,
    issued: AtomicU32,
    used: Mutex<Used>,
}

impl Challenges {
    /// Challenges with these algorithms, the preferred first, provable by a secret `key`.
    pub(crate) fn new(key: &[u8], algorithms: Vec<Algorithm>, began: Instant) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self { key, algorithms, began, issued: AtomicU32::new(0), used: Mutex::default() }
    }

    /// The values of `WWW-Authenticate` for a client at `source`.
    pub(crate) fn issue(&self, realm: &str, source: IpAddr, stale: bool, now: Instant) -> Vec<String> {
        let stale = if stale { ", stale=true" } else { "" };
        let issue = |algorithm: &Algorithm| {
            let (issued_s, number) = (self.seconds(now), self.issued.fetch_add(1, Ordering::Relaxed));
            let nonce = Nonce { issued_s, number, proof: self.proof((issued_s, number), *algorithm, source) };
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}")
        };
        self.algorithms.iter().map(issue).collect()
    }

    /// Whether the answer is to a challenge for `source` that is still good, with the algorithm it asked for.
    pub(crate) fn is_fresh(&self, answer: &Answer, source: IpAddr, now: Instant) -> bool {
        let Nonce { issued_s, number, proof } = answer.nonce;
        let own = self.proof((issued_s, number), answer.algorithm, source);
        let age = self.seconds(now).checked_sub(issued_s);
        let forgotten = self.used.lock().unwrap_or_else(PoisonError::into_inner).forgotten;
        bool::from(own.ct_eq(&proof))
            && age.is_some_and(|age| u64::from(age) < NONCE_LIFE.as_secs())
            && forgotten.is_none_or(|last| (issued_s, number) > last)
    }

    /// Counts an answer that is fresh and right. The count of its nonce must grow, unless the
    /// request is the last one again.
    pub(crate) fn count(
        &self,
        answer: &Answer,
        request: Fingerprint,
        now: Instant,
    ) -> Result<Accepted, Stale> {
        let oldest = self.seconds(now).saturating_sub(NONCE_LIFE.as_secs() as u32);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.last.first_key_value().is_some_and(|(key, _)| key.0 < oldest) {
            used.last.pop_first();
        }
        let key = (answer.nonce.issued_s, answer.nonce.number);
        match used.last.get(&key) {
            Some((count, last)) if *count == answer.nonce_count && *last == request => {
                return Ok(Accepted::Repeated);
            }
            Some((count, _)) if *count >= answer.nonce_count => return Err(Stale),
            _ => {}
        }
        used.last.insert(key, (answer.nonce_count, request));
        if used.last.len() > MAX_USED {
            used.forgotten = used.last.pop_first().map(|(key, _)| key);
        }
        Ok(Accepted::New)
    }

    fn seconds(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.began).as_secs() as u32
    }

    fn proof(&self, nonce: (u32, u32), algorithm: Algorithm, source: IpAddr) -> [u8; PROOF_BYTES] {
        let text = format!("{} {} {algorithm} {}", nonce.0, nonce.1, source.to_canonical());
        let tag = hmac::sign(&self.key, text.as_bytes());
        tag.as_ref()[..PROOF_BYTES].try_into().expect("a tag is longer than its part")
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
pub(crate) mod tests;
