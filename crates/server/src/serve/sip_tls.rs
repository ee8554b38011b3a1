//! TLS of signalling: the certificate we show, and those we believe.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use mixminus_sip::Transport;

use super::ServeError;
use crate::config::Config;
use crate::tls::{Tls, TlsFiles};

/// What signalling with TLS takes.
pub struct SipTls {
    /// Our certificate.
    pub server: Arc<Tls>,
    /// Those of whom we connect with.
    pub client: Arc<ClientConfig>,
}

impl SipTls {
    /// Reads what `config` names, if signalling listens with TLS at all. Without a certificate of its
    /// own it shows that of the HTTP port.
    pub fn load(config: &Config) -> Result<Option<Self>, ServeError> {
        let (sip, http) = (&config.sip, &config.http);
        if !sip.listen.iter().any(|listener| listener.transport == Transport::Tls) {
            return Ok(None);
        }
        let (certificate, key) = match (&sip.tls_certificate, &sip.tls_key) {
            (None, None) => (&http.tls_certificate, &http.tls_key),
            own => own,
        };
        let (Some(certificate), Some(key)) = (certificate, key) else {
            return Err(ServeError::SipTlsIncomplete);
        };
        let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
        let server = Arc::new(Tls::load(files, &[]).map_err(ServeError::SipTls)?);
        let client = client(sip.tls_ca.as_deref())?;
        Ok(Some(Self { server, client }))
    }
}

/// Believes whom this machine believes, and those that `more` names.
fn client(more: Option<&Path>) -> Result<Arc<ClientConfig>, ServeError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "some of the certificates of this machine are not believed");
    }
    roots.add_parsable_certificates(found.certs);
    if let Some(path) = more {
        let refused = |source| ServeError::SipAuthorities { path: path.to_owned(), source };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| refused(error.into()))? {
            let certificate = certificate.map_err(|error| refused(error.into()))?;
            roots.add(certificate).map_err(|error| refused(error.into()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.expect("the provider has what TLS 1.2 and 1.3 take");
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
