//! A port behind which a server appears later.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Mutex,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
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
            while let Ok((mut from, _)) = socket.accept().await {
                let to = to.clone();
                tokio::spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(to).await {
                        // However it ends, both sides notice.
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        });
        *self.task.lock().unwrap() = Some(task);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}
