//! HTTPS with a certificate from files, read again when they change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the certificate.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: it cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let config = RwLock::new(Arc::new(files.config()?));
        Ok(Self { files, config })
    }

    /// Shakes hands on `stream`.
    ///
    /// # Errors
    ///
    /// The client does not speak TLS, does not like the certificate or is too slow.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        timeout(MAX_HANDSHAKE_WAIT, TlsAcceptor::from(config).accept(stream)).await?
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
        match self.files.config() {
            Ok(config) => {
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate in use stays"),
        }
    }
}

impl TlsFiles {
    fn config(&self) -> Result<ServerConfig, TlsError> {
        let unreadable = |path: &PathBuf| {
            let path = path.clone();
            move |source| TlsError::File { path, source }
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(unreadable(&self.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key))?;
        let pair = |source| TlsError::Pair { files: self.clone(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
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
        let tls = Tls::load(files.clone()).unwrap();
        let in_use = || Arc::as_ptr(&tls.config.read().unwrap());
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
        let error = Tls::load(files).unwrap_err().to_string();
        assert!(error.starts_with(missing.to_str().unwrap()), "{error}");
        let other = tempfile::tempdir().unwrap();
        let other = cert::write(other.path(), &["localhost".into()], (2026, 1, 2)).unwrap();
        let files = TlsFiles { certificate: other.certificate, key: made.key };
        assert!(matches!(Tls::load(files), Err(TlsError::Pair { .. } | TlsError::File { .. })));
    }
}
