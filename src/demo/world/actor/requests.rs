//! Its requests: how they come, by themselves and from a person, wait, and are served.

use std::{collections::BTreeMap, time::Duration};

use super::{Actor, Burst, Epp, Pace, QueueKey, Round, What};

impl Burst {
    /// Whether some of it have come and others have not.
    fn is_under_way(self) -> bool {
        (1..self.of).contains(&self.left)
    }
}

impl Actor {
    /// Requests of the story that are due. While it is `paused` none come: a burst under way ends, the next one is put off.
    pub fn arrive(&mut self, now: Duration, pace: &Pace, paused: bool, tell: &mut dyn FnMut(What)) {
        if paused && self.story.is_under_way() {
            self.story.left = 0;
            self.story.next = None;
        }
        while let Some(at) = self.story.next.filter(|at| *at <= now) {
            if paused {
                self.story.next = Some(now + pace.rest);
                return;
            }
            if self.round.first.is_none() {
                tell(What::Requested {
                    ready: self.is_ready(),
                });
            }
            self.take(at, 1, tell);
            self.story.left -= 1;
            self.story.next = (self.story.left > 0).then_some(at + pace.spacing);
        }
    }

    /// Requests that a person sends now; with a name of its own that nobody serves.
    pub fn asked(&mut self, now: Duration, count: usize, stray: Option<String>, tell: &mut dyn FnMut(What)) {
        tell(What::Asked {
            count,
            name: stray.clone(),
            ready: self.is_ready(),
        });
        match stray {
            None => self.take(now, count, tell),
            Some(_) if self.epp() == Epp::NoFlowControl && !self.is_ready() => tell(What::Refused { count }),
            Some(name) => {
                self.taken += count;
                let queue = self.strays.entry(name).or_default();
                queue.extend(std::iter::repeat_n(now, count));
            }
        }
    }

    /// Takes requests in: into the queue, or, where the EPP has none and no pod is ready, not at all.
    fn take(&mut self, at: Duration, count: usize, tell: &mut dyn FnMut(What)) {
        if self.epp() == Epp::NoFlowControl && !self.is_ready() {
            tell(What::Refused { count });
            return;
        }
        self.taken += count;
        self.round.first.get_or_insert(at);
        self.round.drained = false;
        if self.waiting.is_empty() {
            // A pod that had nothing to do has saved up none of that time.
            self.next_serve = self.next_serve.max(at);
        }
        self.quiet_since = None;
        self.waiting.extend(std::iter::repeat_n(at, count));
    }

    /// The story asks for it again, after a while.
    pub(super) fn come_again(&mut self, now: Duration, pace: &Pace) {
        if self.targets.iter().all(|target| target.replicas == 0) {
            // Nothing has come of it: what comes next begins anew.
            self.round = Round::default();
        }
        self.story.left = self.story.of;
        self.story.next = Some(now + pace.rest + self.story.later);
    }

    /// Takes note of what Prometheus said.
    pub fn be_told(&mut self, told: &BTreeMap<QueueKey, f64>, tell: &mut dyn FnMut(What)) {
        if !self.round.told
            && self.round.first.is_some()
            && let Some(waiting) = told.get(&self.key).copied().filter(|waiting| *waiting > 0.0)
        {
            self.round.told = true;
            tell(What::Told { waiting });
        }
    }

    /// Hands waiting requests to a ready pod, and gives up those that waited too long.
    pub fn serve(&mut self, now: Duration, pace: &Pace, tell: &mut dyn FnMut(What)) {
        while self.is_ready() && !self.waiting.is_empty() && self.next_serve <= now {
            let waited = now.saturating_sub(self.waiting.remove(0));
            self.round.served += 1;
            self.round.longest = self.round.longest.max(waited);
            self.next_serve += pace.serve;
        }
        self.give_up(now, pace, tell);
        if !self.waiting.is_empty() || self.story.is_under_way() {
            // There is something to do.
        } else if self.is_ready() {
            self.idle(now, tell);
        } else {
            self.quiet_since = None;
            if self.story.next.is_none() {
                self.come_again(now, pace);
            }
        }
        if !self.round.finished && self.lacks().is_none() {
            self.round.finished = true;
            self.rounds += 1;
        }
    }

    /// A pod is ready, and nothing waits for it.
    fn idle(&mut self, now: Duration, tell: &mut dyn FnMut(What)) {
        if self.quiet_since.is_some() {
            return;
        }
        self.quiet_since = Some(now);
        if self.round.served > 0 && !self.round.drained {
            self.round.drained = true;
            tell(What::Drained {
                served: self.round.served,
                longest: self.round.longest,
            });
        }
    }

    fn give_up(&mut self, now: Duration, pace: &Pace, tell: &mut dyn FnMut(What)) {
        let before = self.waiting.len();
        self.waiting
            .retain(|since| now.saturating_sub(*since) < pace.patience);
        let lost = before - self.waiting.len();
        if lost > 0 {
            tell(What::Expired { lost });
        }
        let ready = self.is_ready();
        self.strays.retain(|name, waiting| {
            // The queue is the pool's: one pod that is ready gets them all, and knows no such model.
            if ready {
                let (name, count) = (name.clone(), waiting.len());
                tell(What::NotFound { name, count });
                return false;
            }
            let before = waiting.len();
            waiting.retain(|since| now.saturating_sub(*since) < pace.patience);
            let lost = before - waiting.len();
            if lost > 0 {
                tell(What::Expired { lost });
            }
            !waiting.is_empty()
        });
    }
}
