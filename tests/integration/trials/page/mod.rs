//! The status page in a browser: it shows what the cluster is like and how that changes, to a reader with a keyboard
//! too, on any screen, and whatever models are called.

mod listener;
mod names;
mod size;

use serde_json::json;

use crate::{
    browser::{Browser, Screen, Tab},
    cluster::DEPLOYMENT,
    demand::Signal,
    objects::{behind, hpa, parked, ready, targeting, variant},
    program::Program,
    suite::Suite,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.browser("page_follows_a_wake", page_follows_a_wake);
    suite.browser("page_with_trouble", page_with_trouble);
    suite.browser("page_filter_and_keyboard", page_filter_and_keyboard);
    suite.browser("page_of_hostile_names", names::page_of_hostile_names);
    suite.browser("page_of_a_thousand", size::page_of_a_thousand);
    suite.embedded("page_is_read_only", listener::page_is_read_only);
}

/// Nothing has gone wrong in the page, and all it has asked for is its own.
fn check_manners(tab: &Tab, program: &Program) {
    assert_eq!(tab.complaints(), Vec::<String>::new());
    let (requests, own) = (tab.requests(), program.url("/"));
    assert!(requests.len() > 3, "{requests:?}");
    for url in requests {
        assert!(
            url.starts_with(&own) || url.starts_with("data:image/svg+xml,"),
            "{url}"
        );
    }
}

/// The row of a variant.
fn row(variant: &str) -> String {
    format!("[data-key$='/{variant}']")
}

/// Waits until the row of a variant is in this state.
async fn until_state(tab: &Tab, variant: &str, state: &str) {
    let row = json!(row(variant));
    tab.until(&format!(
        "document.querySelector({row}).dataset.state === '{state}'"
    ))
    .await;
}

/// From nothing at all to a model that serves; then the program ends.
async fn page_follows_a_wake(world: &World, browser: &Browser) {
    let mut program = world.program("a").ready().await;
    let tab = browser.open(&program.url("/"), Screen::DESKTOP).await;
    tab.until_says("#none", "No variants yet").await;
    tab.picture("empty").await;

    world.create(parked("llama", "meta/llama-3.1-8b")).await;
    until_state(&tab, "llama", "parked").await;
    assert_eq!(tab.value("document.querySelector('#none').hidden").await, true);
    tab.until_says("[data-tile=prometheus]", "answers").await;
    tab.until_says("[data-tile=watches]", "in step").await;
    let told = tab.text(&row("llama")).await;
    for part in ["meta/llama-3.1-8b", &format!("{} / llama", world.ns), "0 / 0"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let graph = format!(
        "document.querySelector(\"{} .area\").getAttribute('d')",
        row("llama")
    );
    // Nobody has waited.
    tab.until(&format!("{graph} === ''")).await;

    world.ask("llama", "meta/llama-3.1-8b", 7);
    until_state(&tab, "llama", "starting").await;
    tab.until_says(&format!("{} .c-waiting", row("llama")), "7").await;
    tab.until_says("[data-tile=waiting]", "7 requests").await;
    tab.until(&format!("{graph}.length > 0")).await;
    tab.until_says("#wakes-list", "sample → scale").await;
    tab.until_says("#decisions-list", "woken").await;

    world.patch_status(DEPLOYMENT, "llama", &ready(1)).await;
    world.ask("llama", "meta/llama-3.1-8b", 0);
    until_state(&tab, "llama", "serving").await;
    tab.until_says("#wakes-list li", "→ ready").await;
    tab.until_says(&row("llama"), "1 / 1").await;
    tab.until_says("#chips", "serving").await;
    tab.picture("serving").await;
    check_manners(&tab, &program);

    tab.cut_off(true).await;
    tab.until("!document.querySelector('#silent').hidden").await;
    tab.until_says("#silent", "No answer since").await;
    tab.cut_off(false).await;
    tab.until("document.querySelector('#silent').hidden").await;
    tab.until_says("#live", "live").await;

    program.kill().await;
    tab.until("!document.querySelector('#silent').hidden").await;
    tab.until_says("#silent", "No answer since").await;
    assert_eq!(tab.text("#live").await, "no answer");
    tab.until("document.title.startsWith('(no answer)')").await;
    assert_eq!(
        tab.value("getComputedStyle(document.querySelector('main')).filter")
            .await,
        "grayscale(1)",
        "what it shows is of then"
    );
    tab.picture("no-answer").await;
}

/// Prometheus fails and recovers; demand is blocked, taken back, unseen, or nobody's.
async fn page_with_trouble(world: &World, browser: &Browser) {
    world.create(parked("llama", "llama")).await;
    world.create(parked("unseen", "unseen")).await;
    world.create(parked("lost", "lost")).await;
    world
        .create([targeting(variant("twin", "unseen"), DEPLOYMENT, "unseen")])
        .await;
    world.create([hpa("llama", "llama", 0, 1)]).await;
    world
        .cluster
        .admin
        .delete(DEPLOYMENT, Some(&world.ns), "lost")
        .await;
    world.demand.queues().signal(&world.ns, "unseen", Signal::Off);
    // What is taken back stays so for long enough to be looked at.
    let config = json!({"wake": {"backoff": {"initial": "2m"}, "guard": true}});
    let program = world.program("a").config(&config).ready().await;
    let tab = browser.open(&program.url("/"), Screen::DESKTOP).await;
    until_state(&tab, "lost", "blocked").await;
    tab.until_says(&row("lost"), "does not exist").await;
    until_state(&tab, "unseen", "no_signal").await;
    tab.until("document.title.startsWith('(3)')").await;
    tab.until_says("#problems", "are both on Deployment").await;
    let order = "[...document.querySelectorAll('.item')].map((item) => item.dataset.state).join()";
    tab.until(&format!("{order} === 'blocked,no_signal,no_signal,parked'"))
        .await;

    world.ask("llama", "nobody-has-this", 3);
    tab.until_says("#unanswered", "3 waiting for nobody-has-this")
        .await;
    tab.until_says("#unanswered", "no variant has this model").await;
    world.ask("llama", "llama", 2);
    until_state(&tab, "llama", "starting").await;
    tab.until(&format!("{order} === 'blocked,no_signal,no_signal,starting'"))
        .await;
    tab.until_says("#problems", "A guard stands on HorizontalPodAutoscaler")
        .await;
    world
        .patch(DEPLOYMENT, "llama", &json!({"spec": {"replicas": 0}}))
        .await;
    until_state(&tab, "llama", "reverted").await;
    tab.until_says("#wakes-list", "taken back").await;
    tab.picture("trouble").await;
    tab.look_on(Screen::DESKTOP.dark()).await;
    tab.picture("trouble-dark").await;
    tab.look_on(Screen::PHONE).await;
    tab.picture("trouble-phone").await;
    tab.look_on(Screen::DESKTOP).await;

    let prometheus = world.demand.scripted();
    prometheus.stop();
    tab.until_says("[data-tile=prometheus]", "failing for").await;
    tab.until_says("#problems", "Prometheus has not answered since")
        .await;
    tab.picture("prometheus-fails").await;
    prometheus.serve().await;
    tab.until_says("[data-tile=prometheus]", "answers").await;
    tab.until("document.querySelector('#problems .bad') === null")
        .await;
    check_manners(&tab, &program);
}

/// The reader finds what is looked for, with the mouse or without.
async fn page_filter_and_keyboard(world: &World, browser: &Browser) {
    for (name, model, replicas) in [
        ("a", "llama", 0),
        ("b", "llama", 0),
        ("c", "qwen", 1),
        ("d", "granite", 0),
    ] {
        world.create(behind("app", name, model, "1.0", replicas)).await;
    }
    world.create(parked("x", "x").into_iter().skip(2)).await;
    let program = world.program("one").ready().await;
    let tab = browser.open(&program.url("/"), Screen::DESKTOP).await;
    let shown = "[...document.querySelectorAll('.item')].filter((item) => !item.hidden).map((item) => item.dataset.key.split('/')[2]).join()";
    tab.until(&format!("{shown}.length === 7")).await;

    // The filter, by any word, and its place in the address.
    tab.press("/").await;
    tab.write("LLAMA").await;
    tab.until(&format!("{shown} === 'a,b'")).await;
    tab.until_says("#shown", "2 of 4 variants").await;
    tab.until("location.hash === '#q=LLAMA'").await;
    tab.write(" no-such-thing").await;
    tab.until_says("#none", "No variant matches").await;
    tab.click("#none button").await;
    tab.until(&format!("{shown}.length === 7")).await;
    tab.click(".chip[data-state=starting]").await;
    tab.until(&format!("{shown} === 'c'")).await;
    assert_eq!(
        tab.value("document.querySelector('.chip[data-state=starting]').getAttribute('aria-pressed')")
            .await,
        "true"
    );
    tab.until("location.hash === '#state=starting'").await;
    tab.click(".chip[data-state=starting]").await;

    // Down from the filter into the rows, and into one of them.
    tab.click(".sort").await;
    tab.click("[data-sort=model] .sort").await;
    tab.until(&format!("{shown} === 'd,a,b,c'")).await;
    tab.press("/").await;
    tab.press("ArrowDown").await;
    tab.press("ArrowDown").await;
    let focus = "document.activeElement.closest('.item').dataset.key.split('/')[2]";
    assert_eq!(tab.value(focus).await, "a");
    tab.press("End").await;
    assert_eq!(tab.value(focus).await, "c");
    tab.press("Home").await;
    tab.press("Enter").await;
    tab.until_says(&format!("{} .detail", row("d")), "granite").await;
    let command = tab.text(".command code").await;
    assert_eq!(command, format!("scale-from-zero check -n {} d", world.ns));
    assert_eq!(
        tab.value("document.activeElement.getAttribute('aria-expanded')")
            .await,
        "true"
    );
    tab.picture("details").await;
    // What was chosen outlives a reload.
    tab.until("location.hash.includes('open=')").await;
    tab.value("location.reload()").await;
    tab.until_says(&format!("{} .detail", row("d")), "granite").await;
    tab.until(&format!("{shown} === 'd,a,b,c'")).await;
    tab.value(&format!("document.querySelector(\"{} .open\").focus()", row("d")))
        .await;
    tab.press("Escape").await;
    tab.until("document.querySelector('.detail') === null").await;
    check_manners(&tab, &program);
}
