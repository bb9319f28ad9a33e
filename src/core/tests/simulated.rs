//! A small cluster that compares and swaps, with a watch that lags and answers that get lost, and
//! copies of the loop that run against it.

use std::{collections::BTreeMap, time::Duration};

use super::world::{V, World, deployment, key, name, owner, row, v, written};
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
    /// Scaled to so many by WVA, an HPA or a person.
    Scale(i64),
    /// Written without any change of replicas.
    Touch,
}

/// The targets: `a` and `b` serve `m`, `a` cheaper and asked for by two variants; `n` serves `n`.
pub const TARGETS: [&str; 3] = ["ns/a", "ns/b", "ns/n"];

/// What the API server holds of a target.
#[derive(Clone, Debug)]
struct Held {
    replicas: i64,
    ready: i64,
    version: u64,
    /// The copy that made the last step from 0, if one did.
    woken_by: Option<usize>,
}

/// What a watch tells.
#[derive(Clone, Debug)]
enum Told {
    Target(&'static str, Held),
    Status(ObjectName, VariantStatus),
}

/// The API server.
#[derive(Debug)]
pub struct Server {
    version: u64,
    targets: BTreeMap<&'static str, Held>,
    statuses: BTreeMap<ObjectName, VariantStatus>,
    /// All that has happened, for the watches to tell.
    log: Vec<Told>,
    late: Vec<(usize, Wake)>,
}

/// A write that has not been answered yet, and what the server will say.
struct Flying {
    wake: Wake,
    fate: Fate,
    result: Result<(), Failure>,
}

/// One copy of the loop.
pub struct Copy {
    pub world: World,
    /// How much of the log its watches have told it.
    told: usize,
    flying: Vec<Flying>,
    /// Writes that were answered yes, and those without an answer.
    pub accepted: usize,
    pub unanswered: usize,
    /// Targets that it has seen go up, by its own wakes.
    pub ups: usize,
}

fn variants() -> [V; 4] {
    [
        v("ns/a").cost("1"),
        v("ns/a2").target("a").cost("2").shared(),
        v("ns/b").cost("5"),
        v("ns/n").model("n"),
    ]
}

/// Short times, so that everything that is waited for comes within a few steps.
fn world() -> World {
    let world = variants()
        .into_iter()
        .fold(World::new().pool("ns/p", "app=m"), World::with);
    world.rules(|rules| {
        rules.settle = Duration::from_secs(5);
        rules.ready_timeout = Duration::from_secs(10);
        rules.backoff.max = Duration::from_secs(4);
        rules.max_escalations = 0;
    })
}

impl Server {
    pub fn new() -> Self {
        let held = Held {
            replicas: 0,
            ready: 0,
            version: 1_000,
            woken_by: None,
        };
        let mut server = Self {
            version: 1_000,
            targets: BTreeMap::new(),
            statuses: BTreeMap::new(),
            log: vec![],
            late: vec![],
        };
        for target in TARGETS {
            server.targets.insert(target, held.clone());
            server.log.push(Told::Target(target, held.clone()));
        }
        server
    }

    fn write(&mut self, target: &'static str, change: impl FnOnce(&mut Held)) {
        self.version += 1;
        let held = self.targets.get_mut(target).expect("a target");
        change(held);
        held.version = self.version;
        self.log.push(Told::Target(target, held.clone()));
    }

    /// Something happens to a target.
    pub fn happens(&mut self, target: &'static str, event: Event) {
        self.write(target, |held| match event {
            Event::Ready(ready) => held.ready = i64::from(ready).min(held.replicas),
            Event::Scale(replicas) => {
                held.replicas = replicas;
                held.ready = held.ready.min(replicas);
                held.woken_by = None;
            }
            Event::Touch => {}
        });
    }

    /// Rule 14: the version must be the one that the wake was built from, and then it stood at 0.
    fn patch(&mut self, copy: usize, wake: &Wake) -> Result<(), Failure> {
        let target = TARGETS.into_iter().find(|t| deployment(t) == wake.target);
        let target = target.expect("a target that there is");
        assert_ne!(
            target, "ns/b",
            "the dearer variant is never woken while there is a cheaper one"
        );
        if self.targets[target].version.to_string() != wake.resource_version() {
            return Err(Failure::Conflict);
        }
        assert_eq!(self.targets[target].replicas, 0, "never a step from n > 0");
        self.write(target, |held| {
            held.replicas = 1;
            held.woken_by = Some(copy);
        });
        Ok(())
    }

    pub fn replicas(&self, target: &str) -> i64 {
        self.targets[target].replicas
    }

    pub fn woken_by(&self, target: &str) -> Option<usize> {
        self.targets[target].woken_by
    }

    /// Whether the status of a variant asks for replicas.
    pub fn says_so(&self, variant: &str) -> bool {
        let status = self.statuses.get(&name(variant));
        status.is_some_and(|status| status.desired_replicas() >= 1)
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
        for (copy, wake) in std::mem::take(&mut self.late) {
            let _ = self.patch(copy, &wake);
        }
    }
}

impl Copy {
    pub fn new() -> Self {
        Self {
            world: world(),
            told: 0,
            flying: vec![],
            accepted: 0,
            unanswered: 0,
            ups: 0,
        }
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Target(target, held) => {
                let key = deployment(target);
                let mut now = self.world.inventory.target(&key).cloned().expect("a target");
                now.observed =
                    Observed::new(Some(held.replicas), Some(held.ready), &held.version.to_string());
                self.world.inventory.apply(Change::Target(key, Some(now)));
            }
            Told::Status(variant, status) => {
                self.world.status(&variant.to_string(), |now| *now = status);
            }
        }
    }

    /// Its watches tell it as much more of what has happened.
    pub fn watch(&mut self, server: &Server, events: usize) {
        let end = self.told.saturating_add(events).min(server.log.len());
        for told in &server.log[self.told..end] {
            self.hear(told.clone());
        }
        self.told = end;
    }

    /// One tick, with these models asked for; `None` if the query failed. Its writes meet this fate,
    /// and are answered by a later [`Copy::land`].
    pub fn tick(&mut self, me: usize, server: &mut Server, models: Option<&[&str]>, fate: Fate) {
        for target in self.world.memory.look_due(self.world.now.mono) {
            let target = TARGETS
                .into_iter()
                .find(|t| deployment(t) == target)
                .expect("a target");
            self.hear(Told::Target(target, server.targets[target].clone()));
        }
        let answer = models.map_or(Answer::Unknown, |models| {
            Answer::Complete(models.iter().map(|m| row(&format!("ns/p/{m}"))).collect())
        });
        let ticked = self.world.answer(&answer);
        let ours = |m: &&Moved| matches!(m, Moved::Up(Waker::Us));
        self.ups += ticked.moved().iter().filter(ours).count();
        // Whoever scales here is named by the object and no person.
        self.world.attribute(Some(&[owner("wva")]));
        for wake in ticked.plan.wakes {
            assert!(
                self.flying.iter().all(|other| other.wake.target != wake.target),
                "nothing is sent while a wake of the same target is under way"
            );
            let asked = models.is_some_and(|models| models.contains(&&*wake.key.model));
            assert!(asked, "no wake without demand");
            self.world.memory.sent(&wake);
            let result = match fate {
                Fate::Answered | Fate::AnswerLost => server.patch(me, &wake),
                Fate::Late => {
                    server.late.push((me, wake.clone()));
                    Ok(())
                }
                Fate::Lost => Ok(()),
                Fate::Refused(why, _) => Err(why),
            };
            self.flying.push(Flying { wake, fate, result });
        }
    }

    /// The answers to its writes come.
    pub fn land(&mut self) {
        for Flying { wake, fate, result } in std::mem::take(&mut self.flying) {
            let answer = match fate {
                Fate::Answered => result.map_err(|why| (why, None)),
                Fate::Refused(why, wait) => Err((why, wait.map(Duration::from_secs))),
                Fate::AnswerLost | Fate::Late | Fate::Lost => Err((Failure::NoAnswer, None)),
            };
            self.accepted += usize::from(answer.is_ok());
            self.unanswered += usize::from(matches!(answer, Err((Failure::NoAnswer, _))));
            self.world.answered(&wake, answer);
        }
    }

    /// Its reports go out, and come through or not.
    pub fn report(&mut self, server: &mut Server, events: bool, status: bool) {
        for report in self.world.reports() {
            if let Some(Mark::Status(update)) = report.mark.as_ref().filter(|_| status) {
                let now = written(update.clone());
                server.statuses.insert(report.variant.name.clone(), now.clone());
                server.log.push(Told::Status(report.variant.name.clone(), now));
            }
            let written = status || report.mark.is_none();
            self.world
                .reported(&report.variant.to_string(), events || !report.events, written);
        }
    }

    /// Whether anything is remembered.
    pub fn remembers(&self) -> bool {
        let memory = &self.world.memory;
        let episode = ["ns/p/m", "ns/p/n"]
            .iter()
            .any(|k| memory.episode(&key(k)).is_some());
        let tracked = TARGETS.iter().any(|t| memory.tracked(&deployment(t)).is_some());
        episode || tracked || memory.episodes() > 0 || !memory.reports.is_empty()
    }
}
