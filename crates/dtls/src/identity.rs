//! Who we are in handshakes.

use std::fmt::{self, Debug};
use std::sync::Arc;

use mixminus_rtp::srtp::Fingerprint;
use ring::digest::{SHA256, digest};
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::{RTCCryptoProvider, default_provider};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use thiserror::Error;

/// A certificate could not be made.
#[derive(Debug, Error)]
#[error("cannot make a certificate for DTLS: {0}")]
pub struct IdentityError(String);

/// A certificate of our own, signed by itself, good for all calls of a process: what far ends believe is its
/// fingerprint, told by signalling.
#[derive(Clone)]
pub struct Identity {
    pub(crate) accepting: Arc<HandshakeConfig>,
    pub(crate) calling: Arc<HandshakeConfig>,
    fingerprint: Fingerprint,
}

impl Identity {
    /// Makes a new key and its certificate.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when the system gives no randomness.
    pub fn generate() -> Result<Self, IdentityError> {
        let failed = |error: rtc_shared::error::Error| IdentityError(error.to_string());
        let crypto: Arc<dyn RTCCryptoProvider> =
            default_provider().map_err(|error| IdentityError(error.to_string()))?;
        let names = vec!["mixminus".to_owned()];
        let certificate = Certificate::generate_self_signed(names, crypto.crypto()).map_err(failed)?;
        let fingerprint = fingerprint(&certificate.certificate[0]);
        let config = |is_client| {
            ConfigBuilder::default()
                .with_crypto_provider(Arc::clone(&crypto))
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(vec![
                    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
                    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
                ])
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_extended_master_secret(ExtendedMasterSecretType::Request)
                // No authority is asked; the fingerprint is checked by `Handshake`.
                .with_insecure_skip_verify(true)
                .with_server_name("mixminus".to_owned())
                .build(is_client, None)
                .map(Arc::new)
        };
        Ok(Self {
            accepting: config(false).map_err(failed)?,
            calling: config(true).map_err(failed)?,
            fingerprint,
        })
    }

    /// What far ends are to be told of it.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint).finish()
    }
}

/// The fingerprint of a certificate in DER.
pub(crate) fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let hash = digest(&SHA256, certificate);
    Fingerprint(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
