//! The simulated world: clients that ask for models, EPPs that hold their requests, controllers that
//! bring pods up, and an autoscaler that parks what is idle.
//!
//! It knows no clock and no task: [`World::step`] is told the time, looks at the embedded API, does
//! what is due, and returns what it saw happen. What it does not see in the API, it does not tell.

mod actor;
mod cast;
mod happening;
mod link;
mod pods;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use cast::{Model, Pool, Shape, Variant, cast};
pub use happening::{Happening, What};
pub use link::Link;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    kubernetes::{Failure, Kube, Resource},
    prometheus::{Queue, QueueKey},
};

use actor::{Actor, Exported};

/// Events kept in the API.
const EVENTS: usize = 200;

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Until the first model is asked for.
    pub first: Duration,
    /// From the first request for one model to that for the next.
    pub stagger: Duration,
    /// Between the requests of a burst.
    pub spacing: Duration,
    /// To serve one request.
    pub serve: Duration,
    /// How long a request waits before the EPP gives it up.
    pub patience: Duration,
    /// How long a model is idle before it is parked.
    pub idle: Duration,
    /// How long a model stays parked before it is asked for again.
    pub rest: Duration,
    /// How much longer each one than the one before, so that of a thousand not all come at once for ever.
    pub apart: Duration,
    /// How long after a wake those who take it back do so.
    pub meddle: Duration,
    /// Start-up times are divided by this.
    pub speed: f64,
}

impl Pace {
    /// The pace of a story in which one round of `models` takes some seven seconds at speed 1.
    pub fn of(models: usize, speed: f64) -> Self {
        // However many there are, all are asked for within three seconds.
        let many = u64::try_from(models).unwrap_or(u64::MAX).clamp(1, 100_000);
        let stagger = 3000 / many;
        let after = |millis: u64| Duration::from_millis(millis).div_f64(speed);
        Self {
            first: after(300),
            stagger: after(stagger.min(700)),
            spacing: after(150),
            serve: after(80),
            patience: after(60_000),
            // Of many at once the loop learns later that they serve, and what is parked before that is a revert.
            idle: after(6000 + many * 8),
            rest: after(3000),
            apart: after(if many > 20 { 40 } else { 0 }),
            meddle: after(1000),
            speed,
        }
    }
}

/// The name that requests ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskedBy {
    /// The model's own.
    #[default]
    ItsName,
    /// The same but for upper and lower case.
    AnotherCase,
    /// One that nobody serves.
    AnUnknownName,
}

impl AskedBy {
    /// The name where it is not the model's own.
    fn other_than(self, model: &str) -> Option<String> {
        match self {
            Self::ItsName => None,
            Self::AnotherCase => Some(model.to_uppercase()),
            Self::AnUnknownName => Some("nobody/serves-this".to_owned()),
        }
    }
}

/// Models, their queues, and where each of them stands.
pub struct World {
    kube: Kube,
    pace: Pace,
    actors: Vec<Actor>,
    queues: Arc<Mutex<Vec<Queue>>>,
    /// Whether no requests come by themselves.
    paused: bool,
    /// How far the API was when it was last looked at: with a thousand models most steps find nothing new.
    versions: [u64; 3],
    /// What the queues were last made from.
    exported: Vec<Exported>,
    /// The version of the last Event that was looked at.
    events: u64,
}

impl World {
    /// Creates the objects of all models in the API, everything parked.
    ///
    /// # Errors
    /// Where the API refuses one.
    pub fn new(kube: Kube, models: Vec<Model>, pace: Pace) -> Result<Self, Failure> {
        let now = wall();
        for manifest in models.iter().flat_map(|model| model.manifests(&now)) {
            kube.apply(manifest)?;
        }
        let mut start = pace.first;
        let mut actors = Vec::with_capacity(models.len());
        for (turn, model) in (0..).zip(models) {
            actors.push(Actor::new(model, start, pace.apart.saturating_mul(turn)));
            start += pace.stagger;
        }
        Ok(Self {
            kube,
            pace,
            actors,
            queues: Arc::default(),
            paused: false,
            versions: [u64::MAX; 3],
            exported: Vec::new(),
            events: 0,
        })
    }

    /// The queues as the EPPs export them, for a scrape.
    pub fn queues(&self) -> impl Fn() -> Vec<Queue> + Send + Sync + 'static {
        let queues = Arc::clone(&self.queues);
        move || queues.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what is due `now`, since the start, and returns what was seen. `told` is what Prometheus
    /// last said about demand.
    pub fn step(&mut self, now: Duration, told: &BTreeMap<QueueKey, f64>) -> Vec<Happening> {
        let mut seen = Vec::new();
        let kinds = [
            Resource::Deployments,
            Resource::StatefulSets,
            Resource::VariantAutoscalings,
        ];
        let versions = kinds.map(|kind| self.kube.version(kind));
        let news = std::mem::replace(&mut self.versions, versions) != versions;
        for actor in &mut self.actors {
            let name = Arc::clone(&actor.name);
            let mut tell = |what| {
                seen.push(Happening {
                    model: Arc::clone(&name),
                    what,
                });
            };
            actor.arrive(now, &self.pace, self.paused, &mut tell);
            actor.be_told(told, &mut tell);
            actor.look(now, news, &self.kube, &self.pace, &mut tell);
            actor.meddle(now, &self.kube, &self.pace, &mut tell);
            actor.serve(now, &self.pace, &mut tell);
            actor.park(now, &self.kube, &self.pace, &mut tell);
        }
        self.read_events(&mut seen);
        let exported = self.actors.iter().map(Actor::exported);
        if !exported.clone().eq(self.exported.iter().copied()) {
            self.exported = exported.collect();
            let queues = self.actors.iter().flat_map(Actor::queues).collect();
            *self.queues.lock().unwrap_or_else(PoisonError::into_inner) = queues;
        }
        seen
    }

    /// Whether no requests come by themselves.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Has no more requests come by themselves, or has them come again.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// The models with what waits for them and what is broken, in the order of the cast.
    pub fn models(&self) -> impl Iterator<Item = (&Model, usize, &BTreeSet<Link>)> {
        let actors = self.actors.iter();
        actors.map(|actor| (&actor.model, actor.waiting(), &actor.broken))
    }

    /// Has a person send requests to a model at `now`. `None` if there is no such model.
    pub fn ask(&mut self, now: Duration, model: &str, count: usize, by: AskedBy) -> Option<Vec<Happening>> {
        let stray = by.other_than(model);
        self.play(model, |actor, _, tell| actor.asked(now, count, stray, tell))
            .map(|((), seen)| seen)
    }

    /// Breaks a link of a model's wake path, or mends it. `None` if there is no such model.
    ///
    /// # Errors
    /// Where the embedded API refuses a change.
    pub fn set_broken(
        &mut self,
        model: &str,
        link: Link,
        broken: bool,
    ) -> Option<Result<Vec<Happening>, Failure>> {
        let (set, seen) = self.play(model, |actor, kube, tell| {
            actor.set_broken(link, broken, kube, tell)
        })?;
        Some(set.map(|()| seen))
    }

    /// Has one model do something, and returns that with what was seen.
    fn play<T>(
        &mut self,
        model: &str,
        act: impl FnOnce(&mut Actor, &Kube, &mut dyn FnMut(What)) -> T,
    ) -> Option<(T, Vec<Happening>)> {
        let actor = self.actors.iter_mut().find(|actor| actor.model.name == model)?;
        let (name, mut seen) = (Arc::clone(&actor.name), Vec::new());
        let done = act(actor, &self.kube, &mut |what| {
            let model = Arc::clone(&name);
            seen.push(Happening { model, what });
        });
        Some((done, seen))
    }

    /// Tells of new Events about variants, and forgets old ones, as the real API does in time.
    fn read_events(&mut self, seen: &mut Vec<Happening>) {
        if self.kube.version(Resource::Events) == self.events {
            return;
        }
        let version = |event: &Value| {
            event["metadata"]["resourceVersion"]
                .as_str()
                .and_then(|text| text.parse().ok())
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut events = self.kube.newer(Resource::Events, self.events);
        events.sort_by_key(|event| version(event).unwrap_or(0));
        for event in &events {
            let about = &event["regarding"];
            let actor = self.actors.iter().find(|actor| actor.is_about(about));
            if let Some(actor) = actor {
                let what = What::Noted {
                    reason: text(&event["reason"]),
                    note: text(&event["note"]),
                };
                seen.push(Happening {
                    model: Arc::clone(&actor.name),
                    what,
                });
            }
        }
        self.events = self.kube.version(Resource::Events);
        if self.kube.count(Resource::Events) < 2 * EVENTS {
            return;
        }
        let mut events = self.kube.list(Resource::Events);
        events.sort_by_key(|event| version(event).unwrap_or(0));
        let old = events.len().saturating_sub(EVENTS);
        for event in &events[..old] {
            let metadata = &event["metadata"];
            // Nobody else deletes Events; if somebody did, so much the better.
            let _ = self.kube.delete(
                Resource::Events,
                &text(&metadata["namespace"]),
                &text(&metadata["name"]),
            );
        }
        self.events = self.kube.version(Resource::Events);
    }

    /// Rounds that every model has been through.
    pub fn rounds(&self) -> usize {
        self.actors
            .iter()
            .map(|actor| actor.rounds)
            .min()
            .unwrap_or_default()
    }

    /// Models, and what each one's first round still lacks.
    pub fn unfinished(&self) -> Vec<String> {
        let unfinished = self.actors.iter().filter(|actor| actor.rounds == 0);
        unfinished
            .map(|actor| format!("{}: {}", actor.name, actor.lacks().unwrap_or_default()))
            .collect()
    }
}

/// Now, as Kubernetes writes times.
fn wall() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
