//! KEDA's version: the guard on a ScaledObject needs one that knows its annotation (rule 17).

use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use super::read;
use crate::core::{Failure, PAUSED_SCALE_IN};

/// The first version that knows [`PAUSED_SCALE_IN`].
/// (<https://github.com/kedacore/keda/blob/main/CHANGELOG.md>, v2.18.0.)
pub const SINCE: (u32, u32) = (2, 18);
/// KEDA's manifests and its chart put the version there, on the CRD.
const VERSION_LABEL: &str = "/metadata/labels/app.kubernetes.io~1version";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/scaledobjects.keda.sh";

/// What is known of KEDA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keda {
    /// It is not installed.
    Absent,
    /// Its version, major and minor.
    Version(u32, u32),
    /// It is installed; the version cannot be told, and why.
    Unknown(String),
}

impl Keda {
    /// Asks for it.
    pub async fn ask(client: &Client) -> Self {
        match read::get(client, "get the CRD scaledobjects.keda.sh".into(), CRD).await {
            Ok(Object(crd)) => {
                let said = || {
                    crd.pointer(VERSION_LABEL)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                keda_version(&crd).map_or_else(
                    || {
                        Self::Unknown(format!(
                            "the label app.kubernetes.io/version of its CRD says {:?}",
                            said()
                        ))
                    },
                    |(major, minor)| Self::Version(major, minor),
                )
            }
            Err(error) if error.failure == Failure::NotFound => Self::Absent,
            Err(error) => Self::Unknown(error.to_string()),
        }
    }

    /// Says in the log whether guards on ScaledObjects will hold.
    pub fn tell(&self) {
        match self {
            Self::Absent => {}
            Self::Version(major, minor) if (*major, *minor) >= SINCE => {
                tracing::debug!(major, minor, "KEDA knows the annotation that guards");
            }
            Self::Version(major, minor) => tracing::warn!(
                version = format!("{major}.{minor}"),
                annotation = PAUSED_SCALE_IN,
                "wake.guard has no effect on ScaledObjects: KEDA knows this annotation from 2.18 on; update KEDA"
            ),
            Self::Unknown(why) => tracing::info!(
                why,
                annotation = PAUSED_SCALE_IN,
                "KEDA's version cannot be told; wake.guard holds on ScaledObjects if it is 2.18 or newer"
            ),
        }
    }
}

#[derive(Deserialize)]
struct Object(Value);

/// KEDA's version, major and minor, by its CRD of ScaledObjects; `None` where that does not say.
pub fn keda_version(crd: &Value) -> Option<(u32, u32)> {
    version(crd.pointer(VERSION_LABEL)?.as_str()?)
}

/// Major and minor of `2.18.0`, `v2.18.1` or the like.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_as_they_are_written() {
        for (text, read) in [
            ("2.18.0", Some((2, 18))),
            ("v2.9.3", Some((2, 9))),
            ("2.19", Some((2, 19))),
            ("3.0.0-rc.1", Some((3, 0))),
            ("", None),
            ("main", None),
            ("2", None),
        ] {
            assert_eq!(version(text), read, "{text:?}");
        }
        assert!((2, 9) < super::SINCE, "numbers, not text");
    }
}
