//! The whole loop on paused time, between an API server and a Prometheus that are functions of this process:
//! whatever goes wrong, no wake is lost, none is spurious, none is done or told of twice.
//!
//! Real are the tick, the core, the actuator with its deadlines and turns, kube's client, the writes and what they
//! make of answers. The watches are not: what they would bring comes from the server by itself, late if need be.
//! A case that fails is printed as the steps it takes, and its seed goes into `proptest-regressions/`.

mod cluster;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _};
use kube::Client;
use proptest::{collection::vec, prelude::*};
use tokio::sync::mpsc;

use self::cluster::{Cluster, MODELS, Weather, model};
use super::{SIGNAL_INTERVAL, Ticker};
use crate::{
    actuate::Actuator,
    clock::Clock,
    cluster::Discovered,
    config::Config,
    core::{Sample, Seen},
    prometheus::{Answers, QueryError, Reason},
    report::{History, Metrics, Queues},
};

/// What happens between ticks.
#[derive(Clone, Debug)]
enum Step {
    /// Requests wait for a model, or wait no more.
    Demand(usize, bool),
    /// What becomes of requests to the API server from now on.
    Api(Weather),
    /// How queries fail from now on; `None` is not at all.
    Prometheus(Option<Reason>),
    /// The watches bring nothing any more, or all that they have held back.
    Lag(bool),
    /// What has been woken of a model is ready.
    Ready(usize),
    /// Somebody else scales the cheaper target of a model up, if it is at 0.
    OthersWake(usize),
    /// Somebody writes a model's targets without scaling them.
    Touch(usize),
    /// The process dies and starts again.
    Restart,
    /// Time goes by.
    Ticks(u8),
}

fn step() -> impl Strategy<Value = Step> {
    use Reason::{Connect, Decode, Partial, Throttled, Timeout};
    let reason = prop::sample::select(vec![Connect, Timeout, Throttled, Decode, Partial]);
    prop_oneof![
        6 => (0..MODELS, any::<bool>()).prop_map(|(model, waits)| Step::Demand(model, waits)),
        4 => prop::sample::select(Weather::ALL.to_vec()).prop_map(Step::Api),
        2 => prop::option::of(reason).prop_map(Step::Prometheus),
        2 => any::<bool>().prop_map(Step::Lag),
        1 => (0..MODELS).prop_map(Step::Ready),
        1 => (0..MODELS).prop_map(Step::OthersWake),
        1 => (0..MODELS).prop_map(Step::Touch),
        1 => Just(Step::Restart),
        8 => (1..5_u8).prop_map(Step::Ticks),
    ]
}

/// The Prometheus.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    waiting: BTreeSet<usize>,
    fails: Option<Reason>,
    cluster: Option<Cluster>,
}

impl Scripted {
    fn rows(&self, value: f64, for_demand: bool) -> Result<Vec<Sample>, QueryError> {
        let script = self.0.lock().unwrap();
        if let Some(reason) = script.fails {
            let wait = (reason == Reason::Throttled).then_some(Duration::from_secs(1));
            return Err(QueryError::example(reason, wait));
        }
        if for_demand && let Some(cluster) = &script.cluster {
            cluster.answered(&script.waiting);
        }
        let rows = script.waiting.iter().map(|index| Sample {
            namespace: Some("ns".into()),
            pool: Some(model(*index).into()),
            target_model: Some(model(*index).into()),
            value,
            ..Sample::default()
        });
        Ok(rows.collect())
    }
}

impl Answers for Scripted {
    fn knows_ages(&self) -> bool {
        true
    }
    fn demand(&self) -> BoxFuture<'_, Result<Vec<Sample>, QueryError>> {
        std::future::ready(self.rows(3.0, true)).boxed()
    }
    fn ages(&self) -> BoxFuture<'_, Result<Option<Vec<Sample>>, QueryError>> {
        std::future::ready(self.rows(0.5, false).map(Some)).boxed()
    }
    fn signals(&self) -> BoxFuture<'_, Result<Option<Vec<Seen>>, QueryError>> {
        std::future::ready(Ok(Some(Vec::new()))).boxed()
    }
}

/// One run of the loop.
struct Run {
    clock: Clock,
    config: Config,
    cluster: Cluster,
    prometheus: Scripted,
    ticker: Ticker,
    restarts: usize,
    /// Models that somebody else has woken.
    others: BTreeSet<usize>,
}

impl Run {
    fn new() -> Self {
        let clock = Clock::start();
        let mut config = Config {
            interval: Duration::from_millis(500),
            ..Config::default()
        };
        config.wake.backoff.initial = Duration::from_millis(200);
        config.wake.backoff.max = Duration::from_secs(2);
        let cluster = Cluster::new();
        let prometheus = Scripted::default();
        prometheus.0.lock().unwrap().cluster = Some(cluster.clone());
        let ticker = start(clock, &config, &cluster, &prometheus);
        Self {
            clock,
            config,
            cluster,
            prometheus,
            ticker,
            restarts: 0,
            others: BTreeSet::new(),
        }
    }

    async fn ticks(&mut self, count: usize) {
        for _ in 0..count {
            let began = self.clock.now();
            self.ticker.tick(true).await;
            tokio::time::sleep(self.ticker.next(began)).await;
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Demand(model, true) => {
                self.prometheus.0.lock().unwrap().waiting.insert(*model);
            }
            Step::Demand(model, false) => {
                self.prometheus.0.lock().unwrap().waiting.remove(model);
            }
            Step::Api(weather) => self.cluster.weather(*weather),
            Step::Prometheus(fails) => self.prometheus.0.lock().unwrap().fails = *fails,
            Step::Lag(lags) => self.cluster.lag(*lags),
            Step::Ready(model) => self.cluster.ready(*model),
            Step::OthersWake(model) => {
                if self.cluster.others_wake(*model) {
                    self.others.insert(*model);
                }
            }
            Step::Touch(model) => self.cluster.touch(*model),
            Step::Restart => {
                self.restarts += 1;
                self.ticker = start(self.clock, &self.config, &self.cluster, &self.prometheus);
            }
            Step::Ticks(count) => self.ticks(usize::from(*count)).await,
        }
    }

    /// All is well again. Ticks until nothing is left to do, or longer than any wait may be, and a few more for what
    /// could still be done wrong.
    async fn heal(&mut self) {
        for step in [Step::Api(Weather::Fine), Step::Prometheus(None), Step::Lag(false)] {
            self.step(&step).await;
        }
        for _ in 0..50 {
            self.ticks(1).await;
            if self.judge().is_ok() {
                break;
            }
        }
        self.ticks(4).await;
    }

    fn judge(&self) -> Result<(), TestCaseError> {
        let (cluster, waiting) = (&self.cluster, self.prometheus.0.lock().unwrap().waiting.clone());
        prop_assert_eq!(cluster.violations(), Vec::<String>::new());
        for index in 0..MODELS {
            let up = cluster.replicas(index);
            prop_assert!(!waiting.contains(&index) || up > 0, "lost: {}", model(index));
            let may = cluster.was_asked(index) || self.others.contains(&index);
            prop_assert!(may || up == 0, "spurious: {}", model(index));
            let told = cluster.told(index);
            prop_assert!(told.events <= 2, "told twice: {}: {:?}", model(index), told);
            if self.restarts == 0 && cluster.woken(index) {
                prop_assert!(
                    told.events == 2 && (told.status || cluster.leaves_the_status(index)),
                    "untold: {}: {:?}",
                    model(index),
                    told
                );
            }
        }
        Ok(())
    }
}

/// A process that starts now: it knows what there is, and nothing of what was.
fn start(clock: Clock, config: &Config, cluster: &Cluster, prometheus: &Scripted) -> Ticker {
    let api = cluster.clone();
    let service = tower::service_fn(move |request| api.clone().serve(request));
    let client = Client::new(service, "ns");
    let actuator = Actuator::new(client, Discovered::default(), clock, "test".into());
    let kept = (History::default(), Queues::default());
    let prometheus: Arc<dyn Answers> = Arc::new(prometheus.clone());
    let mut ticker = Ticker::new(
        clock,
        actuator,
        Metrics::new(),
        kept,
        config,
        prometheus.clone(),
        SIGNAL_INTERVAL,
    );
    let (say, changes) = mpsc::channel(4096);
    cluster.follow(say);
    ticker.configure(config, changes, prometheus);
    ticker
}

/// Eight times the usual cases, since each takes a few milliseconds.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases * 8,
        max_shrink_iters: 2000,
        ..usual
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut run = Run::new();
        for step in steps {
            run.step(step).await;
        }
        run.heal().await;
        run.judge()
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_wake_is_lost_spurious_or_double(steps in vec(step(), 1..25)) {
        run(&steps)?;
    }
}

/// What the property has found: the answer to a wake is lost, and the status is refused until the target serves.
#[test]
fn the_status_of_what_serves_is_left_to_wva_by_who_had_no_answer() {
    run(&[
        Step::Api(Weather::LosesAnswers),
        Step::Demand(2, true),
        Step::Ticks(2),
        Step::Api(Weather::Conflicts),
        Step::Ticks(2),
        Step::Ready(2),
    ])
    .unwrap();
}

/// The same: no answer to a wake, its Events hang, and the answer to the status that follows is lost.
#[test]
fn a_status_of_its_own_does_not_stand_for_events_that_failed() {
    run(&[
        Step::Api(Weather::LosesAnswers),
        Step::Demand(0, true),
        Step::Ticks(3),
        Step::Api(Weather::Hangs),
        Step::Ticks(8),
        Step::Api(Weather::LosesAnswers),
        Step::Ticks(3),
    ])
    .unwrap();
}

/// The oracle can tell: a server that takes a step from anywhere, and a loop that never heals, are found out.
#[test]
fn the_oracle_sees_what_it_should() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut lost = Run::new();
        lost.step(&Step::Api(Weather::Fails)).await;
        lost.step(&Step::Demand(0, true)).await;
        lost.ticks(5).await;
        assert!(lost.judge().is_err(), "a wake that never comes is lost");
        lost.heal().await;
        assert!(lost.judge().is_ok());
        assert!(lost.cluster.woken(0));

        let spurious = Run::new();
        spurious.cluster.others_wake(1);
        assert!(spurious.judge().is_err(), "one that nobody asked for is spurious");

        // What writes otherwise than the loop does.
        let step = async |run: &Run, name: &str, waits: &[usize]| {
            run.cluster.answered(&waits.iter().copied().collect());
            assert_eq!(run.cluster.clone().scale_to_one(name).await, 200);
            run.cluster.violations()
        };
        let twice = Run::new();
        assert_eq!(step(&twice, "m0", &[0]).await, [""; 0], "as it should be");
        assert_eq!(step(&twice, "m0", &[0]).await, ["m0: from 1 to 1", "m0: 2 times"]);
        assert!(twice.judge().is_err());

        let again = Run::new();
        step(&again, "m0", &[0]).await;
        again.cluster.others_park(0);
        assert_eq!(step(&again, "m0", &[0]).await, ["m0: 2 times"]);

        let taken_back = Run::new();
        taken_back.cluster.others_wake(0);
        assert_eq!(step(&taken_back, "m0", &[0]).await, ["m0: from 2 to 1"]);

        let unasked = Run::new();
        assert_eq!(step(&unasked, "m0", &[1]).await, ["m0: without demand"]);

        let dear = Run::new();
        assert_eq!(step(&dear, "m0-dear", &[0]).await, ["m0-dear: the dearer one"]);
    });
}
