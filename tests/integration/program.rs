//! The program itself, as a process.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use serde_json::Value;
use tokio::process::Child;

use crate::{
    cluster::Rights,
    config, demand,
    exposition::Exposition,
    http,
    log::Log,
    servers::{child, free_port},
    wait,
    world::World,
};

const BINARY: &str = env!("CARGO_BIN_EXE_scale-from-zero");

/// How a copy of the program is to be started.
pub struct Start<'a> {
    world: &'a World,
    name: String,
    arguments: Vec<String>,
    config: Value,
    rights: Rights,
    kubeconfig: Option<String>,
    shell: Option<&'static str>,
}

/// A copy that runs. It is killed when this is dropped.
pub struct Program {
    child: Child,
    name: String,
    /// What it says.
    pub log: Log,
    file: PathBuf,
    config: Value,
    address: String,
}

impl<'a> Start<'a> {
    /// `run` with the configuration of all trials. The name tells copies apart.
    pub fn new(world: &'a World, name: &str) -> Self {
        Self {
            world,
            name: name.to_owned(),
            arguments: vec!["run".into()],
            config: config::merged(
                config::base(&world.ns, world.demand.url()),
                &serde_json::json!({"prometheus": {"headers": {demand::COPY: name}}}),
            ),
            rights: Rights::ClusterWide,
            kubeconfig: None,
            shell: None,
        }
    }

    /// Another command, or more arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&argument| argument.into()).collect();
        self
    }

    /// Something else in the configuration.
    pub fn config(mut self, over: &Value) -> Self {
        self.config = config::merged(self.config, over);
        self
    }

    /// Other rights than those of the ClusterRole, on the real server.
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Another kubeconfig than that of an account of its own.
    pub fn kubeconfig(mut self, kubeconfig: String) -> Self {
        self.kubeconfig = Some(kubeconfig);
        self
    }

    /// Started by a line of shell, in which `"$0" "$@"` is the program: for what a shell can take away from it.
    pub fn shell(mut self, line: &'static str) -> Self {
        self.shell = Some(line);
        self
    }

    async fn command(&self) -> (tokio::process::Command, PathBuf) {
        let dir = self.world.dir.path().join(&self.name);
        std::fs::create_dir_all(&dir).expect("a folder");
        let kubeconfig = match &self.kubeconfig {
            Some(given) => given.clone(),
            None => {
                self.world
                    .cluster
                    .account(&self.world.ns, &self.name, self.rights)
                    .await
            }
        };
        let (cluster, file) = (dir.join("kubeconfig"), dir.join("config.yaml"));
        std::fs::write(&cluster, kubeconfig).expect("a kubeconfig");
        write(&file, &self.config.to_string());
        let mut command = match self.shell {
            None => command(),
            Some(line) => shell(line),
        };
        command
            .args(&self.arguments)
            .arg("--config")
            .arg(&file)
            .env("KUBECONFIG", &cluster)
            .env("POD_NAMESPACE", &self.world.ns)
            .env("POD_NAME", &self.name);
        (command, file)
    }

    /// Runs it to its end.
    pub async fn output(self) -> Output {
        let (mut command, _) = self.command().await;
        wait::in_time(&format!("{:?} ends", self.arguments), command.output())
            .await
            .expect("the program")
    }

    /// Starts it, with its output in a pipe.
    pub async fn piped(&self) -> Child {
        let (mut command, _) = self.command().await;
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the program")
    }

    /// Starts it, and waits for nothing.
    pub async fn start(&self) -> (Child, Log, PathBuf) {
        let (mut command, file) = self.command().await;
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let log = Log::read(&self.name, child.stderr.take().expect("its log"));
        self.world.keep(log.clone());
        (child, log, file)
    }

    /// Starts it with a log that nobody reads, up to its being ready.
    pub async fn unheard(self) -> Program {
        let address = format!("127.0.0.1:{}", free_port());
        let start = self.config(&serde_json::json!({"server": {"address": address}}));
        let (mut child, log, file) = {
            let (mut command, file) = start.command().await;
            let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
            let child = command.spawn().expect("the program");
            (child, Log::empty(&start.name), file)
        };
        drop(child.stderr.take());
        let program = Program {
            child,
            name: start.name,
            log,
            file,
            config: start.config,
            address,
        };
        program.until_ready().await;
        program
    }

    /// Starts it, up to the line that says so.
    pub async fn spawn(self) -> Program {
        let (child, log, file) = self.start().await;
        let started = log.said("Started", |_| true).await;
        Program {
            child,
            name: self.name,
            log,
            file,
            config: self.config,
            address: started.field("listening"),
        }
    }

    /// Starts it, up to its being ready.
    pub async fn ready(self) -> Program {
        let program = self.spawn().await;
        program.until_ready().await;
        program
    }
}

impl Program {
    /// What tells it from other copies.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL of one of its pages.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and body of one of its pages, if it answers.
    pub async fn page(&self, path: &str) -> Option<(u16, String)> {
        http::get(&format!("http://{}{path}", self.address)).await
    }

    /// Waits until it is ready, and returns what it says of that.
    pub async fn until_ready(&self) -> String {
        wait::until("/readyz says 200", async || {
            self.page("/readyz")
                .await
                .filter(|(code, _)| *code == 200)
                .map(|(_, body)| body)
        })
        .await
    }

    /// Its metrics now.
    pub async fn metrics(&self) -> Exposition {
        let (code, text) = wait::until("an answer of /metrics", async || self.page("/metrics").await).await;
        assert_eq!(code, 200, "{text}");
        Exposition::parse(&text)
    }

    /// Waits until the sum of a metric over all series with these labels is as wanted.
    pub async fn until_metric(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        wanted: impl Fn(f64) -> bool,
    ) -> f64 {
        wait::until(&format!("{name} {labels:?} as wanted"), async || {
            Some(self.metrics().await.sum(name, labels)).filter(|&value| wanted(value))
        })
        .await
    }

    /// What `/api/status` says now.
    pub async fn status(&self) -> Value {
        self.json("/api/status").await
    }

    /// What `/api/decisions` says now, the newest first.
    pub async fn decisions(&self) -> Vec<Value> {
        let decisions = self.json("/api/decisions").await;
        decisions["decisions"].as_array().expect("decisions").clone()
    }

    async fn json(&self, path: &str) -> Value {
        let (code, text) = wait::until(&format!("an answer of {path}"), async || self.page(path).await).await;
        assert_eq!(code, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Waits until a variant is in this state, and returns what is said of it.
    pub async fn until_state(&self, variant: &str, state: &str) -> Value {
        self.until_told_as(variant, state, "").await
    }

    /// The same, with this in the words for it.
    pub async fn until_told_as(&self, variant: &str, state: &str, part: &str) -> Value {
        wait::until(&format!("{variant} is {state}, {part}"), async || {
            let status = self.status().await;
            let mut variants = status["variants"].as_array()?.iter();
            let told = |v: &Value| v["reason"].as_str().is_some_and(|reason| reason.contains(part));
            variants
                .find(|v| v["name"] == variant && v["state"] == state && told(v))
                .cloned()
        })
        .await
    }

    /// Waits for so many more ticks, which is time enough for whatever could still come.
    pub async fn ticks(&self, more: u32) {
        let before = self.metrics().await.sum("ticks_total", &[]);
        self.until_metric("ticks_total", &[], |now| now >= before + f64::from(more))
            .await;
    }

    /// Writes another configuration into its file: as it was started with, and this on top.
    pub fn rewrite(&self, over: &Value) {
        write(&self.file, &config::merged(self.config.clone(), over).to_string());
    }

    /// Asks it to end, and waits for that.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end().await;
        self.ended().await
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a process that runs")
    }

    /// Sends SIGTERM.
    pub async fn ask_to_end(&self) {
        let id = self.id().to_string();
        let sent = tokio::process::Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await;
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        wait::in_time("the program ends", self.child.wait())
            .await
            .expect("a child")
    }

    /// The resident memory that it takes now, in KiB.
    pub fn memory(&self) -> u64 {
        self.memory_by("VmRSS:")
    }

    /// The same at the highest.
    pub fn highest_memory(&self) -> u64 {
        self.memory_by("VmHWM:")
    }

    fn memory_by(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let figure = line.and_then(|line| line.split_whitespace().next());
        figure.expect("a figure").parse().expect("a number")
    }

    /// Kills it.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a child");
    }
}

/// The program without anything of the environment of the tests.
pub fn command() -> tokio::process::Command {
    bare(Path::new(BINARY))
}

/// The same, started by a line of shell.
fn shell(line: &str) -> tokio::process::Command {
    let mut command = bare(Path::new("/bin/sh"));
    command.args(["-c", line, BINARY]);
    command
}

fn bare(program: &Path) -> tokio::process::Command {
    let mut command = child::command(program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Writes a file whole, as a ConfigMap comes whole.
fn write(file: &Path, text: &str) {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text).expect("a file");
    std::fs::rename(&fresh, file).expect("a file");
}
