//! Kinds that come and go, that may not be read, or whose watch does not work: without harm to the
//! others, and reported (design, section 3).

use std::{sync::Arc, time::Duration};

use scale_from_zero::demo::kubernetes::{Effect, Match, Resource, Subresource, Verb};

use crate::{
    cluster::{POOL, POOL_V1ALPHA2, Rights, SCALED_OBJECT, VARIANT},
    objects::{Shape, deployment, old_pool, parked, pool, scaled_object, variant},
    program::Program,
    servers::ApiServer,
    suite::Suite,
    wait,
    world::World,
};

const VARIANTS: &str = "variantautoscalings.llmd.ai";
const POOLS: &str = "inferencepools.inference.networking.k8s.io";
const OLD_POOLS: &str = "inferencepools.inference.networking.x-k8s.io";

pub fn register(suite: &mut Suite) {
    suite.both_alone("crds_come_and_go", crds_come_and_go);
    suite.real("role_instead_of_cluster_role", role_instead_of_cluster_role);
    suite.real("kind_forbidden", kind_forbidden);
    upstream_crds(suite);
    suite.embedded("list_hangs", list_hangs);
    suite.embedded("watch_silent", watch_silent);
    suite.embedded("watch_cut_and_history_gone", watch_cut_and_history_gone);
}

/// None of the CRDs is there at the start; one after the other appears, and that of the variants
/// goes and comes back.
async fn crds_come_and_go(world: &World) {
    let kinds = [(VARIANT, VARIANTS), (POOL, POOLS), (POOL_V1ALPHA2, OLD_POOLS)];
    for (kind, _) in kinds {
        world.cluster.remove_crd(kind).await;
    }
    let program = world.program("a").ready().await;
    for (_, name) in kinds {
        until_state(&program, name, "absent").await;
    }
    let said = program
        .log
        .all("The API server does not have this resource; looking again every 10 s");
    assert_eq!(said.len(), 2);
    let nothing = "The API server does not have this resource, so only managed ScaledObjects and HorizontalPodAutoscalers are woken; install WVA's CRDs if you use them. Looking again every 10 s";
    assert_eq!(program.log.all(nothing).len(), 1);

    for (kind, _) in kinds {
        world.cluster.install_crd(kind).await;
    }
    for (_, name) in kinds {
        until_state(&program, name, "synced").await;
    }
    world
        .create([
            deployment("new", "new", 0),
            variant("new", "new"),
            pool(POOL, Shape::MatchLabels, "new", "new"),
        ])
        .await;
    world
        .create([
            deployment("old", "old", 0),
            variant("old", "old"),
            pool(POOL_V1ALPHA2, Shape::Flat, "old", "old"),
        ])
        .await;
    for name in ["new", "old"] {
        world.ask(name, name, 1);
        world.until_told(name).await;
    }

    world.cluster.remove_crd(VARIANT).await;
    until_state(&program, VARIANTS, "absent").await;
    program.until_metric("variants", &[], |n| n == 0.0).await;
    world.cluster.install_crd(VARIANT).await;
    world.create(parked("again", "again")).await;
    world.ask("again", "again", 1);
    world.until_told("again").await;
    until_state(&program, VARIANTS, "synced").await;
}

/// With the CRDs that users have, which are not in this repository: `UPSTREAM_CRDS` names a folder of
/// them.
fn upstream_crds(suite: &mut Suite) {
    const NAME: &str = "upstream_crds";
    let Some(folder) = std::env::var_os("UPSTREAM_CRDS").filter(|folder| !folder.is_empty()) else {
        return suite.ignored(
            &format!("real::{NAME}"),
            "UPSTREAM_CRDS names no folder with CRDs",
        );
    };
    let folder = folder.to_string_lossy().into_owned();
    suite.with_servers(&format!("real::{NAME}"), async move |servers, logs| {
        let _turn = servers.alone.lock().await;
        let server = Arc::new(ApiServer::start(&servers.assets).await.expect("an API server"));
        server
            .kubectl(&["apply", "--server-side", "-f", &folder], "")
            .await;
        for kind in [VARIANT, POOL, POOL_V1ALPHA2, SCALED_OBJECT] {
            server.admin.until_served(kind, true).await;
        }
        server.install_cluster_role().await;
        let world = World::real("upstream-crds", &servers, server, logs).await;
        world.create(parked("new", "new")).await;
        // What trials write on the project's own CRD must hold on KEDA's.
        world.create([scaled_object("new", "new", 0, 3)]).await;
        world
            .create([
                deployment("old", "old", 0),
                variant("old", "old"),
                old_pool("old", "old"),
            ])
            .await;
        let program = world.program("a").ready().await;
        for name in ["new", "old"] {
            world.ask(name, name, 1);
            world.until_told(name).await;
        }
        program
            .until_metric("reports_total", &[("result", "done")], |n| n == 2.0)
            .await;
        assert!(
            program
                .log
                .all("Could not report a wake; trying again")
                .is_empty()
        );
    });
}

/// A Role in the namespace is enough. Namespaces cannot be watched with it, which is said and no more.
async fn role_instead_of_cluster_role(world: &World) {
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").rights(Rights::Namespaced).ready().await;
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    assert_eq!(world.events().await.len(), 2);
    until_state(&program, "namespaces", "forbidden").await;
    let forbidden = program.log.said(
        "Not permitted to watch namespaces: annotations that exclude a whole namespace are not seen",
        |_| true,
    );
    assert_eq!(forbidden.await.field("level"), "INFO");
    let ready = program.until_ready().await;
    assert!(
        ready.contains(&format!("namespaces in {}: forbidden", world.ns)),
        "{ready}"
    );
    let refused: Vec<_> = world
        .cluster
        .requests(&world.ns)
        .into_iter()
        .filter(|asked| asked.code == 403)
        .collect();
    assert!(
        refused.iter().all(|asked| asked.resource == "namespaces"),
        "{refused:#?}"
    );
}

/// Rights on StatefulSets are missing: Deployments are woken, and both the log and the reason name the mend.
async fn kind_forbidden(world: &World) {
    world.create(parked("llama", "llama")).await;
    let mut of_set = variant("set", "set");
    of_set["spec"]["scaleTargetRef"]["kind"] = "StatefulSet".into();
    world
        .create([of_set, pool(POOL, Shape::MatchLabels, "set", "set")])
        .await;
    world.create(parked("parked", "parked")).await;
    let rights = Rights::NamespacedWithout(&["statefulsets"]);
    let program = world.program("a").rights(rights).ready().await;
    world.ask("llama", "llama", 1);
    world.ask("set", "set", 1);
    world.until_told("llama").await;
    until_state(&program, "statefulsets.apps", "forbidden").await;
    let said = program.log.said(
        "Not permitted to list and watch; grant get, list and watch as in manifests/, or narrow scope.namespaces",
        |line| line.field("resource") == "statefulsets.apps",
    );
    assert!(said.await.field("error").contains("is forbidden"));
    let blocked = [("model", "set"), ("reason", "target_unreadable")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
}

/// The list of one kind never ends: the others are followed, and the start waits for it only so long.
async fn list_hangs(world: &World) {
    let list = Match::verb(Verb::List).on(Resource::StatefulSets);
    let hang = world.cluster.kube().fail(list, Effect::Hang);
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let program = world.program("a").spawn().await;
    until_state(&program, "deployments.apps", "synced").await;
    let (code, text) = wait::until("/readyz answers", async || program.page("/readyz").await).await;
    assert_eq!(code, 503, "{text}");
    assert!(
        text.contains(&format!("statefulsets.apps in {}: starting", world.ns)),
        "{text}"
    );
    assert_eq!(program.page("/livez").await.expect("an answer").0, 200);

    let text = program.until_ready().await;
    assert!(
        text.contains(&format!("statefulsets.apps in {}: failing", world.ns)),
        "{text}"
    );
    world.until_told("llama").await;
    world.cluster.kube().remove_fault(hang);
    until_state(&program, "statefulsets.apps", "synced").await;
}

/// A watch that says nothing any more: the others go on, and a wake that it does not show is looked for.
async fn watch_silent(world: &World) {
    for name in ["llama", "other"] {
        world.create(parked(name, name)).await;
    }
    let program = world.program("a").ready().await;
    let kube = world.cluster.kube();
    let watch = Match::verb(Verb::Watch).on(Resource::Deployments);
    kube.fail(watch, Effect::SilenceWatches);
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    world.until_asked("get", "deployments", 1).await;
    // The other watches still work.
    world.ask("other", "other", 1);
    world.until_told("other").await;
    world.cluster.admin.delete(POOL, Some(&world.ns), "other").await;
    program.until_metric("pools", &[], |n| n == 1.0).await;
}

/// Connections break and the history is gone (410): it lists again, and what happened meanwhile is seen.
async fn watch_cut_and_history_gone(world: &World) {
    world.create(parked("before", "before")).await;
    let program = world.program("a").ready().await;
    let kube = world.cluster.kube();
    let watches = kube.fail(Match::verb(Verb::Watch), Effect::Delay(Duration::from_secs(1)));
    kube.cut_connections();
    world.create(parked("meanwhile", "meanwhile")).await;
    world
        .cluster
        .admin
        .delete(VARIANT, Some(&world.ns), "before")
        .await;
    kube.compact();
    kube.remove_fault(watches);
    world.ask("meanwhile", "meanwhile", 1);
    world.until_told("meanwhile").await;
    program.until_metric("variants", &[], |n| n == 1.0).await;
    assert_eq!(world.replicas(crate::cluster::DEPLOYMENT, "before").await, 0);
    let scale = Match::verb(Verb::Patch)
        .on(Resource::Deployments)
        .part(Subresource::Scale);
    assert_eq!(kube.requests_like(&scale).len(), 1);
}

async fn until_state(program: &Program, kind: &str, state: &str) {
    program
        .until_metric("watch_state", &[("kind", kind), ("state", state)], |n| n == 1.0)
        .await;
}
