//! A port behind which a server comes and goes.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// Passes connections on, once it is open. It ends when this is dropped.
pub struct Relay {
    address: SocketAddr,
    tokens: Tokens,
    task: Mutex<Option<JoinHandle<()>>>,
}

type Tokens = Arc<Mutex<BTreeSet<String>>>;

impl Relay {
    /// A port where nobody listens yet.
    pub fn closed() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, crate::servers::free_port())),
            tokens: Tokens::default(),
            task: Mutex::default(),
        }
    }

    /// Base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes on what comes to this server.
    pub async fn open(&self, url: &str) {
        self.serve(url, None).await;
    }

    /// The same for what comes over TLS.
    pub async fn open_tls(&self, url: &str, tls: ServerConfig) {
        self.serve(url, Some(TlsAcceptor::from(Arc::new(tls)))).await;
    }

    async fn serve(&self, url: &str, tls: Option<TlsAcceptor>) {
        let to = url.trim_start_matches("http://").to_owned();
        let tokens = self.tokens.clone();
        let socket = TcpListener::bind(self.address).await.expect("its port");
        let task = tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = JoinSet::new();
            while let Ok((from, _)) = socket.accept().await {
                let (to, tls, tokens) = (to.clone(), tls.clone(), tokens.clone());
                connections.spawn(async move {
                    let to = TcpStream::connect(to).await?;
                    // However it ends, both sides notice.
                    match tls {
                        None => pass(from, to, &tokens).await,
                        Some(tls) => pass(tls.accept(from).await?, to, &tokens).await,
                    }
                });
            }
        });
        *self.task.lock().unwrap() = Some(task);
    }

    /// The bearer tokens that requests have shown.
    pub fn tokens(&self) -> BTreeSet<String> {
        self.tokens.lock().unwrap().clone()
    }

    /// Cuts all connections, and takes no more until it is opened again.
    pub async fn close(&self) {
        let task = self.task.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            // Then the port is free.
            let _ = task.await;
        }
    }
}

/// Passes on both ways until one side ends, and notes the tokens of requests.
async fn pass(client: impl AsyncRead + AsyncWrite, server: TcpStream, tokens: &Tokens) -> io::Result<()> {
    const SHOWN: &str = "authorization: Bearer ";
    let (mut requests, mut to_client) = tokio::io::split(client);
    let (mut answers, mut to_server) = server.into_split();
    let forth = async {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let count = requests.read(&mut bytes).await?;
            if count == 0 {
                return to_server.shutdown().await;
            }
            // A head comes in one piece.
            let text = String::from_utf8_lossy(&bytes[..count]);
            for (at, _) in text.match_indices(SHOWN) {
                let token = text[at + SHOWN.len()..].lines().next().unwrap_or_default();
                tokens.lock().unwrap().insert(token.to_owned());
            }
            to_server.write_all(&bytes[..count]).await?;
        }
    };
    let back = async {
        tokio::io::copy(&mut answers, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(forth, back).map(|_| ())
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}
