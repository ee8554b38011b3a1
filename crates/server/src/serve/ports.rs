//! The ports of the HTTP API, plain and with TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use crate::config::Config;
use crate::http;
use crate::tls::{Tls, TlsFiles};

/// Sockets that listen.
pub struct Ports {
    plain: TcpListener,
    tls: Option<(TcpListener, Arc<Tls>)>,
}

impl Ports {
    /// Listens where `config` says: where the plain port is and then, if there is one, the port with TLS.
    pub async fn open(config: &Config) -> Result<(Self, Vec<SocketAddr>), ServeError> {
        let http = &config.http;
        let tls = match (http.tls_listen, &http.tls_certificate, &http.tls_key) {
            (Some(address), Some(certificate), Some(key)) => {
                let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
                let tls = Arc::new(Tls::load(files, &["http/1.1"]).map_err(ServeError::Tls)?);
                Some((listen("http.tls_listen", address).await?, tls))
            }
            (None, None, None) => None,
            _ => return Err(ServeError::TlsIncomplete),
        };
        let ports = Self { plain: listen("http.listen", http.listen).await?, tls };
        let tls = ports.tls.iter().map(|(listener, _)| listener);
        let listeners = std::iter::once(&ports.plain).chain(tls);
        let addresses = listeners.map(TcpListener::local_addr).collect::<Result<_, _>>();
        let addresses = addresses.map_err(ServeError::Sockets)?;
        Ok((ports, addresses))
    }

    /// Serves `router` until `stop`, and then until what was asked is answered.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let plain = http::serve(self.plain, None, router.clone(), stop.clone());
        match self.tls {
            None => plain.await,
            Some((listener, tls)) => {
                let secured = http::serve(listener, Some(Arc::clone(&tls)), router, stop.clone());
                tokio::join!(plain, secured, tls.watch(stop));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "here the HTTP ports get their sockets")]
async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { key, address, source })
}
