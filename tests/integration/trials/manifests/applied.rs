//! Renderings on a real API server: it takes them without a warning under the `restricted` pod
//! security standard, and the account may do what it must, and no more.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    render::{Rendering, all, is_ours},
    rights::{OPTIONS, rules_of},
};
use crate::{
    cluster::option_rules,
    servers::{ApiServer, Servers, project},
    suite::{Suite, fails_in},
    wait,
};

/// A namespace that no rendering is about.
const ELSEWHERE: &str = "elsewhere";

pub fn register(suite: &mut Suite) {
    suite.with_servers("manifests::applied", async |servers, _| applied(servers).await);
}

async fn applied(servers: Arc<Servers>) {
    let _turn = servers.alone.lock().await;
    let server = ApiServer::start(&servers.assets).await.expect("an API server");
    server.install_crds().await;
    for rendering in all(&servers.assets).await {
        fails_in(&rendering.name);
        apply(&server, rendering).await;
    }
    fails_in("kubectl patch");
    by_hand(&server).await;
}

/// The options without kustomize: the same files as patches of a role that is there.
async fn by_hand(server: &ApiServer) {
    let file = "manifests/rbac/cluster-wide/clusterrole.yaml";
    server
        .kubectl(&["apply", "-f", &project(file).display().to_string()], "")
        .await;
    let mut wanted = rules_of(file);
    for option in OPTIONS {
        for part in ["rules", "cluster-rules"] {
            let patch = project(&format!("manifests/rbac/{option}/{part}.yaml"));
            if patch.exists() {
                let patch = patch.display().to_string();
                let role = ["patch", "clusterrole", "scale-from-zero"];
                let how = ["--type=json", "--patch-file", &patch];
                server.kubectl(&[role, how].concat(), "").await;
            }
        }
        wanted.extend(option_rules(option, true));
    }
    let role = server
        .kubectl(&["get", "clusterrole", "scale-from-zero", "-o", "json"], "")
        .await;
    let role: Value = serde_json::from_str(&role).expect("JSON");
    assert_eq!(role["rules"], json!(wanted));
}

async fn apply(server: &ApiServer, rendering: &Rendering) {
    for namespace in namespaces(rendering) {
        let labels = ["enforce", "warn", "audit"]
            .map(|mode| format!("\"pod-security.kubernetes.io/{mode}\": restricted"));
        let labelled = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}, labels: {{{}}}}}}}",
            labels.join(", ")
        );
        server
            .kubectl(
                &["apply", "--server-side", "--force-conflicts", "-f", "-"],
                &labelled,
            )
            .await;
    }
    let documents: Vec<_> = rendering
        .documents
        .iter()
        .filter(|document| is_applied(document))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": documents}).to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let (ok, _, err) = server.try_kubectl(&apply, &list).await;
    assert!(ok && !err.contains("Warning"), "{err}");

    let account = rendering.deployment()["spec"]["template"]["spec"]["serviceAccountName"]
        .as_str()
        .expect("an account");
    let account = Account {
        server,
        namespace: rendering.namespace(),
        name: account,
    };
    for kind in ["Role", "ClusterRole"] {
        for role in rendering.ours(kind) {
            account.may_all(role).await;
        }
    }
    account.may_no_more(rendering).await;

    // Nothing makes namespaces go: they stay for the next one.
    let gone: Vec<_> = documents
        .iter()
        .filter(|document| document["kind"] != "Namespace")
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": gone}).to_string();
    server
        .kubectl(
            &["delete", "--wait=false", "--ignore-not-found", "-f", "-"],
            &list,
        )
        .await;
}

/// WVA's own rights are left out: they are not what is tried here.
fn is_applied(document: &Value) -> bool {
    is_ours(document)
        || !matches!(
            document["kind"].as_str(),
            Some("ClusterRole" | "ClusterRoleBinding")
        )
}

fn namespaces(rendering: &Rendering) -> BTreeSet<&str> {
    let named = rendering
        .documents
        .iter()
        .map(|document| match document["kind"].as_str() {
            Some("Namespace") => &document["metadata"]["name"],
            _ => &document["metadata"]["namespace"],
        });
    named.filter_map(Value::as_str).collect()
}

struct Account<'a> {
    server: &'a ApiServer,
    namespace: &'a str,
    name: &'a str,
}

impl Account<'_> {
    /// It may do everything that a role of ours says; cluster-wide also elsewhere.
    async fn may_all(&self, role: &Value) {
        let texts = |of: &Value| -> Vec<String> {
            let list = of.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let places: &[&str] = if role["kind"] == "Role" {
            &[self.namespace]
        } else {
            &[self.namespace, ELSEWHERE]
        };
        for rule in role["rules"].as_array().expect("rules") {
            let names = texts(&rule["resourceNames"]);
            let name = names.first().map(String::as_str).unwrap_or_default();
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    let (resource, part) = resource.split_once('/').unwrap_or((&resource, ""));
                    for verb in texts(&rule["verbs"]) {
                        for place in places {
                            self.is(true, place, [&group, resource, part], &verb, name).await;
                        }
                    }
                }
            }
        }
    }

    /// What is near to what it may do is refused, or permitted by an option alone.
    async fn may_no_more(&self, rendering: &Rendering) {
        let (here, everywhere) = (self.namespace, rendering.is_cluster_wide());
        for target in [
            ["apps", "deployments"],
            ["apps", "statefulsets"],
            ["leaderworkerset.x-k8s.io", "leaderworkersets"],
            ["argoproj.io", "rollouts"],
        ] {
            let [group, resource] = target;
            let scale = [group, resource, "scale"];
            for verb in ["get", "update"] {
                self.is(false, here, scale, verb, "").await;
            }
            for verb in ["patch", "update", "create", "delete"] {
                self.is(false, here, [group, resource, ""], verb, "").await;
            }
            let known = group != "argoproj.io";
            self.is(known || rendering.has_own_kind(), here, scale, "patch", "")
                .await;
            self.is(known && everywhere, ELSEWHERE, scale, "patch", "").await;
        }

        let optional = rendering.has_options();
        for [group, resource] in [
            ["llmd.ai", "variantautoscalings"],
            ["autoscaling", "horizontalpodautoscalers"],
            ["keda.sh", "scaledobjects"],
        ] {
            let object = [group, resource, ""];
            self.is(optional, here, object, "patch", "").await;
            self.is(optional && everywhere, ELSEWHERE, object, "patch", "")
                .await;
            self.is(everywhere, ELSEWHERE, object, "list", "").await;
            for verb in ["update", "create", "delete"] {
                self.is(false, here, object, verb, "").await;
            }
        }
        self.is(optional, here, ["", "pods", ""], "list", "").await;
        for verb in ["get", "watch", "create", "delete"] {
            self.is(false, here, ["", "pods", ""], verb, "").await;
        }
        let crd = ["apiextensions.k8s.io", "customresourcedefinitions", ""];
        self.is(optional && everywhere, "", crd, "get", "scaledobjects.keda.sh")
            .await;
        self.is(false, "", crd, "get", "variantautoscalings.llmd.ai")
            .await;
        self.is(false, "", crd, "list", "").await;
        self.is(false, here, ["", "secrets", ""], "get", "").await;
    }

    /// Whether it may do something to a resource, named by group, plural and part, is as expected, as
    /// soon as the server has taken it in.
    async fn is(&self, allowed: bool, namespace: &str, of: [&str; 3], verb: &str, name: &str) {
        let [group, resource, part] = of;
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{}:{}", self.namespace, self.name),
                "resourceAttributes": {
                    "namespace": namespace, "group": group, "resource": resource, "subresource": part,
                    "verb": verb, "name": name,
                },
            },
        });
        let what = format!(
            "{}/{} may {verb} {resource}/{part} {name} in {namespace}: {allowed}",
            self.namespace, self.name
        );
        wait::until_true(&what, async || {
            self.server.admin.create(review.clone()).await["status"]["allowed"] == allowed
        })
        .await;
    }
}
