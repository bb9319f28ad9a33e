//! The entries of the fuzz targets (`fuzz/`), for a short while and on stable: any bytes, and well-formed inputs in
//! which a few bytes, or the type of one field, are not as they should be. `PROPTEST_CASES=100000` looks longer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/entries.rs"]
mod entries;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const ANSWER: &str = r#"{"status":"success","isPartial":false,"warnings":["a"],"infos":["b"],"data":{"resultType":
 "vector","result":[{"metric":{"__name__":"queue_size","namespace":"ns","inference_pool":"p","model_name":"m",
 "target_model_name":"t"},"value":[1700000000.123,"5"]},{"metric":{},"value":[1,"NaN"]},{"metric":{},"value":[1,"+Inf"]}]}}"#;
const EXPOSITION: &str = "# HELP queue_size Requests.\n# TYPE queue_size gauge\nqueue_size{model_name=\"a\\\"b\\\\\",\
 inference_pool=\"p\"} 5 1700000000\nqueue_size{} NaN\nup 1e3\nup +Inf\n# EOF\n";
const CONFIGURATION: &str = include_str!("../config.example.yaml");
const MANIFEST: &str = include_str!("fixtures/guide-example.yaml");
const SELECTOR: &str = "app=m\nrole=decode\n\napp=m\nrole=decode\nother=x";

/// A text with some of its bytes replaced, taken away, doubled or swapped for something that means something.
fn mangled(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "\"", "{", "}", "[", "]", ":", ",", "\n", "\u{0}", "NaN", "1e999", "-", "&a", "*a", "<<", "---\n",
        "null", "\\", "é", "=\n",
    ];
    let change = (
        any::<prop::sample::Index>(),
        0..4_u8,
        any::<u8>(),
        select(words.to_vec()),
    );
    vec(change, 0..6).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, how, byte, word) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => drop(bytes.splice(at..at, word.bytes())),
                _ => drop(bytes.splice(at..=at, word.bytes())),
            }
        }
        bytes
    })
}

/// That, or anything.
fn hostile(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => mangled(text), 1 => vec(any::<u8>(), 0..200), 1 => ".{0,80}".prop_map(String::into_bytes)]
}

proptest! {
    #[test]
    fn prometheus_answer(bytes in hostile(ANSWER)) {
        entries::prometheus_answer(&bytes);
    }

    #[test]
    fn exposition_text(bytes in hostile(EXPOSITION)) {
        entries::exposition_text(&bytes);
    }

    #[test]
    fn selector(bytes in hostile(SELECTOR)) {
        entries::selector(&bytes);
    }

    #[test]
    fn configuration(bytes in hostile(CONFIGURATION)) {
        entries::configuration(&bytes);
    }

    #[test]
    fn yaml_documents(bytes in hostile(MANIFEST)) {
        entries::yaml_documents(&bytes);
    }

    #[test]
    fn object(bytes in select(objects()).prop_flat_map(|object| mangled(Box::leak(object.to_string().into_boxed_str())))) {
        entries::object(&bytes);
    }
}

/// One object of each kind, with all that is read of any.
fn objects() -> Vec<Value> {
    let metadata = json!({
        "name": "n", "namespace": "ns", "uid": "u", "resourceVersion": "5", "generation": 2,
        "labels": {"wva.llmd.ai/controller-instance": "a", "inference.optimization/acceleratorName": "H100"},
        "annotations": {
            "scale-from-zero/exclude": "false", "scale-from-zero/models": "a, b", "llm-d.ai/managed": "true",
            "llm-d.ai/model-id": "m", "llm-d.ai/variant-cost": "2.5",
            "scale-from-zero/guard": "{\"old\": 0}", "scale-from-zero/decision": "{\"time\": \"x\"}",
            "autoscaling.keda.sh/paused-replicas": "0",
        },
        "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "u", "controller": true}],
        "deletionTimestamp": "2026-01-01T00:00:00Z",
    });
    let template = json!({
        "metadata": {"labels": {"app": "m", "llm-d.ai/role": "decode"}},
        "spec": {
            "nodeSelector": {"nvidia.com/gpu.product": "H100"},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["H100"]}]}
            ]}}},
        },
    });
    let condition = json!({
        "type": "Progressing", "status": "False", "reason": "R", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    });
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "n"});
    let specs = [
        json!({
            "spec": {"scaleTargetRef": reference, "modelID": "m", "variantCost": "10.0", "minReplicas": 0, "maxReplicas": 3},
            "status": {
                "desiredOptimizedAlloc": {"numReplicas": 1, "accelerator": "H100", "lastRunTime": "2026-01-01T00:00:00Z"},
                "actuation": {"applied": true}, "conditions": [condition],
            },
        }),
        json!({
            "spec": {"replicas": 1, "template": template, "leaderWorkerTemplate": {"leaderTemplate": template, "workerTemplate": template, "size": 2}},
            "status": {"replicas": 1, "readyReplicas": 1, "conditions": [condition], "observedGeneration": 1},
        }),
        json!({"spec": {"selector": {"matchLabels": {"app": "m"}}, "targetPorts": [{"number": 8000}], "endpointPickerRef": {"name": "epp"}}}),
        json!({"spec": {"selector": {"app": "m"}, "targetPortNumber": 8000, "extensionRef": {"name": "epp"}}}),
        json!({
            "spec": {"scaleTargetRef": reference, "minReplicas": 0, "maxReplicas": 3, "minReplicaCount": 0, "idleReplicaCount": 0, "maxReplicaCount": 3},
            "status": {"lastScaleTime": "2026-01-01T00:00:00Z", "lastActiveTime": "2026-01-01T00:00:00Z"},
        }),
    ];
    let whole = |mut object: Value| {
        object["metadata"] = metadata.clone();
        object
    };
    specs.map(whole).to_vec()
}

/// The place of every value below this one, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in children {
        let place = format!("{at}/{key}");
        places(value, &place, found);
        found.push(place);
    }
}

/// Any field of any object may hold anything: it is decoded all the same. Each field with each value, not by chance.
#[test]
fn a_wrong_type_in_any_field() {
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("\u{0}\n\u{1b}[2J"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"a": {"b": []}}),
        json!("9".repeat(5000)),
    ];
    let mut tried = 0_u32;
    for object in objects() {
        let mut all = Vec::new();
        places(&object, "", &mut all);
        for place in all {
            // Without these it is nobody's object, and no API server gives it out.
            if ["/metadata", "/metadata/name"].contains(&place.as_str()) {
                continue;
            }
            for value in &wrong {
                let mut odd = object.clone();
                *odd.pointer_mut(&place).unwrap() = value.clone();
                entries::object_of_any_kind(&odd);
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}
