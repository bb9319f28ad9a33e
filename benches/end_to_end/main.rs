//! What the whole program costs, and how fast it is: `cargo bench --bench end_to_end -- [OPTIONS]`.
//!
//! For each number of parked models it starts the program itself (the binary of the bench profile) against
//! an API server and a Prometheus of their own, and measures the steady state, single wakes, and a burst of all
//! models at once beside a bare loop of the same writes. `--backend embedded` is the API and the Prometheus of
//! `demo`, within this process; `--backend real` is kube-apiserver, etcd and Prometheus from the folder that
//! `KUBEBUILDER_ASSETS` names. What is measured of requests is what the servers say of them.
//!
//! `--json` keeps the figures, `--markdown` puts their table into a document, `--figures` takes kept ones instead of
//! measuring. `--baseline` compares with kept ones and fails where one is clearly worse: times are judged only on the
//! machine of the baseline and beyond what chance does, nothing is where it was asked for otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot go on ends as a test does"
)]

mod bare;
mod measure;
mod process;
mod push_down;
mod seen;
mod stage;
mod table;

// The servers, the world and the program of the integration suite, which uses more of them.
#[path = "../../tests/integration/cluster/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod cluster;
#[path = "../../tests/integration/config.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod config;
#[path = "../../tests/integration/demand/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod demand;
#[path = "../../tests/integration/exposition.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod exposition;
#[path = "../../tests/integration/http.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod http;
#[path = "../../tests/integration/log.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod log;
#[path = "../../tests/integration/objects.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod objects;
#[path = "../../tests/integration/program.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod program;
#[path = "../../tests/integration/servers/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod servers;
#[path = "../../tests/integration/wait.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod wait;
#[path = "../../tests/integration/world.rs"]
#[allow(dead_code, unused_imports, reason = "the suite uses it")]
mod world;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use tokio::runtime::Runtime;

use crate::{
    servers::Assets,
    table::{Compared, Kept},
};

/// What is to be measured.
#[derive(Clone, Debug, Parser)]
#[command(name = "end_to_end", about = "Measures the whole program")]
pub struct Options {
    /// Numbers of parked models.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1000, 10_000])]
    models: Vec<usize>,
    /// Servers; real ones are left out where there are none.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Backend::Embedded, Backend::Real])]
    backend: Vec<Backend>,
    /// Models to a namespace.
    #[arg(long, default_value_t = 10)]
    per_namespace: usize,
    /// More series in Prometheus: empty queues of models that nothing describes.
    #[arg(long, default_value_t = 0)]
    idle_series: usize,
    /// More rows in each answer: models that no variant has, with requests waiting.
    #[arg(long, default_value_t = 0)]
    unmatched_rows: usize,
    /// Single wakes to be measured for each number of models.
    #[arg(long, default_value_t = 50)]
    wakes: usize,
    /// How long the steady state is looked at.
    #[arg(long, value_parser = humantime::parse_duration, default_value = "10s")]
    window: Duration,
    /// `interval` of the program.
    #[arg(long, value_parser = humantime::parse_duration, default_value = "100ms")]
    interval: Duration,
    /// Only to see that it works: few models, short windows, the embedded servers.
    #[arg(long)]
    quick: bool,
    /// Only what the query costs a real Prometheus with 10,000 queues, and what others would cost.
    #[arg(long)]
    push_down: bool,
    /// Keep the figures in this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Put the table in this document, between the lines that say so.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Compare with the figures in this file.
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Fail if a time is more than this many times that of the baseline, and more than chance besides.
    #[arg(long, default_value_t = 2.0)]
    fail_above: f64,
    /// Measure nothing: take the figures of this file.
    #[arg(long)]
    figures: Option<PathBuf>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The API and the Prometheus of `demo`.
    Embedded,
    /// kube-apiserver, etcd and Prometheus.
    Real,
}

impl Backend {
    /// As the option spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Real => "real",
        }
    }
}

/// More than a real API server of one machine is asked to hold.
const MOST_REAL: usize = 5000;

fn main() -> ExitCode {
    let mut options = Options::parse();
    if !options.bench {
        println!("end_to_end: not run; it is a benchmark, for `cargo bench`");
        return ExitCode::SUCCESS;
    }
    if options.quick {
        options.models = vec![1, 100];
        options.backend = vec![Backend::Embedded];
        options.wakes = 5;
        options.window = Duration::from_secs(1);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if options.push_down {
        let assets = Assets::find().expect("a real Prometheus");
        runtime.block_on(push_down::run(&assets));
        return ExitCode::SUCCESS;
    }
    let baseline = options.baseline.as_deref().map(Kept::read);
    let kept = match &options.figures {
        Some(file) => Kept::read(file),
        None => measured(&options, &runtime),
    };
    println!("{kept}");
    if let Some(document) = &options.markdown {
        kept.put(document);
    }
    let Some(baseline) = baseline else {
        return ExitCode::SUCCESS;
    };
    let Compared { text, worse } = kept.compared(&baseline, options.fail_above);
    println!("{text}");
    if worse.is_empty() {
        println!("nothing is clearly worse");
        return ExitCode::SUCCESS;
    }
    for worse in worse {
        eprintln!("clearly worse: {worse}");
    }
    ExitCode::FAILURE
}

/// The figures of all runs.
fn measured(options: &Options, runtime: &Runtime) -> Kept {
    let assets = Assets::find();
    let mut kept = Kept::new(options);
    for &backend in &options.backend {
        if let (Backend::Real, Err(why)) = (backend, &assets) {
            eprintln!("real: not run; {why}");
            continue;
        }
        for &models in &options.models {
            if backend == Backend::Real && models > MOST_REAL {
                eprintln!("real, {models} models: not run; for the embedded API only");
                continue;
            }
            eprintln!("{}, {models} models ...", backend.as_str());
            let run = runtime.block_on(measure::run(backend, models, options, assets.as_ref().ok()));
            eprintln!("{}", table::line(&run));
            kept.runs.push(run);
            // After each run, since the next one may fail.
            if let Some(file) = &options.json {
                kept.write(file);
            }
        }
    }
    kept
}
