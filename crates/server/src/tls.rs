//! TLS for who connects, with a certificate from files, read again when they change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Longest wait for a client's part of the handshake.
const MAX_HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate, and those between it and the root.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {source}; accepted: a readable PEM file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate and the key do not belong together, or are of no known kind.
    #[error("{} and {}: {source}", files.certificate.display(), files.key.display())]
    Pair {
        /// The files.
        files: TlsFiles,
        /// Why not.
        source: rustls::Error,
    },
}

/// Speaks TLS with whoever connects.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    certificate: Arc<InUse>,
    config: Arc<ServerConfig>,
}

/// The certificate that new connections are shown.
#[derive(Debug)]
struct InUse(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads the certificate, for connections that speak one of `protocols` (RFC 7301), if any.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: it cannot be used.
    pub fn load(files: TlsFiles, protocols: &[&str]) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = Arc::new(InUse(RwLock::new(Arc::new(files.read(&provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Pair { files: files.clone(), source })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Self { files, certificate, config: Arc::new(config) })
    }

    /// What shows the certificate that is in use when somebody connects.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Shakes hands on `stream`.
    ///
    /// # Errors
    ///
    /// The client does not speak TLS, does not like the certificate or is too slow.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        timeout(MAX_HANDSHAKE_WAIT, TlsAcceptor::from(self.config()).accept(stream)).await?
    }

    /// Reads the certificate again whenever a file changed, until `stop`. One
    /// that cannot be used leaves the one before in place.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut seen = self.files.changed_at();
        while !stop.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            let now = self.files.changed_at();
            if now != seen {
                seen = now;
                self.reload();
            }
        }
    }

    fn reload(&self) {
        match self.files.read(self.config.crypto_provider()) {
            Ok(certificate) => {
                *self.certificate.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate in use stays"),
        }
    }
}

impl TlsFiles {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let unreadable = |path: &PathBuf| {
            let path = path.clone();
            move |source| TlsError::File { path, source }
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(unreadable(&self.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key))?;
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|source| TlsError::Pair { files: self.clone(), source })
    }

    /// A file that is being replaced may be absent for a moment.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key]
            .map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert;

    #[test]
    fn a_new_certificate_is_taken_and_a_spoilt_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let made = cert::write(folder.path(), &["api.plivo.com".into()], (2026, 1, 2)).unwrap();
        let files = TlsFiles { certificate: made.certificate, key: made.key };
        let tls = Tls::load(files.clone(), &[]).unwrap();
        let in_use = || Arc::as_ptr(&tls.certificate.0.read().unwrap());
        let first = in_use();
        tls.reload();
        let second = in_use();
        assert_ne!(first, second);
        std::fs::write(&files.certificate, "spoilt").unwrap();
        tls.reload();
        assert_eq!(in_use(), second);
    }

    #[test]
    fn what_cannot_be_used_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let made = cert::write(folder.path(), &["localhost".into()], (2026, 1, 2)).unwrap();
        let missing = folder.path().join("none.pem");
        let files = TlsFiles { certificate: missing.clone(), key: made.key.clone() };
        let error = Tls::load(files, &[]).unwrap_err().to_string();
        assert!(error.starts_with(missing.to_str().unwrap()), "{error}");
        let other = tempfile::tempdir().unwrap();
        let other = cert::write(other.path(), &["localhost".into()], (2026, 1, 2)).unwrap();
        let files = TlsFiles { certificate: other.certificate, key: made.key };
        assert!(matches!(Tls::load(files, &[]), Err(TlsError::Pair { .. } | TlsError::File { .. })));
    }
}
