//! The socket under the read-only listener, and what bounds it: anybody who reaches the port may try to hold it.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};

use axum::middleware::from_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Admin, Extras, host, server::routes};

/// Connections at once; who comes then takes the place of the oldest.
const CONNECTIONS: usize = 256;
/// How long the head of a request may take, and how long a connection may idle between two.
const HEAD: Duration = Duration::from_secs(30);
/// How long a connection may last: a client that reads slowly, or not at all, is not to keep it for good.
const LONGEST: Duration = Duration::from_secs(300);
/// How long nothing is accepted after the system could not give a connection, for want of file descriptors.
const NO_ROOM: Duration = Duration::from_millis(200);

/// Why the listener does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on server.address {address}: {source}; choose a free port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Takes the address.
///
/// # Errors
/// When it cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Bind { address, source })
}

/// Answers until shutdown, and then until requests under way have been answered.
///
/// Not `axum::serve`, which bounds neither the number of connections nor the time that one may take.
pub async fn serve(listener: TcpListener, admin: Admin, extras: Extras, shutdown: CancellationToken) {
    let routes = routes(admin, extras);
    let by_any_name = TowerToHyperService::new(routes.clone());
    let by_its_own = TowerToHyperService::new(routes.layer(from_fn(host::check)));
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    let open = GracefulShutdown::new();
    let mut connections = Connections::default();
    while let Some(stream) = shutdown.run_until_cancelled(accept(&listener)).await {
        let service = if is_local(&stream) {
            &by_its_own
        } else {
            &by_any_name
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = open.watch(connection.into_owned());
        let task = tokio::spawn(async move {
            // Whoever breaks off, or takes too long, is served no further; that concerns nobody else.
            let _ = timeout(LONGEST, pin!(connection)).await;
        });
        connections.begun(task.abort_handle());
    }
    drop(listener);
    open.shutdown().await;
}

/// Whether a connection came in by the loopback interface: from this machine or pod, `kubectl port-forward` included.
fn is_local(stream: &TcpStream) -> bool {
    stream.local_addr().is_ok_and(|address| is_loopback(address.ip()))
}

/// Whether an address is one of the loopback interface, written as IPv6 or not.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The connections that are open, the oldest first.
#[derive(Default)]
struct Connections(VecDeque<AbortHandle>);

impl Connections {
    /// One more has begun. Where that is one too many, the oldest ends: whoever holds all places keeps nobody out, not
    /// the kubelet with its probes above all.
    fn begun(&mut self, connection: AbortHandle) {
        self.0.retain(|open| !open.is_finished());
        if self.0.len() >= CONNECTIONS
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back(connection);
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and wanted now; without it they are only slower.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            // A connection that was given up before it was taken, or no file descriptor left for it.
            Err(error) => {
                tracing::debug!(%error, "Could not take a connection");
                sleep(NO_ROOM).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        task::JoinHandle,
    };

    use super::*;
    use crate::report::{History, Metrics, Queues};

    const ASK: &[u8] = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n";

    struct Running {
        address: SocketAddr,
        shutdown: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn running() -> Running {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (admin, _) = Admin::new(Metrics::new(), History::default(), Queues::default());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(listener, admin, Extras::default(), shutdown.clone()));
        Running {
            address,
            shutdown,
            task,
        }
    }

    /// Whether an answer comes, and ends the connection or not.
    async fn answered(stream: &mut TcpStream) -> bool {
        let mut text = [0; 15];
        stream.read_exact(&mut text).await.is_ok() && text == *b"HTTP/1.1 200 OK"
    }

    // Time is paused: it goes on to the next deadline once nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn who_never_finishes_a_request_is_not_waited_for() {
        let running = running().await;
        for begun in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: here\r\n"] {
            let mut stream = TcpStream::connect(running.address).await.expect("a connection");
            stream.write_all(begun).await.expect("taken");
            // What it says of a head that is late, if anything, and then the end.
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.expect("the end");
        }
    }

    #[tokio::test]
    async fn who_comes_when_it_is_full_takes_the_place_of_the_oldest() {
        let running = running().await;
        let mut open = Vec::new();
        for _ in 0..=CONNECTIONS {
            let mut stream = TcpStream::connect(running.address).await.expect("a connection");
            stream.write_all(ASK).await.expect("taken");
            assert!(answered(&mut stream).await);
            open.push(stream);
        }
        let mut rest = Vec::new();
        // Nothing more comes, and the end does.
        open[0].read_to_end(&mut rest).await.expect("the end");
        let second = &mut open[1];
        // The rest of its first answer, `" OK"` being read already, and then nothing.
        let more = timeout(Duration::from_millis(50), second.read_to_end(&mut rest)).await;
        assert!(more.is_err(), "it stays open");
    }

    #[test]
    fn loopback_is_told_however_it_is_written() {
        for (address, is) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_loopback(address.parse().expect("an address")), is, "{address}");
        }
    }

    #[tokio::test]
    async fn shutdown_ends_what_is_open_and_idle() {
        let running = running().await;
        let mut stream = TcpStream::connect(running.address).await.expect("a connection");
        stream.write_all(ASK).await.expect("taken");
        assert!(answered(&mut stream).await);
        running.shutdown.cancel();
        running.task.await.expect("it ends");
    }
}
