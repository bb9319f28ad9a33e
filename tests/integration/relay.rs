//! A port behind which a server comes and goes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Mutex,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Passes connections on, once it is open. It ends when this is dropped.
pub struct Relay {
    address: SocketAddr,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Relay {
    /// A port where nobody listens yet.
    pub fn closed() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, crate::servers::free_port())),
            task: Mutex::default(),
        }
    }

    /// Base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes on what comes to this server.
    pub async fn open(&self, url: &str) {
        let to = url.trim_start_matches("http://").to_owned();
        let socket = TcpListener::bind(self.address).await.expect("its port");
        let task = tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = socket.accept().await {
                let to = to.clone();
                connections.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(to).await {
                        // However it ends, both sides notice.
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        });
        *self.task.lock().unwrap() = Some(task);
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

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}
