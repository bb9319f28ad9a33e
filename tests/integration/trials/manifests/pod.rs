//! The pod with our container in it, and the configuration it is given.

use std::{collections::BTreeSet, path::Path};

use scale_from_zero::config::{Environment, load};
use serde_json::{Value, json};

use super::render::{Rendering, containers, is_electing};

/// Our container is the last one, does not get into the way of the others, and may do as little as
/// Kubernetes lets one say.
pub fn is_sound(rendering: &Rendering) {
    let deployment = rendering.deployment();
    let pod = &deployment["spec"]["template"]["spec"];
    let all = containers(deployment);
    let ours = all.last().expect("a container");
    let named = |of: &&Value| of["name"] == "scale-from-zero";
    assert!(named(&ours), "ours is the last");
    let everywhere = rendering.of("Deployment").flat_map(containers).filter(named);
    assert_eq!(everywhere.count(), 1, "once, and in one Deployment");
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(30) >= 10);

    let ports = || {
        all.iter()
            .flat_map(|of| of["ports"].as_array().into_iter().flatten())
    };
    unique("port", ports().map(|port| &port["name"]));
    unique("port number", ports().map(|port| &port["containerPort"]));
    let volumes = pod["volumes"].as_array().expect("volumes");
    unique("volume", volumes.iter().map(|volume| &volume["name"]));

    assert_eq!(
        ours["ports"],
        json!([{"name": "scale-from-zero", "containerPort": 8085, "protocol": "TCP"}])
    );
    for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(
            ours[probe]["httpGet"],
            json!({"path": path, "port": "scale-from-zero"})
        );
    }
    for bound in ["requests", "limits"] {
        for resource in ["cpu", "memory"] {
            assert!(
                ours["resources"][bound][resource].is_string(),
                "{bound} of {resource}"
            );
        }
    }
    let restricted = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    assert_eq!(ours["securityContext"], restricted);
    for mount in ours["volumeMounts"].as_array().expect("mounts") {
        assert_eq!(mount["readOnly"], true);
        assert_eq!(mount["subPath"], Value::Null, "it would never be updated");
        assert!(
            volumes.iter().any(|volume| volume["name"] == mount["name"]),
            "{mount}"
        );
    }
    let from_field =
        |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let environment = [
        from_field("POD_NAMESPACE", "metadata.namespace"),
        from_field("POD_NAME", "metadata.name"),
    ];
    assert_eq!(ours["env"], json!(environment));
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a Value>) {
    let mut seen = BTreeSet::new();
    for name in names {
        assert!(seen.insert(name.to_string()), "{what} {name} is there twice");
    }
}

/// The pod is given the one ConfigMap, the program takes what is in it, and its scope is that of the rights.
pub fn configuration_is_valid(rendering: &Rendering) {
    let map = rendering.one("ConfigMap");
    let namespace = rendering.namespace();
    assert_eq!(map["metadata"]["namespace"], namespace);
    let name = map["metadata"]["name"].as_str().expect("a name");
    assert!(name.ends_with("scale-from-zero"), "no suffix: {name}");
    let pod = &rendering.deployment()["spec"]["template"]["spec"];
    let mut volumes = pod["volumes"].as_array().expect("volumes").iter();
    let volume = volumes
        .find(|volume| volume["name"] == "scale-from-zero-config")
        .expect("the volume");
    assert_eq!(volume["configMap"]["name"], name);

    let arguments = &containers(rendering.deployment()).last().expect("a container")["args"];
    assert_eq!(
        *arguments,
        json!(["run", "--config", "/etc/scale-from-zero/config.yaml"])
    );
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, map["data"]["config.yaml"].as_str().expect("the file")).expect("a file");
    let environment = Environment {
        namespace: Some(namespace.into()),
    };
    let config = load(Path::new(&file), &environment)
        .unwrap_or_else(|error| panic!("{error}"))
        .config;
    let scope: &[&str] = if rendering.is_cluster_wide() {
        &[]
    } else {
        &[namespace]
    };
    assert_eq!(config.scope.namespaces, scope);
    // What is turned on is permitted.
    assert!(!config.leader_election.enabled || rendering.ours("Role").any(is_electing));
    assert!(!config.status.annotate_variant || rendering.has_options());
    assert!(!config.wake.guard || rendering.has_options());
}
