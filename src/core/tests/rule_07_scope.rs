//! Rule 7, second half: what is out of scope, and why.

use super::world::{V, World, v};
use crate::core::{Blocked, Namespace, OutOfScope, PoolGroup, Scope, ScopeRules};

fn scoped(namespaces: &[&str], instance: Option<&str>) -> World {
    World::scoped(ScopeRules {
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
        controller_instance: instance.map(Into::into),
        ..ScopeRules::default()
    })
    .pool("ns/p", "app=m")
}

fn out(why: OutOfScope) -> [Blocked; 1] {
    [Blocked::OutOfScope(why)]
}

#[test]
fn rule_7_each_reason_keeps_a_variant_out_and_is_told() {
    let cases: [(OutOfScope, World); 8] = [
        (
            OutOfScope::Deleting,
            scoped(&[], None).with(v("ns/a").but(|a| a.deleting = true)),
        ),
        (
            OutOfScope::Deleting,
            scoped(&[], None).with(v("ns/a").edit(|t| t.deleting = true)),
        ),
        (
            OutOfScope::VariantExcluded,
            scoped(&[], None).with(v("ns/a").but(|a| a.excluded = true)),
        ),
        (
            OutOfScope::TargetExcluded,
            scoped(&[], None).with(v("ns/a").edit(|t| t.excluded = true)),
        ),
        (
            OutOfScope::PoolExcluded,
            World::new()
                .pool_of(PoolGroup::Stable, "ns/p", "app=m", true)
                .with(v("ns/a")),
        ),
        (
            OutOfScope::NamespaceExcluded,
            scoped(&[], None)
                .with(v("ns/a"))
                .namespace("ns", marks(true, false)),
        ),
        (
            OutOfScope::NamespaceExcludedFromWva,
            scoped(&[], None)
                .with(v("ns/a"))
                .namespace("ns", marks(false, true)),
        ),
        (
            OutOfScope::OtherInstance,
            scoped(&[], Some("blue")).with(instance(Some("green"))),
        ),
    ];
    for (why, world) in cases {
        assert_eq!(world.why("ns/p/m"), out(why));
        assert_eq!(world.inventory.inactive(), 0, "{why}");
    }
}

fn marks(excluded: bool, excluded_from_wva: bool) -> Namespace {
    Namespace {
        excluded,
        excluded_from_wva,
    }
}

fn instance(instance: Option<&str>) -> V {
    v("ns/a").but(|a| a.controller_instance = instance.map(Into::into))
}

#[test]
fn rule_7_a_variant_with_max_replicas_zero_is_out() {
    for (max, in_scope) in [
        (None, true),
        (Some(1), true),
        (Some(5), true),
        (Some(0), false),
        (Some(-1), false),
    ] {
        let world = scoped(&[], None).with(v("ns/a").but(|a| a.max_replicas = max));
        if in_scope {
            assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"], "{max:?}");
        } else {
            assert_eq!(world.why("ns/p/m"), out(OutOfScope::MaxReplicasZero), "{max:?}");
        }
    }
}

#[test]
fn rule_7_what_is_excluded_comes_back_when_the_mark_goes() {
    let mut world = scoped(&[], None)
        .with(v("ns/a").but(|a| a.excluded = true))
        .namespace("ns", marks(true, false));
    assert_eq!(world.why("ns/p/m"), out(OutOfScope::VariantExcluded));
    world.put(v("ns/a"));
    assert_eq!(world.why("ns/p/m"), out(OutOfScope::NamespaceExcluded));
    let world = world.namespace("ns", Namespace::default());
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_7_wvas_mark_on_a_namespace_counts_unless_the_scope_is_exactly_that_namespace() {
    for (namespaces, counts) in [(&[][..], true), (&["ns"], false), (&["ns", "other"], true)] {
        let world = scoped(namespaces, None)
            .with(v("ns/a"))
            .namespace("ns", marks(false, true));
        if counts {
            assert_eq!(
                world.why("ns/p/m"),
                out(OutOfScope::NamespaceExcludedFromWva),
                "{namespaces:?}"
            );
        } else {
            assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"], "{namespaces:?}");
        }
    }
    // Our own mark counts in any case.
    let world = scoped(&["ns"], None)
        .with(v("ns/a"))
        .namespace("ns", marks(true, true));
    assert_eq!(world.why("ns/p/m"), out(OutOfScope::NamespaceExcluded));
}

#[test]
fn rule_7_outside_of_the_namespaces_watched_nothing_is_woken_or_judged() {
    let mut world = scoped(&["other"], None).with(v("ns/a"));
    // Demand of namespaces that are not watched is others' business.
    assert_eq!(world.why("ns/p/m"), []);
    let entry = world.inventory.entry(&v("ns/a").name).expect("an entry");
    assert_eq!(entry.scope, Scope::Out(OutOfScope::OtherNamespace));
    assert_eq!(world.why("-/p/m"), out(OutOfScope::OtherNamespace));
    world = scoped(&["other", "ns"], None).with(v("ns/a"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
}

#[test]
fn rule_7_a_controller_instance_takes_its_own_and_null_takes_all() {
    for (ours, theirs, in_scope) in [
        (None, None, true),
        (None, Some("blue"), true),
        (Some("blue"), Some("blue"), true),
        (Some("blue"), Some("green"), false),
        (Some("blue"), None, false),
    ] {
        let world = scoped(&[], ours).with(instance(theirs));
        if in_scope {
            assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"], "{ours:?} {theirs:?}");
        } else {
            assert_eq!(
                world.why("ns/p/m"),
                out(OutOfScope::OtherInstance),
                "{ours:?} {theirs:?}"
            );
        }
    }
}

#[test]
fn rule_7_an_excluded_pool_leaves_its_variants_to_their_other_pools() {
    let world = scoped(&[], None)
        .pool_of(PoolGroup::Stable, "ns/closed", "app=m", true)
        .with(v("ns/a"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/a"]);
    assert_eq!(world.wakes(&["ns/-/m"]), ["ns/a"]);
    assert_eq!(world.why("ns/closed/m"), out(OutOfScope::PoolExcluded));
    assert_eq!(world.why("ns/closed/-"), out(OutOfScope::PoolExcluded));
    // The variant's own mark is told before that of its pool.
    let world = world.with(v("ns/a").but(|a| a.excluded = true));
    assert_eq!(world.why("ns/closed/m"), out(OutOfScope::VariantExcluded));
}

#[test]
fn rule_7_an_excluded_pool_is_excluded_whichever_group_says_so() {
    for excluded in [PoolGroup::Stable, PoolGroup::Experimental] {
        let mut world = World::new().with(v("ns/a"));
        for group in [PoolGroup::Stable, PoolGroup::Experimental] {
            world = world.pool_of(group, "ns/p", "app=m", group == excluded);
        }
        assert_eq!(world.why("ns/p/m"), out(OutOfScope::PoolExcluded), "{excluded:?}");
    }
}

#[test]
fn rule_7_what_is_out_of_scope_leaves_the_next_cheapest() {
    let world = scoped(&[], None)
        .with(v("ns/a").cost("1").but(|a| a.excluded = true))
        .with(v("ns/b").cost("2"));
    assert_eq!(world.wakes(&["ns/p/m"]), ["ns/b"]);
}

#[test]
fn rule_7_every_reason_has_a_word_and_a_text_of_its_own() {
    let words: std::collections::BTreeSet<_> = OutOfScope::ALL.map(OutOfScope::as_str).into();
    let texts: std::collections::BTreeSet<_> = OutOfScope::ALL.map(|why| why.to_string()).into();
    assert_eq!((words.len(), texts.len()), (11, 11));
    assert!(words.iter().all(|w| w.starts_with("out_of_scope_")));
}
