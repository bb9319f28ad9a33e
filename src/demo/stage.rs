//! Everything of the demo but the loop: the embedded servers, the world between them, its story and its buttons.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    DEADLINE, DemoError, Options, base, browser,
    columns::Columns,
    console::{self, Ask, Board, BrokenLink, Change, LinkText, MOST, ModelBoard, Refusal, Requests, Wish},
    kubernetes::{Kube, Resource},
    prometheus::{Prometheus, Trouble},
    story::Story,
    world::{self, Happening, Link, Pace, What, World},
};
use crate::{config::Config, report::Extras};

/// Models in the demo that asks for no number.
const MODELS: usize = 4;
/// What stands in the story where a model's name would.
const EVERYTHING: &str = "(all models)";

/// Everything but the loop.
pub(super) struct Stage {
    options: Options,
    pub kube: Kube,
    prometheus: Prometheus,
    world: World,
    /// How many models there are.
    models: usize,
    pub config: Config,
    pace: Pace,
    /// What the listener of the loop shows besides.
    pub extras: Extras,
    asks: mpsc::Receiver<Ask>,
    /// What is broken for all models.
    broken: BTreeSet<Link>,
    /// Whether somebody has used the buttons.
    played: bool,
}

impl Stage {
    /// Starts the servers and sets the world up.
    pub async fn build(options: Options) -> Result<Self, DemoError> {
        if !(options.speed > 0.0 && options.speed.is_finite()) {
            return Err(DemoError::Speed(options.speed));
        }
        let count = options.models.unwrap_or(MODELS);
        if count == 0 {
            return Err(DemoError::NoModels);
        }
        let start = |what| move |source| DemoError::Start { what, source };
        let pace = Pace::of(count, options.speed);
        let address = base::address(&options)?;
        let kube = Kube::start().await.map_err(start("Kubernetes API"))?;
        let mut world = World::new(kube.clone(), world::cast(count), pace)?;
        world.pause(options.quiet);
        let mut config = base::config(http::Uri::from_static("http://127.0.0.1"), address, &pace);
        let scrape = Duration::from_secs(1).div_f64(options.speed);
        let prometheus = Prometheus::start(base::queries(&config), scrape, world.queues()).await;
        let prometheus = prometheus.map_err(start("Prometheus endpoint"))?;
        config.prometheus.urls = vec![prometheus.url().parse()?];
        let (extras, asks) = console::open();
        Ok(Self {
            options,
            kube,
            prometheus,
            world,
            models: count,
            config,
            pace,
            extras,
            asks,
            broken: BTreeSet::new(),
            played: false,
        })
    }

    /// Moves the world on and tells of it: until the first round is over with `once`, else for ever.
    pub async fn tell(&mut self, out: impl Write) -> Result<(), DemoError> {
        let names: Vec<String> = self
            .world
            .models()
            .map(|(model, ..)| model.name.clone())
            .collect();
        let mut story = Story::new(out, names.iter().map(String::as_str));
        self.introduce(&mut story)?;
        if self.options.open {
            tokio::spawn(browser::open(self.config.server.address, self.url()));
        }
        let within = DEADLINE.max(DEADLINE.div_f64(self.options.speed));
        let mut steps = interval(Duration::from_millis(20).div_f64(self.pace.speed.clamp(1.0, 20.0)));
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        let mut rounds = 0;
        loop {
            tokio::select! {
                _ = steps.tick() => {}
                Some(ask) = self.asks.recv() => {
                    self.answer(ask, started.elapsed(), &mut story)?;
                    continue;
                }
            }
            let now = started.elapsed();
            for happening in self.world.step(now, &self.prometheus.take_told()) {
                story.tell(now, &happening)?;
            }
            if self.world.rounds() > rounds {
                rounds = self.world.rounds();
                self.conclude(&mut story)?;
                if self.options.once {
                    return Ok(());
                }
            }
            if self.options.once && now > within {
                return Err(DemoError::Unfinished {
                    within,
                    lacking: self.world.unfinished(),
                });
            }
        }
    }

    /// Does what somebody wants, and tells of it.
    fn answer(&mut self, ask: Ask, now: Duration, story: &mut Story<impl Write>) -> io::Result<()> {
        let done = match &ask.wish {
            Wish::Look(_) => Ok(Vec::new()),
            Wish::Send(requests) => self.send(now, requests),
            Wish::Set(change) => self.set(change),
            Wish::Tell(told) => {
                self.played = true;
                self.world.pause(told.paused);
                Ok(Vec::new())
            }
        };
        let answer = match done {
            Ok(seen) => {
                let plays = matches!(ask.wish, Wish::Send(_) | Wish::Set(_));
                if plays && !std::mem::replace(&mut self.played, true) && !self.world.is_paused() {
                    self.world.pause(true);
                    story.say("\nSomebody plays: no more requests come by themselves (a box on the page lets them).\n")?;
                }
                for happening in &seen {
                    story.tell(now, happening)?;
                }
                Ok(self.board(match &ask.wish {
                    Wish::Look(model) => model.as_deref(),
                    Wish::Send(requests) => Some(&requests.model),
                    Wish::Set(change) => Some(change.model.as_deref().unwrap_or_default()),
                    Wish::Tell(_) => Some(""),
                }))
            }
            Err(refusal) => Err(refusal),
        };
        ask.answer(answer);
        Ok(())
    }

    fn send(&mut self, now: Duration, requests: &Requests) -> Result<Vec<Happening>, Refusal> {
        let Requests {
            model,
            count,
            asked_by,
        } = requests;
        if !(1..=MOST).contains(count) {
            return Err(Refusal::Count(*count));
        }
        let seen = self.world.ask(now, model, *count, *asked_by);
        seen.ok_or_else(|| Refusal::NoModel(model.clone()))
    }

    fn set(&mut self, change: &Change) -> Result<Vec<Happening>, Refusal> {
        let Change { link, model, broken } = change;
        let (link, broken) = (*link, *broken);
        let Some(name) = model else {
            return if link.is_shared() {
                Ok(self.set_shared(link, broken))
            } else {
                Err(Refusal::WhoseLink(link))
            };
        };
        let known = self.world.models().find(|(model, ..)| model.name == *name);
        let (model, ..) = known.ok_or_else(|| Refusal::NoModel(name.clone()))?;
        if link.is_shared() {
            return Err(Refusal::SharedLink(link));
        }
        if !link.is_of(model) {
            return Err(Refusal::NotItsLink {
                link,
                model: name.clone(),
            });
        }
        let set = self.world.set_broken(name, link, broken);
        Ok(set.unwrap_or_else(|| Ok(Vec::new()))?)
    }

    /// Breaks the link that all models share, or mends it.
    fn set_shared(&mut self, link: Link, broken: bool) -> Vec<Happening> {
        let what = if broken {
            let mend = link.mend(None).unwrap_or_default();
            self.broken.insert(link).then_some(What::Broken { link, mend })
        } else {
            self.broken.remove(&link).then_some(What::Mended { link })
        };
        self.prometheus.set_trouble(broken.then_some(Trouble::Down));
        let happening = |what| Happening {
            model: EVERYTHING.into(),
            what,
        };
        what.map(happening).into_iter().collect()
    }

    /// What there is to play with: of one model and those with something broken, or of all.
    fn board(&self, only: Option<&str>) -> Board {
        let text = |link: Link| LinkText {
            link,
            title: link.title(),
            seen: link.seen(),
            shared: link.is_shared(),
        };
        let broken = |link: Link, model| {
            let mend = link.mend(model)?;
            Some(BrokenLink { link, mend })
        };
        let shown =
            |name: &str, links: &BTreeSet<Link>| only.is_none_or(|only| only == name) || !links.is_empty();
        let models = self
            .world
            .models()
            .filter(|(model, _, links)| shown(&model.name, links));
        let models = models.map(|(model, waiting, links)| ModelBoard {
            name: model.name.clone(),
            waiting,
            broken: links
                .iter()
                .filter_map(|link| broken(*link, Some(model)))
                .collect(),
            without: Link::ALL
                .into_iter()
                .filter(|link| !link.is_shared() && !link.is_of(model))
                .collect(),
        });
        Board {
            speed: self.options.speed,
            paused: self.world.is_paused(),
            links: Link::ALL.map(text).into(),
            broken: self
                .broken
                .iter()
                .filter_map(|link| broken(*link, None))
                .collect(),
            models: models.collect(),
        }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.config.server.address)
    }

    fn introduce(&self, story: &mut Story<impl Write>) -> io::Result<()> {
        let variants = self.kube.list(Resource::VariantAutoscalings).len();
        story.say(&format!(
            "{} models with {variants} variants, all parked at 0 replicas.",
            self.models
        ))?;
        if !self.options.once {
            story.say(&format!(
                "\n  Status page:  {}\n  Its buttons send requests, break links of the wake path, and mend them.\n",
                self.url()
            ))?;
        }
        story.say(&format!("  Kubernetes API   {}", self.kube.url()))?;
        story.say(&format!("  Prometheus       {}", self.prometheus.url()))?;
        story.say(&format!("  control loop     {}metrics", self.url()))?;
        story.say("")
    }

    fn conclude(&self, story: &mut Story<impl Write>) -> io::Result<()> {
        story.say(&format!(
            "\nAll {} models were asked for, woken, served and reported. kubectl get va -A:",
            self.models
        ))?;
        let variants = self.kube.list(Resource::VariantAutoscalings);
        story.table(&variants.iter().map(Columns::of).collect::<Vec<_>>())?;
        story.say("")
    }
}
