//! Serves connections, with limits on how many and how slow.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Connected;
use super::auth::Peer;
use crate::tls::Tls;

/// Connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;
/// Longest wait for the head of a request, also of the next on a connection.
const MAX_HEAD_WAIT: Duration = Duration::from_secs(30);
/// Wait after a failed accept, which mostly means that descriptors ran out.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves `router` on `listener`, with TLS if there is any, until `stop`, and
/// then until the requests that were being answered are answered.
pub async fn serve(listener: TcpListener, tls: Option<Arc<Tls>>, router: Router, stop: CancellationToken) {
    let running = TaskTracker::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = async { (place.await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        let connected = Connected { peer, secure: tls.is_some() };
        let router = router.clone().layer(Extension(Peer(peer.ip()))).layer(Extension(connected));
        let (tls, stop) = (tls.clone(), stop.clone());
        running.spawn(async move {
            match tls {
                None => converse(stream, router, stop).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => converse(stream, router, stop).await,
                    Err(error) => tracing::debug!(%error, "no TLS connection"),
                },
            }
            drop(place);
        });
    }
    drop(listener);
    running.close();
    running.wait().await;
}

/// Answers requests until the peer has no more or, at `stop`, those that were begun are answered. A
/// connection that becomes a WebSocket is not ours any more.
async fn converse<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(MAX_HEAD_WAIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
