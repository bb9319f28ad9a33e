//! Who scaled a target back to 0 (rule 12).

use std::fmt;

use super::{Inventory, ScalerKey, TargetKey, Wall};

/// A field manager that owns `spec.replicas`, as the object's `managedFields` say.
///
/// A write of 0 through `/scale` leaves none, since the field is omitted there at 0; a direct one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `manager`.
    pub manager: Box<str>,
    /// `time`.
    pub time: Option<Wall>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBy {
    /// A person: the tool that the object names, or, where nothing is known that scales it by itself, nobody else.
    Person(Option<Box<str>>),
    /// A writer that the object names and that is no person's tool, GitOps for example.
    Writer(Box<str>),
    /// Something through `/scale`, which keeps no name at 0. These scale it by themselves; the first did so last.
    Autoscaler(Box<[ScalerKey]>),
    /// It cannot be told: neither the object nor what scales it could be read.
    Unknown,
}

impl TakenBy {
    /// Tells it from the owners, `None` where the object could not be read, and from what scales the target.
    pub fn tell(owners: Option<&[Owner]>, inventory: &Inventory, target: &TargetKey) -> Self {
        let last = owners
            .unwrap_or_default()
            .iter()
            .max_by_key(|owner| owner.time.unwrap_or(Wall::MIN));
        if let Some(Owner { manager, .. }) = last {
            return if is_a_persons_tool(manager) {
                Self::Person(Some(manager.clone()))
            } else {
                Self::Writer(manager.clone())
            };
        }
        let mut scalers: Vec<_> = inventory.scalers_of(target).collect();
        // A ScaledObject's own HPA says nothing that the ScaledObject does not.
        if scalers.iter().any(|(_, scaler)| !scaler.is_child) {
            scalers.retain(|(_, scaler)| !scaler.is_child);
        }
        scalers.sort_by_key(|(_, scaler)| std::cmp::Reverse(scaler.last_scale));
        if !scalers.is_empty() {
            return Self::Autoscaler(scalers.into_iter().map(|(key, _)| key.clone()).collect());
        }
        if owners.is_some() && inventory.reads_scalers(&target.name.namespace) {
            Self::Person(None)
        } else {
            Self::Unknown
        }
    }

    /// Whether it was a person, who is not fought.
    pub fn is_a_person(&self) -> bool {
        matches!(self, Self::Person(_))
    }
}

/// `kubectl`, `kubectl-edit`, `kubectl.exe` and so on; `oc` and `oc-edit`, which are those of `OpenShift`, but not
/// `octopus`.
fn is_a_persons_tool(manager: &str) -> bool {
    manager.starts_with("kubectl") || manager == "oc" || manager.starts_with("oc-")
}

impl fmt::Display for TakenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(Some(tool)) => write!(f, "a person, by {tool}"),
            Self::Person(None) => f.write_str(
                "a person, it seems: through /scale, which keeps no name at zero, and no HorizontalPodAutoscaler or ScaledObject is on it",
            ),
            Self::Writer(manager) => write!(f, "field manager {manager}"),
            Self::Autoscaler(candidates) => {
                f.write_str("something through /scale, which keeps no name at zero; on it: ")?;
                for (index, candidate) in candidates.iter().enumerate() {
                    let separator = if index > 0 { ", " } else { "" };
                    write!(f, "{separator}{candidate}")?;
                }
                Ok(())
            }
            Self::Unknown => f.write_str(
                "something; who, cannot be told without the right to read the target, HorizontalPodAutoscalers and ScaledObjects",
            ),
        }
    }
}
