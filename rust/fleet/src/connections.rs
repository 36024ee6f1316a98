// SPDX-License-Identifier: Apache-2.0
//! HTTP connections with limits on their number and on their time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Bytes of the lines before a request's body.
const HEAD: usize = 32 << 10;

/// Limits of the connections.
pub struct Limits {
    /// Largest number of connections at the same time. Others wait until one of these ends.
    pub connections: usize,
    /// Longest time until the head of a request is here.
    pub idle: Duration,
    /// Longest time of a connection.
    pub connection: Duration,
    /// Time that connections may go on after the end.
    pub goodbye: Duration,
}

/// Accepts connections until `ended`, and gives those that are open a moment.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, ended: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(ended);
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (stream, permit) = tokio::select! {
            () = &mut ended => break,
            (accepted, permit) = accepted => match accepted {
                Ok((stream, _)) => (stream, permit),
                Err(error) => {
                    // no more files perhaps: other connections end
                    tracing::warn!("a connection is not accepted: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        let most = limits.connection;
        tokio::spawn(async move {
            // whatever went wrong concerns this client only
            let _ = timeout(most, connection).await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = timeout(limits.goodbye, graceful.shutdown()).await;
}
