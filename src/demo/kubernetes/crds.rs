//! The CRDs of the custom kinds, as far as the control loop depends on what they demand.

use serde_json::Value;

use super::{
    failure::Cause,
    resource::Resource,
    schema::{ANY, Field, Preset, Schema, Text, optional, required},
};

const VARIANT_SPEC: Schema = Schema::Object(&[
    required(
        "modelID",
        Schema::Text(&Text {
            at_least: 1,
            pattern: "",
            matches: |_| true,
        }),
    ),
    required(
        "scaleTargetRef",
        Schema::Object(&[
            required("kind", ANY),
            required("name", ANY),
            optional("apiVersion", ANY),
        ]),
    ),
    Field {
        name: "variantCost",
        required: false,
        default: Some(Preset::Text("10.0")),
        schema: Schema::Text(&Text {
            at_least: 0,
            pattern: r"^\d+(\.\d+)?$",
            matches: is_cost,
        }),
    },
]);

const VARIANT_STATUS: Schema = Schema::Object(&[
    optional(
        "actuation",
        Schema::Object(&[required("applied", Schema::Boolean)]),
    ),
    optional("conditions", Schema::List(&CONDITION, "type")),
    optional(
        "desiredOptimizedAlloc",
        Schema::Object(&[
            required(
                "accelerator",
                Schema::Text(&Text {
                    at_least: 2,
                    pattern: "",
                    matches: |_| true,
                }),
            ),
            required("numReplicas", Schema::Integer(0)),
            optional("lastRunTime", Schema::Time),
        ]),
    ),
]);

static CONDITION: Schema = Schema::Object(&[
    required("lastTransitionTime", Schema::Time),
    required("message", ANY),
    required(
        "reason",
        Schema::Text(&Text {
            at_least: 1,
            pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
            matches: is_reason,
        }),
    ),
    required("status", Schema::OneOf(&["True", "False", "Unknown"])),
    required("type", ANY),
    optional("observedGeneration", Schema::Integer(0)),
]);

fn is_cost(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

fn is_reason(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().last().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b',' || byte == b':')
}

/// Without defaults, as KEDA's own.
const SCALED_OBJECT_SPEC: Schema = Schema::Open(&[
    optional("minReplicaCount", Schema::Integer(i64::MIN)),
    optional("maxReplicaCount", Schema::Integer(i64::MIN)),
    required(
        "scaleTargetRef",
        Schema::Object(&[
            required("name", ANY),
            optional("apiVersion", ANY),
            optional("kind", ANY),
        ]),
    ),
    required("triggers", Schema::Items(&TRIGGER, 1)),
]);

static TRIGGER: Schema = Schema::Open(&[required("metadata", Schema::Texts), required("type", ANY)]);

const LEADER_WORKER_SET_SPEC: Schema = Schema::Open(&[
    Field {
        name: "replicas",
        required: false,
        default: Some(Preset::Integer(1)),
        schema: Schema::Integer(i64::MIN),
    },
    required(
        "leaderWorkerTemplate",
        Schema::Open(&[
            required("workerTemplate", Schema::Open(&[])),
            optional("leaderTemplate", Schema::Open(&[])),
            Field {
                name: "size",
                required: false,
                default: Some(Preset::Integer(1)),
                schema: Schema::Integer(i64::MIN),
            },
        ]),
    ),
]);

const ROLLOUT_SPEC: Schema = Schema::Open(&[
    optional("replicas", Schema::Integer(i64::MIN)),
    optional("template", Schema::Open(&[])),
]);

/// Checks an object against its CRD, prunes what that does not know, sets its defaults. Kinds without
/// one are fine as they are.
pub(super) fn check(resource: Resource, object: &mut Value) -> Vec<Cause> {
    let any = Schema::Open(&[]);
    let (spec, status, spec_required) = match resource {
        Resource::VariantAutoscalings => (VARIANT_SPEC, VARIANT_STATUS, false),
        Resource::ScaledObjects => (SCALED_OBJECT_SPEC, any, true),
        Resource::LeaderWorkerSets => (LEADER_WORKER_SET_SPEC, any, false),
        Resource::Rollouts => (ROLLOUT_SPEC, any, true),
        _ => return Vec::new(),
    };
    let mut causes = Vec::new();
    for (part, schema) in [("spec", &spec), ("status", &status)] {
        if let Some(value) = object.get_mut(part).filter(|value| !value.is_null()) {
            schema.check(part, value, &mut causes);
        } else if part == "spec" && spec_required {
            causes.push(Cause::required(part));
        }
    }
    causes
}
