//! The connection to the API server.
//!
//! kube's default client sends each request on a connection of its own over HTTP/1.1 and leaves
//! Nagle's algorithm on: the last flight of the TLS handshake and the first request are two small
//! writes, and the second waits some 40 ms for the delayed acknowledgement of the first. Idle
//! connections close after 90 s, so a lone wake nearly always met that. This client speaks HTTP/2
//! where the server does (every API server over TLS) and keeps its connection open for good; pings
//! find out a dead one. Over plain HTTP, and where only
//! HTTP/1.1 is offered, `TCP_NODELAY` takes the 40 ms away. `docs/performance.md` has the figures.

use std::{path::PathBuf, time::Duration};

use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, ConfigExt as _},
    config::Kubeconfig,
};
use tower::{BoxError, ServiceBuilder, timeout::TimeoutLayer};
use tower_http::timeout::ResponseBodyTimeoutLayer;

/// From sending a request to the head of its answer. Also how long connecting may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest silence within an answer: above the 60 s that a watch lasts.
const BODY_SILENT_FOR: Duration = Duration::from_secs(90);
/// How often an HTTP/2 connection is pinged, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_WITHIN: Duration = Duration::from_secs(5);

/// Why no client can be made. None of these mends itself.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither a kubeconfig nor in-cluster credentials.
    #[error(
        "no way to the API server: {0}; set KUBECONFIG, or run in a pod with a ServiceAccount token mounted"
    )]
    Infer(#[source] Box<kube::config::InferConfigError>),
    /// The credentials cannot be used.
    #[error("cannot use the credentials for the API server at {url}: {source}")]
    Credentials {
        /// Where it is.
        url: String,
        /// What is wrong.
        source: Box<kube::Error>,
    },
    /// A proxy is configured.
    #[error("the kubeconfig asks for a proxy ({0}), which is not supported; reach the API server directly")]
    Proxy(String),
    /// A server name that is none.
    #[error("tls-server-name {0:?} of the kubeconfig is not a host name")]
    ServerName(String),
}

/// Says where the cluster is: `KUBECONFIG`, `~/.kube/config`, else the pod's ServiceAccount.
///
/// The file of its certificate authority, which may be rotated, is remembered; kube reads it again for a new
/// connection when the last reading is a minute old.
///
/// # Errors
/// When there is neither.
pub async fn config() -> Result<Config, ClientError> {
    let mut config = Config::infer()
        .await
        .map_err(|error| ClientError::Infer(Box::new(error)))?;
    // A pod's is set already. That of a kubeconfig kube reads once, and forgets where.
    if config.root_cert_file.is_none() && config.root_cert.is_some() {
        config.root_cert_file = Kubeconfig::read().ok().and_then(authority_file);
    }
    Ok(config)
}

/// The file that the current context names as its certificate authority. Data within the kubeconfig wins over it.
fn authority_file(kubeconfig: Kubeconfig) -> Option<PathBuf> {
    let current = kubeconfig.current_context?;
    let mut contexts = kubeconfig.contexts.into_iter();
    let context = contexts.find(|context| context.name == current)?.context?;
    let mut clusters = kubeconfig.clusters.into_iter();
    let cluster = clusters
        .find(|cluster| cluster.name == context.cluster)?
        .cluster?;
    match cluster.certificate_authority_data {
        Some(_) => None,
        None => cluster.certificate_authority.map(PathBuf::from),
    }
}

/// Builds the client.
///
/// # Errors
/// When the credentials cannot be used. A server that does not answer is no error here.
pub fn client(config: &Config) -> Result<Client, ClientError> {
    let unusable = |source| ClientError::Credentials {
        url: config.cluster_url.to_string(),
        source: Box::new(source),
    };
    if let Some(proxy) = &config.proxy_url {
        return Err(ClientError::Proxy(proxy.host().unwrap_or_default().into()));
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(ANSWER_WITHIN));
    let mut tls = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config().map_err(unusable)?)
        .https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name
            .clone()
            .try_into()
            .map_err(|_| ClientError::ServerName(name.clone()))?;
        tls = tls.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(name));
    }
    let http = HttpClient::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(None)
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_WITHIN)
        .http2_keep_alive_while_idle(true)
        .build::<_, Body>(tls.enable_all_versions().wrap_connector(tcp));
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(ANSWER_WITHIN))
        .layer(ResponseBodyTimeoutLayer::new(BODY_SILENT_FOR))
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(unusable)?)
        .layer(config.extra_headers_layer().map_err(unusable)?)
        .map_err(BoxError::from)
        .service(http);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_the_current_context_trusts_is_known() {
        let file = |cluster: &str, current: &str| {
            let text = format!(
                "{{current-context: {current}, contexts: [{{name: a, context: {{cluster: c}}}}], clusters: [\
                 {{name: other, cluster: {{certificate-authority: /other.crt}}}}, {{name: c, cluster: {cluster}}}]}}"
            );
            authority_file(Kubeconfig::from_yaml(&text).unwrap())
        };
        assert_eq!(
            file("{certificate-authority: /ca.crt}", "a"),
            Some(PathBuf::from("/ca.crt"))
        );
        let both = "{certificate-authority: /ca.crt, certificate-authority-data: aGk=}";
        assert_eq!(file(both, "a"), None, "data wins");
        assert_eq!(file("{}", "a"), None);
        assert_eq!(file("{certificate-authority: /ca.crt}", "nobody"), None);
    }
}
