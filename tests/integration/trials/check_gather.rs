//! What `check` gathers of a live cluster and its Prometheus: all of it where it may, and where it may not, the rest.

mod around;

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

use crate::{
    cluster::Rights,
    demand::Demand,
    objects::{parked, pod},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("check_gathers_all", gathers_all);
    suite.both("check_gathers_the_rest", gathers_the_rest);
    suite.both("check_without_prometheus", without_prometheus);
    suite.both("check_wants_what_is_there", wants_what_is_there);
    suite.both_alone("check_without_crds", around::without_crds);
    suite.real_alone("check_of_epps", around::of_epps);
    suite.embedded("check_of_pages", around::of_pages);
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
