//! A headless Chromium, driven over the `DevTools` protocol.
//!
//! Chromium speaks it on two file descriptors with `--remote-debugging-pipe`: JSON with a zero byte after each
//! message. So this needs no port, no driver beside the browser and no package, and the browser ends with the pipe.

mod tab;

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout},
    sync::oneshot,
};

pub use self::tab::{Screen, Tab};
use crate::{servers::child, wait};

/// A running browser. It is killed when this is dropped.
pub struct Browser {
    wire: Wire,
    child: Child,
}

/// The protocol. Clones are the same.
#[derive(Clone)]
struct Wire {
    commands: Arc<tokio::sync::Mutex<ChildStdin>>,
    last_id: Arc<AtomicU64>,
    answers: Answers,
    events: Arc<Mutex<Vec<Value>>>,
}

/// Who waits for an answer, by the number of the command.
type Answers = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

impl Browser {
    /// Where one is installed, or why none is used.
    pub fn find() -> Result<PathBuf, String> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
        let mut found = all.filter(|program| program.is_file());
        found
            .next()
            .ok_or_else(|| "there is no chromium; on Debian: apt-get install chromium".into())
    }

    /// Starts it, with its profile in a folder of the trial.
    pub fn start(program: &Path, dir: &Path) -> Self {
        let mut command = child::command(Path::new("sh"));
        // The pipe is descriptor 3 and 4 of the browser; its log goes nowhere.
        command
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1"#])
            .arg(program)
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", dir.join("browser").display()));
        // Its sandbox is refused to root, which CI may be; what it opens here is ours.
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.arg("--no-sandbox");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a browser");
        let wire = Wire {
            commands: Arc::new(tokio::sync::Mutex::new(child.stdin.take().expect("a pipe"))),
            last_id: Arc::default(),
            answers: Arc::default(),
            events: Arc::default(),
        };
        let answers = child.stdout.take().expect("a pipe");
        tokio::spawn(read(answers, wire.answers.clone(), wire.events.clone()));
        Self { wire, child }
    }

    /// Opens a page.
    pub async fn open(&self, url: &str, screen: Screen) -> Tab {
        let target = self
            .wire
            .ask(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = target.await["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let session = self.wire.ask(None, "Target.attachToTarget", attach).await;
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        Tab::open(self.wire.clone(), session, url, screen).await
    }
}

impl Drop for Browser {
    /// Kills it and sees it dead, so that its profile can go.
    fn drop(&mut self) {
        const LOOKS: u32 = 400;
        let _ = self.child.start_kill();
        for _ in 0..LOOKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Wire {
    /// Sends a command and waits for its result.
    async fn ask(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (say, answer) = oneshot::channel();
        self.answers.lock().unwrap().insert(id, say);
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let mut message = command.to_string().into_bytes();
        message.push(0);
        let sent = self.commands.lock().await.write_all(&message).await;
        sent.unwrap_or_else(|error| panic!("the browser takes no {method}: {error}"));
        let answer = wait::in_time(method, answer).await;
        let mut answer =
            answer.unwrap_or_else(|_| panic!("the browser has ended before its answer to {method}"));
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }
}

/// Hands on what the browser says: answers to those who wait for them, the rest is kept.
async fn read(pipe: ChildStdout, answers: Answers, events: Arc<Mutex<Vec<Value>>>) {
    let mut pipe = BufReader::new(pipe);
    let mut message = Vec::new();
    while matches!(pipe.read_until(0, &mut message).await, Ok(length) if length > 0) {
        message.pop();
        let said: Value = serde_json::from_slice(&message).expect("JSON of the browser");
        message.clear();
        match said["id"].as_u64() {
            Some(id) => {
                if let Some(waiting) = answers.lock().unwrap().remove(&id) {
                    // Whoever waited may have given up.
                    let _ = waiting.send(said);
                }
            }
            None => events.lock().unwrap().push(said),
        }
    }
    // Whoever waits still, waits in vain.
    answers.lock().unwrap().clear();
}
