//! What was asked of the API, for assertions and measurements: a bounded log, and counters.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::{resource::Resource, route::Subresource};

/// What a request does, in the words of RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// One object.
    Get,
    /// A collection.
    List,
    /// The changes of a collection.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// As RBAC spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// A request to the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What it does.
    pub verb: Verb,
    /// To which kind.
    pub resource: Resource,
    /// To which part of the object.
    pub subresource: Subresource,
    /// Where; `None` is the whole cluster.
    pub namespace: Option<String>,
    /// The object; for a create, the name in its body.
    pub name: Option<String>,
    /// The query string.
    pub query: String,
    /// `Content-Type` of the body, if there is one.
    pub content_type: Option<String>,
    /// The body, if it is JSON.
    pub body: Option<Value>,
    /// HTTP status of the answer; `None` while there is none, or if the connection was cut before it.
    pub code: Option<u16>,
    /// When it had come in, body and all.
    pub asked: Timestamp,
    /// When it was over: answered, or cut. `None` until then.
    pub ended: Option<Timestamp>,
}

/// Which requests are meant; what is `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// What it does.
    pub verb: Option<Verb>,
    /// To which kind.
    pub resource: Option<Resource>,
    /// To which part of the object.
    pub subresource: Option<Subresource>,
    /// In which namespace; an empty name stands for requests about the whole cluster.
    pub namespace: Option<String>,
    /// To which object.
    pub name: Option<String>,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this verb.
    pub fn verb(verb: Verb) -> Self {
        Self {
            verb: Some(verb),
            ..Self::default()
        }
    }

    /// The same, for one kind.
    #[must_use]
    pub fn on(self, resource: Resource) -> Self {
        Self {
            resource: Some(resource),
            ..self
        }
    }

    /// The same, for one part of the object.
    #[must_use]
    pub fn part(self, subresource: Subresource) -> Self {
        Self {
            subresource: Some(subresource),
            ..self
        }
    }

    /// The same, in one namespace, or for the empty name across the whole cluster.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..self
        }
    }

    /// The same, for one object.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }

    /// Whether a request is meant.
    pub fn matches(&self, request: &Request) -> bool {
        fn agrees<T: PartialEq + ?Sized>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        agrees(self.verb.as_ref(), &request.verb)
            && agrees(self.resource.as_ref(), &request.resource)
            && agrees(self.subresource.as_ref(), &request.subresource)
            && agrees(
                self.namespace.as_deref(),
                request.namespace.as_deref().unwrap_or_default(),
            )
            && (self.name.is_none() || self.name == request.name)
    }
}

/// Answered requests by what they were and how they ended; code 0 is a connection cut before the answer.
pub type Counters = BTreeMap<(Verb, Resource, Subresource, u16), u64>;

#[derive(Debug)]
pub(super) struct Log {
    /// Requests kept.
    most: usize,
    /// Number of the first request in the log.
    first: u64,
    requests: VecDeque<Request>,
    pub counters: Counters,
    /// Paths and queries of requests for what there is.
    pub discoveries: VecDeque<String>,
}

impl Log {
    /// An empty log that keeps so many requests.
    pub fn keeping(most: usize) -> Self {
        Self {
            most,
            first: 0,
            requests: VecDeque::new(),
            counters: Counters::new(),
            discoveries: VecDeque::new(),
        }
    }

    /// Notes a request, and gives it a number.
    pub fn begin(&mut self, request: Request) -> u64 {
        if self.requests.len() == self.most {
            self.requests.pop_front();
            self.first += 1;
        }
        self.requests.push_back(request);
        self.first + self.requests.len() as u64 - 1
    }

    /// Notes the answer to a request, or that there is none.
    pub fn end(&mut self, number: u64, kind: (Verb, Resource, Subresource), code: Option<u16>) {
        let (verb, resource, subresource) = kind;
        *self
            .counters
            .entry((verb, resource, subresource, code.unwrap_or(0)))
            .or_default() += 1;
        let index = number
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| self.requests.get_mut(index)) {
            request.code = code;
            request.ended = Some(Timestamp::now());
        }
    }

    /// Notes a request for what there is.
    pub fn discovery(&mut self, path: &str) {
        if self.discoveries.len() == self.most {
            self.discoveries.pop_front();
        }
        self.discoveries.push_back(path.to_owned());
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    pub fn clear(&mut self) {
        self.first += self.requests.len() as u64;
        self.requests.clear();
        self.discoveries.clear();
        self.counters.clear();
    }
}
