//! Endpoints: their passwords, where they are, and what answers their calls.

mod keeping;
mod reception;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use mixminus_control::PasswordDigests;
use mixminus_sip::{
    Attempts, EndpointConfig, Expiry, PasswordHashes, Passwords, Registrar, Standing, Unavailable,
};
use mixminus_store::Store;

use crate::config::Config;
use crate::dialect;

pub use keeping::{keep, restore};
pub use reception::{Arriving, NumberRoute, Numbers, Reception};

/// How the user agent serves endpoints, if it is to.
pub fn config(
    config: &Config,
    store: &Arc<dyn Store>,
    registrar: &Registrar,
    attempts: &Arc<Attempts>,
) -> Option<EndpointConfig> {
    let seconds = |count: u32| Duration::from_secs(count.into());
    let sip = &config.sip;
    let trunk = sip.incoming_username.as_ref().zip(sip.incoming_password.as_ref());
    let trunk = trunk.map(|(name, password)| (name.0.clone(), password_digests(&name.0, password.expose())));
    sip.endpoints.then(|| EndpointConfig {
        realm: dialect::ENDPOINT_DOMAIN.to_owned(),
        passwords: Arc::new(KnownPasswords { trunk, store: Arc::downgrade(store) }),
        registrar: registrar.clone(),
        algorithms: sip.digests.iter().map(|digest| digest.0).collect(),
        expiry: Expiry {
            min: seconds(sip.min_registration_s.get()),
            max: seconds(sip.max_registration_s.get().max(sip.min_registration_s.get())),
        },
        attempts: Arc::clone(attempts),
        address_query: Some(dialect::ADDRESS_QUERY.to_owned()),
    })
}

/// HA1 of RFC 7616, section 3.4.2, of the password of an endpoint or a trunk; the password itself is not kept.
pub fn password_digests(username: &str, password: &str) -> PasswordDigests {
    let PasswordHashes { md5, sha256 } = PasswordHashes::of(username, dialect::ENDPOINT_DOMAIN, password);
    PasswordDigests { md5, sha256 }
}

/// The trunk of the configuration, and the store as one who knows endpoints.
struct KnownPasswords {
    trunk: Option<(String, PasswordDigests)>,
    /// Whoever serves the last request does not keep it open.
    store: Weak<dyn Store>,
}

impl fmt::Debug for KnownPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownPasswords")
    }
}

#[async_trait]
impl Passwords for KnownPasswords {
    async fn hashes(&self, username: &str) -> Result<Option<(PasswordHashes, Standing)>, Unavailable> {
        if let Some((_, digests)) = self.trunk.as_ref().filter(|(trunk, _)| trunk == username) {
            return Ok(Some((hashes(digests.clone()), Standing::Trunk)));
        }
        let store = self.store.upgrade().ok_or(Unavailable)?;
        let found = store.endpoint_by_username(username).await.map_err(|error| {
            tracing::error!(%error, "an endpoint's password cannot be looked up");
            Unavailable
        })?;
        Ok(found.map(|endpoint| (hashes(endpoint.digests), Standing::Endpoint)))
    }
}

fn hashes(PasswordDigests { md5, sha256 }: PasswordDigests) -> PasswordHashes {
    PasswordHashes { md5, sha256 }
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
