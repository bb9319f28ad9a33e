//! What a test does with a running API besides asking it: faults, and what it was asked.

use super::{
    Kube,
    fault::{self, Effect, Fault, FaultId},
    requests::{self, Counters, Match, Request},
    resource::Resource,
};

impl Kube {
    /// Makes something go wrong from now on.
    pub fn add_fault(&self, fault: Fault) -> FaultId {
        self.server.with_faults(|faults| faults.add(fault))
    }

    /// Makes the matching requests go wrong from now on, without end.
    pub fn fail(&self, matches: Match, effect: Effect) -> FaultId {
        self.add_fault(Fault {
            matches,
            times: None,
            effect,
        })
    }

    /// Makes the next matching request go wrong.
    pub fn fail_once(&self, matches: Match, effect: Effect) -> FaultId {
        self.add_fault(Fault {
            matches,
            times: Some(1),
            effect,
        })
    }

    /// Ends a fault.
    pub fn remove_fault(&self, id: FaultId) {
        self.server.with_faults(|faults| faults.remove(id));
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.server.with_faults(fault::Faults::clear);
    }

    /// The last requests, the oldest first: as many as [`Settings`](super::Settings) say.
    pub fn requests(&self) -> Vec<Request> {
        self.server.with_log(|log| log.requests())
    }

    /// Those of the last requests that match.
    pub fn requests_like(&self, matches: &Match) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| matches.matches(request));
        requests
    }

    /// How often each kind of request ended how.
    pub fn counters(&self) -> Counters {
        self.server.with_log(|log| log.counters.clone())
    }

    /// The last requests for what there is (`/apis/apps/v1`), by path and query, the oldest first.
    pub fn discoveries(&self) -> Vec<String> {
        self.server
            .with_log(|log| log.discoveries.iter().cloned().collect())
    }

    /// Empties the log and the counters.
    pub fn clear_requests(&self) {
        self.server.with_log(requests::Log::clear);
    }

    /// Watches of a kind that are open.
    pub fn watches(&self, resource: Resource) -> usize {
        self.server.watches(resource)
    }

    /// Waits until `check` finds something; it is asked again after each change of an object, each
    /// request and each answer. Has no deadline of its own.
    pub async fn until<T>(&self, mut check: impl FnMut(&Self) -> Option<T>) -> T {
        let mut activity = self.server.activity();
        loop {
            activity.borrow_and_update();
            if let Some(found) = check(self) {
                return found;
            }
            if activity.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
