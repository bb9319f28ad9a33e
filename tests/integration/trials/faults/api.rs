//! An API server that is away, slow, wrong or full: the process lives, nothing is scaled twice, and what waits is
//! woken once it can be.

use std::{collections::BTreeSet, time::Duration};

use jiff::SignedDuration;
use scale_from_zero::demo::kubernetes::{Effect, Match, Resource, Verb};
use serde_json::{Value, json};

use super::{FAILED, WOKEN, prometheus::lives, scale};
use crate::{
    cluster::DEPLOYMENT,
    objects::{deployment, parked},
    pki::{self, Ca},
    relay::Relay,
    suite::Suite,
    wait,
    world::World,
};

/// Deployments that are nobody's business here.
const UNRELATED: usize = 50_000;
/// What the process may take at its highest beside them, in KiB, not optimised.
const HIGHEST_KIB: u64 = 250 * 1024;

pub fn register(suite: &mut Suite) {
    suite.embedded("api_token_rotated", token_rotated);
    suite.embedded("api_authority_rotated", authority_rotated);
    suite.embedded("api_many_unrelated", many_unrelated);
    suite.embedded("api_hangs", hangs);
    suite.embedded("api_goes_down", goes_down);
    suite.embedded("api_fails_throughout", fails_throughout);
    suite.embedded("api_resets_before_it_is_done", resets_before_it_is_done);
    suite.embedded("api_refuses_again_and_again", refuses_again_and_again);
    suite.embedded("api_conflict_storm", conflict_storm);
    suite.embedded("api_one_namespace_forbidden", one_namespace_forbidden);
    suite.embedded("api_odd_objects", odd_objects);
}

fn refused(code: u16, reason: &str) -> Effect {
    Effect::Status {
        code,
        reason: reason.into(),
        retry_after: None,
    }
}

/// The token file changes, as the kubelet does it long before the old token ends: within a minute requests show the
/// new one, and no wake is missed meanwhile.
async fn token_rotated(world: &World) {
    const LOOKS_TO_A_WAKE: usize = 150;
    let relay = Relay::closed();
    let kube = world.cluster.kube();
    relay.open(kube.url()).await;
    let token = world.dir.path().join("account-token");
    std::fs::write(&token, "the-old-one").expect("a file");
    let mut kubeconfig: Value = serde_json::from_str(&kube.kubeconfig()).expect("JSON");
    kubeconfig["clusters"][0]["cluster"]["server"] = relay.url().into();
    kubeconfig["users"][0]["user"]["tokenFile"] = token.display().to_string().into();
    let program = world
        .program("a")
        .kubeconfig(kubeconfig.to_string())
        .ready()
        .await;
    assert!(relay.tokens().contains("the-old-one"));
    std::fs::write(&token, "the-new-one").expect("a file");
    // Who asks for nothing shows nothing: a model to wake every few seconds.
    let mut looks = 0;
    wait::until_true("the new token is shown", async || {
        if looks % LOOKS_TO_A_WAKE == 0 {
            let name = format!("m{}", looks / LOOKS_TO_A_WAKE);
            world.create(parked(&name, &name)).await;
            world.ask(&name, &name, 1);
        }
        looks += 1;
        relay.tokens().contains("the-new-one")
    })
    .await;
    for number in 0..=(looks - 1) / LOOKS_TO_A_WAKE {
        world.until_told(&format!("m{number}")).await;
    }
    assert!(!program.log.text().contains("the-new-one"));
    assert!(program.log.all(FAILED).is_empty());
}

/// Its certificate comes from another authority from now on, and the file of that changes, as that of a pod or of a
/// kubeconfig does: within a minute it is believed again, and what waits is woken. Nobody else is believed meanwhile.
async fn authority_rotated(world: &World) {
    for name in ["first", "second", "parked"] {
        world.create(parked(name, name)).await;
    }
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let certificate = |authority: &Ca| pki::server(&authority.sign("127.0.0.1"), None);
    let relay = Relay::closed();
    let kube = world.cluster.kube();
    relay.open_tls(kube.url(), certificate(&old)).await;
    let file = world.dir.path().join("ca.crt");
    std::fs::write(&file, old.pem()).expect("a file");
    let mut kubeconfig: Value = serde_json::from_str(&kube.kubeconfig()).expect("JSON");
    let cluster = &mut kubeconfig["clusters"][0]["cluster"];
    cluster["server"] = relay.url().replace("http:", "https:").into();
    cluster["certificate-authority"] = file.display().to_string().into();
    let program = world
        .program("a")
        .kubeconfig(kubeconfig.to_string())
        .ready()
        .await;
    world.ask("first", "first", 1);
    world.until_told("first").await;

    relay.close().await;
    relay.open_tls(kube.url(), certificate(&new)).await;
    program
        .until_metric("watch_state", &[("state", "failing")], |n| n == 8.0)
        .await;
    world.ask("second", "second", 1);
    let failed = program.log.said(FAILED, |_| true).await;
    assert_eq!(failed.field("reason"), "no_answer");
    let error = failed.field("error");
    assert!(error.contains("invalid peer certificate"), "{error}");
    lives(&program).await;
    assert_eq!(world.replicas(DEPLOYMENT, "second").await, 0);

    std::fs::write(&file, new.pem()).expect("a file");
    world.until_told("second").await;
    program
        .until_metric("watch_state", &[("state", "synced")], |n| n == 8.0)
        .await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("first".into(), 200), ("second".into(), 200)]
    );
    assert_eq!(world.replicas(DEPLOYMENT, "parked").await, 0);
}

/// Gone in the middle, with all connections: what was woken stays known, what waits is woken when it is back.
async fn goes_down(world: &World) {
    for name in ["first", "second", "parked"] {
        world.create(parked(name, name)).await;
    }
    let relay = Relay::closed();
    let kube = world.cluster.kube();
    relay.open(kube.url()).await;
    let kubeconfig = kube.kubeconfig().replace(kube.url(), &relay.url());
    let program = world.program("a").kubeconfig(kubeconfig).ready().await;
    world.ask("first", "first", 1);
    world.until_told("first").await;
    program
        .until_metric("reports_total", &[("result", "done")], |n| n == 1.0)
        .await;

    relay.close().await;
    program
        .until_metric("watch_state", &[("state", "failing")], |n| n == 8.0)
        .await;
    world.ask("second", "second", 1);
    let failed = program.log.said(FAILED, |_| true).await;
    assert_eq!(failed.field("reason"), "no_answer");
    lives(&program).await;
    assert_eq!(world.replicas(DEPLOYMENT, "second").await, 0);

    relay.open(kube.url()).await;
    world.until_told("second").await;
    let accepted: Vec<_> = world.asked("patch", "deployments/scale");
    assert_eq!(accepted, [("first".into(), 200), ("second".into(), 200)]);
    assert_eq!(world.replicas(DEPLOYMENT, "parked").await, 0);
    assert_eq!(world.events().await.len(), 4);
}

/// The wake of one model is never answered: the others do not wait for it, and it is tried again.
async fn hangs(world: &World) {
    let kube = world.cluster.kube();
    for name in ["stuck", "other"] {
        world.create(parked(name, name)).await;
        world.ask(name, name, 1);
    }
    kube.fail_once(scale().named("stuck"), Effect::Hang);
    let program = world.program("a").ready().await;
    world.until_told("other").await;
    assert_eq!(world.replicas(DEPLOYMENT, "stuck").await, 0);
    world.until_told("stuck").await;
    let told = program.log.said(FAILED, |_| true).await;
    assert_eq!(told.field("reason"), "no_answer");
    let of_stuck = world.asked("patch", "deployments/scale").into_iter();
    let of_stuck: Vec<_> = of_stuck.filter(|(name, _)| name == "stuck").collect();
    assert_eq!(of_stuck, [("stuck".into(), 0), ("stuck".into(), 200)]);
}

/// Every request fails with 500, watches are cut: nothing is done, nothing ends, and all goes on where it was.
async fn fails_throughout(world: &World) {
    let kube = world.cluster.kube();
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").ready().await;
    for verb in [Verb::List, Verb::Watch, Verb::Patch, Verb::Create] {
        kube.fail(Match::verb(verb), refused(500, "InternalError"));
    }
    kube.cut_connections();
    program
        .until_metric("watch_state", &[("state", "failing")], |n| n == 8.0)
        .await;
    world.ask("llama", "llama", 1);
    let failed = program.log.said(FAILED, |_| true).await;
    assert_eq!(failed.field("reason"), "unavailable");
    lives(&program).await;
    kube.clear_faults();
    world.until_told("llama").await;
    let codes = world.scale_codes();
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1);
    assert_eq!(codes.last(), Some(&200));
}

/// The connection is reset before anything is done: it is not taken for done, and done later.
async fn resets_before_it_is_done(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.cluster.kube().fail_once(scale(), Effect::Drop);
    world.ask("llama", "llama", 1);
    let program = world.program("a").ready().await;
    world.until_told("llama").await;
    assert_eq!(
        world.asked("patch", "deployments/scale"),
        [("llama".into(), 0), ("llama".into(), 200)]
    );
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "no_answer")]), 1.0);
    assert_eq!(metrics.sum("wakes_total", &[("result", "accepted")]), 1.0);
}

/// 500 to the wakes of one model alone: they come at a growing distance, and the others are not held up.
async fn refuses_again_and_again(world: &World) {
    const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(50);
    const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(1);
    let kube = world.cluster.kube();
    let fault = kube.fail(scale().named("m1"), refused(500, "InternalError"));
    for name in ["m1", "m2"] {
        world.create(parked(name, name)).await;
        world.ask(name, name, 1);
    }
    let backoff = json!({"wake": {"backoff": {"initial": "50ms", "max": "1s"}}});
    let program = world.program("a").config(&backoff).ready().await;
    world.until_told("m2").await;
    world.until_asked("patch", "deployments/scale", 5).await;
    let blocked = [("model", "m1"), ("reason", "wake_failed")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
    kube.remove_fault(fault);
    world.until_told("m1").await;
    program.until_metric("blocked", &[], |n| n == 0.0).await;

    let tries = kube.requests_like(&scale().named("m1"));
    let refused = tries.iter().filter(|request| request.code == Some(500)).count();
    assert!(refused >= 4 && tries.len() == refused + 1, "{tries:#?}");
    let mut least = FIRST_WAIT;
    for pair in tries.windows(2) {
        // From request to request, so that the wait is in it whoever is slow.
        let gap = pair[1].asked.duration_since(pair[0].asked);
        assert!(gap >= least, "came again after {gap:?}, not {least:?}");
        least = (least * 2).min(LONGEST_WAIT);
    }
}

/// Somebody writes the target each time between the look and the write: every 409 is decided afresh, and as soon
/// as they let go the wake comes. Once.
async fn conflict_storm(world: &World) {
    const TIMES: usize = 5;
    let kube = world.cluster.kube();
    world.create(parked("llama", "llama")).await;
    // As long as nobody needs who only has to write in between, on a busy machine either.
    kube.fail(scale(), Effect::Delay(Duration::from_secs(1)));
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    for time in 1..=TIMES {
        let sent = kube.until(|kube| (kube.requests_like(&scale()).len() >= time).then_some(()));
        wait::in_time("the next try", sent).await;
        // At once, without a request that could be late.
        kube.update(Resource::Deployments, &world.ns, "llama", |target| {
            target["metadata"]["labels"]["changed"] = time.to_string().into();
        })
        .expect("the target");
    }
    world.until_told("llama").await;
    let codes = world.scale_codes();
    assert_eq!(codes, [409, 409, 409, 409, 409, 200]);
    assert_eq!(world.get(DEPLOYMENT, "llama").await["metadata"]["generation"], 2);
    assert_eq!(program.log.all(WOKEN).len(), 1);
}

/// Rights are missing in one of two namespaces: the other is served, this one is told of, until they are granted.
async fn one_namespace_forbidden(world: &World) {
    let other = format!("{}-other", world.ns);
    world.create_namespace(&other).await;
    world.create(parked("here", "here")).await;
    world.create_in(&other, parked("there", "there")).await;
    let kube = world.cluster.kube();
    let lists = Match::verb(Verb::List).on(Resource::Deployments).within(&other);
    let fault = kube.fail(lists, Effect::Forbidden);
    let scope = json!({"scope": {"namespaces": [world.ns, other]}});
    let program = world.program("a").config(&scope).ready().await;
    world.ask("here", "here", 1);
    world.ask_in(&other, "there", "there", 1);
    world.until_told("here").await;
    let blocked = [("model", "there"), ("reason", "target_unreadable")];
    program.until_metric("blocked", &blocked, |n| n == 1.0).await;
    let state = [("namespace", other.as_str()), ("state", "forbidden")];
    program.until_metric("watch_state", &state, |n| n == 1.0).await;
    kube.remove_fault(fault);
    program
        .log
        .said(WOKEN, |line| line.field("model") == "there")
        .await;
    world.demand.queues().forget(&other);
}

/// Objects in which one field is of another type than it should be, as no API server gives them out: though requests
/// wait for each, they wake nothing unless it is the status, and neither fail a list nor keep others from being woken.
async fn odd_objects(world: &World) {
    let kube = world.cluster.kube();
    let odd: [Value; 6] = [
        json!(5),
        json!("x"),
        json!([7]),
        json!({"a": []}),
        json!(null),
        json!(true),
    ];
    let mut number = 0;
    // What a target or a variant says of its own state is no reason to let requests wait.
    let mut may = vec!["llama".to_owned()];
    for path in [
        "/spec",
        "/spec/replicas",
        "/spec/template",
        "/spec/template/metadata/labels",
        "/spec/scaleTargetRef",
        "/spec/modelID",
        "/spec/selector",
        "/spec/selector/matchLabels",
        "/status",
    ] {
        for wrong in &odd {
            number += 1;
            let name = format!("odd-{number}");
            world.ask(&name, &name, 1);
            if path == "/status" {
                may.push(name.clone());
            }
            for mut object in parked(&name, &name) {
                object["metadata"]["namespace"] = world.ns.as_str().into();
                if object["status"].is_null() {
                    object["status"] = json!({});
                }
                let resource = crate::cluster::Kind::of(&object).resource();
                kube.apply(object.clone()).expect("an object");
                if object.pointer(path).is_some() {
                    kube.update(resource, &world.ns, &name, |object| {
                        *object.pointer_mut(path).expect("a field") = wrong.clone();
                    })
                    .expect("an object");
                }
            }
        }
    }
    world.create(parked("llama", "llama")).await;
    let program = world.program("a").ready().await;
    program
        .until_metric("watch_state", &[("state", "synced")], |n| n == 8.0)
        .await;
    world.ask("llama", "llama", 1);
    for name in &may {
        world.until_told(name).await;
    }
    // And as events of a watch, too.
    for name in ["odd-1", "odd-20", "odd-40"] {
        let labels = json!({"metadata": {"labels": {"changed": "again"}}});
        kube.update(Resource::VariantAutoscalings, &world.ns, name, |object| {
            object["metadata"]["labels"] = labels["metadata"]["labels"].clone();
        })
        .expect("an object");
    }
    program.ticks(5).await;
    let states = program.metrics().await;
    assert_eq!(states.sum("watch_state", &[("state", "synced")]), 8.0);
    assert_eq!(
        kube.requests_like(&scale()).len(),
        may.len(),
        "each once, and none of the others"
    );
    let woken: BTreeSet<_> = world.asked("patch", "deployments/scale").into_iter().collect();
    assert_eq!(woken, may.into_iter().map(|name| (name, 200)).collect());
}

/// A namespace full of Deployments that no variant names: the one that matters is woken, and memory stays bounded.
async fn many_unrelated(world: &World) {
    for number in 0..UNRELATED {
        let name = format!("unrelated-{number}");
        world.apply([deployment(&name, &name, 1)]);
    }
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let program = world.program("a").spawn().await;
    world.until_told("llama").await;
    let memory = program.highest_memory();
    println!("beside {UNRELATED} unrelated Deployments: {memory} KiB at the highest");
    assert!(memory < HIGHEST_KIB, "{memory} KiB");
    assert_eq!(world.asked("patch", "deployments/scale"), [("llama".into(), 200)]);
}
