//! The configurations of docs/examples: each is asked through, and asks as it says.

use std::{collections::BTreeMap, fs, path::Path};

use scale_from_zero::config::{Config as Whole, Environment, parse};

use super::{
    pki::{self, Ca},
    server::{Request, Server},
    *,
};

/// What a server of one dialect is asked, but for the query and its timeout.
struct Asked {
    /// The address in the file, which nothing here can listen on.
    at: &'static [&'static str],
    path: &'static str,
    params: &'static [(&'static str, &'static str)],
    /// By lower-case name, all that is sent beyond what every request has.
    headers: &'static [(&'static str, &'static str)],
}

/// What the token of a file is here.
const SECRET: &str = "secret";
const BEARER: (&str, &str) = ("authorization", "Bearer secret");

const EXPECTED: [(&str, Asked); 12] = [
    (
        "prometheus-kube-prometheus-stack.yaml",
        Asked {
            at: &[
                "http://prometheus-kube-prometheus-stack-prometheus-0.prometheus-operated.monitoring.svc:9090",
                "http://prometheus-kube-prometheus-stack-prometheus-1.prometheus-operated.monitoring.svc:9090",
            ],
            path: "/api/v1/query",
            params: &[],
            headers: &[],
        },
    ),
    (
        "prometheus-thanos.yaml",
        Asked {
            at: &["http://thanos-query.monitoring.svc:9090"],
            path: "/api/v1/query",
            params: &[("partial_response", "false"), ("dedup", "true")],
            headers: &[],
        },
    ),
    (
        "prometheus-mimir.yaml",
        Asked {
            at: &["http://mimir-gateway.mimir.svc"],
            path: "/prometheus/api/v1/query",
            params: &[],
            headers: &[("x-scope-orgid", "tenant-a")],
        },
    ),
    (
        "prometheus-openshift.yaml",
        Asked {
            at: &["https://thanos-querier.openshift-monitoring.svc:9091"],
            path: "/api/v1/query",
            params: &[("partial_response", "false")],
            headers: &[BEARER],
        },
    ),
    (
        "prometheus-openshift-tenancy.yaml",
        Asked {
            at: &["https://thanos-querier.openshift-monitoring.svc:9092"],
            path: "/api/v1/query",
            params: &[("namespace", "team-a"), ("partial_response", "false")],
            headers: &[BEARER],
        },
    ),
    (
        "prometheus-victoriametrics.yaml",
        Asked {
            at: &["http://victoria-metrics.monitoring.svc:8428"],
            path: "/api/v1/query",
            params: &[("latency_offset", "1ms")],
            headers: &[],
        },
    ),
    (
        "prometheus-victoriametrics-cluster.yaml",
        Asked {
            at: &["http://vmselect.monitoring.svc:8481"],
            path: "/select/0/prometheus/api/v1/query",
            params: &[("latency_offset", "1ms"), ("deny_partial_response", "1")],
            headers: &[],
        },
    ),
    (
        "prometheus-grafana-cloud.yaml",
        Asked {
            at: &["https://prometheus-prod-01-eu-west-0.grafana.net"],
            path: "/api/prom/api/v1/query",
            params: &[],
            // 123456:secret
            headers: &[("authorization", "Basic MTIzNDU2OnNlY3JldA==")],
        },
    ),
    (
        "prometheus-amazon.yaml",
        Asked {
            at: &["http://localhost:8005"],
            path: "/workspaces/ws-00000000-0000-0000-0000-000000000000/api/v1/query",
            params: &[],
            headers: &[],
        },
    ),
    (
        "prometheus-google.yaml",
        Asked {
            at: &["http://frontend.gmp-public.svc:9090"],
            path: "/api/v1/query",
            params: &[],
            headers: &[],
        },
    ),
    (
        "prometheus-kube-rbac-proxy.yaml",
        Asked {
            at: &["https://prometheus.monitoring.svc:8443"],
            path: "/api/v1/query",
            params: &[],
            headers: &[BEARER],
        },
    ),
    (
        "prometheus-client-certificate.yaml",
        Asked {
            at: &["https://prometheus.monitoring.svc:9090"],
            path: "/api/v1/query",
            params: &[],
            headers: &[],
        },
    ),
];

#[tokio::test]
async fn every_example_asks_as_its_dialect_wants() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut expected = BTreeMap::from(EXPECTED);
    // As in a pod: some turn leader election on, whose Lease lives there.
    let env = Environment {
        namespace: Some("scale-from-zero".into()),
    };
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let asked = expected
            .remove(name)
            .unwrap_or_else(|| panic!("nothing says what {name} asks: say it in this test"));
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            assert!(line.len() <= 120, "{name}: {line}");
        }
        let config = parse(&path, &text, &env).unwrap_or_else(|error| panic!("{error}"));
        asks_so(name, config, &asked).await;
    }
    assert!(expected.is_empty(), "no such file: {:?}", expected.keys());
}

/// Puts servers that note everything where the configuration's are, and files where it wants some.
async fn asks_so(name: &str, mut config: Whole, asked: &Asked) {
    let at: Vec<_> = config.prometheus.urls.iter().map(origin).collect();
    assert_eq!(at, asked.at, "{name}");
    let (ca, files) = (Ca::new("the dialect's"), Files::new());
    let prometheus = &mut config.prometheus;
    match &mut prometheus.auth {
        Auth::None => {}
        Auth::BearerTokenFile(file)
        | Auth::Basic {
            password_file: file, ..
        } => {
            assert!(file.starts_with("/var/run/secrets"), "{name}: {}", file.display());
            *file = files.write("token", SECRET);
        }
    }
    let certified = prometheus.tls.client.is_some();
    if let Some((cert, key)) = &mut prometheus.tls.client {
        let leaf = ca.sign("client");
        *cert = files.write("tls.crt", &leaf.cert_pem);
        *key = files.write("tls.key", &leaf.key_pem);
    }
    // Where an authority of the public is trusted, ours is here.
    if prometheus.urls[0].scheme_str() == Some("https") {
        prometheus.tls.ca_file = Some(files.write("ca.crt", ca.pem()));
    }
    let mut servers = Vec::new();
    for url in &mut prometheus.urls {
        let server = if url.scheme_str() == Some("https") {
            let tls = pki::server(&ca.sign("127.0.0.1"), certified.then_some(&ca));
            Server::start_tls(tls, answers_five).await
        } else {
            Server::start(answers_five).await
        };
        *url = format!("{}{}", server.url(), url.path()).parse().unwrap();
        servers.push(server);
    }
    let client = Prometheus::new(prometheus, &config.query).unwrap();
    assert_five(&client).await;
    client.ages().await.unwrap();
    client.signals().await.unwrap();
    // Of several, each is asked so: the others when those before have failed.
    for server in servers {
        assert_five(&client).await;
        let requests = server.requests();
        assert!(!requests.is_empty(), "{name}: {} was not asked", server.url());
        for request in &requests {
            was_asked_so(name, request, asked);
            let query = request.param("query").unwrap();
            for (label, value) in &config.query.matchers {
                let matcher = format!("{label}=\"{value}\"");
                assert!(query.contains(&matcher), "{name}: no {matcher} in {query}");
            }
        }
        server.stop().await;
    }
}

fn was_asked_so(name: &str, request: &Request, asked: &Asked) {
    assert_eq!(request.method, "GET", "{name}");
    assert_eq!(request.path, asked.path, "{name}");
    let own = |(key, value): &(String, String)| {
        (key != "query" && key != "timeout").then(|| (key.clone(), value.clone()))
    };
    let params: BTreeMap<_, _> = request.params.iter().filter_map(own).collect();
    let expected = asked
        .params
        .iter()
        .map(|&(key, value)| (key.into(), value.into()));
    assert_eq!(params, expected.collect(), "{name}");
    let usual = ["host", "accept", "user-agent", "content-type"];
    let headers = request.headers.iter();
    let headers: BTreeMap<_, _> = headers
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !usual.contains(key))
        .collect();
    assert_eq!(headers, asked.headers.iter().copied().collect(), "{name}");
}

/// Scheme, host and port, as the file says them.
fn origin(url: &http::Uri) -> String {
    format!("{}://{}", url.scheme_str().unwrap(), url.authority().unwrap())
}
