//! What the real Prometheus scrapes.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr};

use axum::{Router, extract::State, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{ENDPOINTS, GUIDE, Queues, SATURATION, TODAY};

/// A running exporter. It ends when this is dropped.
pub struct Exporter {
    address: SocketAddr,
    queues: Queues,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let queues = Queues::default();
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("its address");
        let router = Router::new()
            .route("/metrics", get(exposed))
            .with_state(queues.clone());
        let task = tokio::spawn(async move {
            // It never ends by itself.
            let _ = axum::serve(socket, router).await;
        });
        Self {
            address,
            queues,
            task,
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it shows.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn exposed(State(queues): State<Queues>) -> String {
    let mut text = String::new();
    for family in [TODAY, GUIDE] {
        let _ = writeln!(text, "# TYPE {family} gauge");
        for (queue, waiting) in queues
            .all()
            .into_iter()
            .filter(|(queue, _)| queue.family == family)
        {
            series(&mut text, family, &queue.labels(), waiting);
        }
    }
    // A saturation of 1 and no endpoints, as of a pool that is parked.
    for (family, value) in [(SATURATION, 1.0), (ENDPOINTS, 0.0)] {
        let _ = writeln!(text, "# TYPE {family} gauge");
        for sign in queues.signs().iter().filter(|sign| sign.family == family) {
            series(&mut text, family, &sign.labels(), value);
        }
    }
    text
}

fn series(text: &mut String, family: &str, labels: &BTreeMap<&str, &str>, value: f64) {
    let labels: Vec<_> = labels
        .iter()
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    let _ = writeln!(text, "{family}{{{}}} {value}", labels.join(","));
}
