//! What the loop is started with in the demo.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use http::Uri;

use super::world::Pace;
use crate::config::{
    Auth, Backoff, Config, Labels, LeaderElection, Log, LogFormat, MissingNamespace, Prometheus, Query,
    Scope, Select, Server, Status, Tls, Wake,
};

/// The configuration of the loop: the defaults, against the embedded servers, at the story's pace.
//
// TODO(integration): take everything that is not changed below from `Config::default()`.
pub(super) fn config(prometheus: Uri, server: SocketAddr, pace: &Pace) -> Config {
    Config {
        interval: Duration::from_millis(100),
        prometheus: Prometheus {
            urls: vec![prometheus],
            timeout: Duration::from_secs(2),
            auth: Auth::None,
            tls: Tls::default(),
            headers: BTreeMap::new(),
            params: BTreeMap::new(),
        },
        query: Query {
            families: vec![
                "llm_d_epp_flow_control_queue_size".into(),
                "inference_extension_flow_control_queue_size".into(),
            ],
            labels: Labels {
                namespace: "namespace".into(),
                pool: "inference_pool".into(),
                model: "model_name".into(),
                target_model: "target_model_name".into(),
            },
            matchers: BTreeMap::new(),
            missing_namespace: MissingNamespace::One,
            expression: None,
            max_sample_age: Duration::from_secs(120),
        },
        scope: Scope {
            namespaces: Vec::new(),
            controller_instance: None,
        },
        wake: Wake {
            select: Select::Cheapest,
            concurrency: 16,
            ready_timeout: Duration::from_secs(600),
            // The world parks what is idle. After a shorter spell of serving that would be a revert,
            // with backoff; later it is parking, and the next demand is a fresh wake.
            settle: pace.idle / 2,
            backoff: Backoff {
                initial: Duration::from_secs(1),
                max: Duration::from_secs(300),
            },
        },
        status: Status {
            enabled: true,
            fallback_accelerator: "unknown".into(),
            annotate_variant: false,
        },
        events: true,
        leader_election: LeaderElection {
            enabled: false,
            name: "scale-from-zero".into(),
            namespace: None,
            lease_duration: Duration::from_secs(15),
        },
        server: Server { address: server },
        log: Log {
            level: tracing::Level::INFO,
            format: LogFormat::Text,
        },
        dry_run: false,
    }
}

/// The two queries that the loop will ask under a configuration: demand, and the age of its samples.
//
// TODO(integration): `crate::prometheus::query::{demand, age}` of `config.query`.
pub(super) fn queries(_config: &Config) -> (String, String) {
    let demand = "sum by (__name__, namespace, inference_pool, target_model_name, model_name) \
        (max by (__name__, namespace, pod, instance, inference_pool, target_model_name, model_name, \
        fairness_id, priority) \
        ((llm_d_epp_flow_control_queue_size or inference_extension_flow_control_queue_size) > 0))";
    let age = "min by (namespace, inference_pool, target_model_name, model_name) (\
        ((time() - timestamp(llm_d_epp_flow_control_queue_size)) \
        and (llm_d_epp_flow_control_queue_size > 0)) or \
        ((time() - timestamp(inference_extension_flow_control_queue_size)) \
        and (inference_extension_flow_control_queue_size > 0)))";
    (demand.to_owned(), age.to_owned())
}
