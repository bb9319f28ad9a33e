use serde_json::{Value, json};

use super::*;
use crate::check::{
    probes::epp::config::VARIABLE,
    probes::given::{CONFIG, configure, edit, files, remove, set, started, wall},
};

#[test]
fn flow_control_that_is_not_configured_is_told_with_the_lines() {
    let without = CONFIG.replace("featureGates: [flowControl]\n", "");
    let parts = [
        "ConfigMap llm/chat-epp",
        "key plugins.yaml of ConfigMap llm/chat-epp: no featureGates",
        "Add to key plugins.yaml of ConfigMap llm/chat-epp, then restart the EPP\nfeatureGates: [flowControl]\n",
        "kubectl -n llm edit configmap chat-epp",
        "kubectl -n llm rollout restart deployment/chat-epp",
    ];
    for unknown in [off, unseen, |facts: &mut Facts| files(facts, false)] {
        finds("flow_control_not_configured", Severity::Error, &parts, |facts| {
            unknown(facts);
            configure(facts, &without);
        });
    }
    // What runs is not contradicted.
    finds(
        "flow_control_not_configured",
        Severity::Note,
        &["a restart may lose it"],
        |facts| {
            configure(facts, &without);
        },
    );
    let others = CONFIG.replace("[flowControl]", "[dataLayer, flowControl=false]");
    let parts = [
        "featureGates are dataLayer, flowControl=false",
        "\nfeatureGates: [dataLayer, flowControl]\n",
    ];
    finds("flow_control_not_configured", Severity::Error, &parts, |facts| {
        off(facts);
        configure(facts, &others);
    });
}

#[test]
fn the_gate_may_stand_in_flags_and_in_older_epps_in_a_variable() {
    let epp = "/spec/template/spec/containers/1";
    let run = |args: Value, env: Value| {
        move |facts: &mut Facts| {
            unseen(facts);
            set(facts, "Deployment", EPP, &format!("{epp}/args"), args);
            edit(facts, "Deployment", EPP, |deployment| {
                deployment.json.pointer_mut(epp).unwrap()["env"] = env;
            });
        }
    };
    fine(run(
        json!(["--pool-name=chat", "--feature-gates=a,flowControl=true"]),
        json!([]),
    ));
    fine(run(json!(["--pool-name=chat", "-configText", CONFIG]), json!([])));
    let variable = json!([{"name": VARIABLE, "value": "true"}]);
    fine(run(json!(["--pool-name=chat"]), variable.clone()));
    let without = "neither --config-file nor --config-text";
    finds(
        "flow_control_not_configured",
        Severity::Error,
        &[without],
        run(json!(["--pool-name=chat"]), json!([])),
    );
    finds(
        "flow_control_not_configured",
        Severity::Error,
        &["does not heed"],
        |facts| {
            run(json!(["--pool-name=chat"]), variable)(facts);
            off(facts);
        },
    );
    // A shell may do anything with the flags.
    fine(|facts| {
        run(json!(["-c", "exec epp --pool-name chat"]), json!([]))(facts);
        edit(facts, "Deployment", EPP, |deployment| {
            deployment.json.pointer_mut(epp).unwrap()["command"] = json!(["/bin/sh"]);
        });
    });
}

#[test]
fn a_configuration_that_the_epp_cannot_read_is_told() {
    for (text, part) in [
        ("a: [", "not valid YAML"),
        ("kind: Deployment", "its kind is \"Deployment\""),
        ("plugins: []", "it has no kind"),
        (
            "kind: EndpointPickerConfig\nfeatureGates: [flowcontrol]",
            "featureGates holds flowcontrol",
        ),
        (
            "kind: EndpointPickerConfig\nfeatureGates: flowControl",
            "not a list",
        ),
    ] {
        finds(
            "epp_config_invalid",
            Severity::Error,
            &[part, "key plugins.yaml"],
            |facts| configure(facts, text),
        );
    }
    finds(
        "epp_config_missing",
        Severity::Error,
        &["key plugins.yaml of ConfigMap llm/chat-epp"],
        |facts| {
            set(facts, "ConfigMap", EPP, "/data", json!({"other.yaml": CONFIG}));
        },
    );
    finds(
        "epp_config_missing",
        Severity::Error,
        &["ConfigMap llm/chat-epp"],
        |facts| {
            remove(facts, "ConfigMap", EPP);
        },
    );
    // Of files it may come from elsewhere, and so may a volume of another kind.
    fine(|facts| {
        files(facts, false);
        remove(facts, "ConfigMap", EPP);
    });
    fine(|facts| {
        unseen(facts);
        let volumes = json!([{"name": "config", "secret": {"secretName": "s"}}]);
        set(facts, "Deployment", EPP, "/spec/template/spec/volumes", volumes);
    });
}

#[test]
fn the_file_is_found_through_items_sub_paths_and_projections() {
    let mounts = "/spec/template/spec/containers/1/volumeMounts";
    let volumes = "/spec/template/spec/volumes";
    let without = "kind: EndpointPickerConfig\n";
    for (mount, volume) in [
        (
            json!({"name": "v", "mountPath": "/config/plugins.yaml", "subPath": "other.yaml"}),
            json!({"name": "v", "configMap": {"name": "chat-epp"}}),
        ),
        (
            json!({"name": "v", "mountPath": "/config/"}),
            json!({"name": "v", "configMap": {"name": "chat-epp",
                "items": [{"key": "other.yaml", "path": "plugins.yaml"}]}}),
        ),
        (
            json!({"name": "v", "mountPath": "/"}),
            json!({"name": "v", "projected": {"sources": [{"secret": {}}, {"configMap": {"name": "chat-epp",
                "items": [{"key": "other.yaml", "path": "config/plugins.yaml"}]}}]}}),
        ),
    ] {
        finds(
            "flow_control_not_configured",
            Severity::Error,
            &["key other.yaml"],
            |facts| {
                off(facts);
                set(
                    facts,
                    "ConfigMap",
                    EPP,
                    "/data",
                    json!({"plugins.yaml": CONFIG, "other.yaml": without}),
                );
                set(facts, "Deployment", EPP, mounts, json!([mount]));
                set(facts, "Deployment", EPP, volumes, json!([volume]));
            },
        );
    }
}

#[test]
fn an_epp_that_is_older_than_its_configuration_is_told() {
    let changed = |at: &'static str| {
        move |facts: &mut Facts| edit(facts, "ConfigMap", EPP, |object| object.changed = Some(wall(at)))
    };
    fine(changed("2026-06-01T09:59:59Z"));
    let parts = [
        "ConfigMap llm/chat-epp changed 2026-06-01T11:00:00Z",
        "pod chat-epp-7d9-x2 started 2026-06-01T10:00:00Z",
        "kubectl -n llm rollout restart deployment/chat-epp",
    ];
    let later = changed("2026-06-01T11:00:00Z");
    finds("epp_older_than_config", Severity::Note, &parts, later);
    finds("epp_older_than_config", Severity::Warning, &parts, |facts| {
        unseen(facts);
        later(facts);
    });
    finds(
        "epp_older_than_config",
        Severity::Error,
        &["runs without the flow control"],
        |facts| {
            off(facts);
            later(facts);
        },
    );
}

#[test]
fn a_queue_that_drops_requests_before_the_model_is_up_is_told() {
    let parts = [
        "requests wait 10 min at the EPP",
        "Deployment llm/llama: a pod of it took 15 min",
        "flowControl:\n  noEndpointRequestTTL: 23m\n",
    ];
    finds("queue_ttl_short", Severity::Warning, &parts, |facts| {
        started(facts, 900);
        started(facts, 2000);
    });
    fine(|facts| {
        started(facts, 900);
        started(facts, 400);
    });
    let probed = |facts: &mut Facts| {
        let containers = json!([{"startupProbe": {"failureThreshold": 90}}]);
        set(
            facts,
            "Deployment",
            "llama",
            "/spec/template/spec/containers",
            containers,
        );
    };
    finds(
        "queue_ttl_short",
        Severity::Note,
        &["its startup probe gives it 15 min"],
        probed,
    );
    // A minute is the default of this EPP; others have had none.
    let without = CONFIG.replace("  noEndpointRequestTTL: 10m\n", "  maxBytes: 1Gi\n");
    finds(
        "queue_ttl_short",
        Severity::Warning,
        &["requests wait 60 s"],
        |facts| {
            started(facts, 90);
            configure(facts, &without);
        },
    );
    fine(|facts| {
        started(facts, 90);
        configure(facts, &without);
        let image = "/spec/template/spec/containers/1/image";
        set(
            facts,
            "Deployment",
            EPP,
            image,
            json!("registry.k8s.io/gateway-api-inference-extension/epp:v1.3.1"),
        );
    });
    fine(|facts| {
        started(facts, 5000);
        configure(facts, &CONFIG.replace("10m", "0s"));
    });
}
