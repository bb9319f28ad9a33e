//! The attempt on one target with what belongs to it: how it moves on with what is seen and answered.

use std::time::Duration;

use super::{
    Attempt, Attribution, Backoff, Failure, Guarded, ModelKey, Mono, Moved, Now, Observed, Overdue, Parked,
    Rules, TakenBy, Waker, Wall, overdue::Pods,
};

/// How long after a conflict, or an accepted write, the watch may be silent before one GET.
const NEWS_DUE: Duration = Duration::from_secs(1);

/// How long after a target began to start its pods are first looked at; earlier where `wake.unschedulableAfter` is shorter.
const PODS_FIRST: Duration = Duration::from_secs(10);

/// How long after an accepted write the watch may still show what was before it.
const OLD_NEWS: Duration = Duration::from_secs(30);

/// How long a wake waits for that look.
const ATTRIBUTED_WITHIN: Duration = Duration::from_secs(10);

/// The attempt on a target, with the count that its waits grow by.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// What has been tried.
    pub attempt: Attempt,
    /// Failed and taken-back wakes in a row.
    pub tries: u32,
    /// When it was last seen to come back to 0: what was told before that is of an earlier wake.
    pub down: Option<Wall>,
    /// The model whose episode it is in; one of them, if it is in several.
    pub model: Option<ModelKey>,
    /// Why it was escalated from, if it was: until it is ready it counts as not there (rule 11).
    pub passed_over: Option<Overdue>,
    /// What its pods say, while it is starting.
    pub pods: Pods,
    /// What has come of its guards (rule 17).
    pub guarded: Guarded,
    /// Since when a guard stands on what scales it, while it is neither up nor being woken by this copy.
    pub idle_guard: Option<Mono>,
    /// Whether it was found at 0 after a restart: what came between the wake and that is not known.
    pub restored: bool,
    /// Whether a condition keeps it from becoming ready, as it was last seen.
    pub(super) stuck: bool,
    /// Whether to see the same once more would change nothing, if nothing is tried on it meanwhile.
    steady: bool,
}

impl Tracked {
    /// A target that enters an episode.
    pub fn new(observed: Option<&Observed>, now: Mono) -> Self {
        // For how long one that serves has done so is not known: for as long as this process runs,
        // so that WVA's or an HPA's parking of it is not taken for a wake taken back.
        let begin = Mono::default();
        let attempt = match observed {
            Some(Observed::Scaled { ready, .. }) => Attempt::Scaled {
                since: if *ready > 0 { begin } else { now },
                ready: (*ready > 0).then_some(begin),
                unready: None,
                by: Waker::Earlier,
            },
            _ => Attempt::Idle,
        };
        Self {
            attempt,
            tries: 0,
            down: None,
            model: None,
            passed_over: None,
            pods: Pods::default(),
            guarded: Guarded::NotYet,
            idle_guard: None,
            restored: false,
            stuck: matches!(observed, Some(Observed::Scaled { stuck: Some(_), .. })),
            steady: false,
        }
    }

    /// A target of an episode that another process has left, which was told of its wake at `told` (rule 15).
    pub fn restored(observed: &Observed, told: Mono, now: Now) -> Self {
        let (attempt, down) = match observed {
            // When it became ready is not known: the time to settle begins anew.
            Observed::Scaled { ready, .. } => (
                Attempt::Scaled {
                    since: told,
                    ready: (*ready > 0).then_some(now.mono),
                    unready: None,
                    by: Waker::Earlier,
                },
                None,
            ),
            Observed::Zero(_) => (
                // When it was scaled back is not known: whoever did it is not woken against before it is known who.
                Attempt::TakenBack {
                    at: now.mono,
                    retry: now.mono,
                    by: Attribution::Due,
                },
                Some(now.wall),
            ),
        };
        Self {
            attempt,
            down,
            restored: matches!(observed, Observed::Zero(_)),
            ..Self::new(None, now.mono)
        }
    }

    /// Takes in how the target stands now.
    pub fn observe(&mut self, observed: Option<&Observed>, now: Now, rules: &Rules) -> Option<Moved> {
        let moved = self.seen(observed, now, rules);
        self.stuck = matches!(observed, Some(Observed::Scaled { stuck: Some(_), .. }));
        self.steady = moved.is_none();
        moved
    }

    /// Whether to see what was seen last once more would change nothing.
    pub(super) fn is_steady(&self) -> bool {
        match self.attempt {
            Attempt::Idle => self.steady,
            // Once it has served for long, its tries are forgotten.
            Attempt::Scaled { ready, .. } => self.steady && (ready.is_none() || self.tries == 0),
            _ => false,
        }
    }

    fn seen(&mut self, observed: Option<&Observed>, now: Now, rules: &Rules) -> Option<Moved> {
        // Its outcome comes first; the watch may be ahead of the answer.
        if matches!(self.attempt, Attempt::Sent { .. }) {
            return None;
        }
        match observed {
            None => {
                self.attempt = Attempt::Idle;
                None
            }
            Some(Observed::Scaled { ready, .. }) => self.seen_up(*ready > 0, now.mono, rules),
            Some(Observed::Zero(seen)) => self.seen_at_zero(seen, now, rules),
        }
    }

    fn seen_up(&mut self, is_ready: bool, now: Mono, rules: &Rules) -> Option<Moved> {
        let (since, by) = match &mut self.attempt {
            Attempt::Scaled {
                since,
                ready,
                unready,
                by,
            } => {
                if is_ready {
                    *unready = None;
                    self.passed_over = None;
                } else if ready.is_some() {
                    unready.get_or_insert(now);
                }
                return match ready {
                    None if is_ready => {
                        *ready = Some(now);
                        Some(Moved::Ready(now.since(*since), *by))
                    }
                    Some(at) if now.since(*at) >= rules.settle => {
                        self.tries = 0;
                        None
                    }
                    _ => None,
                };
            }
            Attempt::Accepted { at, .. } => (*at, Waker::Us),
            // The answer was lost, the write was not.
            Attempt::Failed {
                why: Failure::NoAnswer,
                ..
            } => (now, Waker::Us),
            _ => (now, Waker::Other),
        };
        self.pods = Pods {
            look: since + PODS_FIRST.min(rules.unschedulable_after),
            ..Pods::default()
        };
        self.passed_over = None;
        self.restored = false;
        // Ready or not: that is told by the next look, so that no time to ready goes uncounted.
        self.attempt = Attempt::Scaled {
            since,
            ready: None,
            unready: None,
            by,
        };
        Some(Moved::Up(by))
    }

    fn seen_at_zero(&mut self, seen: &Parked, now: Now, rules: &Rules) -> Option<Moved> {
        match &self.attempt {
            Attempt::Scaled { ready, .. } => {
                self.down = Some(now.wall);
                if ready.is_some_and(|at| now.mono.since(at) >= rules.settle) {
                    self.attempt = Attempt::Idle;
                    self.tries = 0;
                    return None;
                }
                Some(self.taken_back(now, rules.backoff))
            }
            // Compare-and-swap: the write followed `parked` directly, so a later version at 0 was
            // written after it. An earlier one is old news.
            Attempt::Accepted { parked, at, .. }
                if seen.is_later_than(parked) || (seen != parked && now.mono.since(*at) >= OLD_NEWS) =>
            {
                Some(self.taken_back(now, rules.backoff))
            }
            Attempt::Failed {
                why: Failure::Conflict,
                parked,
                ..
            } if seen.is_later_than(parked) => {
                self.attempt = Attempt::Idle;
                None
            }
            _ => None,
        }
    }

    fn taken_back(&mut self, now: Now, backoff: Backoff) -> Moved {
        self.attempt = Attempt::TakenBack {
            at: now.mono,
            retry: now.mono + backoff.wait(self.tries),
            by: Attribution::Due,
        };
        self.passed_over = None;
        self.tries = self.tries.saturating_add(1);
        self.down = Some(now.wall);
        Moved::TakenBack
    }

    /// Whether a wake may be sent now.
    pub fn may_try(&self, now: Mono) -> bool {
        match &self.attempt {
            Attempt::Idle => true,
            Attempt::Failed { retry, look, .. } => look.is_none() && now >= *retry,
            Attempt::TakenBack { at, retry, by } => {
                let known = matches!(by, Attribution::Known(_)) || now >= *at + ATTRIBUTED_WITHIN;
                known && now >= *retry
            }
            _ => false,
        }
    }

    /// Whether a wake is under way or has just gone through.
    pub fn is_under_way(&self) -> bool {
        matches!(
            self.attempt,
            Attempt::Sent { .. } | Attempt::Accepted { .. } | Attempt::Reported
        )
    }

    /// A wake has been sent.
    pub fn sent(&mut self, parked: Parked) {
        self.attempt = Attempt::Sent { parked };
    }

    /// The answer to it has come. `wait` is what the server asked for by Retry-After.
    pub fn answered(&mut self, answer: Result<(), (Failure, Option<Duration>)>, now: Mono, backoff: Backoff) {
        let Attempt::Sent { parked } = &self.attempt else {
            return;
        };
        let parked = parked.clone();
        self.attempt = match answer {
            Ok(()) => Attempt::Accepted {
                parked,
                at: now,
                look: now + NEWS_DUE,
            },
            // Tried again as soon as the object is seen newer. Where even a look finds it as it was,
            // the 409 had another cause, an admission webhook perhaps: then as any failure.
            Err((Failure::Conflict, wait)) => Attempt::Failed {
                why: Failure::Conflict,
                parked,
                retry: now + NEWS_DUE + backoff.wait(self.tries).max(wait.unwrap_or_default()),
                look: Some(now + NEWS_DUE),
            },
            Err((why, wait)) => {
                let retry = now + backoff.after(why).wait(self.tries).max(wait.unwrap_or_default());
                self.tries = self.tries.saturating_add(1);
                Attempt::Failed {
                    why,
                    parked,
                    retry,
                    look: None,
                }
            }
        };
    }

    /// Whether one look is due that tells who scaled it back. Saying yes ends it.
    pub fn attribution_due(&mut self) -> bool {
        match &mut self.attempt {
            Attempt::TakenBack { by, .. } if *by == Attribution::Due => {
                *by = Attribution::Asked;
                true
            }
            _ => false,
        }
    }

    /// It is known who scaled it back. A person's will holds for `hold`. Returns until when, if this is news.
    pub fn attributed(&mut self, who: TakenBy, hold: Duration) -> Option<Mono> {
        let Attempt::TakenBack { at, retry, by } = &mut self.attempt else {
            return None;
        };
        if matches!(by, Attribution::Known(_)) {
            return None;
        }
        if who.is_a_person() {
            *retry = (*retry).max(*at + hold);
        }
        *by = Attribution::Known(who);
        Some(*retry)
    }

    /// Why the API server refuses to scale it, if it has done so again and again, for a reason that does not mend itself.
    pub fn refused(&self) -> Option<Failure> {
        const AGAIN_AND_AGAIN: u32 = 3;
        match self.attempt {
            Attempt::Failed { why, .. } if self.tries >= AGAIN_AND_AGAIN => {
                let lasting = matches!(why, Failure::Forbidden | Failure::NotFound | Failure::Rejected);
                lasting.then_some(why)
            }
            _ => None,
        }
    }

    /// Whether a person has taken it back, and is not fought yet.
    pub fn is_held(&self, now: Mono) -> bool {
        match &self.attempt {
            Attempt::TakenBack {
                retry,
                by: Attribution::Known(by),
                ..
            } => by.is_a_person() && now < *retry,
            _ => false,
        }
    }

    /// Since when it is starting, while it is.
    pub fn starting_since(&self) -> Option<Mono> {
        match self.attempt {
            Attempt::Scaled {
                since, ready: None, ..
            } => Some(since),
            Attempt::Scaled { unready, .. } => unready,
            _ => None,
        }
    }

    /// Whether the watch has been silent for too long after a write, so that one GET is due. Saying
    /// yes ends it for a conflict; after an accepted write it puts off the next.
    pub fn look_due(&mut self, now: Mono) -> bool {
        match &mut self.attempt {
            Attempt::Accepted { look, .. } if now >= *look => {
                *look = now + NEWS_DUE * 10;
                true
            }
            Attempt::Failed { look, .. } if look.is_some_and(|due| now >= due) => {
                *look = None;
                self.tries = self.tries.saturating_add(1);
                true
            }
            _ => false,
        }
    }
}
