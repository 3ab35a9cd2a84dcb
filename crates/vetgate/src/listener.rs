//! Taking connections: as many as the gateway can hold, none that sends its head forever, and none cut off at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long a request's head may take, and how long a connection may lie idle before one.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// Further connections wait in the system's queue.
const MOST_CONNECTIONS: usize = 4096;
/// How long taking connections rests when the system has none to give (too many open files).
const REST: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then finishes the requests that are under way.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        // Answers are small: waiting to fill a packet would only make them late.
        let _ = socket.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
        let connection = connections.watch(http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = connection.await;
            drop(slot);
        });
    }
    connections.shutdown().await;
}
