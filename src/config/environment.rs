//! What a configuration needs to know about where it runs.

use std::{env, fs};

/// Facts about the process that no file can say. A value, so that tests and `check` can say them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The pod's own namespace; `None` where none is known, as outside a cluster.
    pub namespace: Option<String>,
}

impl Environment {
    /// The facts of this process: the namespace from the variable `POD_NAMESPACE` (downward API), else from the
    /// ServiceAccount that Kubernetes mounts.
    pub fn of_process() -> Self {
        let variable = env::var("POD_NAMESPACE").ok();
        let mounted = || fs::read_to_string("/var/run/secrets/kubernetes.io/serviceaccount/namespace").ok();
        let said = |text: String| Some(text.trim().to_owned()).filter(|name| !name.is_empty());
        Self {
            namespace: variable.and_then(said).or_else(|| mounted().and_then(said)),
        }
    }
}
