//! What a decision costs: `cargo bench --bench core`.
//!
//! The cluster is made up: N variants of N models, ten to a namespace, one pool and one Deployment each; the demand has
//! a row for each of them.

use std::{collections::BTreeMap, time::Duration};

use divan::{Bencher, black_box};
use scale_from_zero::{
    config::Config,
    core::{
        Answer, Change, Cost, Inventory, Labels, Memory, Mono, Now, ObjectName, Observed, Pool, PoolGroup,
        PoolKey, Row, Rules, Signals, Situation, Target, TargetKey, TargetKind, TargetRef, Variant,
        VariantStatus, Wall, join, plan,
    },
};

fn main() {
    divan::main();
}

const VARIANTS: usize = 10_000;

fn now() -> Now {
    Now {
        mono: Mono(Duration::from_secs(100_000)),
        wall: Wall::UNIX_EPOCH,
    }
}

fn name(n: usize) -> ObjectName {
    ObjectName::new(format!("team-{}", n / 10), format!("model-{n}"))
}

fn target(n: usize, replicas: i64, version: &str) -> Target {
    let labels: Labels = [("app".to_owned(), format!("model-{n}"))].into_iter().collect();
    Target {
        uid: format!("uid-{n}").into(),
        generation: 1,
        observed: Observed::new(Some(replicas), None, version),
        labels,
        deleting: false,
        excluded: false,
        accelerator: None,
        has_template: true,
    }
}

fn key(n: usize) -> TargetKey {
    TargetKey {
        kind: TargetKind::Deployment,
        name: name(n),
    }
}

fn cluster(variants: usize, replicas: i64) -> Inventory {
    let mut inventory = Inventory::default();
    for n in 0..variants {
        let variant = Variant {
            uid: format!("uid-{n}").into(),
            resource_version: "1".into(),
            generation: 1,
            target: TargetRef::Known(key(n)),
            model: format!("meta/model-{n}").into(),
            aliases: Box::default(),
            cost: Cost::parse(Some("10")),
            max_replicas: None,
            deleting: false,
            excluded: false,
            controller_instance: None,
            accelerator: None,
            status: VariantStatus::default(),
            annotated: None,
        };
        let pool = Pool {
            selector: [("app".to_owned(), format!("model-{n}"))].into_iter().collect(),
            excluded: false,
        };
        let pool_key = PoolKey {
            group: PoolGroup::Stable,
            name: name(n),
        };
        inventory.apply(Change::Target(key(n), Some(target(n, replicas, "1"))));
        inventory.apply(Change::Pool(pool_key, Some(pool)));
        inventory.apply(Change::Variant(name(n), Some(variant)));
    }
    inventory
}

fn rows(variants: usize) -> Vec<Row> {
    let row = |n: usize| {
        let ObjectName { namespace, name } = name(n);
        Row {
            namespace: Some((&*namespace).into()),
            pool: Some((&*name).into()),
            model: Some(format!("meta/model-{n}").into()),
            waiting: 5.0,
            family: Some("llm_d_epp_flow_control_queue_size".into()),
        }
    };
    (0..variants).map(row).collect()
}

fn rules() -> Rules {
    Rules::from(&Config::default())
}

fn tick(inventory: &Inventory, memory: &mut Memory, answer: &Answer, rows: &[Row], rules: &Rules) {
    let joined = join(inventory, rows, rules);
    black_box(memory.observe(inventory, answer, &joined, now(), rules));
    black_box(plan(inventory, &joined, memory, now(), rules));
}

/// Join and plan alone, the episodes being open: every parked model is asked for and to be woken.
#[divan::bench]
fn join_and_plan_10_000_to_wake(bencher: Bencher<'_, '_>) {
    let (inventory, rows, rules) = (cluster(VARIANTS, 0), rows(VARIANTS), rules());
    let mut memory = Memory::default();
    tick(
        &inventory,
        &mut memory,
        &Answer::Complete(rows.clone()),
        &rows,
        &rules,
    );
    bencher.bench_local(|| {
        let joined = join(&inventory, black_box(&rows), &rules);
        plan(&inventory, &joined, &memory, now(), &rules)
    });
}

/// A whole tick of the core with every model asked for and starting.
#[divan::bench]
fn tick_10_000_starting(bencher: Bencher<'_, '_>) {
    let (inventory, rows, rules) = (cluster(VARIANTS, 1), rows(VARIANTS), rules());
    let answer = Answer::Complete(rows.clone());
    let mut memory = Memory::default();
    tick(&inventory, &mut memory, &answer, &rows, &rules);
    bencher.bench_local(|| tick(&inventory, &mut memory, &answer, black_box(&rows), &rules));
}

/// A whole tick of the core with 1,000 parked models and no demand.
#[divan::bench]
fn tick_1_000_parked_no_demand(bencher: Bencher<'_, '_>) {
    let (inventory, rules) = (cluster(1_000, 0), rules());
    let answer = Answer::Complete(Vec::new());
    let mut memory = Memory::default();
    bencher.bench_local(|| tick(&inventory, &mut memory, &answer, black_box(&[]), &rules));
}

/// What the count by state looks at every 5 s: 10,000 parked models, each of which is asked for.
#[divan::bench]
fn states_of_10_000(bencher: Bencher<'_, '_>) {
    let (inventory, rows, rules) = (cluster(VARIANTS, 0), rows(VARIANTS), rules());
    let (memory, signals) = (Memory::default(), Signals::default());
    let joined = join(&inventory, &rows, &rules);
    let held = BTreeMap::new();
    let situation = Situation {
        inventory: &inventory,
        memory: &memory,
        signals: &signals,
        demand: &joined.asked,
        held: &held,
        now: now(),
        rules: &rules,
    };
    bencher.bench_local(|| {
        let entries = inventory.entries();
        let asked = entries.filter(|(name, entry)| situation.state(name, entry).as_str() == "asked");
        assert_eq!(asked.count(), VARIANTS);
    });
}

/// A target of 10,000 changes.
#[divan::bench]
fn one_change_of_10_000(bencher: Bencher<'_, '_>) {
    let mut inventory = cluster(VARIANTS, 0);
    let mut version = 1_u64;
    bencher.bench_local(|| {
        version += 1;
        let n = usize::try_from(version).unwrap_or_default() % VARIANTS;
        inventory.apply(Change::Target(key(n), Some(target(n, 0, &version.to_string()))));
    });
}
