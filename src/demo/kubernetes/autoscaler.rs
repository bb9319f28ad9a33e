//! `HorizontalPodAutoscaler`s of `autoscaling/v2`: what kube-apiserver 1.37 gives and demands. Scaling to
//! zero is allowed there (feature gate `HPAScaleToZero`, on by default since 1.37), given a metric that
//! is there without pods.

use serde_json::{Value, json};

use super::{failure::Cause, object::text};

/// Gives what the server itself gives.
pub(super) fn default(object: &mut Value) {
    if !object["spec"].is_object() {
        object["spec"] = json!({});
    }
    let spec = &mut object["spec"];
    if spec["minReplicas"].is_null() {
        spec["minReplicas"] = 1.into();
    }
    if spec["metrics"].as_array().is_none_or(Vec::is_empty) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        spec["metrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
    }
}

/// Checks the numbers, the reference and, for zero, the metrics.
pub(super) fn validate(object: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = &object["spec"];
    let number = |field: &str| spec[field].as_i64().unwrap_or_default();
    let (min, max) = (number("minReplicas"), number("maxReplicas"));
    if max < min {
        let why = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &max.to_string(), why));
    }
    for field in ["kind", "name"] {
        if text(spec, &["scaleTargetRef", field]).is_empty() {
            causes.push(Cause::required(format!("spec.scaleTargetRef.{field}")));
        }
    }
    if text(spec, &["scaleTargetRef", "apiVersion"]).is_empty() {
        let why = "apiVersion must specify API group";
        causes.push(Cause::invalid("spec.scaleTargetRef.apiVersion", "\"\"", why));
    }
    if min < 0 {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.minReplicas", &min.to_string(), why));
    }
    if max == 0 {
        causes.push(Cause::required("spec.maxReplicas"));
    } else if max < 0 {
        let why = "must be greater than or equal to 1";
        causes.push(Cause::invalid("spec.maxReplicas", &max.to_string(), why));
    }
    let metrics = spec["metrics"].as_array();
    let outside = |metric: &Value| metric["type"] == "Object" || metric["type"] == "External";
    if min == 0 && !metrics.into_iter().flatten().any(outside) {
        causes.push(Cause {
            reason: "FieldValueForbidden",
            field: "spec.metrics".to_owned(),
            message: "Forbidden: must specify at least one Object or External metric to support scaling to \
                      zero replicas"
                .to_owned(),
        });
    }
    causes
}
