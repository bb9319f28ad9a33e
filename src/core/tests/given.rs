//! Objects in few words: `v("ns/a").model("m").cost("5").serving()`.

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

/// `a=b,c=d`, or nothing.
pub fn labels(text: &str) -> Labels {
    let pairs = text.split(',').filter(|t| !t.is_empty());
    pairs
        .map(|pair| pair.split_once('=').expect("name=value"))
        .collect()
}

/// A variant with its target. By default its model is `m`, its target is the Deployment of its own
/// name at 0, and that one's pods are labelled `app=m`.
#[derive(Clone)]
pub struct V {
    pub name: ObjectName,
    pub variant: Variant,
    /// `None`: the target is missing.
    pub target: Option<Target>,
    pub replicas: i64,
    pub ready: i64,
}

/// A variant, `ns/name`.
pub fn v(text: &str) -> V {
    V {
        name: name(text),
        variant: Variant {
            uid: format!("uid of {text}").into(),
            resource_version: "1".into(),
            generation: 3,
            target: TargetRef::Known(deployment(text)),
            model: "m".into(),
            aliases: Box::default(),
            cost: Cost::parse(None),
            max_replicas: None,
            deleting: false,
            excluded: false,
            controller_instance: None,
            accelerator: None,
            status: VariantStatus::default(),
        },
        target: Some(Target {
            uid: format!("uid of the target of {text}").into(),
            generation: 7,
            observed: Observed::new(Some(0), None, "1"),
            labels: labels("app=m"),
            deleting: false,
            excluded: false,
            accelerator: None,
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

    /// Another target of its own namespace; where it stands already, add [`V::shared`].
    pub fn target(mut self, target: &str) -> Self {
        let namespace = &self.name.namespace;
        self.variant.target = TargetRef::Known(deployment(&format!("{namespace}/{target}")));
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
