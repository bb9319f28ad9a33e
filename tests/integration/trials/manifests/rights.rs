//! Who is given which rights.

use serde_json::{Value, json};

use super::render::{Rendering, identity, is_option};

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

/// The rules are what the design allows, and never more: above all nothing of a scale but `patch`.
pub fn rules_are_narrow(rendering: &Rendering) {
    for kind in ["Role", "ClusterRole"] {
        for role in rendering.ours(kind) {
            for rule in role["rules"].as_array().expect("rules") {
                check(role, rule);
            }
        }
    }
    let plain = |kind| rendering.ours(kind).filter(|role| !is_option(role)).count();
    assert_eq!(plain("Role") + plain("ClusterRole"), 1);
    let twin = |file: &str| {
        crate::servers::documents(file).remove(0)["rules"]
            .as_array()
            .cloned()
            .expect("rules")
    };
    let mut cluster_wide = twin("manifests/rbac/cluster-wide/clusterrole.yaml");
    let namespaces = cluster_wide.pop().expect("a rule");
    assert_eq!(namespaces["resources"], json!(["namespaces"]));
    assert_eq!(cluster_wide, twin("manifests/rbac/namespaced/role.yaml"));
}

fn check(role: &Value, grant: &Value) {
    let texts = |key: &str| {
        let list = grant[key].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|item| item.as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let (groups, resources, verbs) = (texts("apiGroups"), texts("resources"), texts("verbs"));
    let all: Vec<_> = groups.iter().chain(&resources).chain(&verbs).collect();
    assert!(!all.iter().any(|word| word.contains('*')), "{grant}");
    let is_namespaced = role["kind"] == "Role";
    let name = role["metadata"]["name"].as_str().unwrap_or_default();
    for resource in &resources {
        let allowed: &[&[&str]] = match resource.as_str() {
            "deployments/scale" | "statefulsets/scale" | "variantautoscalings/status" => &[&["patch"]],
            "events" => {
                assert_eq!(groups, ["events.k8s.io"]);
                &[&["create"]]
            }
            "variantautoscalings" if name.contains("annotate-variant") => &[&["patch"]],
            "variantautoscalings" | "inferencepools" | "deployments" | "statefulsets" => {
                &[&["get", "list", "watch"]]
            }
            "namespaces" if !is_namespaced => &[&["get", "list", "watch"]],
            "leases" if is_namespaced && grant["resourceNames"] == json!(["scale-from-zero"]) => {
                &[&["get", "patch"]]
            }
            "leases" if is_namespaced && grant["resourceNames"] == Value::Null => &[&["create"]],
            _ => &[],
        };
        assert!(allowed.iter().any(|of| *of == verbs), "{name}: {grant}");
    }
}
