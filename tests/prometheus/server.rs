//! A small HTTP/1.1 server that answers as a test wants, notes what it was asked, and can die.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// What arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub params: Vec<(String, String)>,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What goes back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    /// All of it.
    Whole(String),
    /// These bytes of more that never come.
    Hangs(String),
    /// These bytes of more, then the connection is closed.
    BreaksOff(String),
    /// Not even a status line.
    NoHead,
    /// Bytes without end.
    Endless,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(body.into()),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Body> for Reply {
    fn from(body: Body) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
        }
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    tls: Option<TlsAcceptor>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
}

/// Dies when dropped, in its own time; at once with [`Server::stop`].
pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), None, handler).await
    }

    pub async fn start_tls(
        tls: ServerConfig,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), Some(tls), handler).await
    }

    pub async fn start_at(
        address: SocketAddr,
        tls: Option<ServerConfig>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    /// Closes the port and all connections, and waits until that is done.
    pub async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.address
    }

    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        // An error is the client hanging up, or what the client is to find wrong with us.
        connections.spawn(async move {
            let _ = match shared.tls.clone() {
                Some(tls) => serve(tls.accept(stream).await?, &shared).await,
                None => serve(stream, &shared).await,
            };
            io::Result::Ok(())
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        let reply = (shared.handler)(&request);
        shared.requests.lock().unwrap().push(request);
        let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        match reply.body {
            Body::Whole(body) => {
                let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(text.as_bytes()).await?;
            }
            Body::Hangs(body) => {
                let text = format!("{head}content-length: 1000000\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
                std::future::pending::<()>().await;
            }
            Body::BreaksOff(body) => {
                let text = format!("{head}content-length: 1000000\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Body::NoHead => std::future::pending().await,
            Body::Endless => {
                stream
                    .write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
                    .await?;
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
                loop {
                    stream.write_all(chunk.as_bytes()).await?;
                }
            }
        }
        stream.flush().await?;
    }
    Ok(())
}

/// One request without a body; `None` when the client has hung up.
async fn read(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // As every server does with what is no HTTP, say the beginning of TLS.
            Ok(byte) if head.is_empty() && !byte.is_ascii_uppercase() => {
                stream
                    .write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                    .await?;
                return Ok(None);
            }
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let url = reqwest::Url::parse(&format!("http://server{target}")).unwrap();
    Ok(Some(Request {
        method: method.into(),
        path: url.path().into(),
        params: url.query_pairs().into_owned().collect(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
    }))
}
