//! Whether demand would be seen at all (rule 4), and what `/api/status` says of everything.

use serde_json::json;

use crate::{
    cluster::DEPLOYMENT,
    demand::Signal,
    objects::{excluded, parked, ready},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.embedded("epp_not_scraped", epp_not_scraped);
    suite.both("flow_control_off", flow_control_off);
    suite.both("states", states);
}

/// Flow control off, idle and on are three things. Said once, and over once it is on.
async fn flow_control_off(world: &World) {
    for name in ["off", "on"] {
        world.create(parked(name, name)).await;
    }
    world.demand.queues().signal(&world.ns, "off", Signal::Off);
    world.demand.queues().signal(&world.ns, "on", Signal::On);
    let program = world.program("a").ready().await;
    program
        .until_metric("blocked", &[("reason", "flow_control_off")], |n| n == 1.0)
        .await;
    let said = program
        .log
        .said("Demand for a parked model cannot be seen", |_| true)
        .await;
    assert_eq!(
        (said.field("model"), said.field("reason")),
        ("off".into(), "flow_control_off".into())
    );
    let state = program.until_state("off", "no_signal").await;
    assert!(
        state["reason"].as_str().unwrap().contains("flowControl"),
        "{state}"
    );
    program.until_state("on", "parked").await;
    let status = program.status().await;
    let signal = |name: &str| {
        let pools = status["pools"].as_array().unwrap();
        pools.iter().find(|pool| pool["name"] == name).unwrap()["signal"].clone()
    };
    assert_eq!(
        (signal("off"), signal("on")),
        (json!("flow_control_off"), json!("on"))
    );
    program.ticks(40).await;
    assert_eq!(
        program.log.all("Demand for a parked model cannot be seen").len(),
        1,
        "no alarm on the idle one"
    );
}

/// Nothing of an EPP, three times in a row.
async fn epp_not_scraped(world: &World) {
    world.create(parked("llama", "llama")).await;
    world
        .demand
        .queues()
        .signal(&world.ns, "llama", Signal::NotScraped);
    let program = world.program("a").ready().await;
    program.until_state("llama", "parked").await;
    program
        .until_metric("blocked", &[("reason", "epp_not_scraped")], |n| n == 1.0)
        .await;
    assert_eq!(world.demand.scripted().asked_for_signals("a"), 3);
    program.until_state("llama", "no_signal").await;
}

/// The way of one model through its states, as somebody sees it who asks at each step.
async fn states(world: &World) {
    world.create(parked("llama", "llama")).await;
    // One stays parked, so that demand is asked for all the while.
    world.create(parked("idle", "idle")).await;
    let [target, left, pool] = parked("left", "left");
    world.create([target, excluded(left), pool]).await;
    let program = world.program("a").ready().await;
    program.until_state("llama", "parked").await;
    let state = program.until_state("left", "out_of_scope").await;
    assert!(
        state["reason"]
            .as_str()
            .unwrap()
            .contains("scale-from-zero/exclude"),
        "{state}"
    );
    world.ask("llama", "llama", 5);
    world.until_told("llama").await;
    let state = program.until_state("llama", "starting").await;
    assert_eq!(
        (&state["waiting"], &state["target"]["replicas"]),
        (&json!(5.0), &json!(1)),
        "{state}"
    );
    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    program.until_state("llama", "serving").await;

    let decisions = program.decisions().await;
    let of_llama: Vec<_> = decisions
        .iter()
        .rev()
        .map(|d| d["decision"].as_str().unwrap())
        .collect();
    assert_eq!(of_llama, ["waking", "woken", "ready"], "{decisions:#?}");
    let woken = &decisions[1];
    assert_eq!(
        (&woken["waiting"], &woken["model"]),
        (&json!(5.0), &json!("llama"))
    );
    assert!(woken["sampleAgeSeconds"].is_number(), "{woken}");
    let (code, text) = program.page("/api/decisions?limit=1").await.expect("an answer");
    let one: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, one["decisions"].as_array().unwrap().len()), (200, 1));
    let (code, _) = program
        .page("/api/decisions?limit=many")
        .await
        .expect("an answer");
    assert_eq!(code, 400);
    // Demand that nobody answers stands there with its reason, too.
    world.ask("llama", "nobody", 1);
    let blocked = wait::until("it is told", async || {
        program.status().await["blocked"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(
        (&blocked["model"], &blocked["reason"]),
        (&json!("nobody"), &json!("no_variant"))
    );
}
