//! `managedFields`: who set what. The shared suite holds the owners of `replicas` to the real server's.

use kube::api::{Patch, PatchParams};
use scale_from_zero::demo::kubernetes::{Kube, Resource};
use serde_json::{Value, json};

use crate::{deployment, deployments, raw_json, refusal, start, variant, variants};

/// Each entry: manager, part, and the fields.
fn entries(object: &Value) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten();
    entries
        .map(|entry| {
            let who = (text(&entry["manager"]), text(&entry["subresource"]));
            (who.0, who.1, entry["fieldsV1"].clone())
        })
        .collect()
}

fn owner_of_replicas(kube: &Kube) -> Option<String> {
    let object = kube.get(Resource::Deployments, "default", "llama").unwrap();
    let mut owners = entries(&object)
        .into_iter()
        .filter(|(_, _, fields)| fields["f:spec"]["f:replicas"].is_object());
    let owner = owners
        .next()
        .map(|(manager, part, _)| format!("{manager} {part}"));
    assert!(owners.next().is_none());
    owner
}

#[tokio::test]
async fn within_the_process_too_writes_have_a_name() {
    let (kube, _client) = start().await;
    kube.apply(deployment("default", "llama", 0)).unwrap();
    assert_eq!(owner_of_replicas(&kube).as_deref(), Some("embedded "));
    let scale = |replicas, manager| {
        kube.scale(Resource::Deployments, "default", "llama", replicas, manager)
            .unwrap()
    };
    assert_eq!(scale(1, "scale-from-zero")["metadata"]["generation"], 2);
    assert_eq!(owner_of_replicas(&kube).as_deref(), Some("scale-from-zero scale"));
    scale(0, "kube-controller-manager");
    assert_eq!(owner_of_replicas(&kube), None);
    scale(2, "kube-controller-manager");
    assert_eq!(
        owner_of_replicas(&kube),
        None,
        "not through /scale, where nobody owned it"
    );
    kube.update(Resource::Deployments, "default", "llama", |object| {
        object["spec"]["replicas"] = 0.into();
    })
    .unwrap();
    assert_eq!(owner_of_replicas(&kube).as_deref(), Some("embedded "));
    let refused = kube
        .scale(Resource::Pods, "default", "llama", 1, "m")
        .unwrap_err();
    assert_eq!(refused.code, 404);
}

#[tokio::test]
async fn each_part_of_an_object_has_entries_of_its_own() {
    let (kube, client) = start().await;
    kube.apply(variant("default", "llama")).unwrap();
    let api = variants(&client, "default");
    let how = |manager: &str| PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let status = Patch::Merge(json!({"status": {"actuation": {"applied": true}}}));
    api.patch_status("llama", &how("scale-from-zero"), &status)
        .await
        .unwrap();
    let annotate = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
    api.patch("llama", &how("kubectl-annotate"), &annotate)
        .await
        .unwrap();
    let object = raw_json(
        &client,
        "/apis/llmd.ai/v1alpha1/namespaces/default/variantautoscalings/llama",
    )
    .await;
    let entries = entries(&object);
    let of = |manager: &str| entries.iter().find(|(of, _, _)| of == manager).unwrap();
    assert_eq!(of("embedded").2["f:spec"]["f:modelID"], json!({}));
    let actuation = json!({"f:status": {".": {}, "f:actuation": {".": {}, "f:applied": {}}}});
    assert_eq!(
        (&of("scale-from-zero").1[..], &of("scale-from-zero").2),
        ("status", &actuation)
    );
    let annotation = json!({"f:metadata": {"f:annotations": {".": {}, "f:a": {}}}});
    assert_eq!(
        (&of("kubectl-annotate").1[..], &of("kubectl-annotate").2),
        ("", &annotation)
    );

    // What another changes is his; what is removed is nobody's. No change makes no version.
    let again = api.patch("llama", &how("helm"), &annotate).await.unwrap();
    assert_eq!(
        again.metadata.resource_version.as_deref(),
        object["metadata"]["resourceVersion"].as_str()
    );
    let other = Patch::Merge(json!({"metadata": {"annotations": {"a": "c"}}}));
    let taken = api.patch("llama", &how("helm"), &other).await.unwrap();
    let taken = serde_json::to_value(&taken).unwrap();
    let left: Vec<_> = self::entries(&taken)
        .into_iter()
        .filter(|(of, ..)| of == "kubectl-annotate")
        .collect();
    assert_eq!(
        left[0].2,
        json!({"f:metadata": {"f:annotations": {}}}),
        "as the real server leaves it"
    );
    let gone = Patch::Merge(json!({"metadata": {"annotations": {"a": null}}}));
    let gone = api.patch("llama", &how("m"), &gone).await.unwrap();
    let managers: Vec<_> = gone
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .filter_map(|of| of.manager)
        .collect();
    assert_eq!(managers, ["embedded", "scale-from-zero"]);
}

#[tokio::test]
async fn what_is_applied_no_more_goes() {
    let (kube, client) = start().await;
    kube.apply(deployment("default", "llama", 1)).unwrap();
    let api = deployments(&client, "default");
    let config = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "llama"}, "spec": spec});
    let apply =
        async |how: &PatchParams, spec: Value| api.patch("llama", how, &Patch::Apply(config(spec))).await;
    let argo = PatchParams::apply("argocd");
    let conflict = refusal(apply(&argo, json!({"replicas": 0})).await);
    assert_eq!(
        (conflict.code, conflict.message.as_str()),
        (
            409,
            "Apply failed with 1 conflict: conflict with \"embedded\" using apps/v1: .spec.replicas"
        )
    );
    let forced = apply(&argo.clone().force(), json!({"replicas": 0, "paused": true}))
        .await
        .unwrap();
    assert_eq!(forced.spec.unwrap().paused, Some(true));
    assert_eq!(owner_of_replicas(&kube).as_deref(), Some("argocd "));
    let version = apply(&argo, json!({"replicas": 0, "paused": true}))
        .await
        .unwrap()
        .metadata
        .resource_version;
    assert_eq!(version, forced.metadata.resource_version, "no change, no version");
    let fewer = apply(&argo, json!({"replicas": 0})).await.unwrap();
    assert_eq!(fewer.spec.unwrap().paused, None);
    // Lists would have to be merged by their keys: rather than wrongly, not at all.
    let containers = json!({"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}});
    assert_eq!(refusal(apply(&argo, containers).await).code, 400);
}
