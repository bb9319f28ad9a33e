//! What goes in and out of the buttons, as JSON.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::demo::{
    kubernetes::Failure,
    world::{AskedBy, Link},
};

/// Requests that one button may send.
pub(in crate::demo) const MOST: usize = 1000;

/// What somebody wants.
#[derive(Debug)]
pub(in crate::demo) enum Wish {
    /// To see what there is: this model and those with something broken, or all of them.
    Look(Option<String>),
    /// To send requests.
    Send(Requests),
    /// To break a link, or to mend it.
    Set(Change),
    /// To have requests come by themselves, or not.
    Tell(Story),
}

/// Requests to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::demo) struct Requests {
    /// The model at whose pool they arrive.
    pub model: String,
    /// How many, up to [`MOST`].
    #[serde(default = "one")]
    pub count: usize,
    /// The name that they ask for.
    #[serde(default)]
    pub asked_by: AskedBy,
}

fn one() -> usize {
    1
}

/// A link to break or to mend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::demo) struct Change {
    /// Which one.
    pub link: Link,
    /// Of which model; none for the link that all share.
    pub model: Option<String>,
    /// Whether it is to be broken.
    pub broken: bool,
}

/// Whether requests come by themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::demo) struct Story {
    /// Whether none do.
    pub paused: bool,
}

/// Everything there is to play with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::demo) struct Board {
    /// How many times faster than by itself the demo goes.
    pub speed: f64,
    /// Whether no requests come by themselves.
    pub paused: bool,
    /// The links of the wake path, in its order.
    pub links: Vec<LinkText>,
    /// What is broken for all models.
    pub broken: Vec<BrokenLink>,
    /// The models that were asked for, and those with something broken.
    pub models: Vec<ModelBoard>,
}

/// What is said of a link.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::demo) struct LinkText {
    /// Which one.
    pub link: Link,
    /// What is wrong with it, in a few words.
    pub title: &'static str,
    /// What will be seen.
    pub seen: &'static str,
    /// Whether all models share it.
    pub shared: bool,
}

/// A link that is broken.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::demo) struct BrokenLink {
    /// Which one.
    pub link: Link,
    /// How one would mend it in real life.
    pub mend: String,
}

/// What there is of a model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::demo) struct ModelBoard {
    /// Its name.
    pub name: String,
    /// Requests that wait for it at its EPP, whether they can be seen or not.
    pub waiting: usize,
    /// What is broken of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenLink>,
    /// The links that it does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Link>,
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub(in crate::demo) enum Refusal {
    /// No such model.
    #[error("no model of the demo is called {0:?}; GET api/demo lists them")]
    NoModel(String),
    /// Too few or too many.
    #[error("count must be 1 to {MOST}, not {0}")]
    Count(usize),
    /// The link needs a model.
    #[error("{} is a link of one model: say in \"model\" of which", word(*.0))]
    WhoseLink(Link),
    /// The link is of no model.
    #[error("{} is a link that all models share: leave \"model\" out", word(*.0))]
    SharedLink(Link),
    /// The model has no such link.
    #[error("{} is no link of {model}, whose target is a StatefulSet: its controller reports no refused pods", word(*.link))]
    NotItsLink {
        /// Which one.
        link: Link,
        /// The model.
        model: String,
    },
    /// The embedded API refuses it; a bug.
    #[error("the embedded Kubernetes API refuses it: {0}")]
    World(#[from] Failure),
    /// The demo has ended.
    #[error("the demo is over")]
    Over,
}

impl Refusal {
    /// The HTTP status for it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoModel(_) => StatusCode::NOT_FOUND,
            Self::Count(_) | Self::WhoseLink(_) | Self::SharedLink(_) | Self::NotItsLink { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::World(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Over => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A link as JSON has it.
fn word(link: Link) -> String {
    serde_json::to_string(&link).unwrap_or_default()
}
