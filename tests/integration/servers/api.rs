//! A kube-apiserver with its etcd: RBAC on, every request in an audit log.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::{
    Assets,
    child::{self, Server},
    documents, free_port, persist,
};
use crate::cluster::{
    Admin, CLUSTER_ROLE, CRD, Kind, LEADER_WORKER_SET, POOL, POOL_V1ALPHA2, ROLLOUT, SCALED_OBJECT, VARIANT,
};

/// How long it may take to be ready: 2 s on a quiet machine.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The two start-up hooks left out only make built-in roles and priority classes.
const READY: &str = "/readyz?exclude=poststarthook/rbac/bootstrap-roles\
                     &exclude=poststarthook/scheduling/bootstrap-system-priority-classes";
const ADMIN_TOKEN: &str = "the-tests-themselves";

/// The kinds that need a CRD, and the project's own for each.
const CRDS: [(Kind, &str); 6] = [
    (VARIANT, "tests/crds/variantautoscalings.yaml"),
    (POOL, "tests/crds/inferencepools.inference.networking.k8s.io.yaml"),
    (
        POOL_V1ALPHA2,
        "tests/crds/inferencepools.inference.networking.x-k8s.io.yaml",
    ),
    (SCALED_OBJECT, "tests/crds/scaledobjects.yaml"),
    (LEADER_WORKER_SET, "tests/crds/leaderworkersets.yaml"),
    (ROLLOUT, "tests/crds/rollouts.yaml"),
];

fn crd(kind: Kind) -> Value {
    let (_, file) = CRDS
        .into_iter()
        .find(|(of, _)| *of == kind)
        .expect("a kind with a CRD");
    documents(file).remove(0)
}

/// A running API server. It ends when this is dropped.
pub struct ApiServer {
    url: String,
    dir: tempfile::TempDir,
    assets: Assets,
    /// The API as cluster admin.
    pub admin: Admin,
    _servers: [Server; 2],
}

impl ApiServer {
    /// Starts one, with nothing in it.
    pub async fn start(assets: &Assets) -> Result<Self, String> {
        persist(async || Self::try_start(assets).await).await
    }

    async fn try_start(assets: &Assets) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        prepare(dir.path())?;
        let (client, peer, port) = (free_port(), free_port(), free_port());
        let url = format!("https://127.0.0.1:{port}");
        let mut servers = [
            Server::start(&assets.path("etcd"), etcd(dir.path(), client, peer), dir.path())?,
            Server::start(
                &assets.path("kube-apiserver"),
                api(dir.path(), client, port),
                dir.path(),
            )?,
        ];
        let deadline = Instant::now() + READY_WITHIN;
        let admin = loop {
            for server in &mut servers {
                server.check()?;
            }
            if let Some(admin) = reach(&url, dir.path()).await {
                break admin;
            }
            if Instant::now() > deadline {
                let logs = servers.each_ref().map(Server::tail).join("\n");
                return Err(format!("the API server is not ready\n{logs}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Ok(Self {
            url,
            dir,
            assets: assets.clone(),
            admin,
            _servers: servers,
        })
    }

    /// A kubeconfig for the holder of a token.
    pub fn kubeconfig(&self, token: &str) -> String {
        kubeconfig(&self.url, self.dir.path(), token).to_string()
    }

    /// A kubeconfig for the cluster admin.
    pub fn admin_kubeconfig(&self) -> String {
        self.kubeconfig(ADMIN_TOKEN)
    }

    /// Installs the project's CRDs, but not that of Rollouts: it belongs to the trials about kinds that
    /// the program knows nothing of.
    pub async fn install_crds(&self) {
        for (kind, _) in CRDS.into_iter().filter(|(kind, _)| *kind != ROLLOUT) {
            self.install_crd(kind).await;
        }
    }

    /// Installs the CRD of a kind and waits until it is served.
    pub async fn install_crd(&self, kind: Kind) {
        self.admin.create(crd(kind)).await;
        self.admin.until_served(kind, true).await;
    }

    /// Installs the CRD of a kind with a change, and waits until it is served as another.
    pub async fn install_crd_as(&self, kind: Kind, served: Kind, change: impl FnOnce(&mut Value)) {
        let mut changed = crd(kind);
        change(&mut changed);
        self.admin.create(changed).await;
        self.admin.until_served(served, true).await;
    }

    /// Removes the CRD of a kind, and with it all its objects.
    pub async fn remove_crd(&self, kind: Kind) {
        let (group, _) = kind.api_version.split_once('/').expect("a group");
        let name = format!("{}.{group}", kind.plural);
        self.admin.delete(CRD, None, &name).await;
        self.admin.until_served(kind, false).await;
    }

    /// Installs the ClusterRole of `manifests/`, to bind accounts to.
    pub async fn install_cluster_role(&self) {
        for role in documents("manifests/rbac/cluster-wide/clusterrole.yaml") {
            assert_eq!(role["kind"], CLUSTER_ROLE.name);
            self.admin.create(role).await;
        }
    }

    /// Runs kubectl as admin and returns what it prints; its failure fails the trial.
    pub async fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let (ok, out, err) = self.try_kubectl(arguments, input).await;
        assert!(ok, "kubectl {arguments:?}: {err}");
        out
    }

    /// Runs kubectl as admin: whether it succeeded, and what it printed on either stream.
    pub async fn try_kubectl(&self, arguments: &[&str], input: &str) -> (bool, String, String) {
        use tokio::io::AsyncWriteExt as _;

        let file = self.dir.path().join("admin.kubeconfig");
        std::fs::write(&file, self.kubeconfig(ADMIN_TOKEN)).expect("a kubeconfig");
        let mut child = child::command(&self.assets.path("kubectl"))
            .args(arguments)
            .env("KUBECONFIG", &file)
            // Its cache of discovery would outlive CRDs.
            .env("KUBECACHEDIR", self.dir.path().join("kubectl"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(input.as_bytes()).await.expect("to be read");
        drop(stdin);
        let output = child.wait_with_output().await.expect("its end");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// The audit log: one line for each request that has been answered, and for each watch that has begun.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("audit.log")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

/// Writes what the API server wants to find.
fn prepare(dir: &Path) -> Result<(), String> {
    let write = |name: &str, text: String| std::fs::write(dir.join(name), text).map_err(|e| e.to_string());
    write(
        "tokens.csv",
        format!("{ADMIN_TOKEN},admin,admin,system:masters\n"),
    )?;
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}],
    });
    write("audit-policy.yaml", policy.to_string())?;
    let pair = rcgen::KeyPair::generate().map_err(|e| e.to_string())?;
    write("sa.key", pair.serialize_pem())?;
    write("sa.pub", pair.public_key_pem())
}

fn etcd(dir: &Path, client: u16, peer: u16) -> Vec<String> {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    vec![
        "--name=tests".into(),
        format!("--data-dir={}", dir.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=tests={peer}"),
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ]
}

fn api(dir: &Path, etcd: u16, port: u16) -> Vec<String> {
    let file = |name: &str| dir.join(name).display().to_string();
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", file("certs")),
        "--endpoint-reconciler-type=none".into(),
        "--authorization-mode=RBAC".into(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--service-cluster-ip-range=10.0.0.0/24".into(),
        // Nothing here makes the account `default` that it would put into pods.
        "--disable-admission-plugins=ServiceAccount".into(),
        format!("--audit-policy-file={}", file("audit-policy.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
        // HPAs with minReplicas 0: on by default since 1.37, off before.
        "--feature-gates=HPAScaleToZero=true".into(),
    ]
}

fn kubeconfig(url: &str, dir: &Path, token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "real",
        // The server signs its certificate itself, and puts its authority beside it.
        "clusters": [{"name": "real", "cluster": {
            "server": url, "certificate-authority": dir.join("certs/apiserver.crt"),
        }}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "user"}}],
    })
}

/// A client of the server as admin, once it is ready.
async fn reach(url: &str, dir: &Path) -> Option<Admin> {
    if !dir.join("certs/apiserver.crt").exists() {
        return None;
    }
    let config = Kubeconfig::from_yaml(&kubeconfig(url, dir, ADMIN_TOKEN).to_string()).ok()?;
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default())
        .await
        .ok()?;
    let admin = Admin::new(&config).ok()?;
    let answer = tokio::time::timeout(Duration::from_secs(5), admin.text(READY)).await;
    answer.is_ok_and(|answer| answer.is_ok()).then_some(admin)
}
