//! What kinds there are.

use serde_json::{Value, json};

use crate::{
    cluster::{DEPLOYMENT, HPA, LEADER_WORKER_SET, POD, ROLLOUT, SCALED_OBJECT, STATEFUL_SET, VARIANT},
    suite::fails_in,
    wait,
    world::World,
};

/// Kinds and their parts are found by group and version, come with their CRD, and go with it.
pub async fn discovery(world: &World) {
    let admin = &world.cluster.admin;
    let absent = [
        "/apis/argoproj.io",
        "/apis/argoproj.io/v1alpha1",
        "/apis/absent.example/v1",
        "/apis/apps/v2",
    ];
    for path in absent {
        assert_eq!(admin.look(path).await.expect_err(path).code, 404, "{path}");
    }
    world.cluster.install_crd(ROLLOUT).await;
    let group = admin.look("/apis/argoproj.io").await.expect("the group");
    let version = json!({"groupVersion": "argoproj.io/v1alpha1", "version": "v1alpha1"});
    assert_eq!(
        group,
        json!({
            "kind": "APIGroup", "apiVersion": "v1", "name": "argoproj.io", "versions": [version],
            "preferredVersion": version,
        })
    );
    for (kind, parts) in [
        (DEPLOYMENT, vec!["scale", "status"]),
        (STATEFUL_SET, vec!["scale", "status"]),
        (LEADER_WORKER_SET, vec!["scale", "status"]),
        (ROLLOUT, vec!["scale", "status"]),
        (SCALED_OBJECT, vec!["status"]),
        (VARIANT, vec!["status"]),
        (HPA, vec!["status"]),
        (POD, vec!["status"]),
    ] {
        fails_in(kind.name);
        let root = if kind.api_version.contains('/') {
            "/apis"
        } else {
            "/api"
        };
        let list = admin
            .look(&format!("{root}/{}", kind.api_version))
            .await
            .expect("its group");
        assert_eq!(
            (&list["kind"], &list["groupVersion"]),
            (&"APIResourceList".into(), &kind.api_version.into())
        );
        let resources = list["resources"].as_array().expect("resources");
        let named = |name: &str| resources.iter().find(|resource| resource["name"] == name);
        let main = named(kind.plural).expect("the kind");
        assert_eq!(
            (&main["kind"], &main["namespaced"], &main["singularName"]),
            (&kind.name.into(), &true.into(), &kind.name.to_lowercase().into())
        );
        let verbs = main["verbs"].as_array().expect("verbs");
        for verb in ["get", "list", "watch", "patch"] {
            assert!(verbs.contains(&verb.into()), "{main}");
        }
        for part in ["scale", "status"] {
            let found = named(&format!("{}/{part}", kind.plural));
            assert_eq!(found.is_some(), parts.contains(&part), "{part}");
            if let Some(found) = found {
                let (of, group) = if part == "scale" {
                    ("Scale", json!("autoscaling"))
                } else {
                    (kind.name, Value::Null)
                };
                assert_eq!((&found["kind"], &found["group"]), (&of.into(), &group));
                assert_eq!(found["verbs"], json!(["get", "patch", "update"]));
            }
        }
    }
    fails_in("the end");
    world.cluster.remove_crd(ROLLOUT).await;
    for path in absent {
        wait::until_true(&format!("{path} is gone"), async || {
            admin.look(path).await.is_err_and(|refusal| refusal.code == 404)
        })
        .await;
    }
}
