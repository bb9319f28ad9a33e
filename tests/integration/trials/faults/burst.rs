//! Many models at once: the largest queues go first, at the bound of `wake.concurrency`, before anything is reported;
//! and an API server that asks for patience has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use scale_from_zero::demo::kubernetes::{Effect, Fault, Match, Request, Verb};
use serde_json::json;

use super::{events, scale, status};
use crate::{
    demand::{Queue, TODAY},
    objects::parked,
    program::Program,
    suite::Suite,
    world::World,
};

/// Models in a burst.
const MANY: usize = 200;
/// Every so many of them meet a throttled write.
const EVERY: usize = 4;
/// `Retry-After` of those, in seconds: longer than it takes to wake all others where an unoptimised build shares a
/// busy machine.
const PATIENCE: u32 = 5;
/// `wake.concurrency` where it is the point.
const AT_ONCE: usize = 8;

pub fn register(suite: &mut Suite) {
    suite.embedded("burst_throttled", burst_throttled);
    suite.embedded("burst_in_order", burst_in_order);
    suite.embedded("burst_one_by_one", burst_one_by_one);
}

/// Models, parked, with requests for all of them: the more the larger their number.
fn ask_for_all(world: &World) {
    let mut queues = Vec::new();
    for number in 0..MANY {
        let name = name(number);
        world.apply(parked(&name, &name));
        let queue = Queue {
            family: TODAY,
            namespace: world.ns.clone(),
            pool: name.clone(),
            model: name,
        };
        queues.push((queue, f64::from(u32::try_from(number + 1).expect("few"))));
    }
    // In one answer of Prometheus.
    world.demand.queues().set_all(queues);
}

fn name(number: usize) -> String {
    format!("m{number}")
}

/// Waits until all are woken and told of.
async fn until_all_told(program: &Program) {
    // A status is renewed where its watch lags, as on a machine that is very busy: that is a report of its own.
    let all = |n| n >= f64::from(u32::try_from(MANY).expect("few"));
    program
        .until_metric("wakes_total", &[("result", "accepted")], all)
        .await;
    program
        .until_metric("reports_total", &[("result", "done")], all)
        .await;
}

/// The answered requests of a kind, in the order in which they came in.
fn answered(world: &World, kind: &Match) -> Vec<(Request, Timestamp)> {
    let requests = world.cluster.kube().requests_like(kind).into_iter();
    requests
        .filter_map(|request| request.ended.map(|ended| (request, ended)))
        .collect()
}

/// 429 from API priority and fairness, to the wakes of every fourth model and to as many reports: those wait as long
/// as they are told, the others are not held up, and in the end all are woken and told of. Once.
async fn burst_throttled(world: &World) {
    let kube = world.cluster.kube();
    let refusal = Effect::Status {
        code: 429,
        reason: "TooManyRequests".into(),
        retry_after: Some(PATIENCE),
    };
    let throttled: BTreeSet<String> = (0..MANY).step_by(EVERY).map(name).collect();
    for name in &throttled {
        kube.fail_once(scale().named(name), refusal.clone());
        kube.fail_once(status().named(name), refusal.clone());
    }
    kube.add_fault(Fault {
        matches: events(),
        times: Some(throttled.len()),
        effect: refusal,
    });
    ask_for_all(world);
    let program = world.program("a").ready().await;
    until_all_told(&program).await;

    let mut tries: BTreeMap<String, Vec<(Request, Timestamp)>> = BTreeMap::new();
    for (request, ended) in answered(world, &scale()) {
        let name = request.name.clone().unwrap_or_default();
        tries.entry(name).or_default().push((request, ended));
    }
    assert_eq!(tries.len(), MANY);
    for (name, tries) in &tries {
        let codes: Vec<_> = tries.iter().filter_map(|(request, _)| request.code).collect();
        if throttled.contains(name) {
            assert_eq!(codes, [429, 200], "{name}");
            let waited = tries[1].0.asked.duration_since(tries[0].1);
            let least = SignedDuration::from_secs(PATIENCE.into());
            assert!(waited >= least, "{name} came again after {waited:?}");
        } else {
            assert_eq!(codes, [200], "{name}");
        }
    }
    // What was held back was the throttled alone: all others were up before the first of those came again.
    let others = tries.iter().filter(|(name, _)| !throttled.contains(*name));
    let up = others.map(|(_, tries)| tries[0].1).max();
    let again = throttled.iter().map(|name| tries[name][1].0.asked).min();
    assert!(up < again, "{up:?}, {again:?}");

    let metrics = program.metrics().await;
    let refused = metrics.sum("wakes_total", &[("result", "throttled")]);
    assert_eq!(refused, f64::from(u32::try_from(throttled.len()).expect("few")));
    told_once(world);
}

/// A status and two Events for each, whatever was refused before; no Event twice.
fn told_once(world: &World) {
    let good = |kind: &Match| {
        let requests = answered(world, kind).into_iter().map(|(request, _)| request);
        let good = requests.filter(|request| matches!(request.code, Some(200 | 201)));
        // Others tell of what was refused.
        let wakes = good.filter(|request| {
            let reason = request.body.as_ref().map(|body| &body["reason"]);
            request.verb != Verb::Create || reason.is_some_and(|reason| reason == "ScaledFromZero")
        });
        wakes.filter_map(|request| request.name).collect::<Vec<_>>()
    };
    let told = good(&status());
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), MANY);
    let told = good(&events());
    assert_eq!(
        (told.len(), told.iter().collect::<BTreeSet<_>>().len()),
        (2 * MANY, 2 * MANY)
    );
}

/// With writes that take a while: never more than `wake.concurrency` at once, as many as that while there are more to
/// do, the largest queues first, and no report while a wake waits for its turn.
async fn burst_in_order(world: &World) {
    let kube = world.cluster.kube();
    kube.fail(scale(), Effect::Delay(Duration::from_millis(20)));
    ask_for_all(world);
    let config = json!({"wake": {"concurrency": AT_ONCE}});
    let program = world.program("a").config(&config).ready().await;
    until_all_told(&program).await;

    let scales = answered(world, &scale());
    assert_eq!(scales.len(), MANY, "each once");
    let mut most = 0;
    for (place, (request, _)) in scales.iter().enumerate() {
        // The largest is the last by number. One may be late, but none comes before its turn: when it is sent, all
        // that are larger have come in, but for those under way beside it.
        let rank = MANY - 1 - number(request);
        assert!(rank < place + AT_ONCE, "{rank} came in as {place}");
        let under_way = scales[..place].iter().filter(|(_, ended)| *ended > request.asked);
        most = most.max(1 + under_way.count());
    }
    assert_eq!(most, AT_ONCE);

    let reports = [status(), events()];
    let first = reports
        .iter()
        .flat_map(|kind| answered(world, kind))
        .map(|(report, _)| report.asked)
        .min()
        .expect("reports");
    let before = scales.iter().filter(|(_, ended)| *ended <= first).count();
    assert!(
        before >= MANY - AT_ONCE,
        "{before} were woken when the first was told of"
    );
    told_once(world);
}

/// One at a time, the order is that of the queues, to the last.
async fn burst_one_by_one(world: &World) {
    ask_for_all(world);
    let config = json!({"wake": {"concurrency": 1}});
    let program = world.program("a").config(&config).ready().await;
    until_all_told(&program).await;
    let writes = Match::verb(Verb::Patch).on(scale().resource.expect("a kind"));
    let order: Vec<_> = answered(world, &writes)
        .iter()
        .map(|(request, _)| number(request))
        .collect();
    let wanted: Vec<_> = (0..MANY).rev().collect();
    assert_eq!(order, wanted);
}

fn number(request: &Request) -> usize {
    let name = request.name.as_deref().unwrap_or_default();
    name.trim_start_matches('m').parse().expect("a number")
}
