//! Hours of a busy cluster in a short time: models are asked for, woken, serve, are parked again or replaced by others,
//! while objects, pods and demand of no model come and go, connections break and answers get lost. Every model that is
//! asked for is woken, nothing is done twice, and memory does not grow. `SOAK=15m` makes it longer.

use std::time::{Duration, Instant};

use scale_from_zero::demo::kubernetes::{Effect, Kube, Resource};
use serde_json::{Value, json};

use super::{prometheus::lives, scale};
use crate::{
    demand::{Queue, TODAY},
    objects::{deployment, parked, ready},
    suite::Suite,
    wait,
    world::World,
};

/// How long it lasts where nothing else is said.
const USUAL: Duration = Duration::from_secs(25);
/// Models at any time. Each is asked for in its turn, one with every beat.
const MODELS: usize = 100;
const BEAT: Duration = Duration::from_millis(60);
/// How long a model serves: longer than `wake.settle` below.
const SERVES_FOR: Duration = Duration::from_secs(3);
/// Objects that somebody writes with every beat.
const TOUCHED: usize = 5;
/// Beats for which an object or a demand of nobody's stays.
const STAYS: usize = 40;
/// Every so many beats an answer to a wake is lost, and all connections are cut.
const LOST_ANSWER: usize = 50;
const CUT: usize = 160;
/// One of so many models that are parked again is replaced by another one.
const REPLACED: usize = 4;
/// What it may have grown after the first third, as a ratio.
const GROWTH: f64 = 1.3;

pub fn register(suite: &mut Suite) {
    suite.embedded("soak", soak);
}

/// Where a model is in its round.
#[derive(Clone, Copy)]
enum Stage {
    Parked,
    Asked(Instant),
    Serving(Instant),
}

struct Model {
    name: String,
    /// Of its target.
    generation: u64,
    stage: Stage,
}

struct Soak<'a> {
    world: &'a World,
    kube: &'a Kube,
    models: Vec<Model>,
    woken: usize,
    replaced: usize,
    writes: usize,
}

async fn soak(world: &World) {
    let lasts = lasts();
    let mut soak = Soak::new(world);
    let config = json!({"wake": {
        "settle": "1s", "manualHold": "1s", "backoff": {"initial": "100ms", "max": "2s"},
    }});
    let program = world.program("a").config(&config).ready().await;
    let (began, mut beats) = (Instant::now(), tokio::time::interval(BEAT));
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut beat, mut early) = (0, None);
    while began.elapsed() < lasts {
        beats.tick().await;
        if early.is_none() && began.elapsed() > lasts / 3 {
            early = Some(program.memory());
        }
        soak.beat(beat);
        beat += 1;
    }
    wait::until_true("nobody waits any more", async || {
        soak.proceed();
        soak.is_idle()
    })
    .await;
    let (early, late) = (early.expect("a third of it is over"), program.memory());
    println!(
        "{} wakes, {} writes by others within {:.0?}: {early} KiB after a third, {late} KiB at the end, {} KiB at the highest",
        soak.woken,
        soak.writes,
        began.elapsed(),
        program.highest_memory(),
    );
    lives(&program).await;
    let told = 2 * soak.woken;
    wait::until_true("all Events", async || soak.events("ScaledFromZero") >= told).await;
    program.ticks(20).await;
    // Beside them there may be some that tell of a lost answer.
    assert_eq!(soak.events("ScaledFromZero"), told, "Events of wakes");
    assert!(soak.woken >= MODELS, "{} wakes", soak.woken);
    for model in &soak.models {
        soak.holds(model);
    }
    let metrics = program.metrics().await;
    assert_eq!(metrics.sum("wakes_total", &[("result", "other_waker")]), 0.0);
    assert!(
        kib(late) < GROWTH * kib(early),
        "{early} KiB after a third, {late} KiB at the end"
    );
}

fn lasts() -> Duration {
    match std::env::var("SOAK") {
        Ok(text) => humantime::parse_duration(&text).expect("SOAK is a time, such as 15m"),
        Err(_) => USUAL,
    }
}

#[expect(clippy::cast_precision_loss, reason = "less than 2^52 KiB")]
fn kib(memory: u64) -> f64 {
    memory as f64
}

impl<'a> Soak<'a> {
    fn new(world: &'a World) -> Self {
        let mut soak = Self {
            world,
            kube: world.cluster.kube(),
            models: Vec::new(),
            woken: 0,
            replaced: 0,
            writes: 0,
        };
        for number in 0..MODELS {
            let model = soak.create(format!("m{number}"));
            soak.models.push(model);
        }
        soak
    }

    /// Somebody writes an object.
    fn apply(&mut self, object: Value) {
        self.world.apply([object]);
        self.writes += 1;
    }

    fn delete(&mut self, resource: Resource, name: &str) {
        self.kube
            .delete(resource, &self.world.ns, name)
            .expect("an object");
        self.writes += 1;
    }

    fn update(&mut self, resource: Resource, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        self.writes += 1;
        let updated = self.kube.update(resource, &self.world.ns, name, change);
        updated.expect("an object")
    }

    /// A new model, which is parked.
    fn create(&mut self, name: String) -> Model {
        for object in parked(&name, &name) {
            self.apply(object);
        }
        Model {
            name,
            generation: 1,
            stage: Stage::Parked,
        }
    }

    /// A moment of the cluster's life.
    fn beat(&mut self, beat: usize) {
        if beat.is_multiple_of(LOST_ANSWER) {
            self.kube.fail_once(scale(), Effect::ApplyThenDrop);
        }
        if beat % CUT == CUT / 2 {
            self.kube.cut_connections();
        }
        let turn = &mut self.models[beat % MODELS];
        if matches!(turn.stage, Stage::Parked) {
            turn.stage = Stage::Asked(Instant::now());
            self.world.ask(&turn.name, &turn.name, 1);
        }
        for nth in 0..TOUCHED {
            let name = self.models[(beat * TOUCHED + nth) % MODELS].name.clone();
            self.update(Resource::Deployments, &name, |object| {
                object["metadata"]["labels"]["touched"] = beat.to_string().into();
            });
        }
        self.of_nobody(beat);
        self.proceed();
    }

    /// A Deployment that no variant names, and requests for a model that nobody has. Both come and go.
    fn of_nobody(&mut self, beat: usize) {
        let name = |beat: usize| format!("nobodys-{beat}");
        self.apply(deployment(&name(beat), &name(beat), 1));
        self.world.ask("nobodys", &name(beat), 1);
        if let Some(old) = beat.checked_sub(STAYS) {
            self.delete(Resource::Deployments, &name(old));
            self.forget("nobodys", &name(old));
        }
    }

    /// The queue of a model at a pool is swept.
    fn forget(&self, pool: &str, model: &str) {
        self.world.demand.queues().sweep(&Queue {
            family: TODAY,
            namespace: self.world.ns.clone(),
            pool: pool.to_owned(),
            model: model.to_owned(),
        });
    }

    fn events(&self, reason: &str) -> usize {
        let events = self.kube.list(Resource::Events);
        events.iter().filter(|event| event["reason"] == reason).count()
    }

    fn is_idle(&self) -> bool {
        let asked = |model: &Model| matches!(model.stage, Stage::Asked(_));
        !self.models.iter().any(asked)
    }

    /// Every model goes on in its round, if it is time.
    fn proceed(&mut self) {
        for turn in 0..self.models.len() {
            match self.models[turn].stage {
                Stage::Asked(since) => {
                    let name = self.models[turn].name.clone();
                    if self.is_told(&name) {
                        self.serve(turn);
                    } else {
                        assert!(since.elapsed() < wait::PATIENCE, "{name} is not woken");
                    }
                }
                Stage::Serving(since) if since.elapsed() > SERVES_FOR => self.park(turn),
                Stage::Parked | Stage::Serving(_) => {}
            }
        }
    }

    fn is_told(&self, name: &str) -> bool {
        let status = |variant: &Value| variant["status"]["desiredOptimizedAlloc"]["numReplicas"] == 1;
        let told = self
            .kube
            .look(Resource::VariantAutoscalings, &self.world.ns, name, status);
        told.expect("a variant")
    }

    /// It has been woken, by one step. Its pod is there, and nobody waits any more.
    fn serve(&mut self, turn: usize) {
        let model = &mut self.models[turn];
        model.generation += 1;
        model.stage = Stage::Serving(Instant::now());
        self.woken += 1;
        let name = model.name.clone();
        self.forget(&name, &name);
        self.update(Resource::Deployments, &name, |object| {
            object["status"] = ready(1)["status"].clone();
        });
        self.apply(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        }));
        self.holds(&self.models[turn]);
    }

    /// Its autoscalers take it back to 0, or it is replaced by another one.
    fn park(&mut self, turn: usize) {
        self.holds(&self.models[turn]);
        let name = self.models[turn].name.clone();
        self.delete(Resource::Pods, &name);
        self.replaced += 1;
        if self.replaced.is_multiple_of(REPLACED) {
            for resource in [
                Resource::VariantAutoscalings,
                Resource::Deployments,
                Resource::InferencePools,
            ] {
                self.delete(resource, &name);
            }
            self.models[turn] = self.create(format!("m{turn}-{}", self.replaced));
            return;
        }
        self.update(Resource::VariantAutoscalings, &name, |object| {
            object["status"]["desiredOptimizedAlloc"]["numReplicas"] = 0.into();
        });
        let now = self.update(Resource::Deployments, &name, |object| {
            object["spec"]["replicas"] = 0.into();
            object["status"] = json!({});
        });
        let model = &mut self.models[turn];
        model.generation = now["metadata"]["generation"].as_u64().expect("a generation");
        model.stage = Stage::Parked;
    }

    /// Nobody but this trial has written the target's spec since.
    fn holds(&self, model: &Model) {
        let target = |object: &Value| {
            let replicas = object["spec"]["replicas"].as_u64();
            (replicas, object["metadata"]["generation"].as_u64())
        };
        let found = self
            .kube
            .look(Resource::Deployments, &self.world.ns, &model.name, target);
        let up = u64::from(!matches!(model.stage, Stage::Parked));
        assert_eq!(
            found,
            Some((Some(up), Some(model.generation))),
            "{}: replicas, generation",
            model.name
        );
    }
}
