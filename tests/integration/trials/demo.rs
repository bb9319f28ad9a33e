//! `demo` as a person has it: the program, its page in a browser, and the buttons there.

use std::process::Stdio;

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};

use crate::{
    browser::{Browser, Screen, Tab},
    program::command,
    suite::Suite,
    wait,
};

/// The models that the page offers.
const MODELS: [&str; 2] = ["meta/llama-3.1-8b", "mistralai/mixtral-8x7b"];

pub fn register(suite: &mut Suite) {
    suite.browser("demo_at_the_buttons", async |_, browser| {
        demo_at_the_buttons(browser).await;
    });
    suite.plain("embedded::demo_on_loopback_only", async |_| {
        demo_on_loopback_only().await;
    });
}

/// Starts it, slowly, so that each state stands for longer than the page takes to show it, and returns it with the
/// address that it says.
async fn start() -> (Child, String) {
    let mut demo = command()
        .args(["demo", "--quiet", "--no-open", "--models", "2", "--speed", "0.5"])
        .args(["--address", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut lines = BufReader::new(demo.stdout.take().expect("its story")).lines();
    let url = wait::in_time("the story says where the page is", async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(url) = line.trim().strip_prefix("Status page:") {
                return url.trim().to_owned();
            }
        }
        panic!("it has said no address");
    })
    .await;
    // Read on, so that it can go on telling.
    tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
    (demo, url)
}

/// Waits until the row of a variant is in this state.
async fn until_state(tab: &Tab, variant: &str, state: &str) {
    let row = json!(format!("[data-key$='/{variant}']"));
    tab.until(&format!(
        "document.querySelector({row}).dataset.state === '{state}'"
    ))
    .await;
}

/// Chooses a model in the panel.
async fn choose(tab: &Tab, model: &str) {
    let model = json!(model);
    tab.value(&format!(
        "(() => {{ const select = document.querySelector('#demo-model'); select.value = {model}; \
         select.dispatchEvent(new Event('change')); }})()"
    ))
    .await;
}

async fn demo_at_the_buttons(browser: &Browser) {
    let (_demo, url) = start().await;
    let tab = browser.open(&url, Screen::DESKTOP).await;
    until_state(&tab, "llama-8b-l4", "parked").await;
    let models = tab
        .until("document.querySelector('#demo-model').length === 2 && [...document.querySelector('#demo-model').options].map((o) => o.value)")
        .await;
    assert_eq!(models, json!(MODELS));
    assert_eq!(
        tab.value("document.querySelector('#demo-story').checked").await,
        false
    );

    tab.click("#demo-send-10").await;
    until_state(&tab, "llama-8b-l4", "starting").await;
    until_state(&tab, "llama-8b-l4", "serving").await;
    tab.until_says("#wakes-list", MODELS[0]).await;

    // A link that is broken, seen, and mended, by its own button and by that of the list.
    choose(&tab, MODELS[1]).await;
    let chip = "#demo-link-flow-control-off";
    tab.click(chip).await;
    tab.until(&format!(
        "document.querySelector('{chip}').ariaPressed === 'true'"
    ))
    .await;
    tab.until_says("#demo-broken", "featureGates: [flowControl]")
        .await;
    until_state(&tab, "mixtral-a100", "no_signal").await;
    tab.picture("demo").await;
    tab.look_on(Screen::PHONE).await;
    tab.picture("demo-phone").await;
    tab.look_on(Screen::DESKTOP.dark()).await;
    tab.picture("demo-dark").await;
    tab.click("#demo-broken button").await;
    until_state(&tab, "mixtral-a100", "parked").await;
    assert_eq!(tab.text("#demo-broken").await, "");
    assert_eq!(
        tab.value(&format!("document.querySelector('{chip}').ariaPressed"))
            .await,
        "false"
    );
    tab.click("#demo-send-unknown").await;
    tab.until_says("#unanswered", "nobody/serves-this").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// Whoever reaches it may play, so nobody else may reach it.
async fn demo_on_loopback_only() {
    let output = command()
        .args(["demo", "--no-open", "--address", "0.0.0.0:0"])
        .output();
    let output = wait::in_time("it refuses", output).await.expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("--address must be on loopback"), "{said}");
}
