//! Why the service does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use mixminus_archive::ArchiveError;
use mixminus_dtls::IdentityError;
use mixminus_media::MediaError;
use mixminus_sip::SipError;
use mixminus_store::StoreError;

use crate::account::AccountError;
use crate::tls::TlsError;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory cannot be made.
    #[error("data_dir {}: {source}", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There are no credentials.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// There is no certificate for handshakes.
    #[error(transparent)]
    Dtls(#[from] IdentityError),
    /// Nothing can write recordings.
    #[error("recordings: {0}")]
    Recorder(#[source] std::io::Error),
    /// The database cannot be used.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// Recordings cannot be kept.
    #[error("recordings.{key}: {source}")]
    Recordings {
        /// The key that says where.
        key: &'static str,
        /// Why not.
        source: ArchiveError,
    },
    /// The key of recordings cannot be read.
    #[error("recordings.encryption_key_file {}: {source}", path.display())]
    EncryptionKey {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The key of signed URLs cannot be kept.
    #[error("url.key in data_dir: {0}")]
    UrlKey(std::io::Error),
    /// An address cannot be listened on.
    #[error("{key} {address}: {source}")]
    Listen {
        /// The key that names it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no certificate for the port with TLS.
    #[error("http.tls_certificate, http.tls_key: {0}")]
    Tls(TlsError),
    /// Some of what TLS takes is missing.
    #[error("http.tls_listen, http.tls_certificate, http.tls_key: accepted: all three or none")]
    TlsIncomplete,
    /// The system does not tell where a socket listens.
    #[error("sockets: {0}")]
    Sockets(std::io::Error),
    /// There is no certificate for signalling with TLS.
    #[error("sip.tls_certificate, sip.tls_key: {0}")]
    SipTls(TlsError),
    /// One of certificate and key is missing.
    #[error("sip.tls_certificate, sip.tls_key: accepted: both or, for those of http, neither")]
    SipTlsIncomplete,
    /// The certificates of those who are called cannot be checked.
    #[error("sip.tls_ca {}: {source}; accepted: a PEM file of certificates", path.display())]
    SipAuthorities {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Signalling cannot start.
    #[error("sip.listen: {0}")]
    Sip(SipError),
    /// Media workers cannot start.
    #[error("media: {0}")]
    Media(MediaError),
    /// There is no HTTP client.
    #[error("HTTP client: {0}")]
    Web(reqwest::Error),
    /// The system does not tell of signals.
    #[error("signals: {0}")]
    Signals(std::io::Error),
}
