//! The measurements of one run: a number of models on one kind of servers.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Backend, Options, bare,
    exposition::Exposition,
    process,
    program::{Program, Start},
    seen::Seen,
    servers::Assets,
    stage::{Stage, name},
    table::Run,
};

/// What takes longer than this is not waited for: it is measured as it is then.
const PATIENCE: Duration = Duration::from_secs(600);
/// After a start, until the steady state is looked at.
const SETTLING: Duration = Duration::from_secs(2);
/// From one look at the program's metrics to the next.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Measures a number of models on one kind of servers.
pub async fn run(backend: Backend, models: usize, options: &Options, assets: Option<&Assets>) -> Run {
    let wakes = options.wakes;
    let stage = Stage::build(backend, models + wakes, options, assets).await;
    stage.beside(options.idle_series, options.unmatched_rows);
    stage.park(0..models).await;
    let mut run = Run::new(backend.as_str(), models);

    // The floor, before anybody watches: up and down again.
    let client = bare::connect(&stage.account("bare").await).await;
    let mut bare = Vec::new();
    for replicas in [1, 0] {
        bare.push(bare::scale(&client, stage.deployments().await, replicas).await);
    }
    let alone = counted_over(&stage, options.window / 2).await;

    let mut program = start(&stage, options, &mut run).await;
    tokio::time::sleep(SETTLING).await;
    steady(&stage, &program, options, alone, &mut run).await;
    single_wakes(&stage, &program, models, wakes, &mut run).await;
    burst(&stage, &program, (wakes, models), &mut run).await;
    program.terminate().await;
    run.set("load", process::load());

    bare.push(bare::scale(&client, stage.deployments().await, 0).await);
    bare.sort_unstable();
    let floor = millis(bare[bare.len() / 2]);
    run.set("bareLoopMs", floor);
    run.set("burstToBare", run.get("burstMs") / floor);
    run.set("burstWritesToBare", run.get("burstWritesMs") / floor);
    run
}

/// Starts the program, up to its first tick.
async fn start(stage: &Stage, options: &Options, run: &mut Run) -> Program {
    let over = json!({
        "interval": humantime::format_duration(options.interval).to_string(),
        "scope": {"namespaces": []},
        "log": {"level": "info"},
    });
    let start = Start::new(&stage.world, "sidecar").config(&over);
    let start = start.kubeconfig(stage.account("sidecar").await);
    let began = Timestamp::now().as_duration().as_secs_f64();
    let program = start.spawn().await;
    let ended = loop {
        let metrics = program.metrics().await;
        let ticks = metrics.sum("ticks_total", &[]);
        let last = metrics.sum("last_tick_timestamp_seconds", &[]);
        if ticks >= 1.0 && last > 0.0 {
            break last - (ticks - 1.0) * metrics.sum("effective_interval_seconds", &[]);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    run.set("startToFirstTickMs", (ended - began) * 1e3);
    program
}

/// Queries and CPU seconds of Prometheus in a second.
async fn counted_over(stage: &Stage, window: Duration) -> (f64, f64) {
    let (before, began) = (stage.counted().await, Instant::now());
    tokio::time::sleep(window).await;
    let (after, seconds) = (stage.counted().await, began.elapsed().as_secs_f64());
    (
        (after.queries - before.queries) / seconds,
        (after.cpu_seconds - before.cpu_seconds) / seconds,
    )
}

/// Nothing happens and nobody asks. `alone` is what Prometheus did without the program.
async fn steady(stage: &Stage, program: &Program, options: &Options, alone: (f64, f64), run: &mut Run) {
    let since = Timestamp::now();
    let ticks = Ticks::begin(program).await;
    let (queries, cpu) = counted_over(stage, options.window).await;
    let ticked = ticks.end(program).await;
    let seconds = options.window.as_secs_f64();
    run.set("requestsPerSecond", count(stage.seen(since).len()) / seconds);
    run.set("queriesPerSecond", queries - alone.0);
    run.set("prometheusCpuPercent", (cpu - alone.1) * 100.0);
    run.set("cpuPercent", ticked.cpu_percent);
    run.set("tickUs", ticked.tick_us);
    run.set("queryUs", ticked.query_us);
    run.set("rssMb", process::memory(program.id()).0);
}

/// One model after the other is asked for; each that was woken makes room for another that is parked.
async fn single_wakes(stage: &Stage, program: &Program, models: usize, wakes: usize, run: &mut Run) {
    let since = Timestamp::now();
    let idle = Idle::of(&program.metrics().await);
    let mut samples = Vec::new();
    for n in 0..wakes {
        // Anywhere between two ticks.
        let phase = (f64::from(u32::try_from(n).unwrap_or_default()) * 0.618).fract();
        tokio::time::sleep(Duration::from_secs_f64(0.1 * phase)).await;
        let asked = Timestamp::now();
        let at = stage.waiting([(n, 5)].into_iter());
        stage.until_woken(n).await;
        let at = match at {
            Some(at) => Some(at),
            None => stage.sampled(n).await,
        };
        samples.push((name(n), asked, at));
        let told = count(n + 1);
        until(program, |m| m.sum("reports_total", &[("result", "done")]) >= told).await;
        stage.waiting([(n, 0)].into_iter());
        stage.remove(n).await;
        stage.park(std::iter::once(models + n)).await;
        until(program, |m| Idle::of(m) == idle).await;
    }
    let seen = stage.seen(since);
    let (mut waits, mut writes, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for (name, asked, at) in samples {
        let write = seen
            .iter()
            .find(|seen| seen.is_scale && seen.name == name && seen.code == 200);
        if let (Some(at), Some(write)) = (at, write) {
            waits.push(between(at, write.answered));
            writes.push(between(write.asked, write.answered));
            requests.push(between(asked, write.answered));
        }
    }
    run.set("wakes", count(waits.len()));
    waits.sort_unstable_by(f64::total_cmp);
    writes.sort_unstable_by(f64::total_cmp);
    requests.sort_unstable_by(f64::total_cmp);
    run.set("wakeP50Ms", percentile(&waits, 0.5));
    run.set("wakeP99Ms", percentile(&waits, 0.99));
    run.set("wakeMaxMs", percentile(&waits, 1.0));
    // The embedded Prometheus scrapes at our word, the real one by its interval.
    run.set("requestP50Ms", percentile(&requests, 0.5));
    run.set("wakePatchP50Ms", percentile(&writes, 0.5));
    let patches = seen.iter().filter(|seen| seen.is_scale).count();
    run.set("requestsToScale", count(patches) / count(wakes));
}

/// All models are asked for at once.
async fn burst(stage: &Stage, program: &Program, (first, models): (usize, usize), run: &mut Run) {
    let before = program.metrics().await;
    let accepted = [("result", "accepted")];
    let done = [("result", "done")];
    let (woken, told) = (
        before.sum("wakes_total", &accepted),
        before.sum("reports_total", &done),
    );
    let since = Timestamp::now();
    // Queues of many lengths: the largest goes first.
    let waiting = |n: usize| (n, 1 + u32::try_from(n % 50).unwrap_or_default());
    let at = stage.waiting((first..first + models).map(waiting));
    let all = count(models);
    until(program, |m| m.sum("wakes_total", &accepted) >= woken + all).await;
    until(program, |m| m.sum("reports_total", &done) >= told + all).await;
    let at = match at {
        Some(at) => at,
        None => stage.sampled(first).await.expect("a sample"),
    };
    let seen = stage.seen(since);
    let scales: Vec<&Seen> = seen.iter().filter(|seen| seen.is_scale).collect();
    let good = scales.iter().filter(|seen| seen.code == 200);
    run.set("burstWoken", count(good.clone().count()));
    let begun = scales.iter().map(|seen| seen.asked).min().unwrap_or(at);
    let ended = good.map(|seen| seen.answered).max().unwrap_or(at);
    let reported = seen.iter().map(|seen| seen.answered).max().unwrap_or(at);
    run.set("burstMs", between(at, ended));
    run.set("burstFirstMs", between(at, begun));
    run.set("burstWritesMs", between(begun, ended));
    run.set("burstReportedMs", between(at, reported));
    run.set("burstPatchesPerWake", count(scales.len()) / all);
    run.set("burstRequestsPerWake", count(seen.len()) / all);
    run.set(
        "burstErrors",
        count(
            seen.iter()
                .filter(|seen| seen.code >= 400 || seen.code == 0)
                .count(),
        ),
    );
    // All are starting and still asked for: the most that a tick has to look at.
    let ticks = Ticks::begin(program).await;
    tokio::time::sleep(SETTLING).await;
    let ticked = ticks.end(program).await;
    run.set("busyTickUs", ticked.tick_us);
    run.set("busyCpuPercent", ticked.cpu_percent);
    let (now, peak) = process::memory(program.id());
    run.set("rssAfterMb", now);
    run.set("rssPeakMb", peak);
}

/// Waits until the program's metrics are as wanted, but not for ever.
async fn until(program: &Program, wanted: impl Fn(&Exposition) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !wanted(&program.metrics().await) {
        if Instant::now() > deadline {
            eprintln!("not as wanted within {PATIENCE:?}; going on");
            return;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// What the program knows while nothing happens: variants, inactive ones, requests waiting.
#[derive(PartialEq)]
struct Idle([f64; 4]);

impl Idle {
    fn of(metrics: &Exposition) -> Self {
        let of = |name: &str| metrics.sum(name, &[]);
        Self(
            [
                "variants",
                "inactive_variants",
                "demand_requests",
                "unmatched_demand_requests",
            ]
            .map(of),
        )
    }
}

/// What ticks cost over a while, begun.
struct Ticks {
    at: Instant,
    count: f64,
    tick_seconds: f64,
    queries: f64,
    query_seconds: f64,
    cpu_seconds: f64,
}

/// What ticks cost over a while.
struct Ticked {
    /// A tick without its queries.
    tick_us: f64,
    /// A query.
    query_us: f64,
    cpu_percent: f64,
}

impl Ticks {
    async fn begin(program: &Program) -> Self {
        let metrics = program.metrics().await;
        let sum = |name: &str| metrics.sum(name, &[]);
        Self {
            at: Instant::now(),
            count: sum("tick_duration_seconds_count"),
            tick_seconds: sum("tick_duration_seconds_sum"),
            queries: sum("query_duration_seconds_count"),
            query_seconds: sum("query_duration_seconds_sum"),
            cpu_seconds: process::cpu_seconds(program.id()),
        }
    }

    async fn end(self, program: &Program) -> Ticked {
        // Before the metrics, which cost some.
        let cpu = process::cpu_seconds(program.id()) - self.cpu_seconds;
        let elapsed = self.at.elapsed().as_secs_f64();
        let now = Self::begin(program).await;
        let asking = now.query_seconds - self.query_seconds;
        Ticked {
            tick_us: (now.tick_seconds - self.tick_seconds - asking) / (now.count - self.count) * 1e6,
            query_us: asking / (now.queries - self.queries) * 1e6,
            cpu_percent: cpu / elapsed * 100.0,
        }
    }
}

/// Milliseconds from one time to another.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1e3
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

/// Of sorted values the one that this part of them does not exceed.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among a few values"
)]
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = (count(sorted.len()) * part).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// What a run was asked for, for the record.
pub fn settings(options: &Options) -> Value {
    json!({
        "perNamespace": options.per_namespace,
        "idleSeries": options.idle_series,
        "unmatchedRows": options.unmatched_rows,
        "wakes": options.wakes,
        "windowSeconds": options.window.as_secs_f64(),
        "intervalSeconds": options.interval.as_secs_f64(),
    })
}
