//! From the configuration to what the core reads of it.

use crate::{
    config::{Config, MissingNamespace},
    core::{Rules, ScopeRules},
};

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        let wake = &config.wake;
        Self {
            select: wake.select,
            unmatched: wake.unmatched,
            every_namespace: config.query.missing_namespace == MissingNamespace::All,
            max_sample_age: config.query.max_sample_age,
            ready_timeout: wake.ready_timeout,
            unschedulable_after: wake.unschedulable_after,
            max_escalations: wake.max_escalations,
            settle: wake.settle,
            manual_hold: wake.manual_hold,
            guard: wake.guard,
            max_starting: wake.max_starting,
            max_starting_per_namespace: wake.max_starting_per_namespace,
            backoff: wake.backoff,
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
            sources: config.scope.sources.clone(),
        }
    }
}
