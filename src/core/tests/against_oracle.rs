//! The join and the plan of random worlds, held to the oracle and to what must hold of any plan.

mod clusters;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::select};

use self::clusters::{cluster, rows};
use super::{oracle::Cluster, world::World};
use crate::core::*;

/// One tick of a process that has just started.
fn tick(cluster: &Cluster, rows: &[Row]) -> (Inventory, Joined, Plan) {
    let inventory = cluster.inventory();
    let rules = &cluster.rules;
    let now = World::new().now;
    let mut memory = Memory::default();
    let joined = join(&inventory, rows, rules);
    memory.observe(&inventory, &Answer::Complete(rows.to_vec()), &joined, now, rules);
    let plan = plan(&inventory, &joined, &memory, now, rules);
    (inventory, joined, plan)
}

/// The same without the caps of rule 19.
fn uncapped(cluster: &Cluster) -> Cluster {
    let mut uncapped = cluster.clone();
    (
        uncapped.rules.max_starting,
        uncapped.rules.max_starting_per_namespace,
    ) = (None, None);
    uncapped
}

fn woken(plan: &Plan) -> BTreeSet<TargetKey> {
    plan.wakes.iter().map(|wake| wake.target.clone()).collect()
}

/// What is wrong with one variant.
fn broken() -> impl Strategy<Value = fn(&mut Variant)> {
    let ways: [fn(&mut Variant); 7] = [
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
        |v| v.max_replicas = Some(0),
    ];
    select(ways.to_vec())
}

proptest! {
    #[test]
    fn rule_7_scope_and_pools_are_those_of_the_oracle(cluster in cluster()) {
        let inventory = cluster.inventory();
        for (name, entry) in inventory.entries() {
            let out = cluster.out(name);
            match entry.scope {
                Scope::In => prop_assert!(out.is_empty(), "{}: {:?}", name, out),
                Scope::Out(why) => prop_assert!(out.contains(why.as_str()), "{}: {} of {:?}", name, why, out),
            }
            let names = |pools: &[std::sync::Arc<str>]| pools.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
            prop_assert_eq!(names(&entry.pools), cluster.pools_of(name, false));
            prop_assert_eq!(names(&entry.excluded_pools), cluster.pools_of(name, true));
        }
    }

    #[test]
    fn rule_16_a_target_has_one_variant_in_scope_but_for_two_of_one_kind(cluster in cluster()) {
        let inventory = cluster.inventory();
        let mut sources: BTreeMap<&TargetKey, BTreeSet<Source>> = BTreeMap::new();
        for (name, entry) in inventory.entries().filter(|(_, entry)| entry.scope == Scope::In) {
            prop_assert!(cluster.scope.sources.contains(&name.source));
            if let Some(target) = entry.target() {
                sources.entry(target).or_default().insert(name.source);
            }
        }
        for (target, sources) in sources {
            prop_assert_eq!(sources.len(), 1, "{}", target);
        }
    }

    #[test]
    fn rule_19_no_more_start_than_the_caps_allow_and_the_largest_queues_go_first(
        cluster in cluster(),
        rows in rows(),
    ) {
        let (_, _, all) = tick(&uncapped(&cluster), &rows);
        let (_, _, plan) = tick(&cluster, &rows);
        let cap = cluster.rules.max_starting.unwrap_or(usize::MAX);
        let cap_here = cluster.rules.max_starting_per_namespace.unwrap_or(usize::MAX);
        let (mut woken, mut capped) = (Vec::new(), Vec::new());
        for wake in all.wakes {
            let here = |other: &&Wake| other.key.namespace == wake.key.namespace;
            let starting = cluster.starting(None) + woken.len();
            let starting_here =
                cluster.starting(Some(&wake.key.namespace)) + woken.iter().filter(here).count();
            if starting < cap && starting_here < cap_here {
                woken.push(wake);
            } else {
                capped.push((wake.key, wake.variant));
            }
        }
        prop_assert_eq!(plan.wakes, woken);
        let held = plan.blocked.iter().filter(|held| held.why == Blocked::Capped);
        let held: Vec<_> = held.map(|held| held.variant.clone().expect("a variant")).collect();
        prop_assert_eq!(held, capped.into_iter().map(|(_, variant)| variant).collect::<Vec<_>>());
    }

    #[test]
    fn the_plan_is_that_of_the_oracle(cluster in cluster(), rows in rows()) {
        let cluster = uncapped(&cluster);
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
        cluster.rules.select = Select::Cheapest;
        for variant in cluster.variants.values_mut() {
            variant.status = VariantStatus::default();
        }
        let (inventory, _, plan) = tick(&cluster, &rows);
        let mut sets: BTreeMap<&ModelKey, Vec<Parts>> = BTreeMap::new();
        for wake in &plan.wakes {
            let role = inventory.target(&wake.target).expect("a target").role();
            prop_assert_ne!(role, Role::Unknown);
            sets.entry(&wake.key).or_default().push(role.parts());
        }
        for (key, set) in sets {
            prop_assert!(set.len() <= 2, "{}: {:?}", key, set);
            // Two of them are a decode and a prefill.
            if let [first, second] = &set[..] {
                prop_assert!(first.decode != second.decode && first.prefill != second.prefill, "{:?}", set);
            }
        }
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
        alone.variants.retain(|name, _| &*name.name.namespace == "one");
        // But for the cap on all that starts.
        let (alone, both) = (uncapped(&alone), uncapped(&cluster));
        prop_assert_eq!(tick(&alone, &rows).2.wakes, tick(&both, &rows).2.wakes);
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
        // What starts of one model may hold back another by rule 19, and with `unmatched: pool` the models of a pool
        // stand for each other.
        let mut cluster = uncapped(&cluster);
        cluster.rules.unmatched = Unmatched::Report;
        let name = at.get(&cluster.variants.keys().cloned().collect::<Vec<_>>()).clone();
        let mut with = cluster.clone();
        let variant = with.variants.get_mut(&name).expect("a variant");
        broken(variant);
        let names: Vec<_> = [variant.model.clone()].into_iter().chain(variant.aliases.to_vec()).collect();
        // Without it the target is another's, if it came before that (rule 16).
        let outranked = |(key, other): (&VariantKey, &Variant)| {
            other.target == with.variants[&name].target && key.source > name.source
        };
        prop_assume!(!with.variants.iter().any(outranked));
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

/// The random worlds are worth their time: all that can come of a row comes of some.
#[test]
fn random_worlds_wake_and_block_for_most_reasons() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut see = |what: &str, times: usize| *seen.entry(what.into()).or_default() += times;
    for _ in 0..2_000 {
        let world = (cluster(), rows()).new_tree(&mut runner).expect("a world");
        let (cluster, rows) = world.current();
        let (inventory, joined, plan) = tick(&cluster, &rows);
        for held in &plan.blocked {
            see(held.why.as_str(), 1);
        }
        see("woken", plan.wakes.len());
        see("woken beside another", usize::from(plan.wakes.len() > 1));
        let mut roles: BTreeMap<&ModelKey, usize> = BTreeMap::new();
        for wake in &plan.wakes {
            *roles.entry(&wake.key).or_default() += 1;
            let role = inventory.target(&wake.target).and_then(|t| t.labels.get(ROLE));
            see(&format!("woken as {}", role.unwrap_or("both")), 1);
            see(&format!("woken by {}", wake.variant.source.as_str()), 1);
            see(&format!("woken as {}", wake.target.kind.as_str()), 1);
            let of_that_model = inventory.variants_in(&wake.key.model, &wake.key.namespace);
            see(
                "woken for its pool",
                usize::from(!of_that_model.into_iter().any(|v| *v == wake.variant)),
            );
        }
        let sets = roles.values().filter(|wakes| **wakes == 2);
        see(
            "woken in two parts",
            usize::from(cluster.rules.select == Select::Cheapest) * sets.count(),
        );
        see("asked", joined.asked.len());
    }
    let rare = [
        "out_of_scope_pool_excluded",
        "out_of_scope_paused",
        "out_of_scope_outranked",
        "ambiguous_namespace",
        "unnamed_demand",
        "unknown_role",
        "incomplete_set",
        "capped",
        "target_without_template",
        "woken beside another",
        "woken in two parts",
        "woken for its pool",
        "woken as decode",
        "woken as prefill",
        "woken as encode",
        "woken as LeaderWorkerSet",
        "woken by ScaledObject",
        "woken by HorizontalPodAutoscaler",
    ];
    for what in rare {
        assert!(seen.get(what).is_some_and(|times| *times > 5), "{what}: {seen:?}");
    }
    assert!(seen["woken"] > 250, "{seen:?}");
    let reasons = seen.keys().filter(|what| !what.contains(' ')).count();
    assert!(reasons >= 22, "{seen:?}");
}
