//! Random clusters with a configuration, and rows of demand for them.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::core::{
    tests::{
        oracle::Cluster,
        random,
        world::{hpa, labels, rules},
    },
    *,
};

/// Rows of demand, some of which lack labels or ask for what there is not.
pub fn rows() -> impl Strategy<Value = Vec<Row>> {
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

/// A configuration. Half of them are the default, so that little is hidden by what is rare.
fn some_rules() -> impl Strategy<Value = Rules> {
    let cap = || prop_oneof![3 => Just(None), 1 => (0_usize..3).prop_map(Some)];
    let all = (
        prop_oneof![3 => Just(Select::Cheapest), 1 => Just(Select::All)],
        select(&[Unmatched::Report, Unmatched::Pool]),
        any::<bool>(),
        (cap(), cap()),
    );
    prop_oneof![
        Just(rules()),
        all.prop_map(|(select, unmatched, every_namespace, caps)| Rules {
            select,
            unmatched,
            every_namespace,
            max_starting: caps.0,
            max_starting_per_namespace: caps.1,
            ..rules()
        }),
    ]
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        8 => Just(Source::VariantAutoscaling),
        1 => Just(Source::ScaledObject),
        1 => Just(Source::HorizontalPodAutoscaler),
    ]
}

/// A cluster with a configuration.
pub fn cluster() -> impl Strategy<Value = Cluster> {
    prop_oneof![2 => whole_cluster(), 1 => one_pool()]
}

/// Variants of one model behind one pool, mostly in scope, each with a target of its own: what selection is about.
fn one_pool() -> impl Strategy<Value = Cluster> {
    let variant = (
        source(),
        random::variant(),
        random::target(),
        prop::bool::weighted(0.1),
    );
    (vec(variant, 1..7), some_rules()).prop_map(|(given, rules)| {
        let mut cluster = Cluster {
            scope: ScopeRules::default(),
            variants: BTreeMap::new(),
            scalers: BTreeMap::new(),
            targets: Vec::new(),
            pools: Vec::new(),
            namespaces: BTreeMap::new(),
            rules,
        };
        let name = |name: &str| ObjectName::new("one", name);
        let selector = labels("app=x");
        let pool = PoolKey {
            group: PoolGroup::Stable,
            name: name("a"),
        };
        let excluded = false;
        cluster.pools.push((pool, Pool { selector, excluded }));
        for (at, (source, variant, target, odd)) in given.into_iter().enumerate() {
            let own = name(&format!("v{at}"));
            let key = TargetKey {
                kind: TargetKind::Deployment,
                name: own.clone(),
            };
            let role = target.labels.get(ROLE).map(|role| (ROLE, role));
            let labels = [("app", "x")].into_iter().chain(role).collect();
            cluster.targets.push((key.clone(), Target { labels, ..target }));
            let variant = Variant {
                target: TargetRef::Known(key),
                model: "m".into(),
                deleting: false,
                excluded: odd,
                max_replicas: None,
                ..variant
            };
            cluster.variants.insert(VariantKey { name: own, source }, variant);
        }
        cluster.with_scalers()
    })
}

fn whole_cluster() -> impl Strategy<Value = Cluster> {
    let name = (random::namespace(), select(&["a", "b", "c", "d", "e"]), source());
    let variant = (name, random::variant(), option::weighted(0.9, random::target()));
    (
        random::scope_rules(),
        vec(variant, 1..12),
        vec((random::target_key(), random::target()), 0..4),
        vec((random::pool_key(), random::pool()), 2..14),
        vec((random::keyed_scaler(), any::<prop::sample::Index>()), 0..3),
        vec((random::namespace(), random::marks()), 0..2),
        some_rules(),
    )
        .prop_map(|(scope, given, others, pools, scalers, namespaces, rules)| {
            let mut cluster = Cluster {
                scope,
                variants: BTreeMap::new(),
                scalers: BTreeMap::new(),
                targets: Vec::new(),
                pools: pools
                    .into_iter()
                    .collect::<BTreeMap<_, _>>()
                    .into_iter()
                    .collect(),
                namespaces: namespaces.into_iter().map(|(n, m)| (n.to_string(), m)).collect(),
                rules,
            };
            let mut targets: BTreeMap<_, _> = others.into_iter().collect();
            for ((namespace, name, source), mut variant, target) in given {
                let name = ObjectName::new(namespace, name);
                if let TargetRef::Known(key) = &mut variant.target {
                    // A scaleTargetRef names no namespace.
                    key.name.namespace = name.namespace.clone();
                    targets.extend(target.map(|target| (key.clone(), target)));
                }
                cluster.variants.insert(VariantKey { name, source }, variant);
            }
            cluster.targets = targets.into_iter().collect();
            // Whatever else scales, scales what a variant does.
            let variants: Vec<_> = cluster.variants.iter().collect();
            for ((mut key, mut scaler), at) in scalers {
                let (name, variant) = at.get(&variants);
                key.name.namespace = name.name.namespace.clone();
                scaler.target = variant.target.clone();
                scaler.variant = None;
                cluster.scalers.insert(key, scaler);
            }
            cluster.with_scalers()
        })
}

impl Cluster {
    /// With the HPAs and ScaledObjects that are variants: they scale what they describe.
    fn with_scalers(mut self) -> Self {
        for (key, variant) in &mut self.variants {
            let Some(kind) = ScalerKind::ALL
                .into_iter()
                .find(|kind| kind.source() == key.source)
            else {
                continue;
            };
            // Only a VariantAutoscaling has a status for WVA.
            variant.status = VariantStatus::default();
            let name = key.name.clone();
            let scaler = self.scalers.entry(ScalerKey { kind, name });
            let scaler = scaler.or_insert_with(|| hpa("ns/any").scaler);
            scaler.target = variant.target.clone();
            scaler.is_child = false;
        }
        self
    }
}
