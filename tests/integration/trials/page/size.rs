//! The page of a large cluster, and what it costs.

use super::check_manners;
use crate::{
    browser::{Browser, Screen},
    objects::{behind, parked, ready},
    world::World,
};

/// A large cluster: all rows are there and can be filtered. What it costs is printed, for people to judge.
pub async fn page_of_a_thousand(world: &World, browser: &Browser) {
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
