//! The real Prometheus. The one that trials share scrapes the exporter four times a second.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Assets, child::Server, free_port, persist};
use crate::http;

/// How long it may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running Prometheus.
pub struct PrometheusServer {
    url: String,
    _server: Server,
    _dir: tempfile::TempDir,
}

impl PrometheusServer {
    /// Starts it. Its first scrape comes some 5 s later: whoever waits for a sample waits for that.
    pub async fn start(assets: &Assets, exporter: SocketAddr) -> Result<Self, String> {
        // The labels are those that a scrape by namespace would put on.
        let config = json!({
            "global": {"scrape_interval": "250ms", "scrape_timeout": "200ms"},
            "scrape_configs": [{
                "job_name": "epp",
                "honor_labels": true,
                "static_configs": [{"targets": [exporter]}],
            }],
        });
        Self::configured(assets, &config, None).await
    }

    /// Starts one with this configuration, and these rules in `rules.yaml`.
    pub async fn configured(assets: &Assets, config: &Value, rules: Option<&Value>) -> Result<Self, String> {
        persist(async || Self::try_start(assets, config, rules).await).await
    }

    async fn try_start(assets: &Assets, config: &Value, rules: Option<&Value>) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = dir.path().join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string()).map_err(|e| e.to_string())?;
        if let Some(rules) = rules {
            std::fs::write(dir.path().join("rules.yaml"), rules.to_string()).map_err(|e| e.to_string())?;
        }
        let url = format!("http://127.0.0.1:{}", free_port());
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", dir.path().join("data").display()),
            format!("--web.listen-address={}", url.trim_start_matches("http://")),
            "--log.level=warn".into(),
        ];
        let mut server = Server::start(&assets.path("prometheus"), arguments, dir.path())?;
        let deadline = Instant::now() + READY_WITHIN;
        while !matches!(http::get(&format!("{url}/-/ready")).await, Some((200, _))) {
            server.check()?;
            if Instant::now() > deadline {
                return Err(format!("Prometheus is not ready\n{}", server.tail()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self {
            url,
            _server: server,
            _dir: dir,
        })
    }

    /// Base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What its API answers.
    pub async fn api(&self, path: &str) -> Option<Value> {
        let (_, text) = http::get(&format!("{}/api/v1/{path}", self.url)).await?;
        serde_json::from_str(&text).ok()
    }
}
