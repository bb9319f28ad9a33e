//! What this program was built from, as `build.rs` has put it in.

use serde::Serialize;

use crate::{cluster, core::Kind};

/// The version in `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The git commit; `-dirty` behind it where the sources differed from it; `unknown` outside a checkout.
pub const COMMIT: &str = env!("BUILD_COMMIT");

/// All of it, in the order in which it is told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildInfo {
    /// [`VERSION`].
    pub version: &'static str,
    /// [`COMMIT`].
    pub commit: &'static str,
    /// When the source was made (`SOURCE_DATE_EPOCH`); `None` where the build was not told.
    pub source_date: Option<jiff::Timestamp>,
    /// What `rustc --version` said.
    pub rustc: &'static str,
    /// The target triple.
    pub target: &'static str,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// The features of the crate that are in.
    pub features: Vec<&'static str>,
    /// Each kind of object that is watched in any case, as `GROUP/VERSION Kind`. What variants name besides is found by
    /// discovery, in the version that the API server prefers.
    pub kinds: Vec<String>,
}

impl BuildInfo {
    /// Of this program.
    pub fn get() -> Self {
        let features: [(&str, bool); 1] = [("demo", cfg!(feature = "demo"))];
        let epoch: Option<i64> = env!("BUILD_DATE").parse().ok();
        let kinds = Kind::STANDING.iter().filter_map(cluster::resource);
        Self {
            version: VERSION,
            commit: COMMIT,
            source_date: epoch.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()),
            rustc: env!("BUILD_RUSTC"),
            target: env!("BUILD_TARGET"),
            profile: env!("BUILD_PROFILE"),
            features: features
                .into_iter()
                .filter_map(|(name, is_in)| is_in.then_some(name))
                .collect(),
            kinds: kinds
                .map(|resource| format!("{} {}", resource.api_version, resource.kind))
                .collect(),
        }
    }
}
