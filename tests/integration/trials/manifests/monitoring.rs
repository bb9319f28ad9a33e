//! What `manifests/monitoring` comes to: objects that find our pods however they were installed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::render::{all, containers, is_ours, kustomize};
use crate::{
    servers::{Assets, project},
    suite::{Suite, fails_in},
};

pub fn register(suite: &mut Suite) {
    suite.with_servers("manifests::monitoring", async |servers, _| {
        renders(&servers.assets).await;
        finds_our_pods(&servers.assets).await;
    });
}

async fn renders(assets: &Assets) {
    let objects = kustomize(assets, &project("manifests/monitoring")).await;
    let named = |objects: &[Value]| -> BTreeSet<String> {
        let name =
            |object: &Value| format!("{}/{}", object["kind"], object["metadata"]["name"]).replace('"', "");
        objects.iter().map(name).collect()
    };
    let expected = [
        "ConfigMap/scale-from-zero-dashboard",
        "PodMonitor/scale-from-zero",
        "PrometheusRule/scale-from-zero",
    ];
    assert_eq!(named(&objects), expected.map(str::to_owned).into());
    let epp = kustomize(assets, &project("manifests/monitoring/epp")).await;
    assert_eq!(
        named(&epp),
        ["ServiceMonitor/scale-from-zero-epp".to_owned()].into()
    );
    for object in objects.iter().chain(&epp) {
        assert!(is_ours(object), "{object}");
        // Whoever applies it says where.
        assert_eq!(object["metadata"]["namespace"], Value::Null);
    }

    let dashboard = objects.iter().find(|object| object["kind"] == "ConfigMap");
    let dashboard = dashboard.expect("the dashboard");
    assert_eq!(dashboard["metadata"]["labels"]["grafana_dashboard"], "1");
    let file = std::fs::read_to_string(project("manifests/monitoring/dashboard.json")).expect("a file");
    assert_eq!(dashboard["data"], json!({"scale-from-zero.json": file}));

    let endpoint = &epp[0]["spec"]["endpoints"][0];
    let seconds = |key: &str| humantime::parse_duration(endpoint[key].as_str().expect(key)).expect(key);
    assert!(seconds("scrapeTimeout") <= seconds("interval"), "{endpoint}");
}

/// By the labels of the pod and the name of the port.
async fn finds_our_pods(assets: &Assets) {
    let objects = kustomize(assets, &project("manifests/monitoring")).await;
    let monitor = objects.iter().find(|object| object["kind"] == "PodMonitor");
    let spec = &monitor.expect("a PodMonitor")["spec"];
    let [expression] = spec["selector"]["matchExpressions"]
        .as_array()
        .expect("a selector")
        .as_slice()
    else {
        panic!("one expression: {spec}");
    };
    assert_eq!(expression["operator"], "In");
    let values = expression["values"].as_array().expect("values");
    let endpoint = &spec["podMetricsEndpoints"][0];
    for rendering in all(assets).await {
        fails_in(&rendering.name);
        let deployment = rendering.deployment();
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let label = &labels[expression["key"].as_str().expect("a key")];
        assert!(values.contains(label), "{labels}");
        let ports = containers(deployment)
            .iter()
            .flat_map(|container| container["ports"].as_array().into_iter().flatten());
        let found: Vec<_> = ports.filter(|port| port["name"] == endpoint["port"]).collect();
        assert_eq!(found.len(), 1, "ports of that name");
    }
}
