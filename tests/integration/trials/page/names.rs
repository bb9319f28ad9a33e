//! Names are chosen by others: they are shown as what they are.

use serde_json::json;

use super::{check_manners, row};
use crate::{
    browser::{Browser, Screen, Tab},
    objects::{behind, parked},
    world::World,
};

/// Names are chosen by others: they are shown as what they are, and break neither the page nor the phone's width.
pub async fn page_of_hostile_names(world: &World, browser: &Browser) {
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
