//! A small API server that compares and swaps, with others who scale, and copies of the loop that run against it.

mod copy;

use std::{collections::BTreeMap, time::Duration};

pub use self::copy::Copy;
use super::world::{V, World, apply_guard, deployment, hpa, scaler, v, variant};
use crate::core::*;

/// What becomes of a write.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It is compared and swapped, and answered.
    Answered,
    /// The same, but the answer is lost.
    AnswerLost,
    /// The answer is lost, and the write comes through at the end of the step, perhaps after that.
    Late,
    /// It is lost.
    Lost,
    /// It is refused.
    Refused(Failure, Option<u64>),
}

/// What happens to a target by others' hands.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A pod becomes ready, or is no longer.
    Ready(bool),
    /// Scaled to so many by a writer that the object names.
    Scale(i64, &'static str),
    /// Scaled to 0 by what scales it by itself, through `/scale`, unless a guard keeps it from that.
    Autoscale,
    /// Somebody writes the lowest number of replicas of what scales it.
    Min(i64),
    /// Written without any change of replicas.
    Touch,
}

/// The targets: `a` and `b` serve `m`, `a` cheaper and asked for by two variants; `n` serves `n`.
pub const TARGETS: [&str; 3] = ["ns/a", "ns/b", "ns/n"];

/// What scales them by itself: an HPA, nothing, and a ScaledObject that is the variant as well.
const HPA: &str = "HorizontalPodAutoscaler ns/h";
pub const SCALED_OBJECT: &str = "ScaledObject ns/n";

fn scaler_of(target: &str) -> Option<ScalerKey> {
    match target {
        "ns/a" => Some(scaler(HPA)),
        "ns/n" => Some(scaler(SCALED_OBJECT)),
        _ => None,
    }
}

/// What the API server holds of a target.
#[derive(Clone, Debug)]
struct Held {
    replicas: i64,
    ready: i64,
    version: u64,
    /// The copy that made the last step from 0, if one did.
    woken_by: Option<usize>,
    /// Who wrote the replicas last, if that was a direct write.
    owner: Option<&'static str>,
}

/// What a watch tells.
#[derive(Clone, Debug)]
enum Told {
    Target(&'static str, Held),
    Status(ObjectName, VariantStatus),
    Scaler(ScalerKey, Box<Scaler>),
}

/// The API server.
#[derive(Debug)]
pub struct Server {
    version: u64,
    targets: BTreeMap<&'static str, Held>,
    statuses: BTreeMap<ObjectName, VariantStatus>,
    scalers: BTreeMap<ScalerKey, Scaler>,
    /// The lowest number of replicas that others mean an HPA or ScaledObject to have.
    meant: BTreeMap<ScalerKey, i64>,
    /// All that has happened, for the watches to tell.
    log: Vec<Told>,
    late: Vec<(usize, Write)>,
}

/// A write.
#[derive(Clone, Debug)]
enum Write {
    Wake(Wake),
    Guard(GuardWrite),
}

impl Write {
    fn is_wake_of(&self, target: &TargetKey) -> bool {
        matches!(self, Self::Wake(wake) if wake.target == *target)
    }
}

fn variants() -> [V; 4] {
    [
        v("ns/a").cost("1"),
        v("ns/a2").target("a").cost("2").shared(),
        v("ns/b").cost("5"),
        v(SCALED_OBJECT).model("n"),
    ]
}

/// Short times, so that everything that is waited for comes within a few steps.
fn world(guard: bool) -> World {
    let world = variants()
        .into_iter()
        .fold(World::new().pool("ns/p", "app=m"), World::with);
    world.with(hpa("ns/h").on("ns/a").min(0)).rules(|rules| {
        rules.settle = Duration::from_secs(5);
        rules.ready_timeout = Duration::from_secs(10);
        rules.manual_hold = Duration::from_secs(3);
        rules.backoff.max = Duration::from_secs(4);
        rules.guard = guard;
    })
}

impl Server {
    pub fn new() -> Self {
        let held = Held {
            replicas: 0,
            ready: 0,
            version: 1_000,
            woken_by: None,
            owner: None,
        };
        let world = world(false);
        let scalers: BTreeMap<_, _> = [HPA, SCALED_OBJECT]
            .into_iter()
            .map(|text| (scaler(text), world.scaler(text).clone()))
            .collect();
        Self {
            version: 1_000,
            targets: TARGETS.map(|target| (target, held.clone())).into(),
            statuses: BTreeMap::new(),
            meant: scalers.keys().map(|key| (key.clone(), 0)).collect(),
            scalers,
            log: vec![],
            late: vec![],
        }
    }

    fn write(&mut self, target: &'static str, change: impl FnOnce(&mut Held)) {
        self.version += 1;
        let held = self.targets.get_mut(target).expect("a target");
        change(held);
        held.version = self.version;
        self.log.push(Told::Target(target, held.clone()));
    }

    fn write_scaler(&mut self, key: &ScalerKey, change: impl FnOnce(&mut Scaler)) {
        self.version += 1;
        let scaler = self.scalers.get_mut(key).expect("a scaler");
        change(scaler);
        scaler.resource_version = self.version.to_string().into();
        self.log.push(Told::Scaler(key.clone(), Box::new(scaler.clone())));
    }

    /// Something happens to a target, or to what scales it.
    pub fn happens(&mut self, target: &'static str, event: Event) {
        match event {
            Event::Autoscale => {
                let Some(scaler) = scaler_of(target).map(|key| &self.scalers[&key]) else {
                    return;
                };
                let kept = scaler.min_replicas > 0 || scaler.paused_scale_in.is_some();
                if !kept {
                    self.write(target, |held| {
                        (held.replicas, held.ready, held.woken_by, held.owner) = (0, 0, None, None);
                    });
                }
            }
            Event::Min(replicas) => {
                if let Some(key) = scaler_of(target) {
                    self.meant.insert(key.clone(), replicas);
                    self.write_scaler(&key, |scaler| scaler.min_replicas = replicas);
                }
            }
            Event::Ready(ready) => {
                self.write(target, |held| held.ready = i64::from(ready).min(held.replicas));
            }
            Event::Scale(replicas, owner) => self.write(target, |held| {
                held.replicas = replicas;
                held.ready = held.ready.min(replicas);
                held.woken_by = None;
                held.owner = Some(owner);
            }),
            Event::Touch => self.write(target, |_| {}),
        }
    }

    /// Rule 14: the version must be the one that the wake was built from, and then it stood at 0.
    fn patch(&mut self, copy: usize, wake: &Wake) -> Result<(), Failure> {
        let target = TARGETS.into_iter().find(|t| deployment(t) == wake.target);
        let target = target.expect("a target that there is");
        if self.targets[target].version.to_string() != wake.resource_version() {
            return Err(Failure::Conflict);
        }
        assert_eq!(self.targets[target].replicas, 0, "never a step from n > 0");
        self.write(target, |held| {
            held.replicas = 1;
            held.woken_by = Some(copy);
            held.owner = None;
        });
        Ok(())
    }

    /// Rule 17: the version must be the one that it was decided on.
    fn put_guard(&mut self, write: &GuardWrite) -> Result<(), Failure> {
        let stands = &self.scalers[&write.scaler];
        if stands.resource_version != write.resource_version {
            return Err(Failure::Conflict);
        }
        match &write.change {
            GuardChange::Put(_) => assert_eq!(stands.guard, None, "never a guard on a guard"),
            GuardChange::End(guard) | GuardChange::Forget(guard) => {
                assert_eq!(
                    stands.guard.as_ref(),
                    Some(guard),
                    "no other guard than was seen is ended"
                );
            }
        }
        self.write_scaler(&write.scaler, |scaler| apply_guard(scaler, write));
        Ok(())
    }

    fn take(&mut self, copy: usize, write: &Write) -> Result<(), Failure> {
        match write {
            Write::Wake(wake) => self.patch(copy, wake),
            Write::Guard(guard) => self.put_guard(guard),
        }
    }

    /// A write meets its fate; says what the server has to say to it.
    fn meet(&mut self, copy: usize, write: &Write, fate: Fate) -> Result<(), Failure> {
        match fate {
            Fate::Answered | Fate::AnswerLost => self.take(copy, write),
            Fate::Late => {
                self.late.push((copy, write.clone()));
                Ok(())
            }
            Fate::Lost => Ok(()),
            Fate::Refused(why, _) => Err(why),
        }
    }

    pub fn replicas(&self, target: &str) -> i64 {
        self.targets[target].replicas
    }

    pub fn woken_by(&self, target: &str) -> Option<usize> {
        self.targets[target].woken_by
    }

    /// Whether a wake is marked on a variant.
    pub fn says_so(&self, text: &str) -> bool {
        let key = variant(text);
        if key.source == Source::VariantAutoscaling {
            let status = self.statuses.get(&key.name);
            return status.is_some_and(|status| status.desired_replicas() >= 1);
        }
        let described = self.scalers[&scaler(text)].variant.as_ref();
        described.is_some_and(|variant| variant.annotated.is_some())
    }

    /// The guards that stand.
    pub fn guards(&self) -> Vec<&Guard> {
        self.scalers
            .values()
            .filter_map(|scaler| scaler.guard.as_ref())
            .collect()
    }

    /// Whether nothing of a guard is left: everything is as others mean it to be.
    pub fn is_as_meant(&self) -> bool {
        self.scalers.iter().all(|(key, scaler)| {
            scaler.guard.is_none()
                && scaler.paused_scale_in.is_none()
                && scaler.min_replicas == self.meant[key]
        })
    }

    /// Pods of what is scaled become ready.
    pub fn all_ready(&mut self) {
        for target in TARGETS {
            let held = &self.targets[target];
            if held.replicas > 0 && held.ready == 0 {
                self.happens(target, Event::Ready(true));
            }
        }
    }

    /// The end of a step: what was late comes through.
    pub fn settle(&mut self) {
        for (copy, write) in std::mem::take(&mut self.late) {
            let _ = self.take(copy, &write);
        }
    }

    /// Everything that there is, as a fresh list tells it.
    fn listed(&self) -> Vec<Told> {
        let targets = self
            .targets
            .iter()
            .map(|(name, held)| Told::Target(name, held.clone()));
        let statuses = self
            .statuses
            .iter()
            .map(|(name, s)| Told::Status(name.clone(), s.clone()));
        let scalers = self.scalers.iter();
        let scalers = scalers.map(|(key, scaler)| Told::Scaler(key.clone(), Box::new(scaler.clone())));
        targets.chain(statuses).chain(scalers).collect()
    }
}
