//! `check`: its exit status, what it prints where, and that one part that fails hides no other.

use std::{path::Path, process::Output};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    demand::Signal,
    objects::{behind, deployment, parked},
    program,
    relay::Relay,
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.both("check_of_what_works", check_of_what_works);
    suite.both("check_of_a_broken_link", check_of_a_broken_link);
    suite.both("check_of_one_variant", check_of_one_variant);
    suite.both("check_explains_a_model", check_explains_a_model);
    suite.embedded("check_without_prometheus", check_without_prometheus);
    suite.embedded("check_without_a_cluster", check_without_a_cluster);
    suite.embedded("check_with_a_bad_configuration", check_with_a_bad_configuration);
    suite.embedded("check_goes_on_watching", check_goes_on_watching);
    suite.plain("embedded::check_of_files", async |_| check_of_files().await);
    suite.plain("embedded::check_refuses_arguments", async |_| {
        check_refuses_arguments().await;
    });
}

/// Nothing that a wake needs is broken: no error, and the model's state as the loop would have it.
async fn check_of_what_works(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.demand.queues().signal(&world.ns, "llama", Signal::On);
    // The real Prometheus has to scrape it first.
    let document = wait::until("the signal is seen", async || {
        let (_, document) = look(world, "a", &[]).await;
        (document["variants"][0]["state"] == "parked" && codes(&document, "epp_not_scraped").is_empty())
            .then_some(document)
    })
    .await;
    let of_the_wake = |problem: &&Value| {
        ["config", "permissions", "prometheus", "variant", "pool", "demand"]
            .map(Value::from)
            .contains(&problem["link"])
            && problem["severity"] == "error"
    };
    let problems = document["problems"].as_array().expect("problems");
    assert_eq!(problems.iter().find(of_the_wake), None, "{document:#}");
    assert_eq!(document["version"], 1);
    assert_eq!(document["origin"], "live");
    assert_eq!(document["prometheus"]["error"], Value::Null, "{document:#}");
    let variant = &document["variants"][0];
    assert_eq!(
        (
            &variant["namespace"],
            &variant["name"],
            &variant["model"],
            &variant["pools"]
        ),
        (
            &json!(world.ns),
            &json!("llama"),
            &json!("llama"),
            &json!(["llama"])
        )
    );
    assert_eq!(
        (&variant["replicas"], &variant["waiting"]),
        (&json!(0), &json!(0.0))
    );
    // It looks, and writes nothing.
    let requests = world.cluster.requests(&world.ns);
    assert!(!requests.iter().any(writes), "{requests:#?}");
}

/// Whether a request changes something. Reviews are asked by creating them.
fn writes(request: &crate::cluster::Asked) -> bool {
    request.writes() && !request.resource.contains("reviews")
}

/// The label of the pods is not the one that the pool selects by.
async fn check_of_a_broken_link(world: &World) {
    let [_, variant, pool] = parked("llama", "llama");
    world
        .create([deployment("llama", "lama", 0), variant, pool])
        .await;
    world.demand.queues().signal(&world.ns, "llama", Signal::On);
    let (status, document) = look(world, "a", &[]).await;
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(document["summary"]["status"], "problems");
    let found = codes(&document, "no_pool");
    assert_eq!(found.len(), 1, "{document:#}");
    assert_eq!(
        document["variants"][0]["firstProblem"], found[0]["id"],
        "{document:#}"
    );

    let (status, out, err) = check(world, "b", &[]).await;
    assert_eq!((status, err.as_str()), (1, ""), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours in a pipe: {out}");
    let id = &found[0]["id"];
    assert!(out.contains(&format!("[{id}] no_pool: ")), "{out}");
    assert!(
        out.contains(&format!("[{id}] error: ")) && out.contains("mend "),
        "{out}"
    );
    let (_, out, _) = check(world, "c", &["--color=always"]).await;
    assert!(out.contains('\u{1b}'), "{out}");
}

async fn check_of_one_variant(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.create(behind("qwen", "qwen", "qwen", "1.0", 0)).await;
    let (_, document) = look(world, "a", &["-n", &world.ns, "qwen"]).await;
    let names: Vec<_> = document["variants"]
        .as_array()
        .expect("variants")
        .iter()
        .map(|v| &v["name"])
        .collect();
    assert_eq!(names, ["qwen"], "{document:#}");
    assert_eq!(
        document["only"],
        format!("variant qwen in namespace {}", world.ns)
    );
    for problem in document["problems"].as_array().expect("problems") {
        assert!(
            problem["concerns"] == "all" || problem["variants"].to_string().contains("qwen"),
            "{problem:#}"
        );
    }
    let (status, out, err) = check(world, "b", &["-n", &world.ns, "qwem"]).await;
    assert_eq!((status, out.as_str()), (2, ""), "{err}");
    assert!(
        err.starts_with("scale-from-zero: ") && err.contains("qwem") && err.contains("qwen"),
        "{err}"
    );
}

async fn check_explains_a_model(world: &World) {
    world.create(parked("llama", "meta/llama")).await;
    world.demand.queues().signal(&world.ns, "llama", Signal::On);
    let (_, document) = look(world, "a", &["--explain", "meta/llama"]).await;
    let story = &document["stories"][0];
    assert_eq!(story["model"], "meta/llama", "{document:#}");
    assert_eq!(story["steps"].as_array().map(Vec::len), Some(9), "{document:#}");
    let chosen = story["steps"][4].to_string();
    assert!(
        chosen.contains(&format!("would wake {}/llama", world.ns)),
        "{document:#}"
    );
    let (status, out, _) = check(world, "b", &["--explain", "llama-8b"]).await;
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("no variant serves a model called llama-8b"), "{out}");
}

/// A problem, not the end: all else is checked.
async fn check_without_prometheus(world: &World) {
    world.create(parked("llama", "llama")).await;
    let prometheus = world.demand.scripted();
    prometheus.stop();
    let (status, document) = look(world, "a", &[]).await;
    assert_eq!(status, 1, "{document:#}");
    let found = codes(&document, "prometheus_failing");
    assert_eq!(found.len(), 1, "{document:#}");
    assert!(
        found[0]["evidence"].to_string().contains(prometheus.url()),
        "{document:#}"
    );
    assert_eq!(document["variants"][0]["waiting"], Value::Null, "{document:#}");
    assert_eq!(document["variants"][0]["pools"], json!(["llama"]), "{document:#}");
}

async fn check_without_a_cluster(world: &World) {
    let relay = Relay::closed();
    let kube = world.cluster.kube();
    let kubeconfig = kube.kubeconfig().replace(kube.url(), &relay.url());
    for output in ["table", "json"] {
        let arguments = ["check", "-o", output];
        let program = world
            .program(output)
            .arguments(&arguments)
            .kubeconfig(kubeconfig.clone());
        let (status, out, err) = told(program.output().await);
        assert_eq!(status, 2, "{out}{err}");
        if output == "table" {
            assert_eq!(out, "");
            assert!(err.contains(&relay.url()) && err.contains("KUBECONFIG"), "{err}");
        } else {
            let document: Value = serde_json::from_str(&out).expect("JSON");
            assert!(
                document["error"]
                    .as_str()
                    .is_some_and(|why| why.contains(&relay.url())),
                "{out}"
            );
        }
    }
}

async fn check_with_a_bad_configuration(world: &World) {
    let config = json!({"wake": {"concurency": 3}});
    let (status, out, err) = told(
        world
            .program("a")
            .arguments(&["check"])
            .config(&config)
            .output()
            .await,
    );
    assert_eq!((status, out.as_str()), (2, ""), "{err}");
    assert!(
        err.contains("wake.concurency") && err.contains("wake.concurrency"),
        "{err}"
    );
}

/// Into a pipe one document a line follows the other; at the end the status is the last one's.
async fn check_goes_on_watching(world: &World) {
    world.create(parked("llama", "llama")).await;
    world.demand.queues().signal(&world.ns, "llama", Signal::On);
    let arguments = ["check", "--watch=500ms", "-o", "json"];
    let mut child = world.program("a").arguments(&arguments).piped().await;
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut next = async || -> Value {
        let line = wait::in_time("another look", lines.next_line()).await;
        let line = line.expect("its output").expect("another line");
        serde_json::from_str(&line).expect("a document on one line")
    };
    assert_eq!(next().await["variants"][0]["replicas"], 0);
    world
        .patch(
            crate::cluster::DEPLOYMENT,
            "llama",
            &json!({"spec": {"replicas": 2}}),
        )
        .await;
    let mut last = next().await;
    for _ in 0..10 {
        if last["variants"][0]["replicas"] == 2 {
            break;
        }
        last = next().await;
    }
    assert_eq!(last["variants"][0]["replicas"], 2, "{last:#}");
    world.demand.scripted().stop();
    while codes(&last, "prometheus_failing").is_empty() {
        last = next().await;
    }
    let id = child.id().expect("a process").to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await;
    assert!(sent.expect("kill").success());
    let end = wait::in_time("it ends", child.wait()).await.expect("a child");
    assert_eq!(end.code(), Some(1));
}

/// In a pipeline, without a cluster.
async fn check_of_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("tests/fixtures/guide-example.yaml");
    let example = example.to_str().expect("a path");
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let (status, out, err) = run(&["check", "--objects", example, "-n", "llm"]).await;
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("llm/llama-8b-autoscaler") && out.contains("no samples"),
        "{out}"
    );

    let off = file("off.txt", "llm_d_epp_ready_endpoints{name=\"llama-pool\"} 0\n");
    let (status, out, _) = run(&["check", "--objects", example, "-n", "llm", "--samples", &off]).await;
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("flow_control_off"), "{out}");

    let broken = file("broken.yaml", "kind: [");
    let (status, out, err) = run(&["check", "--objects", &broken]).await;
    assert_eq!((status, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("broken.yaml"), "{err}");
}

async fn check_refuses_arguments() {
    let refused: [(&[&str], &str); 6] = [
        (&["--samples", "x"], "--objects"),
        (&["--watch=1ms"], "500ms"),
        (&["--watch=soon"], "2s"),
        (&["--service-account", "wva"], "NAMESPACE/NAME"),
        (&["-o", "yaml"], "json"),
        (&["name", "--explain", "model"], "--explain"),
    ];
    for (arguments, part) in refused {
        let arguments: Vec<_> = ["check"].iter().chain(arguments).copied().collect();
        let (status, out, err) = run(&arguments).await;
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
    let (status, out, _) = run(&["check", "--help"]).await;
    assert_eq!(status, 0);
    assert!(
        out.contains("Exit status: 0 all well") && out.contains("Examples:"),
        "{out}"
    );
}

/// Runs it with `-o json`.
async fn look(world: &World, copy: &str, more: &[&str]) -> (i32, Value) {
    let (status, out, err) = check(world, copy, &[more, &["-o", "json"]].concat()).await;
    let document = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (status, document)
}

/// Runs it on the world of the trial.
async fn check(world: &World, copy: &str, more: &[&str]) -> (i32, String, String) {
    let arguments = [&["check"], more].concat();
    told(world.program(copy).arguments(&arguments).output().await)
}

/// Runs it on no world.
async fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = program::command().args(arguments).output();
    told(wait::in_time("it ends", output).await.expect("the program"))
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let status = output.status.code().expect("an exit status");
    (status, text(output.stdout), text(output.stderr))
}

/// The problems of a code.
fn codes<'a>(document: &'a Value, code: &str) -> Vec<&'a Value> {
    let problems = document["problems"].as_array().expect("problems");
    problems
        .iter()
        .filter(|problem| problem["code"] == code)
        .collect()
}
