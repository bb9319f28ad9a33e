use serde_json::json;

use super::*;
use crate::check::{
    Unread,
    probes::given::{codes, edit, files, put, remove, set},
};

#[test]
fn all_is_well() {
    fine(|_| ());
    fine(unseen);
    fine(|facts| files(facts, false));
}

#[test]
fn a_pool_without_a_reference_has_no_epp() {
    let parts = [
        "InferencePool llm/chat",
        "kubectl -n llm patch inferencepools.inference.networking.k8s.io chat --type=merge -p \
         '{\"spec\":{\"endpointPickerRef\":{\"name\":\"chat-epp\",\"port\":{\"number\":9002}}}}'",
    ];
    finds("pool_without_epp", Severity::Error, &parts, |facts| {
        set(facts, "InferencePool", "chat", "/spec", json!({"selector": {}}));
    });
}

#[test]
fn the_older_pool_refers_in_its_own_words() {
    let old = |port: i64| {
        json!({"apiVersion": "inference.networking.x-k8s.io/v1alpha2", "kind": "InferencePool",
            "metadata": {"namespace": "llm", "name": "chat"},
            "spec": {"extensionRef": {"name": "chat-epp", "portNumber": port}}})
    };
    fine(|facts| {
        remove(facts, "InferencePool", "chat");
        put(facts, old(9002));
    });
    finds(
        "epp_port_missing",
        Severity::Error,
        &["port 9003", "9002 grpc-ext-proc, 9090"],
        |facts| {
            remove(facts, "InferencePool", "chat");
            put(facts, old(9003));
        },
    );
}

#[test]
fn a_service_that_is_missing_is_told_with_those_there_are() {
    let parts = [
        "the Service chat-ep that",
        "Services in namespace llm: chat-epp",
        "\"name\":\"chat-epp\"",
    ];
    let misspell = |facts: &mut Facts| {
        set(
            facts,
            "InferencePool",
            "chat",
            "/spec/endpointPickerRef/name",
            json!("chat-ep"),
        );
    };
    finds("epp_service_missing", Severity::Error, &parts, misspell);
    // Among files, too, where others are.
    finds("epp_service_missing", Severity::Error, &parts, |facts| {
        files(facts, false);
        misspell(facts);
    });
    finds(
        "epp_service_missing",
        Severity::Note,
        &["not among the files"],
        |facts| {
            files(facts, false);
            remove(facts, "Service", EPP);
        },
    );
    fine(|facts| {
        remove(facts, "Service", EPP);
        facts.unread.push(Unread {
            group: String::new(),
            kind: "Service".to_owned(),
            namespace: None,
            why: "forbidden".to_owned(),
            absent: false,
        });
    });
}

#[test]
fn a_service_that_selects_no_pod_is_told_with_the_labels_that_differ() {
    let parts = [
        "its selector: app=chat-epp, tier=epp",
        "it asks for tier=epp; pods of Deployment llm/chat-epp have no such label",
        "    app: chat-epp",
    ];
    let differ = |facts: &mut Facts| {
        let selector = json!({"app": "chat-epp", "tier": "epp"});
        set(facts, "Service", EPP, "/spec/selector", selector);
    };
    finds("epp_no_pods", Severity::Error, &parts, differ);
    finds("epp_no_pods", Severity::Error, &parts, |facts| {
        files(facts, false);
        differ(facts);
    });
    let parts = [
        "replicas: 0",
        "kubectl -n llm scale deployment/chat-epp --replicas=1",
    ];
    finds("epp_no_pods", Severity::Error, &parts, |facts| {
        remove(facts, "Pod", POD);
        set(facts, "Deployment", EPP, "/spec/replicas", json!(0));
    });
    // A Service without a selector has endpoints of its own, and pods that cannot be read say nothing.
    fine(|facts| set(facts, "Service", EPP, "/spec/selector", json!({})));
    fine(|facts| {
        remove(facts, "Pod", POD);
        facts.unread.push(Unread {
            group: String::new(),
            kind: "Pod".to_owned(),
            namespace: Some("llm".to_owned()),
            why: "forbidden".to_owned(),
            absent: false,
        });
    });
}

#[test]
fn pods_that_are_not_ready_say_why() {
    let parts = [
        "pod chat-epp-7d9-x2: container epp waits: CrashLoopBackOff: back-off 5m0s; container epp ended last time with \
         Error, exit code 1; 7 restarts",
        "--previous",
    ];
    finds("epp_not_ready", Severity::Error, &parts, |facts| {
        let status = json!({"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{
            "name": "epp", "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off\n5m0s"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]});
        set(facts, "Pod", POD, "/status", status);
    });
    let parts = ["Unschedulable: 0/3 nodes are available"];
    finds("epp_not_ready", Severity::Error, &parts, |facts| {
        let status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
        set(facts, "Pod", POD, "/status", status);
    });
    // The one that does not lead is not ready by design.
    fine(|facts| {
        edit(facts, "Pod", POD, |pod| {
            pod.name = "standby".to_owned();
            pod.json["status"]["conditions"][0]["status"] = json!("False");
        });
    });
}

#[test]
fn a_pool_of_nothing_in_scope_is_not_looked_at() {
    let mut facts = healthy();
    facts.inventory = crate::core::Inventory::default();
    set(&mut facts, "InferencePool", "chat", "/spec", json!({}));
    assert_eq!(codes(probe, &facts), []);
}
