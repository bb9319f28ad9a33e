//! Who owns `spec.replicas` after which write.

use serde_json::{Value, json};

use crate::{
    cluster::{DEPLOYMENT, Kind, LEADER_WORKER_SET, ROLLOUT, STATEFUL_SET, Write},
    objects::{deployment, leader_worker_set, rollout, stateful_set},
    suite::fails_in,
    world::World,
};

/// Who set the replicas is told by `managedFields` after a direct write, and by nothing after a write
/// of 0 through `/scale`; alike for built-in and custom kinds.
pub async fn owner_of_replicas(world: &World) {
    world.cluster.install_crd(ROLLOUT).await;
    for (kind, object) in [
        (DEPLOYMENT, deployment("a", "a", 0)),
        (STATEFUL_SET, stateful_set("a", "a", 0)),
        (LEADER_WORKER_SET, leader_worker_set("a", "a", 0)),
        (ROLLOUT, rollout("a", "a", 0)),
    ] {
        fails_in(kind.name);
        world.create([object]).await;
        let target = Target { world, kind };
        assert_eq!(target.owners().await.len(), 1, "whoever created it");

        let woken = [format!(
            "scale-from-zero Update {} scale, no time",
            kind.api_version
        )];
        assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, woken);
        assert_eq!(
            target.scale(Write::Put, "kube-controller-manager", 3).await,
            [format!(
                "kube-controller-manager Update {} scale, no time",
                kind.api_version
            )]
        );
        let nobody: [String; 0] = [];
        assert_eq!(
            target.scale(Write::Put, "kube-controller-manager", 0).await,
            nobody
        );
        // Where nobody owns it, a scale gives it to nobody.
        assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, nobody);
        assert_eq!(target.scale(Write::Merge, "kubectl", 0).await, nobody);
        assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, nobody);

        let direct = |manager: &str, how: &str| [format!("{manager} {how} {} ", kind.api_version)];
        let zero = json!({"spec": {"replicas": 0}});
        assert_eq!(
            target.write(Write::Merge, "kubectl-patch", &zero).await,
            direct("kubectl-patch", "Update")
        );
        // No change, no owner.
        assert_eq!(
            target.write(Write::Merge, "helm", &zero).await,
            direct("kubectl-patch", "Update")
        );
        assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, woken);
        let mut whole = world.get(kind, "a").await;
        whole["spec"]["replicas"] = 0.into();
        assert_eq!(
            target.write(Write::Put, "kubectl-edit", &whole).await,
            direct("kubectl-edit", "Update")
        );
        assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, woken);
        let applied = json!({
            "apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "a", "namespace": world.ns},
            "spec": {"replicas": 0},
        });
        for _ in 0..2 {
            assert_eq!(
                target.write(Write::Apply, "argocd-controller", &applied).await,
                direct("argocd-controller", "Apply")
            );
            assert_eq!(target.scale(Write::Merge, "scale-from-zero", 1).await, woken);
        }
        assert_eq!(target.scale(Write::Merge, "keda-operator", 0).await, nobody);
    }
}

struct Target<'a> {
    world: &'a World,
    kind: Kind,
}

impl Target<'_> {
    fn path(&self, part: Option<&str>) -> String {
        self.kind.path(Some(&self.world.ns), Some("a"), part)
    }

    /// Scales it, and tells who owns its replicas then.
    async fn scale(&self, how: Write, manager: &str, replicas: u32) -> Vec<String> {
        let body = match how {
            Write::Put => {
                let mut scale = self
                    .world
                    .cluster
                    .admin
                    .look(&self.path(Some("scale")))
                    .await
                    .expect("its scale");
                scale["spec"]["replicas"] = replicas.into();
                scale
            }
            Write::Merge | Write::Apply => json!({"spec": {"replicas": replicas}}),
        };
        let path = self.path(Some("scale"));
        let scale = self.world.cluster.admin.write(how, manager, &path, &body).await;
        // At zero a Scale does not say it.
        assert_eq!(
            scale["spec"]["replicas"].as_u64().unwrap_or_default(),
            u64::from(replicas)
        );
        self.owners().await
    }

    async fn write(&self, how: Write, manager: &str, body: &Value) -> Vec<String> {
        let path = self.path(None);
        self.world.cluster.admin.write(how, manager, &path, body).await;
        self.owners().await
    }

    async fn owners(&self) -> Vec<String> {
        let object = self.world.get(self.kind, "a").await;
        let entries = object["metadata"]["managedFields"]
            .as_array()
            .expect("some")
            .iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let owners = entries.filter(|entry| {
            assert_eq!(entry["fieldsType"], "FieldsV1");
            entry["fieldsV1"]["f:spec"]["f:replicas"].is_object()
        });
        owners
            .map(|entry| {
                let [manager, operation, version, part] =
                    ["manager", "operation", "apiVersion", "subresource"].map(|key| text(&entry[key]));
                let time = if entry["time"].is_string() {
                    ""
                } else {
                    ", no time"
                };
                format!("{manager} {operation} {version} {part}{time}")
            })
            .collect()
    }
}
