//! Faults on request: what a test wants to go wrong, and how often.

use std::time::Duration;

use super::{
    failure::Failure,
    requests::{Match, Request},
};

/// Something that goes wrong with the requests it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The requests it befalls.
    pub matches: Match,
    /// How many of them; `None` is all, until it is removed.
    pub times: Option<usize>,
    /// What happens to them.
    pub effect: Effect,
}

/// What a fault does to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// It is refused, and nothing is done.
    Status {
        /// HTTP status.
        code: u16,
        /// One word for programs, e.g. `TooManyRequests`.
        reason: String,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// It is refused for want of permission, in the real server's words.
    Forbidden,
    /// Nothing is done, and no answer ever comes.
    Hang,
    /// The connection is cut before anything is done.
    Drop,
    /// Half of the answer comes, or of a watch's first event, then the connection is cut.
    CloseMidway,
    /// It is done, but the connection is cut before the answer.
    ApplyThenDrop,
    /// It is done, but no answer ever comes.
    ApplyThenHang,
    /// It is done after a while.
    Delay(Duration),
    /// Watches, open ones too, send nothing any more, not even their end at the timeout. A watch
    /// that fell silent stays so.
    SilenceWatches,
}

/// Names a fault, to take it away again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

#[derive(Debug, Default)]
pub(super) struct Faults {
    next: u64,
    faults: Vec<(FaultId, Fault)>,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) -> FaultId {
        let id = FaultId(self.next);
        self.next += 1;
        self.faults.push((id, fault));
        id
    }

    pub fn remove(&mut self, id: FaultId) {
        self.faults.retain(|(other, _)| *other != id);
    }

    pub fn clear(&mut self) {
        self.faults.clear();
    }

    /// The effect on a request that has just come, and one time less of it.
    pub fn strike(&mut self, request: &Request) -> Option<Effect> {
        self.take(request, |effect| !matches!(effect, Effect::SilenceWatches))
    }

    /// Whether a watch falls silent.
    pub fn silences(&mut self, watch: &Request) -> bool {
        self.take(watch, |effect| matches!(effect, Effect::SilenceWatches))
            .is_some()
    }

    /// Whether a request of this kind is forbidden, for access reviews.
    pub fn forbids(&self, request: &Request) -> bool {
        self.faults.iter().any(|(_, fault)| {
            fault.times != Some(0) && fault.effect == Effect::Forbidden && fault.matches.matches(request)
        })
    }

    fn take(&mut self, request: &Request, kind: fn(&Effect) -> bool) -> Option<Effect> {
        let (_, fault) = self.faults.iter_mut().find(|(_, fault)| {
            fault.times != Some(0) && kind(&fault.effect) && fault.matches.matches(request)
        })?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.effect.clone())
    }
}

/// The refusal of a request that RBAC does not allow.
pub(super) fn forbidden(request: &Request) -> Failure {
    let traits = request.resource.traits();
    let part = match request.subresource {
        super::Subresource::Main => "",
        super::Subresource::Status => "/status",
        super::Subresource::Scale => "/scale",
    };
    let place = match &request.namespace {
        Some(namespace) => format!("in the namespace {namespace:?}"),
        None => "at the cluster scope".to_owned(),
    };
    let name = request
        .name
        .as_deref()
        .filter(|_| request.verb != super::Verb::Create);
    let mut failure = Failure::not_found(traits, name.unwrap_or_default());
    failure.code = 403;
    "Forbidden".clone_into(&mut failure.reason);
    failure.message = format!(
        "{}{} is forbidden: User \"embedded\" cannot {} resource \"{}{part}\" in API group {:?} {place}",
        traits.qualified(),
        name.map(|name| format!(" {name:?}")).unwrap_or_default(),
        request.verb.as_str(),
        traits.plural,
        traits.group,
    );
    failure
}
