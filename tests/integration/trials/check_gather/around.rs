//! Kinds that are not installed, kinds that only discovery finds, and what stands around endpoint pickers.

use scale_from_zero::check::{
    Need,
    gather::{Wanted, Who, live},
};
use serde_json::json;

use super::{allowed, config, connect, gather, key, unread};
use crate::{
    cluster::{POD, POOL, POOL_V1ALPHA2, ROLLOUT, Rights, SCALED_OBJECT},
    objects::{Shape, parked, pod, pool, rollout, scaled_object, targeting, variant},
    world::World,
};

/// A CRD that is not installed is no mistake: there are none of its objects, and no right is needed.
pub async fn without_crds(world: &World) {
    world.cluster.remove_crd(SCALED_OBJECT).await;
    world.cluster.remove_crd(POOL_V1ALPHA2).await;
    world.cluster.admin.until_served(SCALED_OBJECT, false).await;
    world.cluster.admin.until_served(POOL_V1ALPHA2, false).await;
    world.cluster.install_crd(ROLLOUT).await;
    world.cluster.admin.until_served(ROLLOUT, true).await;
    world
        .create([
            rollout("llama", "llama", 0),
            targeting(variant("llama", "llama"), ROLLOUT, "llama"),
            pool(POOL, Shape::MatchLabels, "llama", "llama"),
        ])
        .await;
    let mut odd = variant("odd", "odd");
    odd["spec"]["scaleTargetRef"] = json!({"apiVersion": "example.com/v1", "kind": "Gizmo", "name": "odd"});
    world.create([odd]).await;
    let (client, url) = connect(&world.cluster.admin_kubeconfig()).await;
    let mut config = config(world);
    config.scope.namespaces.clear();
    let facts = live(&client, &url, &config, &Wanted::default(), &Who::Myself)
        .await
        .expect("facts");
    for (kind, group) in [
        ("ScaledObject", "keda.sh"),
        ("InferencePool", "inference.networking.x-k8s.io"),
        ("Gizmo", "example.com"),
    ] {
        let told = facts
            .unread
            .iter()
            .find(|unread| unread.kind == kind && unread.group == group);
        assert!(
            told.is_some_and(|unread| unread.absent),
            "{kind}: {:?}",
            facts.unread
        );
    }
    assert_eq!(allowed(&facts, "list", "scaledobjects"), None);
    assert_eq!(
        allowed(&facts, "patch", "rollouts/scale"),
        Some(true),
        "found by discovery"
    );
    let entry = facts.inventory.entry(&key(world, "llama")).expect("the variant");
    assert!(entry.is_inactive(), "{entry:?}");
    assert_eq!(
        facts.objects.within("argoproj.io", "Rollout", &world.ns).count(),
        1
    );
}

/// What stands around an endpoint picker, and what another account may do.
pub async fn of_epps(world: &World) {
    world.create(parked("llama", "llama")).await;
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "epp"},
            "spec": {"selector": {"app": "epp"}, "ports": [{"port": 9002}]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "epp-config"}, "data": {"c.yaml": "a: b"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-nobody"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "epp"}, "spec": {
            "selector": {"matchLabels": {"app": "epp"}},
            "template": {"metadata": {"labels": {"app": "epp"}}, "spec": {
                "containers": [{"name": "epp", "image": "epp:1"}],
                "volumes": [{"name": "c", "configMap": {"name": "epp-config"}}]}}}},
    ]});
    let server = world.cluster.server().expect("a real one");
    server
        .kubectl(&["apply", "-n", &world.ns, "-f", "-"], &objects.to_string())
        .await;
    let epp = json!({"metadata": {"labels": {"app": "epp"}}});
    world.create([pod("epp-0", "x")]).await;
    world.patch(POD, "epp-0", &epp).await;
    world.create([scaled_object("other", "other", 0, 1)]).await;

    let ours = world
        .cluster
        .account(&world.ns, "ours", Rights::ClusterWide)
        .await;
    let (client, url) = connect(&world.cluster.admin_kubeconfig()).await;
    let mut config = config(world);
    config.scope.namespaces.clear();
    let who = Who::ServiceAccount {
        namespace: world.ns.clone(),
        name: "ours".into(),
    };
    let facts = live(&client, &url, &config, &Wanted::default(), &who)
        .await
        .expect("facts");
    let objects = &facts.objects;
    assert!(objects.get("", "Service", &world.ns, "epp").is_some());
    assert!(objects.get("", "Pod", &world.ns, "epp-0").is_some());
    let maps: Vec<_> = objects
        .all("", "ConfigMap")
        .map(|map| map.name.as_str())
        .collect();
    assert_eq!(maps, ["epp-config"]);
    let crd = objects
        .all("apiextensions.k8s.io", "CustomResourceDefinition")
        .next()
        .expect("KEDA's");
    assert!(crd.at("/metadata/labels").is_some() || crd.at("/metadata/uid").is_some());
    assert_eq!(crd.at("/spec"), None);
    assert!(unread(&facts, "ServiceMonitor").is_some_and(|unread| unread.absent));
    assert!(objects.all("", "Namespace").count() > 3);

    let account = format!("system:serviceaccount:{}:ours", world.ns);
    assert_eq!(facts.account.as_deref(), Some(&*account));
    for access in &facts.access {
        let wanted = match access.need {
            Need::Wake => true,
            Need::Option(_) => access.resource != "pods",
            Need::Wva => access.verb == "list",
        };
        assert_eq!(access.allowed, Ok(wanted), "{access:?}");
    }

    // Who may not ask about others is told so, right by right.
    let (client, url) = connect(&ours).await;
    let who = Who::ServiceAccount {
        namespace: world.ns.clone(),
        name: "default".into(),
    };
    let facts = live(&client, &url, &config, &Wanted::default(), &who)
        .await
        .expect("facts");
    assert!(
        facts.access.iter().all(|access| access.allowed.is_err()),
        "{:?}",
        facts.access
    );
    assert!(unread(&facts, "ConfigMap").is_none_or(|unread| !unread.absent));
}

/// Lists longer than a page come whole, and cost no more requests than there are pages.
pub async fn of_pages(world: &World) {
    const MODELS: usize = 120;
    const DEPLOYMENTS: usize = 1100;
    for n in 0..DEPLOYMENTS {
        let name = format!("m{n:04}");
        let [target, variant, pool] = parked(&name, &name);
        world.create([target]).await;
        if n < MODELS {
            world.create([variant, pool]).await;
        }
    }
    let before = world.cluster.kube().requests().len();
    let facts = gather(world, "checker", Rights::Namespaced, &config(world)).await;
    assert_eq!(facts.objects.all("apps", "Deployment").count(), DEPLOYMENTS);
    assert_eq!(facts.inventory.variants(), MODELS);
    let asked = world.cluster.kube().requests().len() - before - facts.access.len();
    // Seven kinds, two more pages of Deployments, the namespace, and the pods.
    assert_eq!(asked, 11);
}
