//! Worlds in few words: `World::new().pool("ns/p", "app=m").with(v("ns/a").cost("5"))`, and what happens in them.

mod acted;

use std::{collections::BTreeSet, time::Duration};

pub use self::acted::{apply_guard, written};
pub use super::given::{
    S, V, deployment, hpa, labels, name, owner, scaled_object, scaler, target, v, variant,
};
use crate::core::*;

/// Seconds.
pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One tick.
pub const MOMENT: Duration = Duration::from_millis(100);

/// One tick less.
pub fn just_before(wait: Duration) -> Duration {
    wait.saturating_sub(MOMENT)
}

/// `ns/pool/model`; `-` for a label that is missing. Ten requests wait.
pub fn row(text: &str) -> Row {
    waiting(text, 10.0)
}

/// As [`row`], with so many requests waiting.
pub fn waiting(text: &str, waiting: f64) -> Row {
    let label = |text: &str| (text != "-").then(|| text.into());
    let [namespace, pool, model] = text.splitn(3, '/').collect::<Vec<_>>()[..] else {
        panic!("not ns/pool/model: {text}");
    };
    Row {
        namespace: label(namespace),
        pool: label(pool),
        model: label(model),
        waiting,
        family: Some("queue_size".into()),
    }
}

/// `ns/pool/model`.
pub fn key(text: &str) -> ModelKey {
    let [namespace, pool, model] = text.splitn(3, '/').collect::<Vec<_>>()[..] else {
        panic!("not ns/pool/model: {text}");
    };
    ModelKey {
        namespace: namespace.into(),
        pool: pool.into(),
        model: model.into(),
    }
}

/// The rules of the default configuration.
pub fn rules() -> Rules {
    Rules {
        select: Select::Cheapest,
        unmatched: Unmatched::Report,
        every_namespace: false,
        max_sample_age: s(120),
        ready_timeout: s(600),
        unschedulable_after: s(300),
        max_escalations: 1,
        settle: s(120),
        manual_hold: s(600),
        guard: false,
        max_starting: None,
        max_starting_per_namespace: None,
        backoff: Backoff {
            initial: s(1),
            max: s(300),
        },
        status: true,
        events: true,
        fallback_accelerator: "unknown".into(),
    }
}

/// What one tick came to.
#[derive(Debug)]
pub struct Ticked {
    pub plan: Plan,
    pub notices: Vec<Notice>,
}

impl Ticked {
    /// The targets to wake, as `ns/name`, in the plan's order.
    pub fn wakes(&self) -> Vec<String> {
        self.plan
            .wakes
            .iter()
            .map(|w| w.target.name.to_string())
            .collect()
    }

    /// The reasons of what is blocked.
    pub fn why(&self) -> Vec<&'static str> {
        self.plan.blocked.iter().map(|h| h.why.as_str()).collect()
    }

    /// How targets moved.
    pub fn moved(&self) -> Vec<Moved> {
        let moved = self.notices.iter().map(|notice| match notice {
            Notice::Moved { moved, .. } => Some(*moved),
            _ => None,
        });
        moved.flatten().collect()
    }
}

/// An object that a world can hold.
pub trait Given {
    /// It is so now.
    fn put(self, world: &mut World);
}

impl V {
    /// Its target, unless that is another's, is so now.
    fn put_target(&mut self, world: &mut World) {
        if let (Some(target), TargetRef::Known(key)) = (self.target.take(), self.variant.target.clone()) {
            let observed = Observed::new(Some(self.replicas), Some(self.ready), &world.next_version());
            let target = Target { observed, ..target };
            world.inventory.apply(Change::Target(key, Some(target)));
        }
    }
}

impl Given for V {
    fn put(mut self, world: &mut World) {
        let own = self.name.name.to_string();
        match self.name.source {
            Source::VariantAutoscaling => {
                self.put_target(world);
                let change = Change::Variant(self.name.name, Some(self.variant));
                world.inventory.apply(change);
            }
            Source::ScaledObject => scaled_object(&own).describes(self).put(world),
            Source::HorizontalPodAutoscaler => hpa(&own).min(0).describes(self).put(world),
        }
    }
}

impl Given for S {
    fn put(mut self, world: &mut World) {
        if let Some(mut v) = self.v.take() {
            v.put_target(world);
        }
        self.scaler.resource_version = world.next_version().into();
        world.inventory.apply(Change::Scaler(self.key, Some(self.scaler)));
    }
}

/// Everything that the decision reads.
#[derive(Clone)]
pub struct World {
    pub inventory: Inventory,
    pub memory: Memory,
    pub signals: Signals,
    pub rules: Rules,
    pub now: Now,
    /// The last demand that was known, and what was held back of it.
    last: (Joined, Vec<Held>),
    version: u64,
}

impl World {
    pub fn new() -> Self {
        Self::scoped(ScopeRules::default())
    }

    pub fn scoped(scope: ScopeRules) -> Self {
        Self {
            inventory: Inventory::new(scope),
            memory: Memory::default(),
            signals: Signals::default(),
            rules: rules(),
            now: Now {
                mono: Mono(s(10_000)),
                wall: "2026-03-01T12:00:00Z".parse().expect("a time"),
            },
            last: (Joined::default(), Vec::new()),
            version: 100,
        }
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    pub fn rules(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    /// With a variant and its target, or something that scales.
    pub fn with(mut self, given: impl Given) -> Self {
        given.put(&mut self);
        self
    }

    /// A pool of the stable group, selecting `selector`.
    pub fn pool(self, pool: &str, selector: &str) -> Self {
        self.pool_of(PoolGroup::Stable, pool, selector, false)
    }

    pub fn pool_of(mut self, group: PoolGroup, pool: &str, selector: &str, excluded: bool) -> Self {
        let name = name(pool);
        let selector = labels(selector);
        let pool = Pool { selector, excluded };
        self.inventory
            .apply(Change::Pool(PoolKey { group, name }, Some(pool)));
        self
    }

    pub fn namespace(mut self, namespace: &str, marks: Namespace) -> Self {
        self.inventory
            .apply(Change::Namespace(namespace.into(), Some(marks)));
        self
    }

    /// A variant and its target, or something that scales, are so now.
    pub fn put(&mut self, given: impl Given) {
        given.put(self);
    }

    /// A target (as in [`target`]) is seen at so many replicas, so many of them ready, at a new version.
    pub fn scale(&mut self, text: &str, replicas: i64, ready: i64) {
        let version = self.next_version();
        self.edit(text, |target| {
            target.generation += 1;
            target.observed = Observed::new(Some(replicas), Some(ready), &version);
        });
    }

    /// A condition of a target keeps it from becoming ready, from now on.
    pub fn stuck(&mut self, text: &str, by: StuckBy, message: &str) {
        let stuck = Stuck {
            by,
            since: self.now.wall,
            message: message.into(),
        };
        self.edit(text, |target| {
            target.observed = target.observed.clone().with(Some(stuck));
        });
    }

    /// Any other change of a target.
    pub fn edit(&mut self, text: &str, change: impl FnOnce(&mut Target)) {
        let key = target(text);
        let mut now = self.inventory.target(&key).expect("a target").clone();
        change(&mut now);
        self.inventory.apply(Change::Target(key, Some(now)));
    }

    /// The status of a VariantAutoscaling is so now.
    pub fn status(&mut self, text: &str, change: impl FnOnce(&mut VariantStatus)) {
        let mut now = self.variant(text).clone();
        change(&mut now.status);
        self.inventory.apply(Change::Variant(name(text), Some(now)));
    }

    /// A variant (as in [`variant`]) as it stands.
    pub fn variant(&self, text: &str) -> &Variant {
        &self.inventory.entry(&variant(text)).expect("a variant").variant
    }

    /// What scales (as in [`scaler`]) as it stands.
    pub fn scaler(&self, text: &str) -> &Scaler {
        self.inventory
            .scaler(&scaler(text))
            .expect("an HPA or ScaledObject")
    }

    /// Somebody writes an HPA or ScaledObject; it has a new version.
    pub fn edit_scaler(&mut self, text: &str, change: impl FnOnce(&mut Scaler)) {
        let mut now = self.scaler(text).clone();
        change(&mut now);
        now.resource_version = self.next_version().into();
        self.inventory.apply(Change::Scaler(scaler(text), Some(now)));
    }

    /// Time passes.
    pub fn after(&mut self, wait: Duration) -> &mut Self {
        self.now.mono = self.now.mono + wait;
        self.now.wall += wait;
        self
    }

    /// One tick with this demand, up to the plan; nothing is sent.
    pub fn tick(&mut self, rows: &[Row]) -> Ticked {
        self.answer(&Answer::Complete(rows.to_vec()))
    }

    /// One tick with this answer, up to the plan; nothing is sent.
    pub fn answer(&mut self, answer: &Answer) -> Ticked {
        let joined = match answer {
            Answer::Complete(rows) => join(&self.inventory, rows, &self.rules),
            Answer::Unknown => Joined::default(),
        };
        let notices = self
            .memory
            .observe(&self.inventory, answer, &joined, self.now, &self.rules);
        // As the loop does: without an answer nothing is decided.
        let plan = match answer {
            Answer::Complete(_) => plan(&self.inventory, &joined, &self.memory, self.now, &self.rules),
            Answer::Unknown => Plan::default(),
        };
        if *answer != Answer::Unknown {
            self.last = (joined, plan.blocked.clone());
        }
        Ticked { plan, notices }
    }

    /// The state of a variant (as in [`variant`]), after the last tick.
    pub fn state(&self, text: &str) -> State {
        let held = by_variant(&self.last.1);
        let situation = Situation {
            inventory: &self.inventory,
            memory: &self.memory,
            signals: &self.signals,
            demand: &self.last.0.asked,
            held: &held,
            now: self.now,
            rules: &self.rules,
        };
        let name = variant(text);
        situation.state(&name, self.inventory.entry(&name).expect("a variant"))
    }

    /// What one tick with these rows wakes in a copy of this world, sorted.
    pub fn wakes(&self, rows: &[&str]) -> Vec<String> {
        let rows: Vec<_> = rows.iter().copied().map(row).collect();
        let wakes = self.clone().tick(&rows).wakes();
        wakes.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Why one tick with this row wakes nothing in a copy of this world. Panics if it wakes.
    pub fn why(&self, text: &str) -> Vec<Blocked> {
        let ticked = self.clone().tick(&[row(text)]);
        assert_eq!(ticked.wakes(), Vec::<String>::new(), "{text}");
        ticked.plan.blocked.into_iter().map(|held| held.why).collect()
    }
}
