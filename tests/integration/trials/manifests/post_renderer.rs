//! The Helm post-renderer: all else passes byte for byte, and what it cannot do it says.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use super::render::{CHARTS, post_render};
use crate::{
    servers::{Assets, project},
    suite::Suite,
};

pub fn register(suite: &mut Suite) {
    suite.with_servers("manifests::post_renderer_passes_all_else", async |servers, _| {
        passes(&servers.assets).await;
    });
    suite.with_servers("manifests::post_renderer_refuses", async |servers, _| {
        refuses(&servers.assets).await;
    });
}

async fn passes(assets: &Assets) {
    let mode = std::fs::metadata(project("manifests/sidecar/helm-post-renderer")).expect("the script");
    assert_eq!(mode.permissions().mode() & 0o777, 0o755);
    for chart in CHARTS {
        let input = read(chart);
        let temporary = tempfile::tempdir().expect("a folder");
        let (code, out, err) = post_render(assets, &[], &input, Some(temporary.path())).await;
        assert_eq!(code, 0, "{err}");
        let others = split(&input).into_iter().filter(|document| !is_manager(document));
        for document in others {
            assert!(out.contains(&document), "changed: {document}");
        }
        assert!(is_empty(temporary.path()), "it leaves nothing behind");
    }
}

async fn refuses(assets: &Assets) {
    let input = read(CHARTS[1]);
    let (manager, others): (Vec<_>, Vec<_>) = split(&input)
        .into_iter()
        .partition(|document| is_manager(document));
    let manager = manager.first().expect("the manager");
    let with = |manager: &str| format!("{}---\n{manager}", others.concat());
    let without = |line: &str| {
        let kept = manager.split_inclusive('\n').filter(|of| of.trim_end() != line);
        let cut: String = kept.collect();
        assert_ne!(cut, *manager, "{line}");
        with(&cut)
    };
    let nowhere = "/nowhere";
    let cases: [(&str, &[&str], String); 7] = [
        ("rendered no Deployment labelled", &[], others.concat()),
        (
            "rendered 2 Deployments labelled",
            &[],
            with(&format!("{manager}---\n{manager}")),
        ),
        (
            "must name the namespace",
            &[],
            without("  namespace: llm-d-team-a"),
        ),
        (
            "names no ServiceAccount",
            &[],
            without("      serviceAccountName: team-a-workload-variant-autoscaler-controller-manager"),
        ),
        (
            "must be a label of the Deployment itself",
            &[],
            without("    control-plane: controller-manager"),
        ),
        ("there is no folder /nowhere", &[nowhere], input.clone()),
        ("takes one argument at most", &[nowhere, nowhere], input.clone()),
    ];
    for (part, arguments, input) in cases {
        let temporary = tempfile::tempdir().expect("a folder");
        let (code, out, err) = post_render(assets, arguments, &input, Some(temporary.path())).await;
        assert_eq!((code, out.as_str()), (1, ""), "{part}: {err}");
        assert!(
            err.contains("scale-from-zero post-renderer: ") && err.contains(part),
            "no {part:?} in {err}"
        );
        assert!(is_empty(temporary.path()), "{part}: it leaves nothing behind");
    }
}

fn read(chart: &str) -> String {
    std::fs::read_to_string(project(chart)).expect("a chart's output")
}

/// The documents as they are written, each with the line that begins it.
fn split(input: &str) -> Vec<String> {
    let mut documents = Vec::new();
    for line in input.split_inclusive('\n') {
        if line.starts_with("---") || documents.is_empty() {
            documents.push(String::new());
        }
        *documents.last_mut().expect("one") += line;
    }
    documents
}

fn is_manager(document: &str) -> bool {
    document.contains("\nkind: Deployment\n") && document.contains("control-plane: controller-manager")
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("the folder").next().is_none()
}
