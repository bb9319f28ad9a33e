//! One page in the browser: what it shows, what is done to it, and what it complains of.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Wire;
use crate::wait;

/// What a page is looked at on.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
}

impl Screen {
    /// A laptop.
    pub const DESKTOP: Self = Self {
        width: 1440,
        height: 900,
        dark: false,
    };
    /// A small phone.
    pub const PHONE: Self = Self {
        width: 360,
        height: 740,
        dark: false,
    };

    /// The same in the dark.
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

/// An open page.
pub struct Tab {
    wire: Wire,
    session: String,
}

impl Tab {
    pub(super) async fn open(wire: Wire, session: String, url: &str, screen: Screen) -> Self {
        let tab = Self { wire, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.ask(&format!("{domain}.enable"), json!({})).await;
        }
        tab.look_on(screen).await;
        tab.ask("Page.navigate", json!({"url": url})).await;
        tab
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        self.wire.ask(Some(&self.session), method, params).await
    }

    /// Looks at it on another screen.
    pub async fn look_on(&self, screen: Screen) {
        let Screen { width, height, dark } = screen;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.ask("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.ask("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// The value of an expression of JavaScript.
    pub async fn value(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.ask("Runtime.evaluate", params).await;
        let failure = &answer["exceptionDetails"];
        assert!(failure.is_null(), "{expression}: {failure}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true, or says something, and returns it.
    pub async fn until(&self, expression: &str) -> Value {
        let wanted = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        // A page that is being loaded has no nodes yet.
        let careful = format!("(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()");
        wait::until(&format!("on the page: {expression}"), async || {
            Some(self.value(&careful).await).filter(wanted)
        })
        .await
    }

    /// Waits until the text of what a selector finds first holds this.
    pub async fn until_says(&self, selector: &str, part: &str) {
        let (selector, part) = (json!(selector), json!(part));
        self.until(&format!(
            "document.querySelector({selector}).innerText.includes({part})"
        ))
        .await;
    }

    /// Text of what a selector finds first.
    pub async fn text(&self, selector: &str) -> String {
        let selector = json!(selector);
        let text = self
            .value(&format!("document.querySelector({selector})?.innerText ?? null"))
            .await;
        let text = text.as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("nothing on the page is {selector}"))
    }

    /// Clicks on what a selector finds first.
    pub async fn click(&self, selector: &str) {
        let selector = json!(selector);
        let place = self
            .until(&format!(
                "(() => {{ const node = document.querySelector({selector}); node.scrollIntoView({{block: 'center'}}); \
                 const box = node.getBoundingClientRect(); return {{x: box.x + box.width / 2, y: box.y + box.height / 2}}; }})()"
            ))
            .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types where the focus is.
    pub async fn write(&self, text: &str) {
        self.ask("Input.insertText", json!({"text": text})).await;
    }

    /// Presses a key by its name, such as `ArrowDown`.
    pub async fn press(&self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            "/" => 191,
            _ => panic!("add the code of {key}"),
        };
        // What a key writes makes buttons and fields act on it.
        let text = match key {
            "Enter" => Some("\r"),
            "/" => Some("/"),
            _ => None,
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code});
            if let Some(text) = text.filter(|_| kind == "keyDown") {
                event["text"] = text.into();
            }
            self.ask("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Cuts the page off from everything, or no longer.
    pub async fn cut_off(&self, off: bool) {
        let network = json!({"offline": off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.ask("Network.emulateNetworkConditions", network).await;
    }

    /// Keeps a picture where `SCREENSHOTS` names a folder for them.
    pub async fn picture(&self, name: &str) {
        let Some(dir) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        let picture = self.ask("Page.captureScreenshot", json!({"format": "png"})).await;
        let picture = picture["data"].as_str().expect("a picture");
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture);
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join(format!("{name}.png")), picture.expect("base64")).expect("a file");
    }

    /// What went wrong in it: exceptions, errors and warnings on its console, and breaches of its policy.
    pub fn complaints(&self) -> Vec<String> {
        let complaint = |event: &Value| {
            let params = &event["params"];
            let bad = match event["method"].as_str()? {
                "Runtime.exceptionThrown" | "Page.javascriptDialogOpening" => true,
                "Runtime.consoleAPICalled" => params["type"] == "error" || params["type"] == "warning",
                "Log.entryAdded" => {
                    params["entry"]["level"] == "error" || params["entry"]["level"] == "warning"
                }
                _ => false,
            };
            bad.then(|| params.to_string())
        };
        self.events().iter().filter_map(complaint).collect()
    }

    /// The URLs that it has asked for.
    pub fn requests(&self) -> Vec<String> {
        let url = |event: &Value| {
            let sent = event["method"] == "Network.requestWillBeSent";
            sent.then(|| {
                event["params"]["request"]["url"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
        };
        self.events().iter().filter_map(url).collect()
    }

    fn events(&self) -> Vec<Value> {
        let events = self.wire.events.lock().unwrap();
        let own = events.iter().filter(|event| event["sessionId"] == *self.session);
        own.cloned().collect()
    }
}
