//! What holds where the file says nothing. The one place for it: `validate` starts from here, and
//! `config.example.yaml` is held to it by a test.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use http::Uri;

use super::{
    Auth, Backoff, Config, Labels, LeaderElection, Log, LogFormat, MissingNamespace, Prometheus, Query,
    Scope, Select, Server, Source, Status, Tls, Unmatched, Wake,
};

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(100),
            prometheus: Prometheus::default(),
            query: Query::default(),
            scope: Scope::default(),
            wake: Wake::default(),
            status: Status::default(),
            events: true,
            leader_election: LeaderElection::default(),
            server: Server::default(),
            log: Log::default(),
            dry_run: false,
        }
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            // Where WVA's install guide puts it.
            urls: vec![Uri::from_static(
                "http://kube-prometheus-stack-prometheus.monitoring.svc:9090",
            )],
            timeout: Duration::from_secs(2),
            auth: Auth::None,
            tls: Tls::default(),
            headers: BTreeMap::new(),
            params: BTreeMap::new(),
        }
    }
}

impl Default for Query {
    fn default() -> Self {
        Self {
            families: vec![
                "llm_d_epp_flow_control_queue_size".to_owned(),
                "inference_extension_flow_control_queue_size".to_owned(),
            ],
            labels: Labels::default(),
            matchers: BTreeMap::new(),
            missing_namespace: MissingNamespace::One,
            expression: None,
            max_sample_age: Duration::from_secs(2 * 60),
            signal_interval: Duration::from_secs(30),
        }
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            namespace: "namespace".to_owned(),
            pool: "inference_pool".to_owned(),
            model: "model_name".to_owned(),
            target_model: "target_model_name".to_owned(),
        }
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            controller_instance: None,
            sources: Source::ALL.into(),
        }
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            select: Select::Cheapest,
            unmatched: Unmatched::Report,
            guard: false,
            concurrency: 16,
            ready_timeout: Duration::from_secs(10 * 60),
            // Autoscalers need minutes to bring a GPU node.
            unschedulable_after: Duration::from_secs(5 * 60),
            max_escalations: 1,
            settle: Duration::from_secs(2 * 60),
            manual_hold: Duration::from_secs(10 * 60),
            max_starting: None,
            max_starting_per_namespace: None,
            backoff: Backoff::default(),
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(5 * 60),
        }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self {
            enabled: true,
            fallback_accelerator: "unknown".to_owned(),
            annotate_variant: false,
        }
    }
}

impl Default for LeaderElection {
    fn default() -> Self {
        Self {
            enabled: false,
            name: "scale-from-zero".to_owned(),
            namespace: None,
            lease_duration: Duration::from_secs(15),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8085)),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: tracing::Level::INFO,
            format: LogFormat::Text,
        }
    }
}
