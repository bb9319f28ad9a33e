//! The buttons of the demo: each link, broken over HTTP, leads the real loop to its state in `/api/status`, and back
//! once it is mended. With them come the refusals.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use scale_from_zero::{
    config::Config,
    demo::{Options, run},
    report::{Extras, Metrics},
    run::{self as real, Setup},
};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Two variants: `llama-8b-l4`, and `llama-8b-h100` in its place.
const TWO: &str = "meta/llama-3.1-8b";
/// One variant: `mixtral-a100`.
const ONE: &str = "mistralai/mixtral-8x7b";
/// What takes longer than this does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo that runs, and somebody at its buttons.
struct Play {
    url: String,
    client: Client,
    story: Told,
}

/// What the terminal shows.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Told {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Plays with a demo of four models that goes ten times as fast, beside the real loop.
async fn play(quiet: bool, body: impl AsyncFnOnce(&Play)) {
    let options = Options {
        once: false,
        models: Some(4),
        speed: 10.0,
        address: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        quiet,
        open: false,
    };
    let signal_interval = options.signal_interval();
    let (say, address) = oneshot::channel();
    let start = |config: Config, cluster, extras: Extras, end: CancellationToken| {
        say.send(config.server.address).unwrap();
        let setup = Setup {
            config,
            reloads: None,
            cluster,
            instance: "test".into(),
            metrics: Metrics::new(),
            extras,
            signal_interval,
        };
        real::run(setup, end)
    };
    let story = Told::default();
    let player = async {
        let play = Play {
            url: format!("http://{}", address.await.unwrap()),
            client: Client::new(),
            story: story.clone(),
        };
        play.until("the first list of everything", |status| {
            status["variants"].as_array().is_some_and(|all| all.len() == 6)
        })
        .await;
        body(&play).await;
    };
    tokio::select! {
        ended = run(options, story.clone(), start) => panic!("the demo has ended: {ended:?}"),
        () = player => {}
    }
}

impl Play {
    fn post(&self, what: &str, body: &Value) -> RequestBuilder {
        let post = self.client.post(format!("{}/api/demo/{what}", self.url));
        post.header("X-Scale-From-Zero-Demo", "1").json(body)
    }

    /// Does something that is done, and returns the board after it.
    async fn press(&self, what: &str, body: Value) -> Value {
        let answer = self.post(what, &body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{body}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn send(&self, model: &str, count: u32) -> Value {
        self.press("requests", json!({"model": model, "count": count}))
            .await
    }

    async fn set(&self, model: &str, link: &str, broken: bool) {
        let change = json!({"model": model, "link": link, "broken": broken});
        let board = self.press("links", change).await;
        let models = board["models"].as_array().unwrap();
        let of = models.iter().find(|one| one["name"] == model).unwrap();
        let now: Vec<&Value> = of["broken"].as_array().into_iter().flatten().collect();
        assert_eq!(now.iter().any(|one| one["link"] == link), broken, "{board}");
    }

    async fn status(&self) -> Value {
        let answer = self.client.get(format!("{}/api/status", self.url)).send().await;
        match answer {
            Ok(answer) if answer.status() == StatusCode::OK => answer.json().await.unwrap(),
            // It does not listen yet.
            _ => Value::Null,
        }
    }

    async fn until(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let looks = async {
            loop {
                last = self.status().await;
                if so(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let end = tokio::time::timeout(PATIENCE, looks).await;
        assert!(
            end.is_ok(),
            "it never came to this: {what}\nat last: {last:#}\n{}",
            self.told()
        );
        last
    }

    /// Waits until a variant is in this state, with these words about it.
    async fn until_state(&self, variant: &str, state: &str, words: &str) {
        self.until(&format!("{variant} is {state}: {words}"), |status| {
            let mut variants = status["variants"].as_array().into_iter().flatten();
            variants.any(|one| {
                let reason = one["reason"].as_str().unwrap_or_default();
                one["name"] == variant && one["state"] == state && reason.contains(words)
            })
        })
        .await;
    }

    /// Waits until requests for a model are held back for this reason.
    async fn until_held(&self, model: &str, reason: &str) {
        self.until(&format!("{model} is held back: {reason}"), |status| {
            let mut held = status["blocked"].as_array().into_iter().flatten();
            held.any(|one| one["model"] == model && one["reason"] == reason)
        })
        .await;
    }

    /// Waits until there is a decision of this kind about a model, with these words.
    async fn until_decided(&self, model: &str, decision: &str, words: &str) {
        let url = format!("{}/api/decisions", self.url);
        let looks = async {
            loop {
                let answer = self.client.get(&url).send().await.unwrap();
                let all: Value = answer.json().await.unwrap();
                let is_it = |one: &Value| {
                    let text = one["text"].as_str().unwrap_or_default();
                    one["model"] == model && one["decision"] == decision && text.contains(words)
                };
                if all["decisions"].as_array().unwrap().iter().any(is_it) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let end = tokio::time::timeout(PATIENCE, looks).await;
        assert!(end.is_ok(), "never decided: {decision} {words}\n{}", self.told());
    }

    /// Asks again and again, as clients do, until a variant is in this state. What nobody asks for is parked soon.
    async fn while_asking(&self, model: &str, variant: &str, state: &str, words: &str) {
        let asks = async {
            loop {
                self.send(model, 1).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            () = asks => {}
            () = self.until_state(variant, state, words) => {}
        }
    }

    /// The same, until it serves.
    async fn until_served(&self, model: &str, variant: &str) {
        self.while_asking(model, variant, "serving", "").await;
    }

    fn waiting(board: &Value, model: &str) -> u64 {
        let mut models = board["models"].as_array().unwrap().iter();
        models.find(|one| one["name"] == model).unwrap()["waiting"]
            .as_u64()
            .unwrap()
    }

    /// What the terminal shows.
    fn told(&self) -> String {
        String::from_utf8(self.story.0.lock().unwrap().clone()).unwrap()
    }

    /// Whether the terminal shows this.
    fn has_told(&self, words: &str) {
        assert!(
            self.told().contains(words),
            "{words:?} is not in\n{}",
            self.told()
        );
    }
}

#[tokio::test]
async fn a_request_wakes_a_model() {
    play(true, async |play| {
        play.until_state("llama-8b-l4", "parked", "").await;
        play.send(TWO, 10).await;
        play.until_decided(TWO, "woken", "").await;
        play.until("they are served", |_| {
            play.told().contains("queue drained: 10 requests served")
        })
        .await;
        play.has_told("somebody sends 10 requests; no pod is ready");
        play.until_state("llama-8b-l4", "parked", "").await;
        play.until_state("mixtral-a100", "parked", "no requests wait")
            .await;
    })
    .await;
}

#[tokio::test]
async fn flow_control_off() {
    play(true, async |play| {
        play.set(TWO, "flow-control-off", true).await;
        play.until_state("llama-8b-l4", "no_signal", "flow control").await;
        let board = play.send(TWO, 3).await;
        assert_eq!(Play::waiting(&board, TWO), 0, "nothing holds them");
        play.has_told("3 requests refused at once");
        play.until_state("mixtral-a100", "parked", "").await;
        play.set(TWO, "flow-control-off", false).await;
        play.until_state("llama-8b-l4", "parked", "").await;
        play.until_served(TWO, "llama-8b-l4").await;
        play.has_told("link mended: Flow control off");
    })
    .await;
}

#[tokio::test]
async fn epp_not_scraped() {
    play(true, async |play| {
        play.set(TWO, "epp-not-scraped", true).await;
        let board = play.send(TWO, 3).await;
        assert_eq!(Play::waiting(&board, TWO), 3, "its EPP holds them");
        play.until_state("llama-8b-l4", "no_signal", "Prometheus has no metric")
            .await;
        play.set(TWO, "epp-not-scraped", false).await;
        play.until_served(TWO, "llama-8b-l4").await;
    })
    .await;
}

#[tokio::test]
async fn no_pool() {
    // One of each way to write a selector.
    for (model, variant) in [
        (TWO, "llama-8b-l4"),
        (ONE, "mixtral-a100"),
        ("qwen/qwen3-32b", "qwen-h100"),
    ] {
        play(true, async |play| {
            play.set(model, "no-pool", true).await;
            play.send(model, 1).await;
            play.until_held(model, "no_pool").await;
            play.until_state(variant, "blocked", "").await;
            play.set(model, "no-pool", false).await;
            play.until_served(model, variant).await;
        })
        .await;
    }
}

#[tokio::test]
async fn target_deleted() {
    play(true, async |play| {
        play.set(TWO, "target-deleted", true).await;
        play.until_state("llama-8b-l4", "blocked", "").await;
        play.until_served(TWO, "llama-8b-h100").await;
        play.set(TWO, "target-deleted", false).await;
        play.until_state("llama-8b-l4", "parked", "").await;
        play.until_state("llama-8b-h100", "parked", "").await;
        play.until_served(TWO, "llama-8b-l4").await;
    })
    .await;
}

#[tokio::test]
async fn scale_forbidden() {
    play(true, async |play| {
        play.set(ONE, "scale-forbidden", true).await;
        play.send(ONE, 2).await;
        play.until_held(ONE, "wake_failed").await;
        play.until_state("mixtral-a100", "blocked", "").await;
        play.set(ONE, "scale-forbidden", false).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn unschedulable() {
    play(true, async |play| {
        play.set(TWO, "unschedulable", true).await;
        play.send(TWO, 1).await;
        play.until_decided(TWO, "escalated", "Insufficient nvidia.com/gpu")
            .await;
        play.until_served(TWO, "llama-8b-h100").await;
        // Without another variant it is waited for.
        play.set(ONE, "unschedulable", true).await;
        play.while_asking(ONE, "mixtral-a100", "overdue", "cannot be scheduled")
            .await;
        play.set(ONE, "unschedulable", false).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn quota() {
    play(true, async |play| {
        play.set(TWO, "quota", true).await;
        play.send(TWO, 1).await;
        play.until_decided(TWO, "escalated", "exceeded quota").await;
        play.set(TWO, "quota", false).await;
        play.until_served(TWO, "llama-8b-l4").await;
        play.until_state("llama-8b-l4", "parked", "").await;
    })
    .await;
}

#[tokio::test]
async fn never_ready() {
    play(true, async |play| {
        play.set(ONE, "never-ready", true).await;
        play.while_asking(ONE, "mixtral-a100", "overdue", "not ready")
            .await;
        play.set(ONE, "never-ready", false).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn hpa_takes_back() {
    play(true, async |play| {
        play.set(ONE, "hpa-takes-back", true).await;
        play.send(ONE, 5).await;
        let named = "HorizontalPodAutoscaler llm-chat/mixtral-a100";
        play.until_state("mixtral-a100", "reverted", named).await;
        play.has_told("was taken back to 0 by HorizontalPodAutoscaler mixtral-a100");
        play.set(ONE, "hpa-takes-back", false).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn scaled_down_by_hand() {
    play(true, async |play| {
        play.set(ONE, "scaled-down-by-hand", true).await;
        play.send(ONE, 5).await;
        play.until_state("mixtral-a100", "reverted", "a person").await;
        play.set(ONE, "scaled-down-by-hand", false).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn prometheus_down() {
    play(true, async |play| {
        let set = |broken: bool| json!({"link": "prometheus-down", "broken": broken});
        play.press("links", set(true)).await;
        play.until("queries fail", |status| status["queryFailing"].is_object())
            .await;
        play.send(ONE, 1).await;
        play.until_state("mixtral-a100", "parked", "").await;
        play.press("links", set(false)).await;
        play.until_served(ONE, "mixtral-a100").await;
    })
    .await;
}

#[tokio::test]
async fn names_that_nobody_serves() {
    play(true, async |play| {
        for asked_by in ["another-case", "an-unknown-name"] {
            play.press("requests", json!({"model": ONE, "askedBy": asked_by}))
                .await;
        }
        play.until_held("MISTRALAI/MIXTRAL-8X7B", "name_differs_by_case")
            .await;
        play.press("requests", json!({"model": ONE, "askedBy": "an-unknown-name"}))
            .await;
        play.until_held("nobody/serves-this", "no_variant").await;
        play.until_served(ONE, "mixtral-a100").await;
        play.has_told("which answers 404");
    })
    .await;
}

#[tokio::test]
async fn who_plays_is_not_disturbed() {
    play(false, async |play| {
        let look = async || -> Value {
            let board = play.client.get(format!("{}/api/demo", play.url)).send();
            board.await.unwrap().json().await.unwrap()
        };
        let board = look().await;
        assert_eq!((&board["paused"], &board["speed"]), (&false.into(), &10.0.into()));
        assert_eq!(board["models"].as_array().unwrap().len(), 4);
        let board = play.send(ONE, 1).await;
        assert_eq!(board["paused"], true, "the first button pauses the story");
        play.has_told("no more requests come by themselves");
        let board = play.press("story", json!({"paused": false})).await;
        assert_eq!(board["paused"], false);
        let board = play.send(ONE, 1).await;
        assert_eq!(board["paused"], false, "who wants the story has it");
        play.until("the story goes on", |_| {
            play.told().contains("google/gemma-3-12b      ready")
        })
        .await;
        play.press("story", json!({"paused": true})).await;
        play.until("everything is parked", |status| {
            let all = status["variants"].as_array().unwrap();
            all.iter().all(|one| one["state"] == "parked")
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    play(true, async |play| {
        let refused = async |request: RequestBuilder, code: u16, words: &str| {
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert_eq!(status.as_u16(), code, "{text}");
            let body: Value = serde_json::from_str(&text).unwrap();
            let error = body["error"].as_str().unwrap();
            assert!(error.contains(words), "{error}");
        };
        let good = json!({"model": ONE});
        let look = || play.client.get(format!("{}/api/demo", play.url));
        let url = format!("{}/api/demo/requests", play.url);
        refused(look().header("Host", "10.0.0.1"), 403, "not to the host").await;
        let post = play.post("requests", &good).header("Host", "10.0.0.1");
        refused(post, 403, "not to the host").await;
        // Names are refused for the page as well, before anybody looks at the path.
        for host in ["evil.example", "evil.example:8085"] {
            for request in [look(), play.post("requests", &good)] {
                let answer = request.header("Host", host).send().await.unwrap();
                assert_eq!(answer.status().as_u16(), 421, "{host}");
            }
        }
        let bare = play.client.post(&url).json(&good);
        refused(bare, 403, "X-Scale-From-Zero-Demo: 1").await;
        let form = play.client.post(&url).header("X-Scale-From-Zero-Demo", "1");
        refused(form.body(good.to_string()), 415, "application/json").await;
        for (what, body, code, words) in [
            (
                "requests",
                json!({"model": "x"}),
                404,
                "no model of the demo is called \"x\"",
            ),
            (
                "requests",
                json!({"model": ONE, "count": 0}),
                400,
                "count must be 1 to 1000, not 0",
            ),
            ("requests", json!({"model": ONE, "count": 1001}), 400, "not 1001"),
            ("requests", json!({"model": ONE, "count": -1}), 422, "count"),
            ("requests", json!({"count": 1}), 422, "missing field `model`"),
            (
                "requests",
                json!({"model": ONE, "often": 1}),
                422,
                "unknown field `often`",
            ),
            (
                "links",
                json!({"link": "chain", "broken": true}),
                422,
                "unknown variant `chain`",
            ),
            (
                "links",
                json!({"link": "quota", "broken": true}),
                400,
                "say in \"model\"",
            ),
            (
                "links",
                json!({"model": "x", "link": "quota", "broken": true}),
                404,
                "no model",
            ),
            (
                "links",
                json!({"model": ONE, "link": "prometheus-down", "broken": true}),
                400,
                "leave \"model\" out",
            ),
            (
                "links",
                json!({"model": "qwen/qwen3-32b", "link": "quota", "broken": true}),
                400,
                "StatefulSet",
            ),
            ("story", json!({}), 422, "missing field `paused`"),
        ] {
            refused(play.post(what, &body), code, words).await;
        }
        let broken = play.post("requests", &good).body("{\"model\":");
        refused(broken, 400, "EOF").await;
        let long = json!({"model": "x".repeat(20_000)});
        refused(play.post("requests", &long), 413, "").await;
        let get = play.client.get(&url).send().await.unwrap();
        assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
        let board: Value = look().send().await.unwrap().json().await.unwrap();
        assert_eq!(Play::waiting(&board, ONE), 0, "nothing came of all that");
    })
    .await;
}
