//! From the configuration to what the core reads of it.

use crate::{
    config::{Config, MissingNamespace},
    core::{Rules, ScopeRules},
};

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        Self {
            select: config.wake.select,
            every_namespace: config.query.missing_namespace == MissingNamespace::All,
            max_sample_age: config.query.max_sample_age,
            ready_timeout: config.wake.ready_timeout,
            settle: config.wake.settle,
            backoff: config.wake.backoff,
            status: config.status.enabled,
            events: config.events,
            fallback_accelerator: config.status.fallback_accelerator.as_str().into(),
        }
    }
}

impl From<&Config> for ScopeRules {
    fn from(config: &Config) -> Self {
        Self {
            namespaces: config.scope.namespaces.clone(),
            controller_instance: config.scope.controller_instance.clone(),
        }
    }
}
