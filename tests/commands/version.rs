//! `version`, `--version`.

use serde_json::Value;

use crate::printed;

#[test]
fn version_says_what_it_was_built_from() {
    let told: Value = serde_json::from_str(&printed(&["version", "-o", "json"])).unwrap();
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    let commit = told["commit"].as_str().unwrap();
    let is_hex = |text: &str| text.len() == 40 && text.bytes().all(|c| c.is_ascii_hexdigit());
    // A build that was told a commit may have been told anything.
    let said = option_env!("SCALE_FROM_ZERO_COMMIT").is_some();
    assert!(
        said || commit == "unknown" || is_hex(commit.trim_end_matches("-dirty")),
        "{commit}"
    );
    assert!(told["rustc"].as_str().unwrap().starts_with("rustc 1."), "{told}");
    assert!(
        told["target"].as_str().unwrap().contains(std::env::consts::ARCH),
        "{told}"
    );
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    assert_eq!(told["profile"], profile);
    let features: &[&str] = if cfg!(feature = "demo") { &["demo"] } else { &[] };
    assert_eq!(told["features"], serde_json::json!(features));
    let kinds = told["kinds"].as_array().unwrap();
    for kind in [
        "llmd.ai/v1alpha1 VariantAutoscaling",
        "apps/v1 Deployment",
        "v1 Namespace",
    ] {
        assert!(kinds.contains(&kind.into()), "{told}");
    }

    let text = printed(&["version"]);
    let first = format!("scale-from-zero {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(printed(&["--version"]), first);
    assert!(text.starts_with(&first) && text.contains(commit), "{text}");
}
