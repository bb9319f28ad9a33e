//! Accounts on the real server, with the rights that `manifests/` grants, or fewer.

use serde_json::{Value, json};

use crate::{
    servers::{ApiServer, documents, project},
    wait,
};

const CLUSTER_ROLE_BINDING: &str = "manifests/rbac/cluster-wide/clusterrolebinding.yaml";

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The ClusterRole.
    ClusterWide,
    /// The ClusterRole with the rules of these options, folders of `manifests/rbac`.
    With(&'static [&'static str]),
    /// The Role in the namespace.
    Namespaced,
    /// The Role without these resources.
    NamespacedWithout(&'static [&'static str]),
    /// The ClusterRole and the Role for leader election.
    Electing,
}

/// The rules that an option adds: what its folder in `manifests/rbac` says of every role, and of a ClusterRole.
pub fn option_rules(option: &str, is_cluster_wide: bool) -> Vec<Value> {
    let folder = format!("manifests/rbac/{option}");
    let mut files = vec![format!("{folder}/rules.yaml")];
    let of_cluster = format!("{folder}/cluster-rules.yaml");
    if is_cluster_wide && project(&of_cluster).exists() {
        files.push(of_cluster);
    }
    let additions = files.iter().flat_map(|file| documents(file)).flat_map(|file| {
        let additions = file.as_array().cloned();
        additions.expect("a JSON patch")
    });
    additions
        .map(|addition| {
            assert_eq!(
                (&addition["op"], &addition["path"]),
                (&json!("add"), &json!("/rules/-"))
            );
            addition["value"].clone()
        })
        .collect()
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
        Rights::ClusterWide | Rights::Electing => user.bind(server, CLUSTER_ROLE_BINDING, false).await,
        Rights::With(options) => user.grant_everywhere(server, options).await,
        Rights::Namespaced => user.grant(server, "manifests/rbac/namespaced", &[]).await,
        Rights::NamespacedWithout(these) => user.grant(server, "manifests/rbac/namespaced", these).await,
    }
    if rights == Rights::Electing {
        user.grant(server, "manifests/rbac/leader-election", &[]).await;
        user.until_allowed(server, "coordination.k8s.io", "leases", "create")
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
    /// Creates a binding of `manifests/` for this account, to the role that all share or to one of its own.
    async fn bind(&self, server: &ApiServer, file: &str, to_own: bool) {
        for mut binding in documents(file) {
            if binding["kind"] == "RoleBinding" {
                binding["metadata"]["namespace"] = self.namespace.into();
            }
            if to_own {
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
        self.bind(server, &format!("{folder}/rolebinding.yaml"), true)
            .await;
    }

    /// Creates a ClusterRole of this account's own, with options, and binds it.
    async fn grant_everywhere(&self, server: &ApiServer, options: &[&str]) {
        for mut role in documents("manifests/rbac/cluster-wide/clusterrole.yaml") {
            role["metadata"]["name"] = self.own(&role["metadata"]["name"]);
            let rules = role["rules"].as_array_mut().expect("rules");
            rules.extend(options.iter().flat_map(|option| option_rules(option, true)));
            server.admin.create(role).await;
        }
        self.bind(server, CLUSTER_ROLE_BINDING, true).await;
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
