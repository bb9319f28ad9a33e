//! Its broken links: what breaks in the API, and who takes wakes back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        super::kubernetes::{Effect, Failure, Match, Subresource, Verb},
        cast::{Shape, Variant},
    },
    Actor, Kube, Link, Pace, Resource, What, pods, wall,
};

/// Who an HPA's writes are by.
const HPA: &str = "kube-controller-manager";
/// Who those of `kubectl scale` are by.
const PERSON: &str = "kubectl";

impl Actor {
    /// Breaks a link or mends it. That it is so already is no error.
    ///
    /// # Errors
    /// Where the embedded API refuses a change.
    pub fn set_broken(
        &mut self,
        link: Link,
        broken: bool,
        kube: &Kube,
        tell: &mut dyn FnMut(What),
    ) -> Result<(), Failure> {
        if self.broken.contains(&link) == broken {
            return Ok(());
        }
        match link {
            Link::NoPool => self.set_selector(broken, kube)?,
            Link::TargetDeleted if broken => self.delete_target(kube),
            Link::TargetDeleted => {
                kube.apply(self.model.target(self.model.cheapest()))?;
            }
            Link::ScaleForbidden if broken => self.forbid(kube),
            Link::ScaleForbidden => {
                for fault in self.forbidden.drain(..) {
                    kube.remove_fault(fault);
                }
            }
            Link::HpaTakesBack => self.set_hpa(broken, kube)?,
            Link::ScaledDownByHand if !broken => self.scale_up_by_hand(kube),
            // What the EPP, the controllers, Prometheus or the person do, they do by themselves.
            _ => {}
        }
        if broken {
            self.broken.insert(link);
            let mend = link.mend(Some(&self.model)).unwrap_or_default();
            tell(What::Broken { link, mend });
        } else {
            self.broken.remove(&link);
            tell(What::Mended { link });
        }
        Ok(())
    }

    /// What keeps the pods of a target from becoming ready.
    pub(super) fn held_up(&self, index: usize) -> Option<pods::HeldUp> {
        if index != self.model.cheapest_index() {
            return None;
        }
        let ways = [
            (Link::Quota, pods::HeldUp::Refused),
            (Link::Unschedulable, pods::HeldUp::Unschedulable),
            (Link::NeverReady, pods::HeldUp::NotReady),
        ];
        let way = ways.into_iter().find(|(link, _)| self.broken.contains(link));
        way.map(|(_, held_up)| held_up)
    }

    /// Plays those who take a wake back, a moment after it.
    pub fn meddle(&mut self, now: Duration, kube: &Kube, pace: &Pace, tell: &mut dyn FnMut(What)) {
        let by_hpa = self.broken.contains(&Link::HpaTakesBack);
        let by_hand = self.broken.contains(&Link::ScaledDownByHand);
        if !by_hpa && !by_hand {
            return;
        }
        for index in 0..self.targets.len() {
            let target = self.targets[index];
            if target.replicas == 0 || now < target.woken + pace.meddle {
                continue;
            }
            let (manager, by) = if by_hpa && index == self.model.cheapest_index() {
                let name = &self.model.cheapest().target;
                (HPA, format!("HorizontalPodAutoscaler {name}"))
            } else if by_hand {
                (PERSON, "a person: kubectl scale --replicas=0".to_owned())
            } else {
                continue;
            };
            let Variant {
                target_kind, target, ..
            } = &self.model.variants[index];
            let namespace = &self.model.namespace;
            if kube.scale(*target_kind, namespace, target, 0, manager).is_err() {
                continue;
            }
            if manager == HPA {
                let _ = kube.update(Resource::HorizontalPodAutoscalers, namespace, target, |hpa| {
                    hpa["status"]["lastScaleTime"] = wall().into();
                });
            }
            self.taken_back(index, Some(by), kube, tell);
        }
    }

    /// Who has taken it back by hand scales it up again, where requests wait.
    fn scale_up_by_hand(&self, kube: &Kube) {
        let up = self.targets.iter().any(|target| target.replicas > 0);
        if !up && !self.waiting.is_empty() {
            let Variant {
                target_kind, target, ..
            } = self.model.cheapest();
            // One that is gone cannot be.
            let _ = kube.scale(*target_kind, &self.model.namespace, target, 1, PERSON);
        }
    }

    /// Has the pool select what its model's pods do not carry, or what they do.
    fn set_selector(&self, broken: bool, kube: &Kube) -> Result<(), Failure> {
        let mut pool = self.model.pool_object();
        if broken {
            let app = format!("{}-v1", self.model.app());
            let selector = &mut pool["spec"]["selector"];
            match self.model.pool.shape {
                Shape::Flat => selector["app"] = app.into(),
                Shape::Stable | Shape::Guide => selector["matchLabels"]["app"] = app.into(),
            }
        }
        kube.apply(pool).map(|_| ())
    }

    fn delete_target(&mut self, kube: &Kube) {
        let index = self.model.cheapest_index();
        let variant = self.model.cheapest();
        // Somebody may have been faster.
        let _ = kube.delete(variant.target_kind, &self.model.namespace, &variant.target);
        self.remove_pod(index, kube);
        self.at_zero(index);
    }

    fn forbid(&mut self, kube: &Kube) {
        let scale = |variant: &Variant| Match {
            namespace: Some(self.model.namespace.clone()),
            name: Some(variant.target.clone()),
            ..Match::verb(Verb::Patch)
                .on(variant.target_kind)
                .part(Subresource::Scale)
        };
        let variants = self.model.variants.iter();
        self.forbidden = variants
            .map(|variant| kube.fail(scale(variant), Effect::Forbidden))
            .collect();
    }

    fn set_hpa(&self, there: bool, kube: &Kube) -> Result<(), Failure> {
        let (variant, namespace) = (self.model.cheapest(), &self.model.namespace);
        if there {
            return kube.apply(hpa(namespace, variant)).map(|_| ());
        }
        let _ = kube.delete(Resource::HorizontalPodAutoscalers, namespace, &variant.target);
        Ok(())
    }
}

/// An HPA by WVA's gauge, as WVA's guide has it, but that it may go to 0 at once.
fn hpa(namespace: &str, variant: &Variant) -> Value {
    let metric = json!({
        "name": "wva_desired_replicas",
        "selector": {"matchLabels": {"variant_name": variant.name}},
    });
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": variant.target, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": variant.target_kind(), "name": variant.target},
            "minReplicas": 0,
            "maxReplicas": 4,
            "metrics": [{
                "type": "External",
                "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "1"}},
            }],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    })
}
