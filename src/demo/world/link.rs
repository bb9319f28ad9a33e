//! The links of the wake path that can be broken in the demo, and what is said of each.

use serde::{Deserialize, Serialize};

use super::{
    super::kubernetes::Resource,
    cast::{Model, Shape, Variant},
};

/// A link of the wake path, by what is wrong with it while it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The EPP holds no queue.
    FlowControlOff,
    /// Prometheus knows nothing of the EPP.
    EppNotScraped,
    /// The pool's selector matches no pods.
    NoPool,
    /// The cheapest target is not there.
    TargetDeleted,
    /// The API server refuses every scale.
    ScaleForbidden,
    /// No node has room for the cheapest target's pods.
    Unschedulable,
    /// Quota refuses the cheapest target's pods.
    Quota,
    /// The cheapest target's pods run, and never become ready.
    NeverReady,
    /// An HPA scales the cheapest target back to 0.
    HpaTakesBack,
    /// A person scales whatever is up to 0.
    ScaledDownByHand,
    /// Prometheus does not answer: the one link that all models share.
    PrometheusDown,
}

impl Link {
    /// Every link, in the order of the wake path.
    pub const ALL: [Self; 11] = [
        Self::FlowControlOff,
        Self::EppNotScraped,
        Self::PrometheusDown,
        Self::NoPool,
        Self::TargetDeleted,
        Self::ScaleForbidden,
        Self::Unschedulable,
        Self::Quota,
        Self::NeverReady,
        Self::HpaTakesBack,
        Self::ScaledDownByHand,
    ];

    /// Whether it is the same link for all models.
    pub fn is_shared(self) -> bool {
        self == Self::PrometheusDown
    }

    /// Whether it is part of a model's wake path.
    pub fn is_of(self, model: &Model) -> bool {
        match self {
            Self::PrometheusDown => false,
            // The controller of StatefulSets writes no such condition.
            Self::Quota => model.cheapest().target_kind == Resource::Deployments,
            _ => true,
        }
    }

    /// What is wrong, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::FlowControlOff => "Flow control off",
            Self::EppNotScraped => "EPP not scraped",
            Self::NoPool => "No pool selects it",
            Self::TargetDeleted => "Target deleted",
            Self::ScaleForbidden => "Scale forbidden",
            Self::Unschedulable => "No room on any node",
            Self::Quota => "Quota used up",
            Self::NeverReady => "Never ready",
            Self::HpaTakesBack => "HPA takes it back",
            Self::ScaledDownByHand => "A person scales it to 0",
            Self::PrometheusDown => "Prometheus down",
        }
    }

    /// What will be seen, in one sentence.
    pub fn seen(self) -> &'static str {
        match self {
            Self::FlowControlOff => {
                "Parked, it becomes no_signal (flow_control_off) within seconds: the EPP keeps no queue, so requests are \
                 refused at once and nobody can see them."
            }
            Self::EppNotScraped => {
                "Parked, it becomes no_signal (epp_not_scraped) after three looks: requests wait at the EPP, and Prometheus \
                 knows of none."
            }
            Self::NoPool => {
                "It becomes blocked (no_pool): requests wait at a pool that selects none of its pods, so no target answers \
                 for them."
            }
            Self::TargetDeleted => {
                "The cheapest variant, whose target it was, becomes blocked (target_missing): the next cheapest is woken, if there is \
                 one."
            }
            Self::ScaleForbidden => {
                "Asked for, it becomes blocked (wake_failed): the PATCH on /scale gets 403, and is tried again after a wait \
                 that grows."
            }
            Self::Unschedulable => {
                "Woken, it becomes overdue (unschedulable): the next cheapest variant is woken in its place, and it turns \
                 surplus; alone, it is waited for."
            }
            Self::Quota => {
                "Woken, it becomes overdue (replica_failure): no pod is made at all, and the next cheapest variant is woken, \
                 if there is one."
            }
            Self::NeverReady => {
                "Woken, it becomes overdue (not_ready) after wake.readyTimeout: the next cheapest variant is woken, if there \
                 is one."
            }
            Self::HpaTakesBack => {
                "Woken, it is scaled back to 0 by an HPA with minReplicas 0 and becomes reverted, with the HPA named: it is woken again after \
                 waits that grow."
            }
            Self::ScaledDownByHand => {
                "Woken, it is scaled to 0 and becomes reverted (manual): a person is not fought, and it is left alone for \
                 wake.manualHold."
            }
            Self::PrometheusDown => {
                "The last successful query grows old and no model is woken; nothing is forgotten, and what waits then is \
                 woken once Prometheus answers."
            }
        }
    }

    /// How one would mend it in real life, in one sentence with the command or the line of a manifest between
    /// backquotes. `None` of a
    /// link that is not the model's.
    pub fn mend(self, model: Option<&Model>) -> Option<String> {
        let Some(model) = model else {
            return self.is_shared().then(|| {
                "Look why it is down (`kubectl -n monitoring get pods -l app.kubernetes.io/name=prometheus`), and name a \
                 second server under `prometheus.urls`, which is asked when the first does not answer."
                    .to_owned()
            });
        };
        let Model { namespace, pool, .. } = model;
        let (app, epp, pool_name) = (model.app(), model.epp(), &pool.name);
        let variant @ Variant { target, name, .. } = model.cheapest();
        let kind = variant.target_kind().to_lowercase();
        let kubectl = format!("kubectl -n {namespace}");
        let text = match self {
            Self::PrometheusDown => return None,
            Self::FlowControlOff => format!(
                "Write `featureGates: [flowControl]` into the EPP's EndpointPickerConfig, and restart its pods, which read it \
                 once: `{kubectl} rollout restart deployment {epp}`"
            ),
            Self::EppNotScraped => format!(
                "Give the Service {epp} a ServiceMonitor (`endpoints: [{{port: http-metrics, interval: 1s}}]`), and see whether \
                 Prometheus takes it: `{kubectl} get servicemonitors --show-labels`"
            ),
            Self::NoPool => {
                let (resource, selector) = match pool.shape {
                    Shape::Stable => ("inferencepool", format!(r#"{{"matchLabels":{{"app":"{app}"}}}}"#)),
                    Shape::Flat => (
                        "inferencepools.inference.networking.x-k8s.io",
                        format!(r#"{{"app":"{app}"}}"#),
                    ),
                    Shape::Guide => (
                        "inferencepools.inference.networking.x-k8s.io",
                        format!(r#"{{"matchLabels":{{"app":"{app}"}}}}"#),
                    ),
                };
                format!(
                    "Make selector and pod labels agree: `{kubectl} patch {resource} {pool_name} --type merge -p \
                     '{{\"spec\":{{\"selector\":{selector}}}}}'`"
                )
            }
            Self::TargetDeleted => format!("Apply its manifest again: `{kubectl} apply -f {target}.yaml`"),
            Self::ScaleForbidden => {
                format!(
                    "Grant `patch` on `{kind}s/scale` again: `kubectl apply -k manifests/rbac/cluster-wide`"
                )
            }
            Self::Unschedulable => format!(
                "Add a node with a free {}, or let an autoscaler do so; the scheduler says what it misses: `{kubectl} describe \
                 pod -l variant={name}`",
                variant.accelerator
            ),
            Self::Quota => format!(
                "Raise the quota: `{kubectl} patch resourcequota gpus --type merge -p \
                 '{{\"spec\":{{\"hard\":{{\"requests.nvidia.com/gpu\":\"8\"}}}}}}'`"
            ),
            Self::NeverReady => format!(
                "See what the server says (`{kubectl} logs {kind}/{target}`), and if it only needs longer, raise \
                 `wake.readyTimeout`"
            ),
            Self::HpaTakesBack => format!(
                "Hold it up with minReplicas 1 (`{kubectl} patch hpa {target} -p '{{\"spec\":{{\"minReplicas\":1}}}}'`), or have \
                 us do so while it starts: `wake.guard: true`"
            ),
            Self::ScaledDownByHand => format!(
                "Scale it up again, which ends the hold at once: `{kubectl} scale {kind} {target} --replicas=1`"
            ),
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::cast::cast, *};

    #[test]
    fn each_link_says_what_is_seen_and_how_to_mend_it() {
        let models = cast(5);
        assert_eq!(BTreeSet::from(Link::ALL).len(), Link::ALL.len());
        for link in Link::ALL {
            for text in [link.title(), link.seen()] {
                assert!(text.len() > 10 && !text.contains("  "), "{text:?}");
            }
            assert!(
                link.seen().ends_with('.') && link.seen().matches(". ").count() == 0,
                "{link:?}"
            );
            assert_eq!(link.mend(None).is_some(), link.is_shared(), "{link:?}");
            for model in &models {
                let mend = link.mend(Some(model));
                assert_eq!(mend.is_none(), link.is_shared(), "{link:?} {}", model.name);
                assert!(!link.is_of(model) || mend.is_some(), "{link:?} {}", model.name);
                let mend = mend.unwrap_or_default();
                assert!(
                    !mend.contains("  ") && mend.matches('`').count() % 2 == 0,
                    "{mend}"
                );
            }
        }
    }

    #[test]
    fn the_commands_name_the_models_own_objects() {
        let models = cast(3);
        let mend = |link: Link, model: usize| link.mend(Some(&models[model])).unwrap();
        assert!(
            mend(Link::NoPool, 2).ends_with(
                "kubectl -n llm-batch patch inferencepools.inference.networking.x-k8s.io qwen-pool --type merge -p \
                 '{\"spec\":{\"selector\":{\"app\":\"qwen\"}}}'`"
            ),
            "{}",
            mend(Link::NoPool, 2)
        );
        assert!(mend(Link::ScaledDownByHand, 2).ends_with("scale statefulset qwen-h100 --replicas=1`"));
        assert!(mend(Link::FlowControlOff, 0).ends_with("restart deployment llama-8b-epp`"));
        assert!(!Link::Quota.is_of(&models[2]) && Link::Quota.is_of(&models[0]));
    }
}
