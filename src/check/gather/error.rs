//! Why nothing could be checked.

use std::{io, path::PathBuf};

/// Why nothing could be checked: each names the place, the value and the mend.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The API server gives no answer.
    #[error(
        "the API server at {url} gives no answer: {why}; check the context of KUBECONFIG, and whether the server can be \
         reached from here"
    )]
    NoAnswer {
        /// Where it should be.
        url: String,
        /// What happened instead.
        why: String,
    },
    /// It does not know who asks.
    #[error(
        "the API server at {url} does not let us in: {why}; log in again, or renew the token or certificate of KUBECONFIG"
    )]
    Unauthorized {
        /// Where it is.
        url: String,
        /// What it says.
        why: String,
    },
    /// A name on the command line that can be none.
    #[error("--namespace {0:?} is no name of a namespace; write lower-case letters, digits and dashes")]
    NamespaceName(String),
    /// A namespace that is not there.
    #[error("there is no namespace {0}; `kubectl get namespaces` lists those that there are")]
    NoNamespace(String),
    /// A variant that is not there.
    #[error("there is no variant {name} in {namespace}{}", near.as_ref().map_or_else(|| NONE.to_owned(), |near| format!("; is {near} meant?")))]
    NoVariant {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// The name most like it.
        near: Option<String>,
    },
    /// A file or folder that cannot be read.
    #[error("{}: cannot be read: {why}; name a file or folder that can be", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Manifests that cannot be understood.
    #[error("{place}: {problem}")]
    Manifest {
        /// File, document and line.
        place: String,
        /// What is wrong, and the mend.
        problem: String,
    },
    /// A folder without a single object.
    #[error("{}: holds no object of Kubernetes in *.yaml, *.yml or *.json{}", path.display(), left_out.as_ref().map(|why| format!(" ({why})")).unwrap_or_default())]
    NoObjects {
        /// The folder.
        path: PathBuf,
        /// What was left out, if something was.
        left_out: Option<String>,
    },
    /// Samples that cannot be understood.
    #[error("{}: {problem}", path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// Where in it, what is wrong, and the mend.
        problem: String,
    },
}

const NONE: &str = "; `kubectl get va -n NAMESPACE` lists those that there are";
