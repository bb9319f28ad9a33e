//! Worlds in few words: `World::new().pool("ns/p", "app=m").with(v("ns/a").cost("5"))`.

use std::{collections::BTreeSet, time::Duration};

pub use super::given::{V, deployment, labels, name, v};
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
        every_namespace: false,
        max_sample_age: s(120),
        ready_timeout: s(600),
        settle: s(120),
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

/// Everything that the decision reads.
#[derive(Clone)]
pub struct World {
    pub inventory: Inventory,
    pub memory: Memory,
    pub rules: Rules,
    pub now: Now,
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
            rules: rules(),
            now: Now {
                mono: Mono(s(10_000)),
                wall: "2026-03-01T12:00:00Z".parse().expect("a time"),
            },
            version: 100,
        }
    }

    pub fn rules(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    pub fn with(mut self, v: V) -> Self {
        self.put(v);
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

    /// A variant and its target are so now.
    pub fn put(&mut self, v: V) {
        self.version += 1;
        if let (Some(mut target), TargetRef::Known(key)) = (v.target, v.variant.target.clone()) {
            target.observed = Observed::new(Some(v.replicas), Some(v.ready), &self.version.to_string());
            self.inventory.apply(Change::Target(key, Some(target)));
        }
        self.inventory.apply(Change::Variant(v.name, Some(v.variant)));
    }

    /// A target is seen at so many replicas, so many of them ready, at a new version.
    pub fn scale(&mut self, target: &str, replicas: i64, ready: i64) {
        self.version += 1;
        let key = deployment(target);
        let mut now = self.inventory.target(&key).expect("a target").clone();
        now.generation += 1;
        now.observed = Observed::new(Some(replicas), Some(ready), &self.version.to_string());
        self.inventory.apply(Change::Target(key, Some(now)));
    }

    /// The status of a variant is so now.
    pub fn status(&mut self, variant: &str, change: impl FnOnce(&mut VariantStatus)) {
        let name = name(variant);
        let mut now = self.inventory.entry(&name).expect("a variant").variant.clone();
        change(&mut now.status);
        self.inventory.apply(Change::Variant(name, Some(now)));
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
        let rows: &[Row] = match answer {
            Answer::Complete(rows) => rows,
            Answer::Unknown => &[],
        };
        let joined = join(&self.inventory, rows, self.rules.every_namespace);
        let notices = self
            .memory
            .observe(&self.inventory, answer, &joined, self.now, &self.rules);
        let plan = plan(&self.inventory, &joined, &self.memory, self.now, &self.rules);
        Ticked { plan, notices }
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

    /// The one wake of a tick with these rows is sent and answered so.
    pub fn wake(&mut self, rows: &[Row], answer: Result<(), (Failure, Option<Duration>)>) -> Wake {
        let ticked = self.tick(rows);
        let [wake] = &ticked.plan.wakes[..] else {
            panic!("not one wake: {ticked:?}");
        };
        self.memory.sent(wake);
        self.answered(wake, answer);
        wake.clone()
    }

    /// The answer to a wake has come.
    pub fn answered(&mut self, wake: &Wake, answer: Result<(), (Failure, Option<Duration>)>) {
        let told = Told {
            key: wake.key.clone(),
            waiting: wake.waiting,
            sample_age: wake.sample_age,
            sample_to_scale: None,
        };
        self.memory.answered(wake, answer, told, self.now, &self.rules);
    }

    /// The reports due now.
    pub fn reports(&mut self) -> Vec<Report> {
        self.memory.reports_due(&self.inventory, self.now, &self.rules)
    }

    /// A report has ended so.
    pub fn reported(&mut self, variant: &str, events: bool, status: bool) {
        self.memory.reported(
            &name(variant),
            Reported { events, status },
            self.now.mono,
            &self.rules,
        );
    }

    /// A report has gone through, and the watch has shown the status.
    pub fn told(&mut self, report: &Report) {
        let update = report.status.clone().expect("a status");
        self.reported(&report.variant.to_string(), true, true);
        self.status(&report.variant.to_string(), |status| {
            status.desired = Some(Desired {
                replicas: update.replicas,
                accelerator: Some(update.accelerator),
                last_run: Some(update.last_run),
            });
            status.conditions = update.conditions.into();
        });
    }
}
