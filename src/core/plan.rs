//! The plan of one tick: what is woken, and why the rest of the demand is not.

use std::collections::hash_map::Entry;

use super::{
    Asked, Attempt, Attribution, Blocked, Cause, Demanded, Failure, HashMap, Inventory, Joined, Memory,
    ModelKey, Now, Overdue, Parts, Role, Row, Rules, Select, TargetKey, TargetRef, Tracked, VariantKey, Wake,
    caps::Caps,
    guard::before_scale,
    join::variants_of,
    maps::{Cursor, hash_map_for},
    select::{Candidate, Lack, Standing, asks_by_itself},
};

/// Demand that wakes nothing in this tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its namespace, where known.
    pub namespace: Option<Box<str>>,
    /// Its pool, where known.
    pub pool: Option<Box<str>>,
    /// Its model, where known.
    pub model: Option<Box<str>>,
    /// Requests waiting; 0 where that cannot be seen.
    pub waiting: f64,
    /// Why.
    pub why: Blocked,
    /// The variant that is held back, or that is nearest to the demand.
    pub variant: Option<VariantKey>,
}

/// What is held back, by variant.
pub fn by_variant(held: &[Held]) -> HashMap<VariantKey, Held> {
    let named = held
        .iter()
        .filter_map(|held| Some((held.variant.clone()?, held.clone())));
    named.collect()
}

/// A set that did not become ready, and for which another is woken (rule 11).
#[derive(Clone, Debug, PartialEq)]
pub struct Escalation {
    /// The model.
    pub key: ModelKey,
    /// The targets of that set that are overdue, and why.
    pub from: Vec<(TargetKey, Overdue)>,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Wakes, the largest queue first.
    pub wakes: Vec<Wake>,
    /// Demand that is blocked.
    pub blocked: Vec<Held>,
    /// Sets that some of the wakes take the place of.
    pub escalations: Vec<Escalation>,
}

impl Plan {
    /// Nothing is given up for what is held back.
    pub(super) fn keep_escalations_that_wake(&mut self) {
        let wakes = &self.wakes;
        self.escalations
            .retain(|e| wakes.iter().any(|wake| wake.key == e.key));
    }
}

/// Plans one tick.
pub fn plan(inventory: &Inventory, joined: &Joined, memory: &Memory, now: Now, rules: &Rules) -> Plan {
    let mut draft = Draft {
        inventory,
        memory,
        now,
        rules,
        wakes: Vec::with_capacity(joined.asked.len()),
        planned: hash_map_for(joined.asked.len()),
        episodes: Cursor::default(),
        targets: Cursor::default(),
        plan: Plan::default(),
    };
    for unanswered in &joined.unanswered {
        let Row {
            namespace,
            pool,
            model,
            waiting,
            ..
        } = unanswered.row.clone();
        draft.plan.blocked.push(Held {
            namespace,
            pool,
            model,
            waiting,
            why: unanswered.why.clone(),
            variant: unanswered.variant.clone(),
        });
    }
    for (key, asked) in &joined.asked {
        draft.model(key, Some(asked));
    }
    // After a wake demand is soon gone, as the EPP drops what waits: what is overdue then is so all the same.
    for key in memory.starting_without(joined, now, rules) {
        draft.model(key, None);
    }
    draft.finish()
}

/// A plan in the making.
struct Draft<'a> {
    inventory: &'a Inventory,
    memory: &'a Memory,
    now: Now,
    rules: &'a Rules,
    /// Each with whether it decodes: within a model that goes first.
    wakes: Vec<(Wake, bool)>,
    /// Which of them is a target's.
    planned: HashMap<&'a TargetKey, usize>,
    /// Models come in the order in which their episodes began, and their targets with them.
    episodes: Cursor,
    targets: Cursor,
    plan: Plan,
}

/// How the variants of one model stand.
#[derive(Default)]
struct Survey<'a> {
    /// With what is overdue counted as up.
    standing: Standing<'a>,
    /// What those do that are up and not overdue.
    up_in_time: Parts,
    overdue: Vec<(&'a TargetKey, Overdue)>,
    unknown_role: Option<(&'a VariantKey, Box<str>)>,
    /// Those that the API server has refused again and again: others are preferred, where there are any.
    refused: Vec<(Candidate<'a>, Failure)>,
    /// The first that is up, and whether one that is decodes.
    first_up: Option<&'a VariantKey>,
    decode_up: bool,
}

impl<'a> Draft<'a> {
    /// Decides on one model; without demand only on what is overdue.
    fn model(&mut self, key: &'a ModelKey, asked: Option<&Asked>) {
        let survey = self.survey(key);
        let demanded = asked.map(|asked| Demanded {
            waiting: asked.waiting,
            family: asked.family.clone(),
        });
        if self.rules.select == Select::All {
            if let Some(demanded) = demanded {
                self.wake(key, &survey.standing.candidates, &Cause::Demand(demanded));
                self.unknown_role(key, &survey, asked);
            }
            return;
        }
        if let Some(demanded) = &demanded {
            for (one, why) in &survey.refused {
                self.hold(key, demanded.waiting, Blocked::WakeFailed(*why), one.name);
            }
        }
        match (survey.standing.lack(), demanded) {
            (Lack::Set(set), Some(demanded)) => {
                self.wake(key, &set, &Cause::Demand(demanded.clone()));
                let is_planned = |one: &Candidate<'_>| {
                    let target = one.entry.target();
                    target.is_some_and(|target| self.planned.contains_key(target))
                };
                // What would complete a set that is overdue is held back: then another set has its turn.
                if !set.iter().any(is_planned) {
                    self.escalate(key, &survey, Some(demanded));
                }
            }
            (Lack::Unservable, Some(_)) if !survey.decode_up => {
                self.unknown_role(key, &survey, asked);
                let nearest = survey.standing.candidates.first().map(|one| one.name);
                if let (Some(nearest), Some(asked)) = (nearest.or(survey.first_up), asked) {
                    self.hold(key, asked.waiting, Blocked::Incomplete, nearest);
                }
            }
            (Lack::Nothing | Lack::Unservable, demanded) => {
                if let Some(demanded) = &demanded {
                    let by_themselves = survey
                        .standing
                        .candidates
                        .iter()
                        .filter(|one| asks_by_itself(one.entry));
                    let by_themselves: Vec<_> = by_themselves.copied().collect();
                    self.wake(key, &by_themselves, &Cause::Demand(demanded.clone()));
                }
                self.escalate(key, &survey, demanded);
            }
            (Lack::Set(_), None) => self.escalate(key, &survey, None),
        }
    }

    fn survey(&mut self, key: &'a ModelKey) -> Survey<'a> {
        let memory = self.memory;
        let mut survey = Survey::default();
        for (name, entry) in variants_of(self.inventory, key, self.rules.unmatched) {
            let target = entry.target();
            let tracked = target.and_then(|target| self.targets.get(&memory.targets, target));
            let parts = entry.role.parts();
            let only_prefills = parts.prefill && !parts.decode;
            let mut up = |overdue: bool| {
                survey.standing.up = survey.standing.up.and(parts);
                if !overdue {
                    survey.up_in_time = survey.up_in_time.and(parts);
                }
                if entry.is_serving() {
                    survey.standing.serving = survey.standing.serving.and(parts);
                }
            };
            let candidate = Candidate::new(name, entry, tracked);
            let under_way = tracked.is_some_and(Tracked::is_under_way);
            if entry.is_scaled() || under_way || candidate.is_some() {
                // One that does not become ready exists all the same: a decode is no set without it, or another.
                survey.standing.has_prefill |= only_prefills;
            }
            if entry.is_scaled() || under_way {
                survey.first_up.get_or_insert(name);
                survey.decode_up |= parts.decode;
            }
            if entry.is_scaled() {
                // Escalated from: until it is ready it is as if it were not there.
                if !entry.is_serving() && tracked.is_some_and(|t| t.passed_over.is_some()) {
                    continue;
                }
                let overdue = tracked.and_then(|t| Overdue::of(entry, t, self.now, self.rules));
                up(overdue.is_some());
                survey.overdue.extend(entry.target().zip(overdue));
            } else if under_way {
                up(false);
            } else if let Some(candidate) = candidate {
                match tracked.and_then(Tracked::refused) {
                    Some(why) => survey.refused.push((candidate, why)),
                    None => survey.standing.candidates.push(candidate),
                }
            } else if entry.is_inactive() && entry.role == Role::Unknown {
                let role = entry.target().and_then(|target| self.inventory.target(target));
                let role = role.and_then(super::Target::role_label).unwrap_or_default();
                survey.unknown_role.get_or_insert((name, role.into()));
            }
        }
        if !survey.refused.is_empty() && matches!(survey.standing.lack(), Lack::Unservable) {
            let refused = survey.refused.drain(..).map(|(candidate, _)| candidate);
            survey.standing.candidates.extend(refused);
        }
        survey
    }

    /// Where what is starting is overdue, the next cheapest set takes its place (rule 11).
    fn escalate(&mut self, key: &'a ModelKey, survey: &Survey<'a>, demanded: Option<Demanded>) {
        let Some(((from, why), episode)) = survey.overdue.first().zip(self.memory.episode(key)) else {
            return;
        };
        let used_up = episode.escalations >= self.rules.max_escalations;
        let rest = Standing {
            up: survey.up_in_time,
            ..survey.standing.clone()
        };
        if let (Lack::Set(set), false) = (rest.lack(), used_up) {
            let cause = Cause::Escalation {
                from: (*from).clone(),
                why: why.clone(),
                demanded,
            };
            self.wake(key, &set, &cause);
            let from = survey.overdue.iter();
            self.plan.escalations.push(Escalation {
                key: key.clone(),
                from: from
                    .map(|(target, why)| ((*target).clone(), why.clone()))
                    .collect(),
            });
        } else if let Some(demanded) = demanded {
            let variant = self.inventory.variants_of(from).next();
            let blocked = held(key, demanded.waiting, Blocked::Overdue(why.clone()), variant);
            self.plan.blocked.push(blocked);
        }
    }

    fn unknown_role(&mut self, key: &ModelKey, survey: &Survey<'a>, asked: Option<&Asked>) {
        if let (Some((name, role)), Some(asked)) = (&survey.unknown_role, asked) {
            self.hold(key, asked.waiting, Blocked::UnknownRole(role.clone()), name);
        }
    }

    /// Wakes these, but for what is held back.
    fn wake(&mut self, key: &'a ModelKey, set: &[Candidate<'a>], cause: &Cause) {
        let Some(first) = set.first() else { return };
        let episode = self.episodes.get(&self.memory.episodes, key);
        if episode.is_some_and(|episode| episode.is_stale(self.now.mono)) {
            return self.hold(key, cause.waiting(), Blocked::StaleDemand, first.name);
        }
        // Several variants of a model may be held back for one reason: told once.
        let mut reasons = Vec::new();
        for candidate in set {
            let TargetRef::Known(target) = &candidate.entry.variant.target else {
                continue;
            };
            let Some(known) = self.inventory.target(target) else {
                continue;
            };
            if let Some(why) = self.held_back(candidate.tracked) {
                if !reasons.contains(&why) {
                    reasons.push(why.clone());
                    self.hold(key, cause.waiting(), why, candidate.name);
                }
                continue;
            }
            let wake = Wake {
                target: target.clone(),
                parked: candidate.parked.clone(),
                uid: known.uid.clone(),
                generation: known.generation,
                variant: candidate.name.clone(),
                key: key.clone(),
                cause: cause.clone(),
                guards: Vec::new(),
                sample_age: None,
                decided: self.now.mono,
            };
            // Two variants on one target, or one behind two pools, are one wake: that of the larger queue, and of equal
            // ones that of the lesser key, whichever came first.
            let wake = (wake, candidate.parts.decode);
            match self.planned.entry(target) {
                Entry::Vacant(first) => {
                    first.insert(self.wakes.len());
                    self.wakes.push(wake);
                }
                Entry::Occupied(first) => {
                    let first = &mut self.wakes[*first.get()];
                    let larger = first.0.cause.waiting().total_cmp(&wake.0.cause.waiting());
                    if larger.then_with(|| wake.0.key.cmp(&first.0.key)).is_lt() {
                        *first = wake;
                    }
                }
            }
        }
    }

    /// Why a target may not be woken now (rules 12 and 13).
    fn held_back(&self, tracked: Option<&Tracked>) -> Option<Blocked> {
        let tracked = tracked?;
        if tracked.may_try(self.now.mono) {
            return None;
        }
        match &tracked.attempt {
            Attempt::Failed { why, .. } => Some(Blocked::WakeFailed(*why)),
            Attempt::TakenBack { by, .. } => Some(match by {
                Attribution::Known(by) if by.is_a_person() => Blocked::Manual(by.clone()),
                Attribution::Known(by) => Blocked::TakenBack(Some(by.clone())),
                _ => Blocked::TakenBack(None),
            }),
            _ => None,
        }
    }

    fn hold(&mut self, key: &ModelKey, waiting: f64, why: Blocked, variant: &VariantKey) {
        self.plan.blocked.push(held(key, waiting, why, Some(variant)));
    }

    /// The wakes in their order, within the caps (rule 19), with their guards.
    fn finish(mut self) -> Plan {
        let mut wakes = std::mem::take(&mut self.wakes);
        // Their places are sorted, as a wake is large.
        let mut order: Vec<usize> = (0..wakes.len()).collect();
        order.sort_by(|a, b| {
            let ((a, a_decodes), (b, b_decodes)) = (&wakes[*a], &wakes[*b]);
            b.cause
                .waiting()
                .total_cmp(&a.cause.waiting())
                .then_with(|| a.key.cmp(&b.key))
                .then_with(|| b_decodes.cmp(a_decodes))
                .then_with(|| a.target.cmp(&b.target))
        });
        let mut caps = Caps::new(
            self.inventory,
            self.memory,
            self.now,
            self.rules,
            wakes.is_empty(),
        );
        let mut wakes: Vec<_> = wakes.drain(..).map(|(wake, _)| Some(wake)).collect();
        self.plan.wakes.reserve(wakes.len());
        for mut wake in order.into_iter().filter_map(|at| wakes[at].take()) {
            if caps.take(&wake.target) {
                wake.guards = before_scale(self.inventory, &wake.target, &wake.key, self.now, self.rules);
                self.plan.wakes.push(wake);
            } else {
                self.hold(&wake.key, wake.cause.waiting(), Blocked::Capped, &wake.variant);
            }
        }
        self.plan.keep_escalations_that_wake();
        self.plan
    }
}

pub(super) fn held(key: &ModelKey, waiting: f64, why: Blocked, variant: Option<&VariantKey>) -> Held {
    Held {
        namespace: Some((&*key.namespace).into()),
        pool: Some((&*key.pool).into()),
        model: Some((&*key.model).into()),
        waiting,
        why,
        variant: variant.cloned(),
    }
}
