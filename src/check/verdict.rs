//! What the loop would decide on these facts: its own join, plan and states, asked once.

use std::{collections::BTreeSet, rc::Rc, sync::Arc};

use super::{Facts, Prom, around::Around, probes::Epp};
use crate::core::{
    Answer, Entry, HashMap, Held, Joined, Memory, Plan, Row, Rules, Signal, Signals, Situation, State,
    VariantKey, by_variant, join, plan, rows,
};

/// The decision on the facts.
#[derive(Debug)]
pub struct Verdict<'a> {
    facts: &'a Facts,
    rules: Rules,
    memory: Memory,
    signals: Signals,
    joined: Joined,
    held: Vec<Held>,
    by_variant: HashMap<VariantKey, Held>,
    wakes: BTreeSet<VariantKey>,
    would: Would,
    around: Rc<Around<'a>>,
    epps: Vec<Epp<'a>>,
}

/// What would follow if a request waited now for every parked model, with nothing capped.
#[derive(Debug, Default)]
struct Would {
    wake: BTreeSet<VariantKey>,
    held: Vec<Held>,
}

impl<'a> Verdict<'a> {
    /// Decides.
    pub fn of(facts: &'a Facts) -> Self {
        let rules = Rules::from(&facts.config);
        let inventory = &facts.inventory;
        let mut memory = Memory::default();
        memory.restore(inventory, facts.now, &rules);
        let mut signals = Signals::default();
        if let Some(seen) = &facts.prometheus.seen {
            // The loop waits for three misses in a row, as a pod may be restarting; whoever asks now wants to know now.
            for _ in 0..3 {
                signals.answered(seen, inventory);
            }
        }
        let (answer, joined) = match demand(&facts.prometheus) {
            Some(rows) => {
                let joined = join(inventory, &rows, &rules);
                (Answer::Complete(rows), joined)
            }
            None => (Answer::Unknown, Joined::default()),
        };
        memory.observe(inventory, &answer, &joined, facts.now, &rules);
        let mut plan = match answer {
            Answer::Complete(_) => plan(inventory, &joined, &memory, facts.now, &rules),
            Answer::Unknown => Plan::default(),
        };
        if let Some(ages) = &facts.prometheus.ages {
            plan.check_ages(ages.clone(), &mut memory, facts.now, &rules);
        }
        let around = Rc::new(Around::of(facts));
        Self {
            facts,
            epps: Epp::all(facts, &around),
            around,
            by_variant: by_variant(&plan.blocked),
            wakes: plan.wakes.iter().map(|wake| wake.variant.clone()).collect(),
            held: plan.blocked,
            would: would(facts, rules.clone()),
            joined,
            signals,
            memory,
            rules,
        }
    }

    /// What it was decided on.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// The state of a variant, by the loop's own words.
    pub fn state(&self, name: &VariantKey, entry: &Entry) -> State {
        self.situation().state(name, entry)
    }

    /// Requests waiting for a variant.
    pub fn waiting(&self, name: &VariantKey, entry: &Entry) -> f64 {
        self.situation().waiting(name, entry)
    }

    /// Demand that wakes nothing, with its reason.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Whether requests wait for a variant and wake nothing.
    pub fn holds(&self, name: &VariantKey) -> bool {
        self.by_variant.contains_key(name)
    }

    /// The variants that are to be woken now, as requests wait for them.
    pub fn wakes(&self) -> &BTreeSet<VariantKey> {
        &self.wakes
    }

    /// The variants that a request for their model would wake.
    pub fn would_wake(&self) -> &BTreeSet<VariantKey> {
        &self.would.wake
    }

    /// Why a request for a parked model would wake nothing.
    pub fn would_hold(&self) -> &[Held] {
        &self.would.held
    }

    /// The signal of a pool.
    pub fn signal(&self, namespace: &Arc<str>, pool: &Arc<str>) -> Signal {
        self.signals.of(namespace, pool)
    }

    /// What stands beside, by labels and names.
    pub(super) fn around(&self) -> &Around<'a> {
        &self.around
    }

    /// The EPPs of all pools that select a variant in scope, by namespace and name of the pool.
    pub(super) fn epps(&self) -> &[Epp<'a>] {
        &self.epps
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            inventory: &self.facts.inventory,
            memory: &self.memory,
            signals: &self.signals,
            demand: &self.joined.asked,
            held: &self.by_variant,
            now: self.facts.now,
            rules: &self.rules,
        }
    }
}

/// The rows of demand, where they are known.
fn demand(prometheus: &Prom) -> Option<Vec<Row>> {
    match &prometheus.demand {
        Some(Ok(samples)) => Some(rows(samples.clone())),
        _ => None,
    }
}

/// Asks for every model that has an inactive variant, at each of its pools.
fn would(facts: &Facts, rules: Rules) -> Would {
    let inventory = &facts.inventory;
    let rules = Rules {
        max_starting: None,
        max_starting_per_namespace: None,
        ..rules
    };
    let mut asked = BTreeSet::new();
    for (name, entry) in inventory.entries().filter(|(_, entry)| entry.is_inactive()) {
        for pool in &entry.pools {
            asked.insert((&name.name.namespace, pool, &entry.variant.model));
        }
    }
    let rows: Vec<Row> = asked
        .into_iter()
        .map(|(namespace, pool, model)| Row {
            namespace: Some((&**namespace).into()),
            pool: Some((&**pool).into()),
            model: Some((&**model).into()),
            waiting: 1.0,
            family: None,
        })
        .collect();
    let joined = join(inventory, &rows, &rules);
    let plan = plan(inventory, &joined, &Memory::default(), facts.now, &rules);
    Would {
        wake: plan.wakes.into_iter().map(|wake| wake.variant).collect(),
        held: plan.blocked,
    }
}
