//! Objects in few words: `v("ns/a").model("m").cost("5").serving()`, `hpa("ns/h").on("ns/a").min(0)`.
//!
//! Names are written as the program prints them: `ns/a` is a VariantAutoscaling or a Deployment, and
//! `LeaderWorkerSet ns/a`, `HorizontalPodAutoscaler ns/h` name their kind.

use crate::core::*;

/// `ns/name`.
pub fn name(text: &str) -> ObjectName {
    let (namespace, name) = text.split_once('/').expect("namespace/name");
    ObjectName::new(namespace, name)
}

/// A Deployment, `ns/name`.
pub fn deployment(text: &str) -> TargetKey {
    TargetKey {
        kind: TargetKind::Deployment,
        name: name(text),
    }
}

/// A target as it is printed: `StatefulSet ns/name`, `LeaderWorkerSet ns/name`; without a kind a Deployment.
pub fn target(text: &str) -> TargetKey {
    let (kind, text) = text.split_once(' ').unwrap_or(("Deployment", text));
    TargetKey {
        kind: TargetKind::of(None, kind).expect("a well-known kind"),
        name: name(text),
    }
}

/// A variant as it is printed: `ns/name` of a VariantAutoscaling, `ScaledObject ns/name` and so on.
pub fn variant(text: &str) -> VariantKey {
    let (kind, text) = text.split_once(' ').unwrap_or(("VariantAutoscaling", text));
    let source = Source::ALL.into_iter().find(|source| source.as_str() == kind);
    VariantKey {
        name: name(text),
        source: source.expect("a source"),
    }
}

/// What scales, as it is printed: `ScaledObject ns/name` or `HorizontalPodAutoscaler ns/name`.
pub fn scaler(text: &str) -> ScalerKey {
    let VariantKey { name, source } = variant(text);
    let kind = ScalerKind::ALL.into_iter().find(|kind| kind.source() == source);
    ScalerKey {
        kind: kind.expect("an HPA or a ScaledObject"),
        name,
    }
}

/// `a=b,c=d`, or nothing.
pub fn labels(text: &str) -> Labels {
    let pairs = text.split(',').filter(|t| !t.is_empty());
    pairs
        .map(|pair| pair.split_once('=').expect("name=value"))
        .collect()
}

/// A field manager that owns `spec.replicas`; of several the last in a list has written last.
pub fn owner(manager: &str) -> Owner {
    Owner {
        manager: manager.into(),
        time: None,
    }
}

/// A variant with its target. By default it is a VariantAutoscaling, its model is `m`, its target is
/// the Deployment of its own name at 0, and that one's pods are labelled `app=m`.
#[derive(Clone)]
pub struct V {
    pub name: VariantKey,
    pub variant: Variant,
    /// `None`: the target is missing.
    pub target: Option<Target>,
    pub replicas: i64,
    pub ready: i64,
}

/// A VariantAutoscaling, `ns/name`, or another source as it is printed, `ScaledObject ns/name`: one that
/// is a variant (rule 16) and scales down to 0. For more of what it says as one that scales, see [`S::describes`].
pub fn v(text: &str) -> V {
    let key = variant(text);
    let own = key.name.to_string();
    V {
        name: key,
        variant: Variant {
            uid: format!("uid of {text}").into(),
            resource_version: "1".into(),
            generation: 3,
            target: TargetRef::Known(deployment(&own)),
            model: "m".into(),
            aliases: Box::default(),
            cost: Cost::parse(None),
            max_replicas: None,
            deleting: false,
            excluded: false,
            controller_instance: None,
            accelerator: None,
            status: VariantStatus::default(),
            annotated: None,
        },
        target: Some(Target {
            uid: format!("uid of the target of {text}").into(),
            generation: 7,
            observed: Observed::new(Some(0), None, "1"),
            labels: labels("app=m"),
            deleting: false,
            excluded: false,
            accelerator: None,
            has_template: true,
        }),
        replicas: 0,
        ready: 0,
    }
}

impl V {
    pub fn model(mut self, model: &str) -> Self {
        self.variant.model = model.into();
        self
    }

    pub fn alias(mut self, alias: &str) -> Self {
        let aliases = self.variant.aliases.iter().cloned();
        self.variant.aliases = aliases.chain([alias.into()]).collect();
        self
    }

    pub fn cost(mut self, cost: &str) -> Self {
        self.variant.cost = Cost::parse(Some(cost));
        self
    }

    /// The labels of its pods.
    pub fn labels(self, text: &str) -> Self {
        self.edit(|target| target.labels = labels(text))
    }

    /// The label `llm-d.ai/role` of its pods, beside those it has.
    pub fn role(self, role: &str) -> Self {
        self.edit(|target| {
            let others = target.labels.iter().filter(|(name, _)| *name != ROLE);
            target.labels = others.chain([(ROLE, role)]).collect();
        })
    }

    /// Another target of its own namespace, `a` or `LeaderWorkerSet a`; where it stands already, add [`V::shared`].
    pub fn target(mut self, text: &str) -> Self {
        let (kind, name) = text.split_once(' ').unwrap_or(("Deployment", text));
        let namespace = &self.name.name.namespace;
        self.variant.target = TargetRef::Known(target(&format!("{kind} {namespace}/{name}")));
        self
    }

    /// Leaves the target as another variant has put it there, or missing.
    pub fn shared(mut self) -> Self {
        self.target = None;
        self
    }

    /// Scaled to so many, of which so many are ready.
    pub fn scaled(mut self, replicas: i64, ready: i64) -> Self {
        (self.replicas, self.ready) = (replicas, ready);
        self
    }

    pub fn starting(self) -> Self {
        self.scaled(1, 0)
    }

    pub fn serving(self) -> Self {
        self.scaled(1, 1)
    }

    /// Any other change of the variant.
    pub fn but(mut self, change: impl FnOnce(&mut Variant)) -> Self {
        change(&mut self.variant);
        self
    }

    /// Any other change of its target.
    pub fn edit(mut self, change: impl FnOnce(&mut Target)) -> Self {
        change(self.target.as_mut().expect("a target"));
        self
    }

    /// Its status asks for so many replicas, as WVA would write it.
    pub fn asks(self, replicas: i64) -> Self {
        self.but(|variant| {
            variant.status.desired = Some(Desired {
                replicas,
                accelerator: Some("H100".into()),
                last_run: None,
            });
        })
    }

    /// Its status says that it was woken then, as a wake writes it.
    pub fn woken(self, at: Wall) -> Self {
        let asks = self
            .asks(1)
            .condition(OPTIMIZATION_READY, "True", SCALE_FROM_ZERO_MODE);
        asks.but(|variant| {
            let desired = variant.status.desired.as_mut().expect("it asks");
            desired.last_run = Some(at);
        })
    }

    /// A condition stands in its status.
    pub fn condition(self, kind: &str, status: &str, reason: &str) -> Self {
        self.but(|variant| {
            let condition = Condition {
                kind: kind.into(),
                status: status.into(),
                reason: reason.into(),
                message: "as before".into(),
                since: Some(Wall::UNIX_EPOCH),
                observed_generation: None,
            };
            let before = variant.status.conditions.iter().cloned();
            variant.status.conditions = before.chain([condition]).collect();
        })
    }
}

/// An HPA or a ScaledObject. By default it scales the Deployment of its own name, and is no variant.
#[derive(Clone)]
pub struct S {
    pub key: ScalerKey,
    pub scaler: Scaler,
    /// What it describes, with its target.
    pub v: Option<V>,
}

/// A HorizontalPodAutoscaler `ns/name`, with minReplicas 1 as the API defaults it.
pub fn hpa(text: &str) -> S {
    scales(&format!("HorizontalPodAutoscaler {text}"), 1)
}

/// A ScaledObject `ns/name`, with minReplicaCount 0 as KEDA defaults it.
pub fn scaled_object(text: &str) -> S {
    scales(&format!("ScaledObject {text}"), 0)
}

fn scales(text: &str, min_replicas: i64) -> S {
    let key = scaler(text);
    let own = deployment(&key.name.to_string());
    S {
        scaler: Scaler {
            resource_version: "1".into(),
            target: TargetRef::Known(own),
            min_replicas,
            paused: None,
            paused_scale_in: None,
            is_child: false,
            deleting: false,
            last_scale: None,
            guard: None,
            variant: None,
        },
        key,
        v: None,
    }
}

impl S {
    /// What it scales, as in [`target`].
    pub fn on(mut self, text: &str) -> Self {
        self.scaler.target = TargetRef::Known(target(text));
        self
    }

    /// `minReplicas` or `minReplicaCount`.
    pub fn min(mut self, replicas: i64) -> Self {
        self.scaler.min_replicas = replicas;
        self
    }

    /// One of KEDA's annotations pauses it.
    pub fn paused(mut self, how: Pause) -> Self {
        self.scaler.paused = Some(how);
        self
    }

    /// KEDA's annotation `paused-scale-in` says so.
    pub fn paused_scale_in(mut self, value: &str) -> Self {
        self.scaler.paused_scale_in = Some(value.into());
        self
    }

    /// It is the HPA that KEDA made for a ScaledObject.
    pub fn child(mut self) -> Self {
        self.scaler.is_child = true;
        self
    }

    /// When it has last scaled.
    pub fn scaled_at(mut self, at: Wall) -> Self {
        self.scaler.last_scale = Some(at);
        self
    }

    /// A guard of ours stands on it, with the value that guards, put up for a model (`ns/pool/model`).
    pub fn guarded(mut self, before: Option<&str>, until: Wall, model: &str) -> Self {
        let is_keda = self.key.kind == ScalerKind::ScaledObject;
        let ours: Box<str> = if is_keda { "true" } else { "1" }.into();
        if is_keda {
            self.scaler.paused_scale_in = Some(ours.clone());
        } else {
            self.scaler.min_replicas = 1;
        }
        self.scaler.guard = Some(Guard {
            before: before.map(Into::into),
            ours,
            until,
            model: super::world::key(model),
        });
        self
    }

    /// It is a variant (rule 16) that says what `v` does; so it scales `v`'s target, which is put there with it.
    pub fn describes(mut self, v: V) -> Self {
        self.scaler.target = v.variant.target.clone();
        self.scaler.variant = Some(v.variant.clone());
        self.v = Some(v);
        self
    }

    /// Any other change.
    pub fn but(mut self, change: impl FnOnce(&mut Scaler)) -> Self {
        change(&mut self.scaler);
        self
    }
}
