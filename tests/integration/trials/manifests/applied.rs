//! Renderings on a real API server: it takes them without a warning under the `restricted` pod
//! security standard, and the account may do what it must, and no more.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::render::{Rendering, all, is_ours};
use crate::{
    servers::{ApiServer, Servers},
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
    for target in ["deployments", "statefulsets"] {
        for verb in ["get", "update"] {
            account
                .is(false, account.namespace, "apps", target, "scale", verb, "")
                .await;
        }
        account
            .is(true, account.namespace, "apps", target, "scale", "patch", "")
            .await;
        account
            .is(
                rendering.is_cluster_wide(),
                ELSEWHERE,
                "apps",
                target,
                "scale",
                "patch",
                "",
            )
            .await;
    }
    account
        .is(false, account.namespace, "", "secrets", "", "get", "")
        .await;

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
                            self.is(true, place, &group, resource, part, &verb, name).await;
                        }
                    }
                }
            }
        }
    }

    /// Whether it may do something is as expected, as soon as the server has taken it in.
    #[expect(clippy::too_many_arguments, reason = "the attributes of one request")]
    async fn is(
        &self,
        allowed: bool,
        namespace: &str,
        group: &str,
        resource: &str,
        part: &str,
        verb: &str,
        name: &str,
    ) {
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
