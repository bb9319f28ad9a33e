//! The demo, with a loop that does the least there is to do in place of the real one.

use std::collections::HashMap;

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams},
};
use scale_from_zero::{
    config::Config,
    demo::{DemoError, Options, run},
    prometheus::query,
    report::Extras,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::soon;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Wakes the cheapest variant of each model that has requests waiting.
async fn least_loop(
    config: Config,
    cluster: kube::Config,
    _: Extras,
    end: CancellationToken,
) -> Result<(), Error> {
    let client = Client::try_from(cluster)?;
    let url = format!("{}api/v1/query", config.prometheus.urls[0]);
    let demand = query::demand(&config.query);
    loop {
        let answer = reqwest::Client::new()
            .get(&url)
            .query(&[("query", &demand)])
            .send();
        let answer: Value = answer.await?.json().await?;
        for row in answer["data"]["result"].as_array().unwrap() {
            wake(&client, &row["metric"]).await?;
        }
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            () = tokio::time::sleep(config.interval / 20) => {}
        }
    }
}

async fn wake(client: &Client, row: &Value) -> Result<(), Error> {
    let namespace = row["namespace"].as_str().unwrap();
    let api = |group: &str, version: &str, kind: &str| -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(client.clone(), namespace, &resource)
    };
    let variants = api("llmd.ai", "v1alpha1", "VariantAutoscaling");
    let all = variants.list(&ListParams::default()).await?.items;
    let of_model = all
        .iter()
        .filter(|variant| variant.data["spec"]["modelID"] == row["target_model_name"]);
    let cost = |variant: &&DynamicObject| -> u64 {
        let cost = variant.data["spec"]["variantCost"].as_str().unwrap();
        cost.split('.').next().unwrap().parse().unwrap()
    };
    let cheapest = of_model.min_by_key(cost).unwrap();
    let target = &cheapest.data["spec"]["scaleTargetRef"];
    let targets = api("apps", "v1", target["kind"].as_str().unwrap());
    let target = targets.get(target["name"].as_str().unwrap()).await?;
    if target.data["spec"]["replicas"] != 0 {
        return Ok(());
    }
    let patch = json!({
        "metadata": {"resourceVersion": target.metadata.resource_version}, "spec": {"replicas": 1},
    });
    let name = target.metadata.name.unwrap();
    targets
        .patch_scale(&name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    let patch = json!({"status": {
        "desiredOptimizedAlloc": {"numReplicas": 1, "accelerator": "L4"},
        "conditions": [{
            "type": "MetricsAvailable", "status": "True", "reason": "ScaleFromZero", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    }});
    let name = cheapest.metadata.name.as_deref().unwrap();
    variants
        .patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}

fn options(models: usize, speed: f64) -> Options {
    Options {
        once: true,
        models: Some(models),
        speed,
        address: None,
        quiet: false,
        open: false,
    }
}

/// The text after the time and the model, by model.
fn told(story: &str) -> HashMap<String, Vec<String>> {
    let mut told: HashMap<String, Vec<String>> = HashMap::new();
    for line in story.lines() {
        let mut words = line.trim_start().splitn(2, "s  ");
        let (Some(at), Some(rest)) = (words.next(), words.next()) else {
            continue;
        };
        if at.parse::<f64>().is_ok() {
            let (model, what) = rest.split_once("  ").unwrap();
            told.entry(model.to_owned())
                .or_default()
                .push(what.trim().to_owned());
        }
    }
    told
}

#[tokio::test]
async fn one_round_is_told_as_it_happened() {
    let mut out = Vec::new();
    soon(run(options(4, 20.0), &mut out, least_loop)).await.unwrap();
    let story = String::from_utf8(out).unwrap();
    let told = told(&story);
    assert_eq!(told.len(), 4, "{story}");
    for (model, lines) in &told {
        let starts = [
            "a request arrives",
            "asked for",
            "woken: ",
            "status of ",
            "ready",
            "queue drained",
        ];
        for start in starts {
            assert_eq!(
                lines.iter().filter(|line| line.starts_with(start)).count(),
                1,
                "{model}: {start} in\n{story}"
            );
        }
    }
    let woken = |model: &str| {
        told[model]
            .iter()
            .find(|line| line.starts_with("woken"))
            .unwrap()
            .clone()
    };
    assert!(
        woken("meta/llama-3.1-8b").contains("Deployment llm-chat/llama-8b-l4, replicas 0 -> 1"),
        "{story}"
    );
    assert!(
        woken("meta/llama-3.1-8b").ends_with("(cost 5.0; still parked: llama-8b-h100 at 40.0)"),
        "{story}"
    );
    assert!(
        woken("qwen/qwen3-32b").contains("StatefulSet llm-batch/qwen-h100"),
        "{story}"
    );
    let rows: Vec<Vec<&str>> = story
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        rows.contains(&vec![
            "llm-chat",
            "llama-8b-l4",
            "llama-8b-l4",
            "meta/llama-3.1-8b",
            "1",
            "True"
        ]),
        "{story}"
    );
    assert!(
        rows.contains(&vec![
            "llm-chat",
            "llama-8b-h100",
            "llama-8b-h100",
            "meta/llama-3.1-8b",
            "0",
            "False"
        ]),
        "{story}"
    );
}

#[tokio::test]
async fn more_models_make_no_longer_story() {
    let mut out = Vec::new();
    soon(run(options(40, 20.0), &mut out, least_loop)).await.unwrap();
    let story = String::from_utf8(out).unwrap();
    assert_eq!(told(&story).len(), 40);
    assert!(story.contains("All 40 models"), "{story}");
}

/// With the clock stopped, time passes as soon as nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_loop_that_wakes_nothing_fails_the_demo() {
    let idle = async |_: Config, _: kube::Config, _: Extras, end: CancellationToken| -> Result<(), Error> {
        end.cancelled().await;
        Ok(())
    };
    let mut out = Vec::new();
    let error = run(options(2, 1.0), &mut out, idle).await.unwrap_err();
    let DemoError::Unfinished { lacking, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(lacking.len(), 2);
    assert!(lacking[0].starts_with("meta/llama-3.1-8b: "), "{error}");
    let story = String::from_utf8(out).unwrap();
    assert!(!story.contains("woken") && !story.contains("All 2"), "{story}");
}

#[tokio::test]
async fn a_loop_that_fails_or_ends_fails_the_demo() {
    let fails =
        async |_: Config, _: kube::Config, _: Extras, _: CancellationToken| Err::<(), Error>("no".into());
    let error = soon(run(options(1, 1.0), std::io::sink(), fails))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the control loop failed: no");
    let ends = async |_: Config, _: kube::Config, _: Extras, _: CancellationToken| Ok::<(), Error>(());
    let error = soon(run(options(1, 1.0), std::io::sink(), ends))
        .await
        .unwrap_err();
    assert!(matches!(error, DemoError::LoopEnded), "{error}");
}

#[tokio::test]
async fn bad_options_are_refused() {
    for (options, said) in [
        (options(0, 1.0), "--models must be 1 or more"),
        (options(1, 0.0), "--speed must be a number above 0, not 0"),
        (options(1, f64::NAN), "--speed must be a number above 0, not NaN"),
    ] {
        assert_eq!(
            run(options, std::io::sink(), least_loop)
                .await
                .unwrap_err()
                .to_string(),
            said
        );
    }
}

/// A reader that has seen enough, as `head` does.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_closed_pipe_is_an_end() {
    soon(run(options(1, 1.0), Closed, least_loop)).await.unwrap();
}
