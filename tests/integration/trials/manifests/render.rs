//! Renderings: what a user would apply.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde::Deserialize as _;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, sync::OnceCell};

use crate::servers::{Assets, child, project};

/// WVA's own kustomize install, without us.
const BASE: &str = "tests/fixtures/wva-kustomize/config/default";
/// What the chart renders for two releases.
pub const CHARTS: [&str; 2] = [
    "tests/fixtures/wva-chart/workload-variant-autoscaler.yaml",
    "tests/fixtures/wva-chart/team-a.yaml",
];

/// What one way of installing comes to.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// Which.
    pub name: String,
    /// The objects.
    pub documents: Vec<Value>,
    /// What there is without us, where that can be compared.
    pub base: Option<Vec<Value>>,
    /// A prefix stands before our names.
    pub is_prefixed: bool,
}

impl Rendering {
    /// Objects of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.documents
            .iter()
            .filter(move |document| document["kind"] == kind)
    }

    /// Objects of a kind that are ours.
    pub fn ours<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.of(kind).filter(|document| is_ours(document))
    }

    /// The one object of a kind that is ours.
    pub fn one<'a>(&'a self, kind: &'a str) -> &'a Value {
        let found: Vec<_> = self.ours(kind).collect();
        assert_eq!(found.len(), 1, "our {kind}");
        found[0]
    }

    /// The one Deployment with our container.
    pub fn deployment(&self) -> &Value {
        let has_us = |deployment: &&Value| {
            containers(deployment)
                .iter()
                .any(|c| c["name"] == "scale-from-zero")
        };
        let found: Vec<_> = self.of("Deployment").filter(has_us).collect();
        assert_eq!(found.len(), 1, "Deployments with our container");
        found[0]
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.deployment()["metadata"]["namespace"]
            .as_str()
            .expect("a namespace")
    }

    /// Whether WVA is no part of it.
    pub fn is_standalone(&self) -> bool {
        is_ours(self.deployment())
    }

    /// Whether all options are in it.
    pub fn has_options(&self) -> bool {
        self.name.ends_with("-options")
    }

    /// Whether a user has added a kind of target.
    pub fn has_own_kind(&self) -> bool {
        self.name == "sidecar-own-kind"
    }

    /// Whether it is for all namespaces.
    pub fn is_cluster_wide(&self) -> bool {
        self.ours("ClusterRole").any(|role| !is_electing(role))
    }
}

/// The containers of a Deployment.
pub fn containers(deployment: &Value) -> &[Value] {
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    containers.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether an object is labelled as ours.
pub fn is_ours(document: &Value) -> bool {
    document["metadata"]["labels"]["app.kubernetes.io/name"] == "scale-from-zero"
}

/// Whether a role is the one for leader election, which stands beside the other.
pub fn is_electing(role: &Value) -> bool {
    let name = role["metadata"]["name"].as_str().unwrap_or_default();
    name.contains("leader-election")
}

/// What tells an object from all others.
pub fn identity(document: &Value) -> [String; 4] {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &document["metadata"];
    [
        text(&document["apiVersion"]),
        text(&document["kind"]),
        text(&metadata["namespace"]),
        text(&metadata["name"]),
    ]
}

/// All ways there are, rendered once.
pub async fn all(assets: &Assets) -> &'static [Rendering] {
    static ALL: OnceCell<Vec<Rendering>> = OnceCell::const_new();
    ALL.get_or_init(async || {
        let mut all = builds(assets).await;
        for folder in ["manifests/standalone", "manifests/standalone/namespaced"] {
            all.push(Rendering {
                name: folder.into(),
                documents: kustomize(assets, &project(folder)).await,
                base: None,
                is_prefixed: false,
            });
        }
        all.push(overlay(assets).await);
        for chart in CHARTS {
            for component in [None, Some("manifests/sidecar/cluster-wide")] {
                all.push(charted(assets, chart, component).await);
            }
        }
        all
    })
    .await
}

/// Users' kustomizations.
async fn builds(assets: &Assets) -> Vec<Rendering> {
    let builds = project("tests/fixtures/builds");
    let base = kustomize(assets, &project(BASE)).await;
    let mut folders: Vec<_> = std::fs::read_dir(&builds)
        .expect("the builds")
        .map(|entry| entry.expect("a build").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let mut all = Vec::new();
    for folder in folders {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_prefixed = matches!(name.as_str(), "sidecar-renamed" | "sidecar-inside-base");
        let mut base = base.clone();
        match name.as_str() {
            "sidecar" => base.extend(crate::servers::documents(
                "tests/fixtures/builds/sidecar/secret.yaml",
            )),
            "sidecar-two-operators" => base.extend(kustomize(assets, &folder.join("other")).await),
            _ => {}
        }
        all.push(Rendering {
            documents: kustomize(assets, &folder).await,
            base: (name.starts_with("sidecar") && !is_prefixed).then_some(base),
            name,
            is_prefixed,
        });
    }
    assert!(all.len() > 5, "the builds are there");
    all
}

/// The overlay, with WVA linked into it as it says.
async fn overlay(assets: &Assets) -> Rendering {
    let checkout = tempfile::tempdir().expect("a folder");
    copy(&project("manifests"), &checkout.path().join("manifests"));
    let overlay = checkout.path().join("manifests/overlays/wva-kustomize");
    symlink(project("tests/fixtures/wva-kustomize"), overlay.join("wva")).expect("a link");
    Rendering {
        name: "overlays/wva-kustomize".into(),
        documents: kustomize(assets, &overlay).await,
        base: Some(kustomize(assets, &project(BASE)).await),
        is_prefixed: false,
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a file");
        }
    }
}

/// What Helm would apply.
async fn charted(assets: &Assets, chart: &str, component: Option<&str>) -> Rendering {
    let input = std::fs::read_to_string(project(chart)).expect("a chart's output");
    let component = component.map(|folder| project(folder).display().to_string());
    let arguments: Vec<_> = component.iter().map(String::as_str).collect();
    let (code, out, err) = post_render(assets, &arguments, &input, None).await;
    assert_eq!(code, 0, "{err}");
    let wide = component.map(|_| ", cluster-wide").unwrap_or_default();
    Rendering {
        name: format!("post-renderer on {chart}{wide}"),
        documents: parse(&out),
        base: Some(parse(&input)),
        is_prefixed: false,
    }
}

/// Runs the post-renderer as Helm does: from anywhere, with everything on its input. Returns its
/// exit status and what it wrote on either stream.
pub async fn post_render(
    assets: &Assets,
    arguments: &[&str],
    input: &str,
    temporary: Option<&Path>,
) -> (i32, String, String) {
    let kubectl = assets.path("kubectl");
    let mut path = kubectl.parent().expect("its folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = child::command(&project("manifests/sidecar/helm-post-renderer"));
    if let Some(folder) = temporary {
        command.env("TMPDIR", folder);
    }
    let mut renderer = command
        .args(arguments)
        .current_dir("/")
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the post-renderer");
    let mut stdin = renderer.stdin.take().expect("its input");
    let feed = async move {
        // One that refuses its arguments does not read.
        let _ = stdin.write_all(input.as_bytes()).await;
    };
    let (output, ()) = tokio::join!(renderer.wait_with_output(), feed);
    let output = output.expect("its end");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What a kustomization comes to.
pub async fn kustomize(assets: &Assets, folder: &Path) -> Vec<Value> {
    let output = try_kustomize(assets, folder).await;
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {err}", folder.display());
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Runs `kubectl kustomize` to its end, whichever it is.
pub async fn try_kustomize(assets: &Assets, folder: &Path) -> Output {
    let kubectl: PathBuf = assets.path("kubectl");
    let mut command = child::command(&kubectl);
    command
        .arg("kustomize")
        .arg(folder)
        .output()
        .await
        .expect("kubectl")
}

fn parse(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    let documents = documents.map(|document| Value::deserialize(document).expect("YAML"));
    documents.filter(|document| !document.is_null()).collect()
}
