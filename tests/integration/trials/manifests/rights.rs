//! Who is given which rights.

use serde_json::{Value, json};

use super::render::{Rendering, identity, is_electing};
use crate::{cluster::option_rules, servers::documents};

/// Each of our bindings gives one of our roles to the account of the Deployment, and to nobody else.
pub fn bindings_fit(rendering: &Rendering) {
    let namespace = rendering.namespace();
    let account = &rendering.deployment()["spec"]["template"]["spec"]["serviceAccountName"];
    let mut bound = 0;
    for (kind, role_kind) in [("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")] {
        for binding in rendering.ours(kind) {
            bound += 1;
            let subject = json!([{"kind": "ServiceAccount", "name": account, "namespace": namespace}]);
            assert_eq!(binding["subjects"], subject, "{:?}", identity(binding));
            assert_eq!(binding["roleRef"]["kind"], role_kind);
            let role = &binding["roleRef"]["name"];
            let found = rendering
                .ours(role_kind)
                .find(|of| of["metadata"]["name"] == *role);
            let found = found.unwrap_or_else(|| panic!("no {role_kind} {role}"));
            if kind == "RoleBinding" {
                assert_eq!(binding["metadata"]["namespace"], namespace);
                assert_eq!(found["metadata"]["namespace"], namespace);
            } else if !rendering.is_standalone() && !rendering.is_prefixed {
                // Two WVAs in one cluster have an installation each.
                for name in [&binding["metadata"]["name"], role] {
                    let name = name.as_str().unwrap_or_default();
                    assert!(
                        name.starts_with("scale-from-zero") && name.ends_with(&format!(":{namespace}")),
                        "{name}"
                    );
                }
            }
        }
    }
    let roles = rendering.ours("Role").count() + rendering.ours("ClusterRole").count();
    assert!(bound > 0 && bound == roles, "{bound} bindings of {roles} roles");
}

/// The options, each a folder of `manifests/rbac`, in the order of the builds.
pub const OPTIONS: [&str; 3] = ["annotate-variant", "pods", "autoscalers"];

const READ: &[&str] = &["get", "list", "watch"];
const PATCH: &[&str] = &["patch"];

/// The rules are what the design allows, and never more: above all nothing of a scale but `patch`.
pub fn rules_are_narrow(rendering: &Rendering) {
    for kind in ["Role", "ClusterRole"] {
        for role in rendering.ours(kind) {
            for rule in role["rules"].as_array().expect("rules") {
                check(rendering, role, rule);
            }
        }
    }
    let is_cluster_wide = rendering.is_cluster_wide();
    let kind = if is_cluster_wide { "ClusterRole" } else { "Role" };
    let plain: Vec<_> = ["Role", "ClusterRole"]
        .iter()
        .flat_map(|kind| rendering.ours(kind))
        .filter(|role| !is_electing(role))
        .collect();
    assert_eq!(plain.len(), 1);
    assert_eq!(plain[0]["kind"], kind);

    // What the files say arrives whole.
    let mut cluster_wide = rules_of("manifests/rbac/cluster-wide/clusterrole.yaml");
    let mut rules = rules_of("manifests/rbac/namespaced/role.yaml");
    if is_cluster_wide {
        rules.extend(cluster_wide.last().cloned());
    }
    let namespaces = cluster_wide.pop().expect("a rule");
    assert_eq!(namespaces["resources"], json!(["namespaces"]));
    assert_eq!(cluster_wide, rules_of("manifests/rbac/namespaced/role.yaml"));
    if rendering.has_options() {
        rules.extend(
            OPTIONS
                .iter()
                .flat_map(|option| option_rules(option, is_cluster_wide)),
        );
    }
    if rendering.has_own_kind() {
        rules.push(json!({"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": READ}));
        rules.push(json!({"apiGroups": ["argoproj.io"], "resources": ["rollouts/scale"], "verbs": PATCH}));
    }
    assert_eq!(plain[0]["rules"], json!(rules));
}

/// The rules of a role in `manifests/`.
pub fn rules_of(file: &str) -> Vec<Value> {
    documents(file).remove(0)["rules"]
        .as_array()
        .cloned()
        .expect("rules")
}

fn check(rendering: &Rendering, role: &Value, grant: &Value) {
    let texts = |key: &str| {
        let list = grant[key].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|item| item.as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let (groups, resources, verbs) = (texts("apiGroups"), texts("resources"), texts("verbs"));
    let names = texts("resourceNames");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert!(!groups.is_empty() && !resources.is_empty(), "{grant}");
    for group in &groups {
        for resource in &resources {
            let allowed = allowed(rendering, role, (group, resource), &names);
            assert!(allowed.iter().any(|of| *of == verbs), "{grant}");
        }
    }
}

/// The verbs that one rule may name for a resource: any of these lists, whole.
fn allowed(
    rendering: &Rendering,
    role: &Value,
    resource: (&str, &str),
    names: &[&str],
) -> &'static [&'static [&'static str]] {
    let is_optional = rendering.has_options();
    let is_namespaced = role["kind"] == "Role";
    match (resource, names) {
        (
            ("apps", "deployments" | "statefulsets")
            | ("leaderworkerset.x-k8s.io", "leaderworkersets")
            | ("inference.networking.k8s.io" | "inference.networking.x-k8s.io", "inferencepools"),
            [],
        ) => &[READ],
        (
            ("apps", "deployments/scale" | "statefulsets/scale")
            | ("leaderworkerset.x-k8s.io", "leaderworkersets/scale")
            | ("llmd.ai", "variantautoscalings/status"),
            [],
        ) => &[PATCH],
        (
            ("llmd.ai", "variantautoscalings")
            | ("autoscaling", "horizontalpodautoscalers")
            | ("keda.sh", "scaledobjects"),
            [],
        ) => {
            if is_optional {
                &[READ, PATCH]
            } else {
                &[READ]
            }
        }
        (("events.k8s.io", "events"), []) => &[&["create"]],
        (("", "namespaces"), []) if !is_namespaced => &[READ],
        (("", "pods"), []) if is_optional => &[&["list"]],
        (("apiextensions.k8s.io", "customresourcedefinitions"), ["scaledobjects.keda.sh"])
            if is_optional && !is_namespaced =>
        {
            &[&["get"]]
        }
        (("coordination.k8s.io", "leases"), ["scale-from-zero"]) if is_namespaced => &[&["get", "patch"]],
        (("coordination.k8s.io", "leases"), []) if is_namespaced => &[&["create"]],
        (("argoproj.io", "rollouts"), []) if rendering.has_own_kind() => &[READ],
        (("argoproj.io", "rollouts/scale"), []) if rendering.has_own_kind() => &[PATCH],
        _ => &[],
    }
}
