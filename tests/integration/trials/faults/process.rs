//! The process itself: killed at any step of a wake, short of files, disk and memory, or interrupted by its own
//! configuration and Lease. What was begun is told of once, and nothing is done twice.

use std::time::Duration;

use scale_from_zero::demo::kubernetes::{Effect, Fault, Match, Resource, Verb};
use serde_json::json;
use tokio::net::TcpStream;

use super::{FAILED, events, prometheus::lives, scale, status};
use crate::{
    cluster::DEPLOYMENT,
    objects::parked,
    program::{Program, Start},
    suite::Suite,
    wait,
    world::World,
};

/// Parked models.
const MANY: usize = 1000;
/// How many of them are woken.
const WOKEN: usize = 100;
/// What the process may take with them, the pages of the program itself included, in KiB: they are many in an
/// unoptimised build.
const HIGHEST_KIB: u64 = 100 * 1024;

pub fn register(suite: &mut Suite) {
    let steps: [(&str, Match, Effect, usize); 5] = [
        ("before_the_patch", scale(), Effect::Hang, 1),
        ("before_the_answer", scale(), Effect::ApplyThenHang, 1),
        ("between_the_events", events(), Effect::Hang, 1),
        ("after_the_events", events(), Effect::ApplyThenHang, 2),
        ("before_the_status", status(), Effect::Hang, 1),
    ];
    for (name, step, effect, times) in steps {
        // SIGTERM waits for what is under way. An Event that hangs as long as that is given up, and the status, which
        // comes without it, says to the next start that all is told: so this one is late only.
        let slow = match name {
            "between_the_events" => Effect::Delay(Duration::from_secs(1)),
            _ => effect.clone(),
        };
        for (how, end, effect) in [("killed", End::Kill, effect), ("sigterm", End::Terminate, slow)] {
            let step = step.clone();
            suite.embedded(&format!("{how}_{name}"), async move |world| {
                ended(world, &step, &effect, times, end).await;
            });
        }
    }
    suite.embedded("killed_after_the_status", killed_after_the_status);
    suite.embedded("a_thousand_variants", a_thousand_variants);
    suite.embedded("lease_flaps", lease_flaps);
    suite.embedded("reload_during_a_wake", reload_during_a_wake);
    suite.embedded("disk_full_for_logs", disk_full_for_logs);
    suite.embedded("nobody_reads_the_log", nobody_reads_the_log);
    suite.embedded("few_files", few_files);
}

/// How a process ends.
#[derive(Clone, Copy)]
enum End {
    Kill,
    Terminate,
}

/// SIGKILL or SIGTERM while a write of a wake is under way; the next start finishes what is left to do.
async fn ended(world: &World, step: &Match, effect: &Effect, times: usize, end: End) {
    let kube = world.cluster.kube();
    kube.add_fault(Fault {
        matches: step.clone(),
        times: Some(times),
        effect: effect.clone(),
    });
    for name in ["llama", "parked"] {
        world.create(parked(name, name)).await;
    }
    world.ask("llama", "llama", 1);
    let mut first = world.program("first").ready().await;
    let stuck = kube.until(|kube| (kube.requests_like(step).len() >= times).then_some(()));
    wait::in_time("it is at that step", stuck).await;
    match end {
        End::Kill => first.kill().await,
        End::Terminate => assert_eq!(first.terminate().await.code(), Some(0)),
    }
    let again = world.program("again").ready().await;
    told_once(world, &again).await;
}

/// Nothing was left to do.
async fn killed_after_the_status(world: &World) {
    for name in ["llama", "parked"] {
        world.create(parked(name, name)).await;
    }
    world.ask("llama", "llama", 1);
    let mut first = world.program("first").ready().await;
    world.until_told("llama").await;
    first.kill().await;
    let again = world.program("again").ready().await;
    told_once(world, &again).await;
}

/// One step up, two Events, one status: whoever did which.
async fn told_once(world: &World, again: &Program) {
    world.until_told("llama").await;
    wait::until_true("both Events", async || world.events().await.len() >= 2).await;
    again.ticks(20).await;
    let done = |asked: Vec<(String, u16)>| asked.iter().filter(|(_, code)| *code == 200).count();
    assert_eq!(world.events().await.len(), 2);
    assert_eq!(done(world.asked("patch", "variantautoscalings/status")), 1);
    assert_eq!(world.get(DEPLOYMENT, "llama").await["metadata"]["generation"], 2);
    assert!(done(world.asked("patch", "deployments/scale")) <= 1);
    assert_eq!(world.replicas(DEPLOYMENT, "parked").await, 0);
}

/// The Lease changes hands several times a second, by somebody else's doing: each model is woken and told of once.
async fn lease_flaps(world: &World) {
    const MODELS: [&str; 4] = ["m1", "m2", "m3", "m4"];
    let kube = world.cluster.kube();
    for name in MODELS {
        world.create(parked(name, name)).await;
    }
    let settings = json!({"leaderElection": {"enabled": true, "namespace": world.ns, "leaseDuration": "5s"}});
    let mut copies = Vec::new();
    for name in ["one", "other"] {
        copies.push(world.program(name).config(&settings).ready().await);
    }
    // As they call themselves: with the number of the process.
    let holders = copies.iter().map(|copy| format!("{}-{}", copy.name(), copy.id()));
    let holders: Vec<_> = holders.chain(["nobody".to_owned()]).collect();
    let mut flips = 0_usize;
    let mut flip = || {
        let holder = holders[flips % holders.len()].as_str();
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            .to_string();
        // There is none before the first copy takes it.
        let written = kube.update(Resource::Leases, &world.ns, "scale-from-zero", |lease| {
            lease["spec"]["holderIdentity"] = holder.into();
            lease["spec"]["renewTime"] = now.as_str().into();
        });
        flips += usize::from(written.is_ok());
    };
    for name in MODELS {
        world.ask(name, name, 1);
        wait::until_true(&format!("{name} at 1"), async || {
            flip();
            world.replicas(DEPLOYMENT, name).await == 1
        })
        .await;
    }
    for name in MODELS {
        world.until_told(name).await;
    }
    // They look every few seconds, and find whoever has it then: in the end either has had it, and one has lost it.
    wait::until_true("the Lease has changed hands", async || {
        flip();
        let said = |copy: &Program, led: &str| {
            let mut changes = copy.log.all("Leadership changed").into_iter();
            changes.any(|line| line.field("leading") == led)
        };
        copies.iter().all(|copy| said(copy, "true")) && copies.iter().any(|copy| said(copy, "false"))
    })
    .await;
    for copy in &copies {
        lives(copy).await;
    }
    for name in MODELS {
        let asked = world.asked("patch", "deployments/scale").into_iter();
        let accepted = asked.filter(|(of, code)| of == name && *code == 200);
        assert_eq!(accepted.count(), 1, "{name}");
        assert_eq!(world.get(DEPLOYMENT, name).await["metadata"]["generation"], 2);
    }
    assert_eq!(world.events().await.len(), 2 * MODELS.len());
    println!("the Lease was written {flips} times");
}

/// The configuration changes while a wake is under way: its answer is waited for, and it is told of once.
async fn reload_during_a_wake(world: &World) {
    let kube = world.cluster.kube();
    for name in ["llama", "later"] {
        world.create(parked(name, name)).await;
    }
    kube.fail_once(scale(), Effect::ApplyThenDrop);
    kube.fail(status(), Effect::Delay(Duration::from_millis(300)));
    let program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    let sent = kube.until(|kube| kube.requests_like(&scale()).pop());
    wait::in_time("the PATCH is on its way", sent).await;
    program.rewrite(&json!({"wake": {"settle": "1m"}}));
    program
        .until_metric("config_reloads_total", &[("result", "applied")], |n| n == 1.0)
        .await;
    world.until_told("llama").await;
    world.ask("later", "later", 1);
    world.until_told("later").await;
    wait::until_true("all Events", async || world.events().await.len() >= 4).await;
    program.ticks(20).await;
    assert_eq!(world.events().await.len(), 4);
    assert_eq!(world.asked("patch", "variantautoscalings/status").len(), 2);
    for name in ["llama", "later"] {
        assert_eq!(world.get(DEPLOYMENT, name).await["metadata"]["generation"], 2);
    }
}

/// The log cannot be written: that is nothing to end for.
async fn disk_full_for_logs(world: &World) {
    let start = world
        .program("a")
        .shell(r#"exec "$0" "$@" >/dev/full 2>/dev/full"#);
    unheard_and_well(world, start).await;
}

/// The other end of the log's pipe is gone.
async fn nobody_reads_the_log(world: &World) {
    unheard_and_well(world, world.program("a")).await;
}

async fn unheard_and_well(world: &World, start: Start<'_>) {
    world.create(parked("llama", "llama")).await;
    let mut program = start.unheard().await;
    world.ask("llama", "llama", 1);
    world.until_told("llama").await;
    lives(&program).await;
    assert!(program.terminate().await.success());
}

/// Files, and so connections, for hardly more than itself, and then some for nothing: it goes on, and wakes once it
/// has a connection again.
async fn few_files(world: &World) {
    const IDLE: usize = 80;
    for number in 0..20 {
        let name = format!("m{number}");
        world.create(parked(&name, &name)).await;
    }
    let program = world
        .program("a")
        .shell(r#"ulimit -n 64; exec "$0" "$@""#)
        .ready()
        .await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        // Those that are not accepted any more wait, or are refused.
        let connected = tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(program.address()));
        idle.extend(connected.await.ok().and_then(Result::ok));
    }
    for number in 0..20 {
        let name = format!("m{number}");
        world.ask(&name, &name, 1);
    }
    // Either there is still a connection for them, or there is none and that is told.
    wait::until_true("a wake is tried", async || {
        let failed = program.log.all(FAILED);
        !failed.is_empty() || !world.asked("patch", "deployments/scale").is_empty()
    })
    .await;
    assert!(
        !program.log.all(FAILED).is_empty(),
        "the limit is too wide for this trial"
    );
    drop(idle);
    for number in 0..20 {
        let name = format!("m{number}");
        world.until_woken(&name).await;
    }
    lives(&program).await;
    for number in 0..20 {
        let name = format!("m{number}");
        world.until_told(&name).await;
        assert_eq!(world.get(DEPLOYMENT, &name).await["metadata"]["generation"], 2);
    }
}

/// A thousand parked models, a part of them woken at once, with 50 MB for all that it writes to, its stacks included:
/// one byte more, and the kernel's refusal would end it.
async fn a_thousand_variants(world: &World) {
    let kube = world.cluster.kube();
    for number in 0..MANY {
        let name = format!("m{number}");
        world.apply(parked(&name, &name));
    }
    let program = world
        .program("a")
        .shell(r#"ulimit -d 48828; exec "$0" "$@""#)
        .ready()
        .await;
    program
        .until_metric("inactive_variants", &[], |n| n == 1000.0)
        .await;
    let before = program.highest_memory();
    for number in 0..WOKEN {
        let name = format!("m{number}");
        world.ask(&name, &name, 1);
    }
    // A status is renewed where its watch lags: that is a report of its own.
    program
        .until_metric("reports_total", &[("result", "done")], |n| n >= 100.0)
        .await;
    let after = program.highest_memory();
    println!("{MANY} variants: parked {before}, after {WOKEN} wakes {after} KiB at the highest");
    assert!(after < HIGHEST_KIB, "{after} KiB");
    let scales = Match::verb(Verb::Patch).on(Resource::Deployments);
    assert_eq!(kube.requests_like(&scales).len(), WOKEN, "each once");
}
