//! The configuration while running: a good change is in force without a restart, a bad one is told.

use serde_json::json;

use crate::{cluster::DEPLOYMENT, objects::parked, suite::Suite, world::World};

const IN_FORCE: &str = "The configuration has changed and is in force";
const NOT_VALID: &str = "The configuration has changed and is not valid; the last good one stays in force";

pub fn register(suite: &mut Suite) {
    suite.both("reload", reload);
    suite.both("reload_of_the_scope", reload_of_the_scope);
    suite.embedded("reload_of_the_listener", reload_of_the_listener);
}

/// Not dry any more; then a bad file, which changes nothing; then it is mended.
async fn reload(world: &World) {
    for name in ["m1", "m2", "m3"] {
        world.create(parked(name, name)).await;
    }
    let program = world.program("a").config(&json!({"dryRun": true})).ready().await;
    world.ask("m1", "m1", 1);
    program
        .log
        .said("Dry run: would scale up Target Workload from zero", |_| true)
        .await;
    program.rewrite(&json!({"dryRun": false}));
    program.log.said(IN_FORCE, |_| true).await;
    world.until_told("m1").await;
    program
        .until_metric("config_reloads_total", &[("result", "applied")], |n| n == 1.0)
        .await;
    assert!(
        program.metrics().await.sum("ticks_total", &[]) > 1.0,
        "the counters go on"
    );

    program.rewrite(&json!({"dryRun": false, "wake": {"setle": "1m"}}));
    let told = program.log.said(NOT_VALID, |_| true).await;
    for part in ["wake.setle", "wake.settle"] {
        assert!(told.field("error").contains(part), "{told:?}");
    }
    world.ask("m2", "m2", 1);
    world.until_told("m2").await;
    program
        .until_metric("config_reloads_total", &[("result", "rejected")], |n| n == 1.0)
        .await;
    let good = "config_last_reload_successful";
    assert_eq!(program.metrics().await.sum(good, &[]), 0.0);

    // As it was: nothing changes, and all is well.
    program.rewrite(&json!({"dryRun": false}));
    program.until_metric(good, &[], |n| n == 1.0).await;
    program.rewrite(&json!({"nonsense": true}));
    program.until_metric(good, &[], |n| n == 0.0).await;

    program.rewrite(&json!({"dryRun": false, "wake": {"settle": "1m"}}));
    program
        .until_metric("config_reloads_total", &[("result", "applied")], |n| n == 2.0)
        .await;
    assert_eq!(program.metrics().await.sum(good, &[]), 1.0);
    world.ask("m3", "m3", 1);
    world.until_told("m3").await;
    assert_eq!(program.log.all(NOT_VALID).len(), 2, "each told once");
    assert_eq!(program.log.all("Started").len(), 1);
}

/// Another namespace instead of the one at the start.
async fn reload_of_the_scope(world: &World) {
    let other = format!("{}-other", world.ns);
    world.create_namespace(&other).await;
    world.create(parked("here", "here")).await;
    world.create_in(&other, parked("there", "there")).await;
    let program = world.program("a").ready().await;
    program.rewrite(&json!({"scope": {"namespaces": [other]}}));
    program.log.said(IN_FORCE, |_| true).await;
    world.ask("here", "here", 1);
    world.ask_in(&other, "there", "there", 1);
    program
        .log
        .said("Successfully scaled up Target Workload", |line| {
            line.field("model") == "there"
        })
        .await;
    program.ticks(10).await;
    assert_eq!(world.replicas(DEPLOYMENT, "here").await, 0);
    program.rewrite(&json!({"scope": {"namespaces": [world.ns, other]}}));
    world.until_told("here").await;
    world.demand.queues().forget(&other);
}

/// A port that is taken is told, and the old one still answers.
async fn reload_of_the_listener(world: &World) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let program = world.program("a").ready().await;
    program.rewrite(&json!({"server": {"address": address}}));
    let refused = program.log.said(
        "The new configuration cannot be used; the last good one stays in force",
        |_| true,
    );
    let error = refused.await.field("error");
    assert!(
        error.contains("server.address") && error.contains(&address),
        "{error}"
    );
    program.ticks(5).await;
    assert_eq!(program.page("/livez").await.expect("an answer").0, 200);
}
