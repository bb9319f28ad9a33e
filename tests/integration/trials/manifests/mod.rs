//! What `manifests/` makes of WVA's two installs, of users' kustomizations (`tests/fixtures/builds`),
//! and by itself. The object that comes out is what counts, so everything is asserted on renderings.

mod applied;
mod monitoring;
mod pod;
mod post_renderer;
mod render;
mod rights;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::render::{Rendering, all, identity, is_ours, try_kustomize};
use crate::{
    servers::{Assets, documents, project},
    suite::{Suite, fails_in},
};

/// What must hold of every rendering.
type Check = fn(&Rendering);

pub fn register(suite: &mut Suite) {
    let checks: [(&str, Check); 7] = [
        ("documents", documents_are_unique),
        ("base_unchanged", base_is_unchanged),
        ("pod", pod::is_sound),
        ("configuration", pod::configuration_is_valid),
        ("bindings", rights::bindings_fit),
        ("rules", rights::rules_are_narrow),
        ("standalone", standalone_is_sound),
    ];
    for (name, check) in checks {
        suite.with_servers(&format!("manifests::{name}"), async move |servers, _| {
            each(all(&servers.assets).await, check);
        });
    }
    suite.plain("manifests::twins", async |_| twins_are_equal());
    suite.plain("manifests::readme", async |_| readme_shows_what_is_tried());
    suite.with_servers("manifests::option_before_sidecar", async |servers, _| {
        option_before_sidecar(&servers.assets).await;
    });
    post_renderer::register(suite);
    applied::register(suite);
    monitoring::register(suite);
}

/// Checks each rendering; one that fails is named.
fn each(renderings: &[Rendering], check: Check) {
    for rendering in renderings {
        fails_in(&rendering.name);
        check(rendering);
    }
}

/// Nothing is there twice.
fn documents_are_unique(rendering: &Rendering) {
    let mut seen = BTreeSet::new();
    for document in &rendering.documents {
        assert!(document.is_object(), "{document}");
        assert!(seen.insert(identity(document)), "twice: {:?}", identity(document));
    }
}

/// Of what was there without us nothing is changed but the one Deployment, and that only by our
/// container and volumes. What is new is labelled as ours.
fn base_is_unchanged(rendering: &Rendering) {
    let Some(base) = &rendering.base else { return };
    for before in base {
        let found = rendering
            .documents
            .iter()
            .find(|document| identity(document) == identity(before));
        let mut now = found
            .unwrap_or_else(|| panic!("{:?} is gone", identity(before)))
            .clone();
        if identity(&now) == identity(rendering.deployment()) {
            now = without_us(now);
        }
        assert_eq!(now, *before, "{:?}", identity(before));
    }
    let known: BTreeSet<_> = base.iter().map(identity).collect();
    for document in &rendering.documents {
        let id = identity(document);
        assert!(
            known.contains(&id) || is_ours(document),
            "{id:?} is new and not labelled as ours"
        );
    }
}

fn without_us(mut deployment: Value) -> Value {
    let ours = |part: &Value| {
        part["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("scale-from-zero"))
    };
    let pod = &mut deployment["spec"]["template"]["spec"];
    for list in ["containers", "volumes"] {
        if let Some(parts) = pod[list].as_array_mut() {
            parts.retain(|part| !ours(part));
            if parts.is_empty() {
                pod.as_object_mut().expect("a pod").remove(list);
            }
        }
    }
    deployment
}

/// What only the install without WVA has.
fn standalone_is_sound(rendering: &Rendering) {
    if !rendering.is_standalone() {
        return;
    }
    let deployment = rendering.deployment();
    let pod = &deployment["spec"]["template"];
    let account = rendering.one("ServiceAccount");
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(pod["spec"]["automountServiceAccountToken"], true);
    assert_eq!(pod["spec"]["serviceAccountName"], account["metadata"]["name"]);
    let labels = pod["metadata"]["labels"].as_object().expect("labels");
    for selector in [
        &deployment["spec"]["selector"],
        &rendering.one("NetworkPolicy")["spec"]["podSelector"],
    ] {
        let wanted = selector["matchLabels"].as_object().expect("labels");
        assert!(!wanted.is_empty());
        assert!(
            wanted.iter().all(|(key, value)| labels.get(key) == Some(value)),
            "{selector}"
        );
    }
    for namespace in rendering.of("Namespace") {
        assert_eq!(
            namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
            "restricted"
        );
    }
    // Who is installed for one namespace finds it there.
    assert_eq!(
        rendering.of("Namespace").count() == 1,
        rendering.is_cluster_wide()
    );
}

/// The container and its volumes are written down three times, for want of a way to share them.
fn twins_are_equal() {
    let read = |file: &str| documents(file).remove(0);
    let sidecar = read("manifests/sidecar/common/container.yaml")[0]["value"].clone();
    assert_eq!(sidecar["name"], "scale-from-zero");
    let by_patch = &read("manifests/sidecar/kubectl-patch.yaml")["spec"]["template"]["spec"];
    let alone = &read("manifests/standalone/base/deployment.yaml")["spec"]["template"]["spec"];
    let volumes = &read("manifests/sidecar/common/volumes.yaml")["spec"]["template"]["spec"]["volumes"];
    for pod in [by_patch, alone] {
        assert_eq!(pod["containers"], json!([sidecar]));
        assert_eq!(pod["volumes"], *volumes);
    }
}

/// The patch for a kind of target of the user's own is the one that is rendered and applied here.
fn readme_shows_what_is_tried() {
    let read = |file: &str| std::fs::read_to_string(project(file)).expect("a file");
    let build = read("tests/fixtures/builds/sidecar-own-kind/kustomization.yaml");
    let (_, patch) = build.split_once("\npatches:\n").expect("patches");
    assert!(read("manifests/README.md").contains(&format!("\npatches:\n{patch}")));
}

/// An option whose rules would be dropped ends the build.
async fn option_before_sidecar(assets: &Assets) {
    let folder = project("tests/fixtures/refused/option-before-sidecar");
    let output = try_kustomize(assets, &folder).await;
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        err.contains("manifests/rbac/pods") && err.contains("nothing selected"),
        "{err}"
    );
}
