//! Demand that wakes nothing: said once when it begins or its reason changes.

use std::time::Duration;

use super::{super::history::Decision, Journal, short};
use crate::{
    cluster::Warning,
    core::{Blocked, Failure, HashMap, Held, Inventory, Mono, Now},
};

/// Demand, as lines about it are told apart.
type Subject = (Option<Box<str>>, Option<Box<str>>, Option<Box<str>>);

/// How long demand must be away before its return is said again.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// Lines about blocked demand in one minute.
const MOST_A_MINUTE: u32 = 50;
/// Blocked demand remembered at once: anybody can ask for any model name.
const MOST_REMEMBERED: usize = 10_000;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct BlockedLog {
    /// By reason, with when it was last there: one model may be held for two.
    said: HashMap<(Subject, &'static str), (Blocked, Mono)>,
    /// When the minute began in which lines are counted, and how many there were: of demand that waits, and of what
    /// cannot be seen.
    minutes: [(Mono, u32); 2],
}

impl Journal {
    /// What is held back now, and what cannot be seen. Only complete answers say so.
    pub fn blocked<'a>(
        &mut self,
        held: impl Iterator<Item = &'a Held> + Clone,
        inventory: &Inventory,
        now: Now,
    ) {
        // What is over in a moment is not told: who took a wake back is about to be known, and after a conflict the next
        // tick decides afresh.
        let lasts = |held: &&Held| {
            !matches!(
                held.why,
                Blocked::TakenBack(None) | Blocked::WakeFailed(Failure::Conflict)
            )
        };
        for held in held.clone().filter(lasts) {
            let subject = (held.namespace.clone(), held.pool.clone(), held.model.clone());
            let subject = (subject, held.why.as_str());
            let said = &mut self.blocked.said;
            let full = said.len() >= MOST_REMEMBERED;
            match said.get_mut(&subject) {
                Some((why, last)) if *why == held.why => *last = now.mono,
                None if full => {}
                // What there is no room for in this minute is told in a later one.
                _ => {
                    if self.say_blocked(held, inventory, now) {
                        self.blocked.said.insert(subject, (held.why.clone(), now.mono));
                    }
                }
            }
        }
        self.blocked
            .said
            .retain(|_, (_, last)| now.mono.since(*last) < FORGET_AFTER);
        self.metrics.blocked(held);
    }

    /// Names of models come from clients: they are fields, which the formatter escapes, never the message, and
    /// neither their length nor their number can flood the log. Says whether there was room.
    fn say_blocked(&mut self, held: &Held, inventory: &Inventory, now: Now) -> bool {
        // What clients ask for must not crowd out what cannot be seen, nor the other way round.
        let budget = &mut self.blocked.minutes[usize::from(held.why.is_no_signal())];
        let (since, said) = *budget;
        let said = if now.mono.since(since) >= FORGET_AFTER {
            0
        } else {
            said
        };
        if said > MOST_A_MINUTE {
            return false;
        }
        *budget = (if said == 0 { now.mono } else { since }, said + 1);
        if said == MOST_A_MINUTE {
            tracing::warn!(
                "Requests wait for more models and nothing is woken; /metrics counts them by reason, and a minute from now the log goes on"
            );
            return false;
        }
        let name = |name: &Option<Box<str>>| name.as_deref().map(short);
        let (namespace, pool, model) = (name(&held.namespace), name(&held.pool), name(&held.model));
        let variant = held.variant.as_ref().map(ToString::to_string);
        let (reason, why) = (held.why.as_str(), held.why.to_string());
        if held.why.is_no_signal() {
            tracing::warn!(
                reason,
                model,
                namespace,
                pool,
                variant,
                why,
                "Demand for a parked model cannot be seen"
            );
        } else {
            let waiting = held.waiting;
            tracing::warn!(
                reason,
                model,
                namespace,
                pool,
                variant,
                waiting,
                why,
                "Requests wait and nothing is woken"
            );
        }
        self.warn_of(held, inventory);
        self.history.add(Decision {
            time: now.wall,
            decision: "skipped",
            namespace,
            pool,
            model,
            variant,
            waiting: (!held.why.is_no_signal()).then_some(held.waiting),
            reason: Some(reason),
            text: why,
            ..Decision::default()
        });
        true
    }

    /// What keeps a variant from being woken is told on it. What has an Event of its own, or is over in a moment, is not;
    /// nor is anything written on what is to be left alone.
    fn warn_of(&mut self, held: &Held, inventory: &Inventory) {
        let untold = matches!(
            held.why,
            Blocked::TakenBack(_) | Blocked::Manual(_) | Blocked::Capped | Blocked::OutOfScope(_)
        );
        let known = held
            .variant
            .as_ref()
            .and_then(|name| Some((name, inventory.entry(name)?)));
        let Some((name, entry)) = known.filter(|_| !untold) else {
            return;
        };
        let reason = held.why.as_str();
        self.warnings.push(Warning {
            variant: Some((name.clone(), entry.variant.uid.clone())),
            target: None,
            reason: match held.why {
                Blocked::Overdue(_) => "OverdueFromZero",
                _ => "NotScaledFromZero",
            },
            note: format!("{reason}: {}", held.why),
            occasion: format!("{}/{reason}/{}", entry.variant.uid, entry.variant.generation),
        });
    }
}
