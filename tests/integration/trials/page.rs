//! The status page in a browser: it shows what the cluster is like and how that changes, to a reader with a keyboard
//! too, on any screen, and whatever models are called.

use serde_json::json;

use crate::{
    browser::{Browser, Screen, Tab},
    cluster::DEPLOYMENT,
    demand::Signal,
    objects::{behind, hpa, parked, ready, targeting, variant},
    program::Program,
    suite::Suite,
    wait,
    world::World,
};

pub fn register(suite: &mut Suite) {
    suite.browser("page_follows_a_wake", page_follows_a_wake);
    suite.browser("page_with_trouble", page_with_trouble);
    suite.browser("page_filter_and_keyboard", page_filter_and_keyboard);
    suite.browser("page_of_hostile_names", page_of_hostile_names);
    suite.browser("page_of_a_thousand", page_of_a_thousand);
    suite.embedded("page_is_read_only", page_is_read_only);
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
    assert_eq!(tab.value(&graph).await, "", "nobody has waited");

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

    program.kill().await;
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

/// Names are chosen by others: they are shown as what they are, and break neither the page nor the phone's width.
async fn page_of_hostile_names(world: &World, browser: &Browser) {
    let long = "long-name-".repeat(30);
    let names = [
        "<script>document.title='owned'</script>",
        "\"><img src=x onerror=\"document.title='owned'\">",
        "</script></style><h1>owned</h1>",
        "javascript:alert(1)//{{7*7}}${7*7}",
        "gpt\u{202e}gnp.exe\u{200b}",
        long.as_str(),
    ];
    for (n, model) in names.iter().enumerate() {
        world
            .create(behind("app", &format!("v{n}"), model, "1.0", 0))
            .await;
        world.ask("app", &format!("nobody's {model}"), 1);
    }
    world.create(parked("app", "app").into_iter().skip(2)).await;
    let program = world.program("a").ready().await;
    let tab = browser.open(&program.url("/"), Screen::DESKTOP).await;
    let names_shown = "document.querySelectorAll('.item .open').length";
    tab.until(&format!("{names_shown} === {}", names.len())).await;
    let all = "[...document.querySelectorAll('.item .open')].map((node) => node.textContent)";
    let all = tab.value(all).await;
    let shown: Vec<_> = all
        .as_array()
        .expect("names")
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    for name in names {
        // What cannot be seen is written out.
        let expected = name.replace('\u{202e}', "U+202E").replace('\u{200b}', "U+200B");
        assert!(shown.contains(&&*expected), "{name:?} in {shown:?}");
    }
    tab.until(&format!(
        "document.querySelectorAll('#unanswered li').length === {}",
        names.len()
    ))
    .await;
    tab.click(&format!("{} .open", row("v1"))).await;
    tab.until_says(".detail", "<img src=x").await;
    assert_eq!(
        tab.value("document.querySelectorAll('main img, main script, main h1').length")
            .await,
        0
    );
    tab.until("document.title === '(6) scale-from-zero'").await;

    for screen in [
        Screen::PHONE,
        Screen::PHONE.dark(),
        Screen::DESKTOP,
        Screen::DESKTOP.dark(),
    ] {
        tab.look_on(screen).await;
        let width = tab.value("document.documentElement.scrollWidth").await;
        assert!(
            width
                .as_u64()
                .is_some_and(|width| width <= u64::from(screen.width)),
            "{screen:?}: {width}"
        );
        tab.picture(&format!("hostile-{}-{}", screen.width, screen.dark))
            .await;
        check_contrast(&tab).await;
    }
    check_manners(&tab, &program);
}

/// Text stands out against its ground as WCAG AA asks: 4.5 to 1.
async fn check_contrast(tab: &Tab) {
    const LOOK: &str = r"(() => {
        const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
        const light = ([r, g, b]) => {
            const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * x + 0.7152 * y + 0.0722 * z;
        };
        const ground = (node) => {
            for (; node; node = node.parentElement) {
                const colour = channels(getComputedStyle(node).backgroundColor);
                if (colour.length === 3 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
        };
        const faint = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let text = walk.nextNode(); text; text = walk.nextNode()) {
            const node = text.parentElement;
            if (!text.data.trim() || !node.checkVisibility() || node.closest('script, style, noscript')) continue;
            const [a, b] = [light(channels(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
            const contrast = (a + 0.05) / (b + 0.05);
            if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${node.className} ${text.data.trim().slice(0, 30)}`);
        }
        return [...new Set(faint)];
    })()";
    assert_eq!(tab.value(LOOK).await, json!([]));
}

/// A large cluster: all rows are there and can be filtered. What it costs is printed, for people to judge.
async fn page_of_a_thousand(world: &World, browser: &Browser) {
    const COUNT: usize = 1000;
    const WAITING: usize = 40;
    const COSTS: &str = "(() => {
        const ms = (value) => value.toFixed(1) + ' ms';
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        const [first, ...later] = performance.getEntriesByName('refresh');
        const costs = later.map((entry) => entry.duration).sort((a, b) => a - b);
        return `first paint ${ms(paint.startTime)}, all rows ${ms(first.startTime + first.duration)} (drawn in ${ms(first.duration)}), `
            + `a refresh draws in ${ms(costs[costs.length >> 1])}, at most ${ms(costs.at(-1))}`;
    })()";
    let kube = world.cluster.kube();
    for n in 0..COUNT {
        let name = format!("model-{n:04}");
        let replicas = u32::from(n % 5 == 0);
        let mut objects = behind(&name, &name, &format!("org-{}/{name}", n % 20), "10.0", replicas).to_vec();
        if n % 50 != 7 {
            objects.push(parked(&name, &name)[2].clone());
        }
        for mut object in objects {
            object["metadata"]["namespace"] = world.ns.as_str().into();
            if n % 10 == 0 && object["kind"] == "Deployment" {
                object["status"] = ready(1)["status"].clone();
            }
            kube.apply(object).expect("an object");
        }
    }
    for n in 0..WAITING {
        let name = format!("model-{:04}", n * 25);
        world.ask(&name, &format!("org-{}/{name}", n * 25 % 20), 3);
    }
    let program = world.program("a").ready().await;
    program.ticks(3).await;
    let tab = browser.open(&program.url("/"), Screen::DESKTOP).await;
    tab.until(&format!("document.querySelectorAll('.item').length === {COUNT}"))
        .await;
    tab.until("performance.getEntriesByName('refresh').length >= 6")
        .await;
    tab.picture("thousand").await;
    for (filter, rows) in [("org-3/", 50), ("model-0123", 1), ("blocked", 20)] {
        tab.press("/").await;
        tab.press("Escape").await;
        tab.write(filter).await;
        tab.until_says("#shown", &format!("{rows} of {COUNT} variants"))
            .await;
    }
    tab.press("Escape").await;
    tab.look_on(Screen::PHONE).await;
    tab.picture("thousand-phone").await;
    check_manners(&tab, &program);

    let costs = tab.value(COSTS).await;
    let (_, page) = program.page("/").await.expect("the page");
    let (_, status) = program.page("/api/status").await.expect("the status");
    println!(
        "the page with {COUNT} variants: {} bytes; /api/status {} bytes; {}",
        page.len(),
        status.len(),
        costs.as_str().expect("figures")
    );
}

/// Nobody can write through it, and browsers are told to keep what they get to themselves.
async fn page_is_read_only(world: &World) {
    let program = world.program("a").ready().await;
    let client = reqwest::Client::builder().build().expect("a client");
    for path in [
        "/",
        "/api/status",
        "/api/queues",
        "/api/decisions",
        "/metrics",
        "/readyz",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
            let answer = client.request(method, program.url(path)).body("{}").send().await;
            assert_eq!(answer.expect("an answer").status(), 405, "{path}");
        }
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let answer = client
                .request(method, program.url(path))
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.headers()[name], value, "{path}");
            }
        }
    }
    let answer = client.get(program.url("/")).send().await.expect("an answer");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");

    // The history of queues begins where it is asked to.
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 4);
    let queues = wait::until("a queue in the history", async || {
        let (_, text) = program.page("/api/queues").await?;
        let queues: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (queues["models"][0]["waiting"][0][1] == 4.0).then_some(queues)
    })
    .await;
    assert_eq!(queues["models"][0]["model"], "llama");
    assert_eq!(queues["models"][0]["pool"], "llama");
    let later = queues["last"].as_i64().expect("a step") + 1000;
    let (_, later) = program
        .page(&format!("/api/queues?since={later}"))
        .await
        .expect("an answer");
    let later: serde_json::Value = serde_json::from_str(&later).expect("JSON");
    assert_eq!((&later["models"], &later["answered"]), (&json!([]), &json!([])));
}
