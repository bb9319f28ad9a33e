//! What `check` gathers of a live cluster and its Prometheus: all of it where it may, and where it may not, the rest.

use kube::{
    Client, Config as Cluster,
    config::{KubeConfigOptions, Kubeconfig},
};
use scale_from_zero::{
    check::{
        Facts, Need, Origin, Unread,
        gather::{GatherError, Wanted, Who, live},
    },
    cluster::client::client,
    config::Config,
    core::{Gone, ObjectName, Observed, VariantKey},
    demo::kubernetes::{Effect, Fault, Match, Resource, Verb},
};
use serde_json::json;

use crate::{
    cluster::{POD, POOL, POOL_V1ALPHA2, ROLLOUT, Rights, SCALED_OBJECT},
    demand::Demand,
    objects::{Shape, parked, pod, pool, rollout, scaled_object, targeting, variant},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("check_gathers_all", gathers_all);
    suite.both("check_gathers_the_rest", gathers_the_rest);
    suite.both("check_without_prometheus", without_prometheus);
    suite.both("check_wants_what_is_there", wants_what_is_there);
    suite.both_alone("check_without_crds", without_crds);
    suite.real_alone("check_of_epps", of_epps);
    suite.embedded("check_of_pages", of_pages);
    suite.real("check_without_credentials", without_credentials);
}

/// A connection, and where it leads.
async fn connect(kubeconfig: &str) -> (Client, String) {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config = Cluster::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let config = config.expect("a cluster");
    (client(&config).expect("a client"), config.cluster_url.to_string())
}

/// The configuration of all trials.
fn config(world: &World) -> Config {
    let mut config = Config::default();
    config.prometheus.urls = vec![world.demand.url().parse().expect("a URL")];
    config.prometheus.timeout = wait::PATIENCE;
    config.scope.namespaces = vec![world.ns.clone()];
    config
}

async fn gather(world: &World, name: &str, rights: Rights, config: &Config) -> Facts {
    let kubeconfig = world.cluster.account(&world.ns, name, rights).await;
    let (client, url) = connect(&kubeconfig).await;
    let facts = live(&client, &url, config, &Wanted::default(), &Who::Myself).await;
    facts.expect("facts")
}

fn unread<'a>(facts: &'a Facts, kind: &str) -> Option<&'a Unread> {
    facts.unread.iter().find(|unread| unread.kind == kind)
}

fn key(world: &World, name: &str) -> VariantKey {
    VariantKey::autoscaling(ObjectName::new(world.ns.as_str(), name))
}

/// Whether something is allowed, as far as it was asked for.
fn allowed(facts: &Facts, verb: &str, resource: &str) -> Option<bool> {
    let access = facts.access.iter();
    let mut of = access.filter(|access| access.verb == verb && access.resource == resource);
    of.next()
        .map(|access| *access.allowed.as_ref().expect("an answer"))
}

/// With the rights of the program nothing that matters is missing.
async fn gathers_all(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create([pod("starting", "llama")]).await;
    world.ask("llama", "llama", 4);
    let config = config(world);
    let kubeconfig = world
        .cluster
        .account(&world.ns, "checker", Rights::Namespaced)
        .await;
    let (client, url) = connect(&kubeconfig).await;
    let facts = wait::until("the demand", async || {
        let facts = live(&client, &url, &config, &Wanted::default(), &Who::Myself)
            .await
            .expect("facts");
        let demand = facts
            .prometheus
            .demand
            .as_ref()
            .expect("asked")
            .as_ref()
            .expect("an answer");
        let ours = demand
            .iter()
            .any(|row| row.namespace.as_deref() == Some(&world.ns));
        ours.then_some(facts)
    })
    .await;

    let Origin::Live { cluster, version } = &facts.origin else {
        panic!("{:?}", facts.origin)
    };
    assert!(
        cluster.starts_with("http") && version.as_ref().is_some_and(|v| v.starts_with('v')),
        "{cluster} {version:?}"
    );
    let entry = facts.inventory.entry(&key(world, "llama")).expect("the variant");
    assert!(
        matches!(entry.observed, Ok(Observed::Zero(_))),
        "{:?}",
        entry.observed
    );
    assert_eq!(
        entry.pools.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["llama"]
    );
    let target = facts
        .objects
        .get("apps", "Deployment", &world.ns, "llama")
        .expect("whole");
    assert_eq!(target.number("/spec/replicas"), Some(0));
    assert_eq!(
        target.text("/kind"),
        Some("Deployment"),
        "items of a list do not say it"
    );
    assert!(target.at("/metadata/managedFields").is_none());

    let kinds = [
        "VariantAutoscaling",
        "Deployment",
        "StatefulSet",
        "InferencePool",
        "ScaledObject",
    ];
    for kind in kinds {
        assert_eq!(unread(&facts, kind), None);
    }
    assert_eq!(allowed(&facts, "patch", "deployments/scale"), Some(true));
    assert_eq!(allowed(&facts, "watch", "variantautoscalings"), Some(true));
    assert_eq!(
        allowed(&facts, "patch", "statefulsets/scale"),
        None,
        "no variant has such a target"
    );
    assert_eq!(
        allowed(&facts, "patch", "horizontalpodautoscalers"),
        None,
        "no guard"
    );
    assert!(facts.access.iter().any(|access| access.need == Need::Wva));

    says_the_rest(world, &facts);
}

/// What the two servers tell, and what one of them has not.
fn says_the_rest(world: &World, facts: &Facts) {
    let prometheus = &facts.prometheus;
    assert!(prometheus.latency.is_some() && prometheus.seen.is_some() && prometheus.ages.is_some());
    assert_eq!(prometheus.servers, [world.demand.url().trim_end_matches('/')]);
    match world.demand {
        Demand::Scraped { .. } => {
            assert_eq!(
                allowed(facts, "update", "deployments/scale"),
                Some(false),
                "not WVA's engine"
            );
            assert_eq!(
                facts.account.as_deref(),
                Some(&*format!("system:serviceaccount:{0}:checker", world.ns))
            );
            // Neither Services nor pods are the program's to read.
            assert!(
                unread(facts, "Pod").is_some_and(|unread| !unread.absent && unread.why.contains("forbidden"))
            );
            assert!(unread(facts, "Namespace").is_some_and(|unread| !unread.absent));
            let ours = prometheus
                .series
                .iter()
                .filter(|series| series.label("namespace") == world.ns);
            assert!(ours.clone().count() > 0 && ours.clone().all(|series| series.age.is_some()));
            let targets = prometheus
                .targets
                .as_ref()
                .expect("asked")
                .as_ref()
                .expect("targets");
            assert!(
                targets.iter().all(|target| target.interval.is_some()),
                "{targets:?}"
            );
            assert!(prometheus.version.is_some() && prometheus.clock_ahead.is_some());
        }
        Demand::Scripted(_) => {
            assert_eq!(facts.objects.within("", "Pod", &world.ns).count(), 1);
            assert!(unread(facts, "Service").is_some_and(|unread| unread.absent));
            assert_eq!(facts.account, None);
            // What it has not is told part by part.
            let targets = prometheus
                .targets
                .as_ref()
                .expect("asked")
                .as_ref()
                .expect_err("no such page");
            assert!(targets.contains("the server has no /api/v1/targets"), "{targets}");
            assert!(prometheus.series_error.is_some() && prometheus.version.is_none());
        }
    }
}

/// One kind that may not be read hides nothing else.
async fn gathers_the_rest(world: &World) {
    world.create(parked("llama", "llama")).await;
    if world.cluster.server().is_none() {
        world.cluster.kube().add_fault(Fault {
            matches: Match {
                verb: Some(Verb::List),
                resource: Some(Resource::Deployments),
                ..Match::default()
            },
            times: None,
            effect: Effect::Forbidden,
        });
    }
    // Of those that the program needs, one is not granted.
    let rights = Rights::NamespacedWithout(&["statefulsets"]);
    let config = config(world);
    let facts = gather(world, "checker", rights, &config).await;
    let (kind, denied) = if world.cluster.server().is_some() {
        ("StatefulSet", None)
    } else {
        ("Deployment", Some(false))
    };
    let unread = unread(&facts, kind).expect("it is told");
    assert_eq!((&*unread.group, unread.absent), ("apps", false));
    assert_eq!(unread.namespace.as_deref(), Some(&*world.ns));
    assert!(
        unread.why.contains("list") && unread.why.contains("forbidden"),
        "{}",
        unread.why
    );
    let entry = facts
        .inventory
        .entry(&key(world, "llama"))
        .expect("variants are there");
    if kind == "Deployment" {
        assert!(
            matches!(entry.observed, Err(Gone::Unreadable)),
            "{:?}",
            entry.observed
        );
        assert_eq!(allowed(&facts, "list", "deployments"), denied);
    } else {
        assert!(
            matches!(entry.observed, Ok(Observed::Zero(_))),
            "{:?}",
            entry.observed
        );
    }
    assert!(facts.prometheus.demand.expect("asked").is_ok());
}

async fn without_prometheus(world: &World) {
    world.create(parked("llama", "llama")).await;
    let mut config = config(world);
    config.prometheus.urls = vec!["http://127.0.0.1:1".parse().expect("a URL")];
    let facts = gather(world, "checker", Rights::Namespaced, &config).await;
    let prometheus = &facts.prometheus;
    let demand = prometheus
        .demand
        .as_ref()
        .expect("asked")
        .as_ref()
        .expect_err("nobody there");
    assert!(
        demand.contains("127.0.0.1:1") && demand.contains("prometheus.url"),
        "{demand}"
    );
    assert!(prometheus.series_error.is_some() && prometheus.targets.as_ref().is_some_and(Result::is_err));
    assert_eq!((&prometheus.seen, &prometheus.latency), (&None, &None));
    assert!(facts.inventory.entry(&key(world, "llama")).is_some());

    config.prometheus.tls.ca_file = Some("/nowhere/ca.pem".into());
    let facts = gather(world, "again", Rights::Namespaced, &config).await;
    let told = facts.prometheus.demand.expect("asked").expect_err("no client");
    assert!(told.contains("prometheus.tls.caFile"), "{told}");
}

async fn wants_what_is_there(world: &World) {
    world.create(parked("llama", "llama")).await;
    let kubeconfig = world.cluster.admin_kubeconfig();
    let (client, url) = connect(&kubeconfig).await;
    let mut config = config(world);
    config.scope.namespaces.clear();
    let ask = async |namespace: &str, name: Option<&str>| {
        let wanted = Wanted {
            namespace: Some(namespace.into()),
            name: name.map(Into::into),
        };
        live(&client, &url, &config, &wanted, &Who::Myself).await
    };
    let facts = ask(&world.ns, Some("llama")).await.expect("facts");
    assert_eq!(facts.objects.namespaces(), [world.ns.as_str()].into());
    let rights = facts.access.iter().map(|access| access.namespace.clone());
    assert!(
        rights.clone().all(|namespace| namespace.is_none()),
        "the program would look everywhere"
    );

    let error = ask(&world.ns, Some("lama")).await.expect_err("no such variant");
    assert!(
        matches!(&error, GatherError::NoVariant { near: Some(near), .. } if near == "llama"),
        "{error}"
    );
    let error = ask("nowhere-at-all", None).await.expect_err("no such namespace");
    assert!(error.to_string().contains("kubectl get namespaces"), "{error}");
}

/// A CRD that is not installed is no mistake: there are none of its objects, and no right is needed.
async fn without_crds(world: &World) {
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
async fn of_epps(world: &World) {
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
async fn of_pages(world: &World) {
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

async fn without_credentials(world: &World) {
    let server = world.cluster.server().expect("a real one");
    let (client, url) = connect(&server.kubeconfig("no-token")).await;
    let config = config(world);
    let error = live(&client, &url, &config, &Wanted::default(), &Who::Myself)
        .await
        .expect_err("401");
    assert!(matches!(error, GatherError::Unauthorized { .. }), "{error}");

    let nobody = server
        .kubeconfig("no-token")
        .replace(url.trim_end_matches('/'), "https://127.0.0.1:1");
    let (client, url) = connect(&nobody).await;
    let error = live(&client, &url, &config, &Wanted::default(), &Who::Myself)
        .await
        .expect_err("nobody there");
    assert!(matches!(error, GatherError::NoAnswer { .. }), "{error}");
    assert!(error.to_string().contains("https://127.0.0.1:1"), "{error}");
}
