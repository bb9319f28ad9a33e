//! The join and the plan of random worlds, held to the oracle and to what must hold of any plan.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    oracle::Cluster,
    random,
    world::{World, rules},
};
use crate::core::*;

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let label = |names: &'static [&'static str], given: f64| option::weighted(given, select(names));
    let row = (
        label(&random::NAMESPACES, 0.8),
        label(&["a", "a", "a", "b", "b", "c", "d"], 0.7),
        label(&["m", "m", "m", "m", "n", "M", "other", "none"], 0.9),
        1_u8..9,
    );
    vec(row, 1..8).prop_map(|rows| {
        let label = |label: Option<&'static str>| label.map(Into::into);
        rows.into_iter()
            .map(|(namespace, pool, model, waiting)| Row {
                namespace: label(namespace),
                pool: label(pool),
                model: label(model),
                waiting: waiting.into(),
                family: None,
            })
            .collect()
    })
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let variant = (
        (random::namespace(), select(&["a", "b", "c", "d", "e"])),
        random::variant(),
        option::weighted(0.9, random::target()),
    );
    (
        random::scope_rules(),
        vec(variant, 1..12),
        vec((random::target_key(), random::target()), 0..4),
        vec((random::pool_key(), random::pool()), 2..14),
        vec((random::namespace(), random::marks()), 0..2),
        prop_oneof![3 => Just(Select::Cheapest), 1 => Just(Select::All)],
        any::<bool>(),
    )
        .prop_map(
            |(scope, given, others, pools, namespaces, select, every_namespace)| {
                let mut variants = BTreeMap::new();
                let mut targets: BTreeMap<_, _> = others.into_iter().collect();
                for ((namespace, name), mut variant, target) in given {
                    let name = ObjectName::new(namespace, name);
                    if let TargetRef::Known(key) = &mut variant.target {
                        // A scaleTargetRef names no namespace.
                        key.name.namespace = name.namespace.clone();
                        targets.extend(target.map(|target| (key.clone(), target)));
                    }
                    variants.insert(name, variant);
                }
                let pools: BTreeMap<_, _> = pools.into_iter().collect();
                Cluster {
                    scope,
                    variants,
                    targets: targets.into_iter().collect(),
                    pools: pools.into_iter().collect(),
                    namespaces: namespaces.into_iter().map(|(n, m)| (n.to_string(), m)).collect(),
                    select,
                    every_namespace,
                }
            },
        )
}

/// One tick of a process that has just started.
fn tick(cluster: &Cluster, rows: &[Row]) -> (Inventory, Joined, Plan) {
    let inventory = cluster.inventory();
    let rules = Rules {
        select: cluster.select,
        every_namespace: cluster.every_namespace,
        ..rules()
    };
    let now = World::new().now;
    let mut memory = Memory::default();
    let joined = join(&inventory, rows, &rules);
    memory.observe(&inventory, &Answer::Complete(rows.to_vec()), &joined, now, &rules);
    let plan = plan(&inventory, &joined, &memory, now, &rules);
    (inventory, joined, plan)
}

fn woken(plan: &Plan) -> BTreeSet<TargetKey> {
    plan.wakes.iter().map(|wake| wake.target.clone()).collect()
}

/// What is wrong with one variant.
fn broken() -> impl Strategy<Value = fn(&mut Variant)> {
    let ways: [fn(&mut Variant); 6] = [
        |v| {
            if let TargetRef::Known(target) = &mut v.target {
                target.name.name = "missing".into();
            }
        },
        |v| v.cost = Cost::parse(Some("-NaN e7")),
        |v| v.excluded = true,
        |v| v.deleting = true,
        |v| v.target = TargetRef::Unsupported("Job batch/v1".into()),
        |v| v.status.conditions = Box::default(),
    ];
    select(ways.to_vec())
}

proptest! {
    #[test]
    fn rule_7_scope_and_pools_are_those_of_the_oracle(cluster in cluster()) {
        let inventory = cluster.inventory();
        for (name, entry) in inventory.entries() {
            let out = cluster.out(&name.name);
            match entry.scope {
                Scope::In => prop_assert!(out.is_empty(), "{}: {:?}", name, out),
                Scope::Out(why) => prop_assert!(out.contains(why.as_str()), "{}: {} of {:?}", name, why, out),
            }
            let names = |pools: &[std::sync::Arc<str>]| pools.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
            prop_assert_eq!(names(&entry.pools), cluster.pools_of(&name.name, false));
            prop_assert_eq!(names(&entry.excluded_pools), cluster.pools_of(&name.name, true));
        }
    }

    #[test]
    fn the_plan_is_that_of_the_oracle(cluster in cluster(), rows in rows()) {
        let (inventory, joined, plan) = tick(&cluster, &rows);
        let expected = cluster.expect(&rows);
        prop_assert_eq!(joined.asked.keys().cloned().collect::<BTreeSet<_>>(), expected.asked);
        prop_assert_eq!(woken(&plan), expected.wakes);
        prop_assert_eq!(plan.wakes.len(), woken(&plan).len(), "a target once");
        prop_assert_eq!(plan.blocked.len(), expected.blocked.len());
        for (held, reasons) in plan.blocked.iter().zip(&expected.blocked) {
            let why = match &held.why {
                Blocked::Target(_) => "target",
                why => why.as_str(),
            };
            prop_assert!(reasons.contains(why), "{} of {:?}", why, reasons);
        }
        for wake in &plan.wakes {
            let target = inventory.target(&wake.target).expect("a target");
            prop_assert_eq!(&target.observed, &Observed::new(Some(0), None, wake.resource_version()));
            let entry = inventory.entry(&wake.variant).expect("a variant");
            prop_assert_eq!(&entry.scope, &Scope::In);
            prop_assert_eq!(entry.target(), Some(&wake.target));
            prop_assert!(entry.pools.contains(&wake.key.pool));
            prop_assert_eq!(wake.cause.waiting().to_bits(), joined.asked[&wake.key].waiting.to_bits());
        }
        let queues: Vec<_> = plan.wakes.iter().map(|wake| wake.cause.waiting()).collect();
        prop_assert!(queues.is_sorted_by(|a, b| a >= b), "the largest queue first");
    }

    #[test]
    fn rule_8_at_most_one_set_of_a_model_is_woken(mut cluster in cluster(), rows in rows()) {
        cluster.select = Select::Cheapest;
        for variant in cluster.variants.values_mut() {
            variant.status = VariantStatus::default();
        }
        let (_, _, plan) = tick(&cluster, &rows);
        let keys: BTreeSet<_> = plan.wakes.iter().map(|wake| &wake.key).collect();
        prop_assert_eq!(keys.len(), plan.wakes.len());
    }

    #[test]
    fn rule_7_no_demand_no_wake(cluster in cluster()) {
        prop_assert_eq!(tick(&cluster, &[]).2, Plan::default());
    }

    #[test]
    fn rule_3_a_row_of_one_namespace_wakes_none_in_another(cluster in cluster(), mut rows in rows()) {
        for row in &mut rows {
            row.namespace = Some("one".into());
        }
        let (_, _, plan) = tick(&cluster, &rows);
        for wake in &plan.wakes {
            prop_assert_eq!(&*wake.target.name.namespace, "one");
        }
        // Nor does what the other holds change anything here.
        let mut alone = cluster.clone();
        alone.variants.retain(|name, _| &*name.namespace == "one");
        prop_assert_eq!(tick(&alone, &rows).2.wakes, plan.wakes);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(cluster in cluster(), rows in rows()) {
        let mut turned = rows.clone();
        turned.reverse();
        prop_assert_eq!(tick(&cluster, &rows).2.wakes, tick(&cluster, &turned).2.wakes);
    }

    #[test]
    fn rule_18_one_broken_variant_changes_nothing_for_other_models(
        cluster in cluster(),
        rows in rows(),
        at in any::<prop::sample::Index>(),
        broken in broken(),
    ) {
        prop_assume!(!cluster.variants.is_empty());
        let name = at.get(&cluster.variants.keys().cloned().collect::<Vec<_>>()).clone();
        let mut with = cluster.clone();
        let variant = with.variants.get_mut(&name).expect("a variant");
        broken(variant);
        let names: Vec<_> = [variant.model.clone()].into_iter().chain(variant.aliases.to_vec()).collect();
        let mut without = with.clone();
        without.variants.remove(&name);
        // An unnamed row counts the models of its pool, and this is one of them.
        let others: Vec<_> = rows
            .iter()
            .filter(|row| row.model.as_ref().is_some_and(|model| names.iter().all(|n| **n != **model)))
            .cloned()
            .collect();
        let (_, _, alone) = tick(&without, &others);
        let (_, _, beside) = tick(&with, &others);
        prop_assert_eq!(&beside.wakes, &alone.wakes);
        prop_assert_eq!(beside.blocked.len(), alone.blocked.len());
        let (_, _, all) = tick(&with, &rows);
        prop_assert!(woken(&all).is_superset(&woken(&alone)));
    }
}

/// The random worlds are worth their time: most of what can come of a row comes of some.
#[test]
fn random_worlds_wake_and_block_for_most_reasons() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for _ in 0..1_000 {
        let world = (cluster(), rows()).new_tree(&mut runner).expect("a world");
        let (cluster, rows) = world.current();
        let (_, _, plan) = tick(&cluster, &rows);
        for held in &plan.blocked {
            *seen.entry(held.why.as_str()).or_default() += 1;
        }
        *seen.entry("woken").or_default() += plan.wakes.len();
        *seen.entry("woken beside another").or_default() += usize::from(plan.wakes.len() > 1);
    }
    let rare = [
        "out_of_scope_pool_excluded",
        "ambiguous_namespace",
        "unnamed_demand",
        "woken beside another",
    ];
    for what in rare {
        assert!(seen.get(what).is_some_and(|times| *times > 5), "{what}: {seen:?}");
    }
    assert!(seen["woken"] > 250, "{seen:?}");
    assert!(seen.len() >= 18, "{seen:?}");
}
