//! Whether there is a signal (rule 4): on, off and not scraped are three things.

use scale_from_zero::{
    config::{Config, Prometheus as Servers},
    core::{Seen, Sign},
    prometheus::Prometheus,
};

use crate::{
    demand::{Demand, Signal},
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("signs_of_epps", signs_of_epps);
}

/// What the slow query brings of EPPs with and without flow control, and of none.
async fn signs_of_epps(world: &World) {
    let servers = Servers {
        urls: vec![world.demand.url().parse().expect("a URL")],
        timeout: wait::PATIENCE,
        ..Servers::default()
    };
    let prometheus = Prometheus::new(&servers, &Config::default().query).expect("a client");
    let until_seen = async |expected: &[(&str, Sign)]| {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(pool, what)| Seen {
                namespace: Some(world.ns.as_str().into()),
                pool: Some((*pool).into()),
                what: *what,
            })
            .collect();
        expected.sort();
        wait::until_true(&format!("the signs {expected:?}"), async || {
            let mut seen = prometheus.signals().await.expect("an answer").expect("signs");
            seen.retain(|seen| seen.namespace.as_deref() == Some(&world.ns));
            seen.sort();
            seen == expected
        })
        .await;
    };
    let queues = world.demand.queues();

    // A queue shows its EPP, whether somebody waits or not.
    world.ask("busy", "m", 5);
    world.ask("idle", "m", 0);
    queues.signal(&world.ns, "off", Signal::Off);
    queues.signal(&world.ns, "lost", Signal::NotScraped);
    let (on, there) = (Sign::FlowControl, Sign::Endpoints);
    let mut all = vec![
        ("busy", on),
        ("busy", there),
        ("idle", on),
        ("idle", there),
        ("off", there),
    ];
    until_seen(&all).await;

    queues.signal(&world.ns, "off", Signal::On);
    queues.signal(&world.ns, "busy", Signal::NotScraped);
    all.retain(|(pool, _)| *pool != "busy");
    all.push(("off", on));
    until_seen(&all).await;
    let demand = prometheus.demand().await.expect("an answer");
    let ours = demand
        .iter()
        .find(|row| row.namespace.as_deref() == Some(&world.ns));
    assert_eq!(ours, None, "nobody scrapes the queue");

    if let Demand::Scripted(scripted) = &world.demand {
        assert!(scripted.asked_for_signals("") >= 2);
        assert_eq!(scripted.asked(""), 1, "demand is counted apart");
    }
}
