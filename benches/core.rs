//! What a decision costs: `cargo bench --bench core`.
//!
//! The cluster is made up: N variants of N models, ten to a namespace, one pool and one Deployment each; the demand has
//! a row for each of them.

use std::time::Duration;

use divan::{Bencher, black_box};
use scale_from_zero::{
    config::Config,
    core::{
        Answer, Change, Cost, HashMap, Inventory, Labels, Memory, Mono, Now, ObjectName, Observed, Pool,
        PoolGroup, PoolKey, Row, Rules, Signals, Situation, Target, TargetKey, TargetKind, TargetRef,
        Variant, VariantStatus, Wall, join, plan,
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
    name_in(&format!("team-{}", n / 10), n)
}

fn name_in(namespace: &str, n: usize) -> ObjectName {
    ObjectName::new(namespace, format!("model-{n}"))
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

fn key(name: ObjectName) -> TargetKey {
    let kind = TargetKind::Deployment;
    TargetKey { kind, name }
}

fn pool_key(name: ObjectName) -> PoolKey {
    let group = PoolGroup::Stable;
    PoolKey { group, name }
}

/// A pool of its own, with one more label where one is given.
fn pool(n: usize, version: Option<u64>) -> Pool {
    let selector = [("app".to_owned(), format!("model-{n}"))].into_iter();
    let version = version.map(|version| ("version".to_owned(), version.to_string()));
    Pool {
        selector: selector.chain(version).collect(),
        excluded: false,
    }
}

fn cluster(variants: usize, replicas: i64) -> Inventory {
    cluster_of(variants, name, |_| replicas)
}

fn cluster_of(
    variants: usize,
    name: impl Fn(usize) -> ObjectName,
    replicas: impl Fn(usize) -> i64,
) -> Inventory {
    let mut inventory = Inventory::default();
    for n in 0..variants {
        let variant = Variant {
            uid: format!("uid-{n}").into(),
            resource_version: "1".into(),
            generation: 1,
            target: TargetRef::Known(key(name(n))),
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
        inventory.apply(Change::Target(key(name(n)), Some(target(n, replicas(n), "1"))));
        inventory.apply(Change::Pool(pool_key(name(n)), Some(pool(n, None))));
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
    let mut rows: Vec<_> = (0..variants).map(row).collect();
    // As those of an answer are.
    rows.sort_by(|a, b| (&a.namespace, &a.pool).cmp(&(&b.namespace, &b.pool)));
    rows
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
    let held = HashMap::default();
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
        inventory.apply(Change::Target(
            key(name(n)),
            Some(target(n, 0, &version.to_string())),
        ));
    });
}

/// The selector of a pool of 10,000 in one namespace.
#[divan::bench]
fn one_selector_of_10_000_in_one_namespace(bencher: Bencher<'_, '_>) {
    let name = |n| name_in("team", n);
    let mut inventory = cluster_of(VARIANTS, name, |_| 0);
    let mut version = 1_u64;
    bencher.bench_local(|| {
        version += 1;
        let n = usize::try_from(version).unwrap_or_default() % VARIANTS;
        inventory.apply(Change::Pool(pool_key(name(n)), Some(pool(n, Some(version)))));
    });
}

/// 10,000 variants, targets and pools of one namespace, one after the other.
#[divan::bench(sample_count = 10)]
fn first_sight_of_10_000_in_one_namespace() -> Inventory {
    cluster_of(VARIANTS, |n| name_in("team", n), |_| 0)
}

/// 100 changes a second at ten ticks a second: ten changes and a whole tick of the core, with so many of 10,000 models
/// asked for and starting.
#[divan::bench(args = [0, 100, 1_000])]
fn ten_changes_and_a_tick_of_10_000(bencher: Bencher<'_, '_>, starting: usize) {
    let (rows, rules) = (rows(starting), rules());
    let mut inventory = cluster_of(VARIANTS, name, |n| i64::from(n < starting));
    let answer = Answer::Complete(rows.clone());
    let mut memory = Memory::default();
    let mut version = 1_u64;
    bencher.bench_local(|| {
        for _ in 0..10 {
            version += 1;
            let n = usize::try_from(version).unwrap_or_default() % VARIANTS;
            let now = target(n, i64::from(n < starting), &version.to_string());
            inventory.apply(Change::Target(key(name(n)), Some(now)));
        }
        tick(&inventory, &mut memory, &answer, black_box(&rows), &rules);
        black_box(memory.reports_due(&inventory, now(), &rules));
    });
}
