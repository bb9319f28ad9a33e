//! A real Prometheus that scrapes a small exporter in this process.

use std::{
    fmt::Debug,
    fs::File,
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use libtest_mimic::Failed;
use scale_from_zero::{
    config::{Auth, Prometheus as Config, Query, Tls},
    core::{Sample, Seen, Sign},
    prometheus::{Prometheus, Reason, ScrapeTarget, Series, query as text},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    NEW, OLD, query,
    signals::{ENDPOINTS, INFO, OLD_INFO, READY_PODS, SATURATION},
};

/// To start, and to scrape twice; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Killed when dropped.
pub struct Real {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

pub fn run(prometheus: &Path) -> Result<(), Failed> {
    runtime()?.block_on(async {
        let queue = watch::Sender::new(5);
        let exporter = TcpListener::bind("127.0.0.1:0").await?;
        let target = exporter.local_addr()?;
        let body = queue.subscribe();
        tokio::spawn(export(exporter, move || queues(*body.borrow())));
        let job = |name: &str| {
            let targets = json!([{"targets": [target.to_string()], "labels": {"pod": "epp-0"}}]);
            json!({"job_name": name, "honor_labels": true, "static_configs": targets})
        };
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [job("podmonitor"), job("servicemonitor")],
        });
        let real = Real::start(prometheus, &config, None).await?;
        let outcome = trial(&real, &queue).await;
        real.end(outcome).await
    })
}

pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

async fn trial(real: &Real, queue: &watch::Sender<i32>) -> Result<(), Failed> {
    let prometheus = real.client(&query());
    let row = Sample {
        family: Some(NEW.into()),
        namespace: Some("team".into()),
        pool: Some("pool".into()),
        model: Some("public".into()),
        target_model: Some("meta/llama".into()),
        value: 5.0,
    };
    until("the demand of 5", async || {
        prometheus.demand().await.unwrap() == [row.clone()]
    })
    .await?;

    let ages = prometheus.ages().await.unwrap().unwrap();
    let [age] = ages.as_slice() else {
        return Err(format!("one age is wanted: {ages:?}").into());
    };
    // No measurement: samples older than 5 minutes are not selected at all.
    check("an age in seconds", (0.0..300.0).contains(&age.value), &ages)?;
    let expected = Sample {
        family: None,
        value: age.value,
        ..row
    };
    check("the age of the row of the demand", *age == expected, &ages)?;

    signals(&prometheus).await?;
    survey(&prometheus).await?;

    for query in [
        text::demand(&query()),
        text::age(&query()).unwrap(),
        text::signal(&query()).unwrap(),
    ] {
        let answer = real.ask(&query).await;
        check("success", answer["status"] == "success", &answer)?;
        check(
            "no warnings",
            answer.get("warnings").is_none() && answer.get("infos").is_none(),
            &answer,
        )?;
    }

    queue.send(0)?;
    until("no demand any more", async || {
        prometheus.demand().await.unwrap().is_empty()
    })
    .await?;
    check(
        "no age any more",
        prometheus.ages().await.unwrap() == Some(vec![]),
        &(),
    )?;

    for (expression, reason, says) in [
        ("sum by (", Reason::BadQuery, "parse error"),
        (
            "sum by (",
            Reason::BadQuery,
            "mend query.expression; sent: sum by (",
        ),
        ("1", Reason::BadQuery, "the result is a scalar"),
        ("up[1m]", Reason::BadQuery, "the result is a matrix"),
        (
            "up * on() up",
            Reason::Execution,
            "many-to-many matching not allowed",
        ),
    ] {
        let query = Query {
            expression: Some(expression.into()),
            ..query()
        };
        let error = real.client(&query).demand().await.unwrap_err();
        check(
            says,
            error.reason == reason && error.message.contains(says),
            &error,
        )?;
    }
    let query = Query {
        expression: Some("-up / 0".into()),
        ..query()
    };
    let infinite = real.client(&query).demand().await.unwrap();
    check(
        "-Inf comes through",
        infinite.iter().all(|row| row.value == f64::NEG_INFINITY),
        &infinite,
    )?;
    check("one row for each job", infinite.len() == 2, &infinite)?;

    let lost = client(&format!("http://{}/elsewhere", real.address), &super::query());
    let error = lost.demand().await.unwrap_err();
    let says = "correct the path of prometheus.url";
    check(
        says,
        error.reason == Reason::HttpStatus && error.message.contains(says),
        &error,
    )
}

/// What the EPP of `team` and its neighbours show, once all of it was scraped.
async fn signals(prometheus: &Prometheus) -> Result<(), Failed> {
    let seen = |namespace: &str, pool: Option<&str>, what| Seen {
        namespace: Some(namespace.into()),
        pool: pool.map(Into::into),
        what,
    };
    let expected = [
        seen("older", None, Sign::Other),
        seen("team", Some("off"), Sign::Endpoints),
        seen("team", Some("old"), Sign::OldEndpoints),
        seen("team", Some("pool"), Sign::FlowControl),
        seen("team", Some("pool"), Sign::Endpoints),
    ];
    until("the signals", async || {
        let mut signals = prometheus.signals().await.unwrap().unwrap();
        signals.sort();
        signals == expected
    })
    .await
}

/// What `check` asks beside, of a Prometheus that has it all.
async fn survey(prometheus: &Prometheus) -> Result<(), Failed> {
    let is_queue = |series: &Series| series.name == NEW;
    // Three flows, by two jobs, of which the second may still have to come.
    until("all series of a family", async || {
        let series = prometheus.series().await.unwrap();
        series.iter().filter(|series| is_queue(series)).count() == 6
    })
    .await?;
    let series = prometheus.series().await?;
    let queues: Vec<_> = series.iter().filter(|series| is_queue(series)).collect();
    let is_whole = |series: &&Series| {
        let age = series.age.unwrap_or(f64::NAN);
        series.label("pod") == "epp-0" && !series.label("instance").is_empty() && (0.0..300.0).contains(&age)
    };
    check(
        "whole series with their age",
        queues.iter().all(is_whole),
        &queues,
    )?;
    check(
        "saturation, too",
        series.iter().any(|series| series.name == SATURATION),
        &series,
    )?;

    let targets = prometheus.targets().await?;
    check("a target for each job", targets.len() == 2, &targets)?;
    let is_whole = |target: &ScrapeTarget| {
        target.interval == Some(Duration::from_secs(1))
            && target.health == "up"
            && target.last_error.is_empty()
            && target.last_scrape.is_some()
            && target.pool == target.labels["job"]
            && target.url.ends_with("/metrics")
    };
    check("whole targets", targets.iter().all(is_whole), &targets)?;

    let version = prometheus.version().await?;
    check(
        "a version",
        version.starts_with(|c: char| c.is_ascii_digit()),
        &version,
    )?;
    let ahead = prometheus.clock_ahead().await?.unwrap_or(f64::NAN);
    // It is this machine's clock; the bound is that of any round trip.
    check("one clock", ahead.abs() < PATIENCE.as_secs_f64(), &ahead)
}

/// What is there beside the queues: an EPP with flow control and one without, an old one, and an older one that
/// names no pool.
fn beside() -> String {
    let series = [
        (SATURATION, r#"namespace="team",inference_pool="pool""#, "NaN"),
        (ENDPOINTS, r#"namespace="team",name="pool""#, "0"),
        (ENDPOINTS, r#"namespace="team",name="off""#, "0"),
        (READY_PODS, r#"namespace="team",name="off""#, "0"),
        (READY_PODS, r#"namespace="team",name="old""#, "0"),
        (INFO, r#"namespace="team",commit="c",build_ref="r""#, "1"),
        (OLD_INFO, r#"namespace="older",commit="c",build_ref="r""#, "1"),
    ];
    let lines = series.map(|(family, labels, value)| format!("{family}{{{labels}}} {value}\n"));
    lines.concat()
}

pub fn check(what: &str, holds: bool, seen: &impl Debug) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}; seen: {seen:?}").into())
    }
}

/// Scrapes take their time.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) -> Result<(), Failed> {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        if Instant::now() > end {
            return Err(format!("in vain waited for {what}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn client(url: &str, query: &Query) -> Prometheus {
    let config = Config {
        urls: vec![url.parse().unwrap()],
        timeout: PATIENCE,
        auth: Auth::None,
        tls: Tls::default(),
        headers: [].into(),
        params: [].into(),
    };
    Prometheus::new(&config, query).unwrap()
}

impl Real {
    /// On loopback, below a path as behind an ingress, with this configuration, and these rules in `rules.yaml`.
    pub async fn start(program: &Path, config: &Value, rules: Option<&Value>) -> Result<Self, Failed> {
        // Another process may take the free port before Prometheus does.
        let mut last = Failed::without_message();
        for _ in 0..3 {
            match Self::try_start(program, config, rules).await {
                Ok(real) => return Ok(real),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Ends it. What it said is told with a failure.
    pub async fn end(mut self, outcome: Result<(), Failed>) -> Result<(), Failed> {
        let killed = self.child.kill().await;
        outcome.map_err(|error| Failed::from(format!("{error:?}\n{}", self.log())))?;
        Ok(killed?)
    }

    async fn try_start(program: &Path, config: &Value, rules: Option<&Value>) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string())?;
        if let Some(rules) = rules {
            std::fs::write(folder.path().join("rules.yaml"), rules.to_string())?;
        }
        let address = StdListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::create(folder.path().join("log"))?;
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--web.route-prefix=/prom")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut real = Self {
            child,
            address,
            folder,
        };
        let end = Instant::now() + PATIENCE;
        while !real.is_ready().await {
            if real.child.try_wait()?.is_some() || Instant::now() > end {
                return Err(format!("Prometheus does not start:\n{}", real.log()).into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(real)
    }

    async fn is_ready(&self) -> bool {
        match http().get(format!("{}/-/ready", self.url())).send().await {
            Ok(response) => response.status().is_success(),
            Err(_) => false,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/prom", self.address)
    }

    fn client(&self, query: &Query) -> Prometheus {
        client(&self.url(), query)
    }

    /// The whole answer to a query.
    async fn ask(&self, query: &str) -> Value {
        self.get("query", &[("query", query)]).await
    }

    /// What its API answers.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let request = http()
            .get(format!("{}/api/v1/{path}", self.url()))
            .query(parameters);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

/// EPPs, one of which exports both families: `waiting` requests in one flow, beside oddities in others.
fn queues(waiting: i32) -> String {
    let mut body = String::new();
    for family in [NEW, OLD] {
        body.extend(["# TYPE ", family, " gauge\n"]);
        for (fairness, value) in [
            ("a", waiting.to_string()),
            ("b", "NaN".into()),
            ("c", "-3".into()),
        ] {
            let labels = r#"namespace="team",inference_pool="pool",model_name="public",target_model_name="meta/llama",priority="0""#;
            body.extend([
                family,
                "{",
                labels,
                ",fairness_id=\"",
                fairness,
                "\"} ",
                &value,
                "\n",
            ]);
        }
    }
    body + &beside()
}

/// Shows this to whoever asks.
pub async fn export(listener: TcpListener, body: impl Fn() -> String + Clone + Send + 'static) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = body.clone();
        tokio::spawn(async move {
            let mut request = [0; 4096];
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                let body = body();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all((head + &body).as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
