//! The objects as the loop knows them.

use crate::{
    check::{Object, Objects, Unread},
    cluster::{change, resource},
    config::Config,
    core::{Change, Inventory, Kind, OtherKind, ScopeRules, Source, TargetKind},
};

/// The kinds that the loop watches in any case, under this configuration.
pub(super) fn standing(config: &Config) -> impl Iterator<Item = Kind> {
    let takes_variants = config.scope.sources.contains(&Source::VariantAutoscaling);
    Kind::STANDING
        .into_iter()
        .filter(move |kind| *kind != Kind::Variant || takes_variants)
}

/// The inventory of objects of the standing kinds.
pub(in crate::check) fn inventory(config: &Config, objects: &Objects, unread: &[Unread]) -> Inventory {
    let mut inventory = Inventory::new(ScopeRules::from(config));
    for kind in standing(config) {
        let Some(resource) = resource(&kind) else { continue };
        apply(
            &mut inventory,
            &kind,
            objects.all(&resource.group, &resource.kind),
        );
        for unread in unread {
            if (&unread.group, &unread.kind) == (&resource.group, &resource.kind) {
                cannot_read(&mut inventory, &kind, unread);
            }
        }
    }
    inventory
}

/// Puts objects of one kind into it.
fn apply<'a>(inventory: &mut Inventory, kind: &Kind, objects: impl Iterator<Item = &'a Object>) {
    for object in objects {
        if let Some(change) = change(kind, &object.json) {
            inventory.apply(change);
        }
    }
}

/// What discovery has of a kind of target.
pub(super) enum Known<'a> {
    /// It can be scaled; these are its objects.
    Scalable(&'a Objects, &'a [Unread]),
    /// It cannot.
    NotScalable,
}

/// Puts a kind of target into it that only discovery finds.
pub(super) fn apply_other(inventory: &mut Inventory, other: &std::sync::Arc<OtherKind>, known: &Known<'_>) {
    let kind = Kind::Target(TargetKind::Other(other.clone()));
    match known {
        Known::NotScalable => inventory.apply(Change::Scalable(other.clone(), false)),
        Known::Scalable(objects, unread) => {
            inventory.apply(Change::Scalable(other.clone(), true));
            apply(inventory, &kind, objects.all(&other.group, &other.kind));
            for unread in *unread {
                if (&*unread.group, &*unread.kind) == (&*other.group, &*other.kind) {
                    cannot_read(inventory, &kind, unread);
                }
            }
        }
    }
}

/// There being none says nothing, unless there is no such kind.
fn cannot_read(inventory: &mut Inventory, kind: &Kind, unread: &Unread) {
    if !unread.absent {
        let within = unread.namespace.as_deref().map(Into::into);
        inventory.apply(Change::Readable(kind.clone(), within, false));
    }
}
