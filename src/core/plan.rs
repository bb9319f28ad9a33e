//! The plan of one tick: what is woken, and why the rest of the demand is not.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Attempt, Backoff, Blocked, Gone, Inventory, Joined, Memory, ModelKey, Mono, Now, ObjectName, Observed,
    OutOfScope, Parked, Row, Sample, Scope, Select, TargetKey,
    join::variants_of,
    select::{Candidate, asks_by_itself, cheapest},
};

/// The part of the configuration that decisions read.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Rule 8.
    pub select: Select,
    /// `query.missingNamespace: all` (rule 3).
    pub every_namespace: bool,
    /// Rule 5.
    pub max_sample_age: Duration,
    /// How long a woken model may take to become ready.
    pub ready_timeout: Duration,
    /// How long a model must serve without demand before its episode ends.
    pub settle: Duration,
    /// Rule 13.
    pub backoff: Backoff,
    /// Whether the status of variants is written.
    pub status: bool,
    /// Whether Events are written.
    pub events: bool,
    /// The accelerator written where none can be found.
    pub fallback_accelerator: Box<str>,
}

/// One step from 0 to 1. It can be built only from a target that was seen at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Wake {
    /// What is scaled.
    pub target: TargetKey,
    /// Proof that it stood at 0, and at which version.
    pub(super) parked: Parked,
    /// `metadata.uid` of the target.
    pub uid: Box<str>,
    /// `metadata.generation` of the target at 0.
    pub generation: i64,
    /// The variant it is woken for.
    pub variant: ObjectName,
    /// The model asked for.
    pub key: ModelKey,
    /// Requests waiting.
    pub waiting: f64,
    /// The metric that said so, if known.
    pub family: Option<Box<str>>,
    /// Age of its sample at `decided`, if known.
    pub sample_age: Option<Duration>,
    /// When it was decided.
    pub decided: Mono,
}

impl Wake {
    /// A wake of one variant by hand, without demand.
    ///
    /// # Errors
    /// Why it cannot be woken.
    pub fn by_hand(inventory: &Inventory, variant: &ObjectName, now: Now) -> Result<Self, NotWakeable> {
        let entry = inventory.entry(variant).ok_or(NotWakeable::NoVariant)?;
        if let Scope::Out(why) = entry.scope {
            return Err(NotWakeable::OutOfScope(why));
        }
        let parked = match &entry.observed {
            Err(gone) => return Err(NotWakeable::Target(*gone)),
            Ok(Observed::Scaled { replicas, ready }) => {
                return Err(NotWakeable::Scaled {
                    replicas: *replicas,
                    ready: *ready,
                });
            }
            Ok(Observed::Zero(parked)) => parked,
        };
        let target = entry.target().ok_or(NotWakeable::Target(Gone::Unsupported))?;
        let known = inventory
            .target(target)
            .ok_or(NotWakeable::Target(Gone::Missing))?;
        Ok(Self {
            target: target.clone(),
            parked: parked.clone(),
            uid: known.uid.clone(),
            generation: known.generation,
            variant: variant.clone(),
            key: ModelKey {
                namespace: variant.namespace.clone(),
                pool: entry.pools.first().cloned().unwrap_or_default(),
                model: entry.variant.model.clone(),
            },
            waiting: 0.0,
            family: None,
            sample_age: None,
            decided: now.mono,
        })
    }

    /// The resourceVersion to compare and swap by.
    pub fn resource_version(&self) -> &str {
        self.parked.resource_version()
    }
}

/// Why a variant cannot be woken by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWakeable {
    /// There is none of that name, or it names no model.
    NoVariant,
    /// It is out of scope.
    OutOfScope(OutOfScope),
    /// There is no target to scale.
    Target(Gone),
    /// Its target has replicas already.
    Scaled {
        /// Asked for.
        replicas: i64,
        /// Ready.
        ready: i64,
    },
}

/// Demand that wakes nothing in this tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its namespace, where known.
    pub namespace: Option<Box<str>>,
    /// Its pool, where known.
    pub pool: Option<Box<str>>,
    /// Its model, where known.
    pub model: Option<Box<str>>,
    /// Requests waiting.
    pub waiting: f64,
    /// Why.
    pub why: Blocked,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Wakes, the largest queue first.
    pub wakes: Vec<Wake>,
    /// Demand that is blocked.
    pub blocked: Vec<Held>,
}

/// Plans one tick.
pub fn plan(inventory: &Inventory, joined: &Joined, memory: &Memory, now: Now, rules: &Rules) -> Plan {
    let mut plan = Plan::default();
    let mut wakes: BTreeMap<TargetKey, Wake> = BTreeMap::new();
    for unanswered in &joined.unanswered {
        let Row {
            namespace,
            pool,
            model,
            waiting,
            ..
        } = unanswered.row.clone();
        plan.blocked.push(Held {
            namespace,
            pool,
            model,
            waiting,
            why: unanswered.why.clone(),
        });
    }
    for (key, asked) in &joined.asked {
        let chosen = choose(inventory, memory, key, rules.select);
        if chosen.is_empty() {
            continue;
        }
        if memory.is_stale(key, now.mono) {
            plan.blocked.push(held(key, asked.waiting, Blocked::StaleDemand));
            continue;
        }
        let mut reasons = Vec::new();
        for candidate in chosen {
            let Some(target) = candidate.entry.target() else {
                continue;
            };
            let Some(known) = inventory.target(target) else {
                continue;
            };
            if let Some(tracked) = memory.tracked(target)
                && !tracked.may_try(now.mono)
            {
                let why = match &tracked.attempt {
                    Attempt::Failed { why, .. } => Some(Blocked::WakeFailed(*why)),
                    Attempt::TakenBack { .. } => Some(Blocked::TakenBack),
                    _ => None,
                };
                // Several variants of a model may be held back for one reason: told once.
                reasons.extend(why.filter(|why| !reasons.contains(why)));
                continue;
            }
            let wake = Wake {
                target: target.clone(),
                parked: candidate.parked.clone(),
                uid: known.uid.clone(),
                generation: known.generation,
                variant: candidate.name.clone(),
                key: key.clone(),
                waiting: asked.waiting,
                family: asked.family.clone(),
                sample_age: None,
                decided: now.mono,
            };
            // Two variants on one target, or one behind two pools, are one wake.
            let first = wakes.entry(target.clone()).or_insert_with(|| wake.clone());
            if first.waiting < wake.waiting {
                *first = wake;
            }
        }
        plan.blocked
            .extend(reasons.into_iter().map(|why| held(key, asked.waiting, why)));
    }
    plan.wakes = wakes.into_values().collect();
    plan.wakes.sort_by(|a, b| {
        b.waiting
            .total_cmp(&a.waiting)
            .then_with(|| a.target.cmp(&b.target))
    });
    plan
}

/// The variants of a model to wake (rules 8 and 9).
fn choose<'a>(
    inventory: &'a Inventory,
    memory: &Memory,
    key: &'a ModelKey,
    select: Select,
) -> Vec<Candidate<'a>> {
    let candidates: Vec<_> = variants_of(inventory, key)
        .filter_map(|(name, entry)| Candidate::new(name, entry))
        .collect();
    let up = |(_, entry): (_, &super::Entry)| entry.is_scaled() || memory.is_under_way(entry.target());
    match select {
        Select::All => candidates,
        Select::Cheapest if variants_of(inventory, key).any(up) => candidates
            .into_iter()
            .filter(|c| asks_by_itself(c.entry))
            .collect(),
        Select::Cheapest => cheapest(candidates).map(|set| set.members).unwrap_or_default(),
    }
}

fn held(key: &ModelKey, waiting: f64, why: Blocked) -> Held {
    Held {
        namespace: Some((&*key.namespace).into()),
        pool: Some((&*key.pool).into()),
        model: Some((&*key.model).into()),
        waiting,
        why,
    }
}

impl Plan {
    /// Gives each wake the age of its sample, and holds back those whose sample is too old (rule 5).
    ///
    /// `ages` are seconds, labelled as the demand's rows; the freshest that fits counts. A wake that
    /// none fits keeps an unknown age and is sent: better a wake too many than one too few.
    pub fn check_ages(&mut self, ages: Vec<Sample>, memory: &mut Memory, now: Now, rules: &Rules) {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        let mut by_model: BTreeMap<Box<str>, Vec<Sample>> = BTreeMap::new();
        for sample in ages {
            let model = sample
                .target_model
                .as_deref()
                .or(sample.model.as_deref())
                .unwrap_or_default();
            by_model.entry(model.into()).or_default().push(sample);
        }
        let fits = |label: Option<&str>, name: &str| label.is_none_or(|l| l == name);
        let (fresh, stale): (Vec<_>, Vec<_>) = std::mem::take(&mut self.wakes)
            .into_iter()
            .map(|mut wake| {
                let named = by_model.get(&*wake.key.model).into_iter().flatten();
                let samples = named.chain(by_model.get("").into_iter().flatten());
                let seconds = samples
                    .filter(|s| fits(s.namespace.as_deref(), &wake.key.namespace))
                    .filter(|s| fits(s.pool.as_deref(), &wake.key.pool))
                    .map(|s| s.value)
                    .filter(|v| v.is_finite())
                    .min_by(f64::total_cmp);
                wake.sample_age =
                    seconds.map(|s| Duration::try_from_secs_f64(s.max(0.0)).unwrap_or(Duration::MAX));
                wake.decided = now.mono;
                wake
            })
            .partition(|wake| wake.sample_age.is_none_or(|age| age <= rules.max_sample_age));
        self.wakes = fresh;
        let stale: BTreeMap<_, _> = stale.iter().map(|wake| (&wake.key, wake.waiting)).collect();
        for (key, waiting) in stale {
            memory.found_stale(key, now.mono + LOOK_AGAIN);
            self.blocked.push(held(key, waiting, Blocked::StaleDemand));
        }
    }
}
