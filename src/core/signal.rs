//! Whether there is a signal at all (rule 4): no demand from a pool whose EPP has no queue, or is not scraped, says
//! nothing.

use std::sync::Arc;

use super::{Blocked, Held, Inventory, ModelKey, Unmatched, join::variants_of, plan::held};
use crate::core::HashMap;

/// One row of the slow query: something that an EPP exports even while nobody waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seen {
    /// Namespace of the EPP, where the row says it.
    pub namespace: Option<Box<str>>,
    /// Name of the InferencePool, where the row says it.
    pub pool: Option<Box<str>>,
    /// What was seen.
    pub what: Sign,
}

/// What a series says of the EPP that exports it.
///
/// The strongest sign of a pool decides, in this order. Only [`Endpoints`](Self::Endpoints) without
/// [`FlowControl`](Self::FlowControl) says that flow control is off: the EPPs that export that gauge start
/// their flow controller with the process, and it sets the saturation every millisecond (llm-d-router,
/// `pkg/epp/flowcontrol/controller`; pull requests 1311 and 1661, both before v0.9.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// `*_flow_control_pool_saturation` or a queue gauge: its flow control is on. EPPs from before December
    /// 2025 name no pool here.
    FlowControl,
    /// `llm_d_epp_ready_endpoints`, of llm-d-router 0.9 and newer: it is scraped.
    Endpoints,
    /// `inference_pool_ready_pods` of an EPP without the former: it is scraped, and whether its flow control is
    /// on cannot be told before its first request. Up to gateway-api-inference-extension 1.3 there is no
    /// saturation gauge (pull request 2343, February 2026), and the flow controller of 1.4 and 1.5 starts with the
    /// first request (`getOrStartWorker`); llm-d-inference-scheduler 0.8 and older are built on these.
    OldEndpoints,
    /// The build information of an EPP that names no pool: it is scraped. Until January 2026 an EPP that never
    /// had an endpoint exported nothing else (gateway-api-inference-extension, pull request 2049); newer ones do
    /// so while their pool does not exist.
    Other,
}

/// Whether demand at a pool would be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It would: no demand means that nobody waits.
    On,
    /// The EPP is scraped, and its flow control is off.
    Off,
    /// Prometheus has had nothing of the EPP three times in a row.
    NotScraped,
    /// It is not known: not asked yet, an EPP too old to say, or a query of the user's own.
    Unknown,
}

impl Signal {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "flow_control_off",
            Self::NotScraped => "epp_not_scraped",
            Self::Unknown => "signal_unknown",
        }
    }

    /// Why nothing can be woken without it; `None` where that is not known.
    pub fn blocks(self) -> Option<Blocked> {
        match self {
            Self::Off => Some(Blocked::FlowControlOff),
            Self::NotScraped => Some(Blocked::EppNotScraped),
            Self::On | Self::Unknown => None,
        }
    }
}

/// How often in a row nothing may be seen of an EPP: its pod may just be restarting.
const MISSES: u8 = 3;

type PoolName = (Arc<str>, Arc<str>);

/// What the slow query has said of each pool with something to wake.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    pools: HashMap<PoolName, (Signal, u8)>,
    silent: Vec<(ModelKey, Held)>,
}

impl Signals {
    /// The slow query has answered.
    pub fn answered(&mut self, seen: &[Seen], inventory: &Inventory) {
        // The strongest sign of each place; a missing label stands for any.
        let mut signs: HashMap<(Option<&str>, Option<&str>), Sign> = HashMap::default();
        for seen in seen {
            let place = (seen.namespace.as_deref(), seen.pool.as_deref());
            let sign = signs.entry(place).or_insert(seen.what);
            *sign = (*sign).min(seen.what);
        }
        let before = std::mem::take(&mut self.pools);
        self.silent.clear();
        for (name, entry) in inventory.entries().filter(|(_, entry)| entry.is_inactive()) {
            for pool in &entry.pools {
                let namespace = &name.name.namespace;
                let place = (namespace.clone(), pool.clone());
                let (signal, _) = *self.pools.entry(place.clone()).or_insert_with(|| {
                    let sign = strongest(&signs, inventory, namespace, pool);
                    judge(sign, before.get(&place).map_or(0, |(_, misses)| *misses))
                });
                if let Some(why) = signal.blocks() {
                    let key = ModelKey {
                        namespace: namespace.clone(),
                        pool: pool.clone(),
                        model: entry.variant.model.clone(),
                    };
                    // A model of which something is up is not parked.
                    if variants_of(inventory, &key, Unmatched::Report).any(|(_, entry)| entry.is_scaled()) {
                        continue;
                    }
                    let held = held(&key, 0.0, why, Some(name));
                    self.silent.push((key, held));
                }
            }
        }
        self.silent.sort_by(|(a, a_held), (b, b_held)| {
            a_held
                .variant
                .cmp(&b_held.variant)
                .then_with(|| a.pool.cmp(&b.pool))
        });
    }

    /// It cannot be asked: with a query of the user's own, nothing is known.
    pub fn unknown(&mut self) {
        self.pools.clear();
        self.silent.clear();
    }

    /// The signal of a pool.
    pub fn of(&self, namespace: &Arc<str>, pool: &Arc<str>) -> Signal {
        let known = self.pools.get(&(namespace.clone(), pool.clone()));
        known.map_or(Signal::Unknown, |(signal, _)| *signal)
    }

    /// The inactive variants whose demand cannot be seen, as of the last answer, each with its model.
    pub fn silent(&self) -> &[(ModelKey, Held)] {
        &self.silent
    }
}

/// The strongest sign of a pool. One without a namespace, or without a pool, may be another's: it says only that
/// something is scraped, but for one that names a pool of which there is no other.
fn strongest(
    signs: &HashMap<(Option<&str>, Option<&str>), Sign>,
    inventory: &Inventory,
    namespace: &Arc<str>,
    pool: &Arc<str>,
) -> Option<Sign> {
    let named = signs.get(&(Some(&**namespace), Some(&**pool))).copied();
    let only = || inventory.variants_behind(None, Some(&**pool)).nth(1).is_none();
    let named = named.or_else(|| {
        let sign = *signs.get(&(None, Some(&**pool)))?;
        Some(if sign == Sign::FlowControl || only() {
            sign
        } else {
            Sign::Other
        })
    });
    let any = [(Some(&**namespace), None), (None, None)];
    named.or_else(|| {
        any.iter()
            .any(|place| signs.contains_key(place))
            .then_some(Sign::Other)
    })
}

/// What a pool's strongest sign means, after so many misses in a row.
fn judge(sign: Option<Sign>, misses: u8) -> (Signal, u8) {
    match sign {
        Some(Sign::FlowControl) => (Signal::On, 0),
        Some(Sign::Endpoints) => (Signal::Off, 0),
        Some(Sign::OldEndpoints | Sign::Other) => (Signal::Unknown, 0),
        None if misses + 1 >= MISSES => (Signal::NotScraped, MISSES - 1),
        None => (Signal::Unknown, misses + 1),
    }
}
