//! The trials, and what each of them is given.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, OnceLock},
};

use futures::FutureExt as _;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Handle;

use crate::{
    browser::Browser,
    servers::{self, ApiServer, Assets, Servers},
    world::{Logs, World},
};

/// What `start_servers` has come to.
type Started = Arc<OnceLock<Result<Arc<Servers>, String>>>;

/// All trials.
pub struct Suite {
    runtime: Handle,
    assets: Result<Assets, String>,
    started: Started,
    /// With whether it needs the real servers.
    trials: Vec<(bool, Trial)>,
}

impl Suite {
    /// None yet.
    pub fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            assets: Assets::find(),
            started: Arc::default(),
            trials: Vec::new(),
        }
    }

    /// The trials, to be run.
    pub fn trials(self) -> Vec<Trial> {
        self.trials.into_iter().map(|(_, trial)| trial).collect()
    }

    /// Starts the real servers, if a trial will ask for them.
    pub async fn start_servers(&self, arguments: &Arguments) -> Option<Arc<Servers>> {
        let runs = |trial| !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial);
        let wanted = self.trials.iter().any(|(real, trial)| *real && runs(trial));
        let assets = self.assets.as_ref().ok().filter(|_| wanted && !arguments.list)?;
        let started = Servers::start(assets.clone()).await.map(Arc::new);
        self.started.get_or_init(|| started).as_ref().ok().cloned()
    }

    /// A trial on each of the two backends, in a namespace of its own.
    pub fn both(&mut self, name: &str, body: impl AsyncFn(&World) + Clone + Send + 'static) {
        self.embedded(name, body.clone());
        self.real(name, body);
    }

    /// A trial on each of the two backends, with an API server of its own.
    pub fn both_alone(&mut self, name: &str, body: impl AsyncFn(&World) + Clone + Send + 'static) {
        self.embedded(name, body.clone());
        self.real_alone(name, body);
    }

    /// A trial on the embedded API.
    pub fn embedded(&mut self, name: &str, body: impl AsyncFn(&World) + Send + 'static) {
        let namespace = namespace(name);
        self.plain(&format!("embedded::{name}"), async move |logs| {
            body(&World::embedded(&namespace, logs).await).await;
        });
    }

    /// A trial on the embedded API with a browser to look at the page.
    pub fn browser(&mut self, name: &str, body: impl AsyncFn(&World, &Browser) + Send + 'static) {
        let namespace = namespace(name);
        let (runtime, found) = (self.runtime.clone(), Browser::find());
        let trial = Trial::ignorable_test(format!("embedded::{name}"), move || {
            let program = match found {
                Ok(program) => program,
                Err(why) if servers::required() => {
                    return Err(format!("REQUIRE_REAL=1, and {why}").into());
                }
                Err(why) => return Ok(Completion::ignored_with(why)),
            };
            run(&runtime, async |logs| {
                let world = World::embedded(&namespace, logs).await;
                let browser = Browser::start(&program, world.dir.path());
                body(&world, &browser).await;
            })
        });
        self.trials.push((false, trial));
    }

    /// A trial on the real API server that all share.
    pub fn real(&mut self, name: &str, body: impl AsyncFn(&World) + Send + 'static) {
        let namespace = namespace(name);
        self.with_servers(&format!("real::{name}"), async move |servers, logs| {
            let api = servers.shared.clone();
            body(&World::real(&namespace, &servers, api, logs).await).await;
        });
    }

    /// A trial on a real API server of its own, with the CRDs and the ClusterRole in it.
    pub fn real_alone(&mut self, name: &str, body: impl AsyncFn(&World) + Send + 'static) {
        let namespace = namespace(name);
        self.with_servers(&format!("real::{name}"), async move |servers, logs| {
            let _turn = servers.alone.lock().await;
            // On this thread, which lasts as long as the trial: see `servers::child`.
            let api = Arc::new(ApiServer::start(&servers.assets).await.expect("an API server"));
            api.install_crds().await;
            api.install_cluster_role().await;
            body(&World::real(&namespace, &servers, api, logs).await).await;
        });
    }

    /// A trial that is not run, and why.
    pub fn ignored(&mut self, name: &str, why: &'static str) {
        let trial = Trial::ignorable_test(name, move || Ok(Completion::ignored_with(why)));
        self.trials.push((false, trial));
    }

    /// A trial that needs the real servers, and sees for itself what of them.
    pub fn with_servers(&mut self, name: &str, body: impl AsyncFn(Arc<Servers>, Logs) + Send + 'static) {
        let missing = self.assets.as_ref().err().cloned();
        let (runtime, started) = (self.runtime.clone(), self.started.clone());
        let trial = Trial::ignorable_test(name, move || {
            if let Some(why) = missing {
                if servers::required() {
                    return Err(format!("REQUIRE_REAL=1, and there are no real servers: {why}").into());
                }
                return Ok(Completion::ignored_with(why));
            }
            let servers = match started.get() {
                Some(Ok(servers)) => servers.clone(),
                Some(Err(why)) => return Err(format!("the real servers did not start: {why}").into()),
                None => return Err("the real servers were not started".into()),
            };
            run(&runtime, async |logs| body(servers, logs).await)
        });
        self.trials.push((true, trial));
    }

    /// A trial that needs no cluster.
    pub fn plain(&mut self, name: &str, body: impl AsyncFn(Logs) + Send + 'static) {
        let runtime = self.runtime.clone();
        let trial = Trial::ignorable_test(name, move || run(&runtime, body));
        self.trials.push((false, trial));
    }
}

thread_local! {
    /// Why the trial on this thread has failed; `None` where no trial runs.
    static FAILURE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Where it is, in a trial of many parts.
    static PART: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Says in which part of a trial it fails, if it does.
pub fn fails_in(part: &str) {
    PART.replace(part.to_owned());
}

/// Keeps what a failing trial says for its own report, instead of printing it amid the others.
pub fn keep_failures() {
    let otherwise = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let kept = FAILURE.with_borrow_mut(|failure| {
            let in_trial = failure.is_some();
            if in_trial {
                *failure = Some(panic.to_string());
            }
            in_trial
        });
        if !kept {
            otherwise(panic);
        }
    }));
}

/// Runs a trial on this thread. If it fails, what its programs said is shown.
fn run(runtime: &Handle, body: impl AsyncFnOnce(Logs)) -> Result<Completion, Failed> {
    let logs = Logs::default();
    FAILURE.set(Some(String::new()));
    let end = runtime.block_on(AssertUnwindSafe(body(logs.clone())).catch_unwind());
    let (mut text, part) = (FAILURE.take().unwrap_or_default(), PART.take());
    if end.is_ok() {
        return Ok(Completion::Completed);
    }
    if !part.is_empty() {
        text = format!("in {part}: {text}");
    }
    for log in logs.lock().unwrap().iter() {
        text.push('\n');
        text.push_str(&log.to_string());
    }
    Err(text.into())
}

/// The namespace of a trial.
fn namespace(name: &str) -> String {
    name.replace("::", "-").replace('_', "-")
}
