//! One copy of the loop against a server: its watches lag, its writes meet a fate, its answers come late.

use std::time::Duration;

use super::{
    super::world::{World, deployment, key, owner, row, scaler, written},
    Fate, Server, TARGETS, Told, Write, world,
};
use crate::core::{guard::Guards, *};

/// Something that has not been answered yet.
enum Flying {
    Write(Box<Write>, Fate, Result<(), Failure>),
    /// A look who owns the replicas; `None` if it fails.
    Owners(TargetKey, Option<Vec<Owner>>),
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

impl Copy {
    /// A copy that starts now: it lists everything, and goes on with what others have left (rule 15).
    pub fn start(server: &Server, guard: bool, now: Now) -> Self {
        let mut copy = Self {
            world: world(guard),
            told: server.log.len(),
            flying: vec![],
            accepted: 0,
            unanswered: 0,
            ups: 0,
        };
        copy.world.now = now;
        for told in server.listed() {
            copy.hear(told);
        }
        copy.world.restart();
        copy
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Target(target, held) => {
                let version = held.version.to_string();
                self.world.edit(target, |now| {
                    now.observed = Observed::new(Some(held.replicas), Some(held.ready), &version);
                });
            }
            Told::Status(variant, status) => {
                self.world.status(&variant.to_string(), |now| *now = status);
            }
            Told::Scaler(key, scaler) => {
                self.world.inventory.apply(Change::Scaler(key, Some(*scaler)));
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

    fn send(&mut self, me: usize, server: &mut Server, write: Write, fate: Fate) {
        let result = server.meet(me, &write, fate);
        self.flying.push(Flying::Write(Box::new(write), fate, result));
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
        let World {
            memory,
            inventory,
            rules,
            ..
        } = &mut self.world;
        memory.escalated(&ticked.plan, inventory, rules);
        for wake in ticked.plan.wakes {
            let target = &wake.target;
            let same = |other: &Flying| matches!(other, Flying::Write(write, ..) if write.is_wake_of(target));
            assert!(
                !self.flying.iter().any(same),
                "nothing is sent while a wake of the same target is under way"
            );
            let asked = models.is_some_and(|models| models.contains(&&*wake.key.model));
            let instead = matches!(wake.cause, Cause::Escalation { .. });
            assert!(asked || instead, "no wake without demand");
            let cheaper = self.world.memory.tracked(&deployment("ns/a"));
            assert!(
                *target != deployment("ns/b")
                    || cheaper.is_some_and(|t| t.passed_over.is_some() || t.refused().is_some()),
                "the dearer variant is never woken but in place of the cheaper one"
            );
            self.world.memory.sent(&wake);
            for guard in wake.guards.clone() {
                self.send(me, server, Write::Guard(guard), fate);
            }
            self.send(me, server, Write::Wake(wake), fate);
        }
        for target in self.world.memory.attributions_due() {
            let held = TARGETS.into_iter().find(|t| deployment(t) == target);
            let held = &server.targets[held.expect("a target")];
            let owners = match fate {
                Fate::Answered => Some(held.owner.map(owner).into_iter().collect()),
                _ => None,
            };
            self.flying.push(Flying::Owners(target, owners));
        }
        for write in self.world.guards() {
            self.send(me, server, Write::Guard(write), fate);
        }
    }

    /// The answers to its writes come.
    pub fn land(&mut self) {
        for flying in std::mem::take(&mut self.flying) {
            let (write, fate, result) = match flying {
                Flying::Write(write, fate, result) => (write, fate, result),
                Flying::Owners(target, owners) => {
                    let World {
                        memory,
                        inventory,
                        now,
                        rules,
                        ..
                    } = &mut self.world;
                    memory.attributed(&target, owners.as_deref(), inventory, now.mono, rules);
                    continue;
                }
            };
            let answer = match fate {
                Fate::Answered => result.map_err(|why| (why, None)),
                Fate::Refused(why, wait) => Err((why, wait.map(Duration::from_secs))),
                Fate::AnswerLost | Fate::Late | Fate::Lost => Err((Failure::NoAnswer, None)),
            };
            match *write {
                Write::Wake(wake) => {
                    self.accepted += usize::from(answer.is_ok());
                    self.unanswered += usize::from(matches!(answer, Err((Failure::NoAnswer, _))));
                    self.world.answered(&wake, answer);
                }
                Write::Guard(write) => {
                    let (now, backoff) = (self.world.now.mono, self.world.rules.backoff);
                    self.world
                        .memory
                        .guard_answered(&write.scaler, answer.is_ok(), now, backoff);
                }
            }
        }
    }

    /// Its reports go out, and come through or not.
    pub fn report(&mut self, server: &mut Server, events: bool, mark: bool) {
        for report in self.world.reports() {
            match report.mark.as_ref().filter(|_| mark) {
                Some(Mark::Status(update)) => {
                    let now = written(update.clone());
                    let name = report.variant.name.clone();
                    server.statuses.insert(name.clone(), now.clone());
                    server.log.push(Told::Status(name, now));
                }
                Some(Mark::Annotation) => {
                    let now = self.world.now.wall;
                    server.write_scaler(&scaler(&report.variant.to_string()), |scaler| {
                        scaler.variant.as_mut().expect("a variant").annotated = Some(now);
                    });
                }
                None => {}
            }
            let written = mark || report.mark.is_none();
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
        let told = !memory.reports.is_empty() || memory.guards != Guards::default();
        episode || tracked || memory.episodes() > 0 || told
    }
}
