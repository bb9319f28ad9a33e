//! Accounts on the real server, with the rights that `manifests/` grants, or fewer.

use serde_json::{Value, json};

use crate::{
    servers::{ApiServer, documents},
    wait,
};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The ClusterRole.
    ClusterWide,
    /// The Role in the namespace.
    Namespaced,
    /// The Role without these resources.
    NamespacedWithout(&'static [&'static str]),
    /// The ClusterRole and the Role for leader election.
    Electing,
    /// The ClusterRole and the Role for the annotation of variants.
    Annotating,
}

/// Makes an account and returns the kubeconfig of its holder.
pub async fn account(server: &ApiServer, namespace: &str, name: &str, rights: Rights) -> String {
    let admin = &server.admin;
    let user = Subject { namespace, name };
    admin
        .create(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name},
        }))
        .await;
    match rights {
        Rights::ClusterWide | Rights::Electing | Rights::Annotating => {
            user.bind(server, "manifests/rbac/cluster-wide/clusterrolebinding.yaml")
                .await;
        }
        Rights::Namespaced => user.grant(server, "manifests/rbac/namespaced", &[]).await,
        Rights::NamespacedWithout(these) => user.grant(server, "manifests/rbac/namespaced", these).await,
    }
    if rights == Rights::Electing {
        user.grant(server, "manifests/rbac/leader-election", &[]).await;
        user.until_allowed(server, "coordination.k8s.io", "leases", "create")
            .await;
    }
    if rights == Rights::Annotating {
        user.grant(server, "manifests/rbac/annotate-variant", &[]).await;
        user.until_allowed(server, "llmd.ai", "variantautoscalings", "patch")
            .await;
    }
    user.until_allowed(server, "apps", "deployments", "list").await;
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let token = admin.post(&path, &request).await;
    server.kubeconfig(token["status"]["token"].as_str().expect("a token"))
}

struct Subject<'a> {
    namespace: &'a str,
    name: &'a str,
}

impl Subject<'_> {
    /// Creates a binding of `manifests/` for this account.
    async fn bind(&self, server: &ApiServer, file: &str) {
        for mut binding in documents(file) {
            if binding["kind"] == "RoleBinding" {
                binding["metadata"]["namespace"] = self.namespace.into();
                binding["roleRef"]["name"] = self.own(&binding["roleRef"]["name"]);
            }
            binding["metadata"]["name"] = self.own(&binding["metadata"]["name"]);
            binding["subjects"][0]["namespace"] = self.namespace.into();
            binding["subjects"][0]["name"] = self.name.into();
            server.admin.create(binding).await;
        }
    }

    /// Creates a Role of `manifests/`, without some resources, and binds this account to it.
    async fn grant(&self, server: &ApiServer, folder: &str, without: &[&str]) {
        for mut role in documents(&format!("{folder}/role.yaml")) {
            role["metadata"]["namespace"] = self.namespace.into();
            role["metadata"]["name"] = self.own(&role["metadata"]["name"]);
            let rules = role["rules"].as_array_mut().expect("rules");
            for rule in rules.iter_mut() {
                let resources = rule["resources"].as_array_mut().expect("resources");
                resources.retain(|resource| without.iter().all(|out| resource != out));
            }
            rules.retain(|rule| rule["resources"] != json!([]));
            server.admin.create(role).await;
        }
        self.bind(server, &format!("{folder}/rolebinding.yaml")).await;
    }

    /// A name of this account alone.
    fn own(&self, name: &Value) -> Value {
        format!(
            "{}:{}:{}",
            name.as_str().unwrap_or_default(),
            self.namespace,
            self.name
        )
        .into()
    }

    /// Waits until the server has taken a grant in.
    async fn until_allowed(&self, server: &ApiServer, group: &str, resource: &str, verb: &str) {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{}:{}", self.namespace, self.name),
                "resourceAttributes": {
                    "namespace": self.namespace, "group": group, "resource": resource, "verb": verb,
                },
            },
        });
        wait::until_true(&format!("{} may {verb} {resource}", self.name), async || {
            server.admin.create(review.clone()).await["status"]["allowed"] == true
        })
        .await;
    }
}
