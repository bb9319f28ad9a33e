//! What the API server says it was asked by the program, and when.

use jiff::Timestamp;
use scale_from_zero::demo::kubernetes::{Kube, Request, Subresource, Verb};
use serde_json::Value;

/// An answered request. Watches are none.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether it is the write of a wake: a PATCH of `/scale`.
    pub is_scale: bool,
    /// The object.
    pub name: String,
    /// Status of the answer; 0 if there was none.
    pub code: u16,
    /// When it came in.
    pub asked: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
}

/// Requests to the embedded API since a time.
pub fn of_kube(kube: &Kube, since: Timestamp) -> Vec<Seen> {
    let seen = |request: Request| {
        Some(Seen {
            is_scale: request.verb == Verb::Patch && request.subresource == Subresource::Scale,
            name: request.name.unwrap_or_default(),
            code: request.code.unwrap_or_default(),
            asked: request.asked,
            answered: request.ended?,
        })
    };
    let requests = kube.requests().into_iter();
    let wanted = requests.filter(|request| request.verb != Verb::Watch && request.asked >= since);
    wanted.filter_map(seen).collect()
}

/// Requests of the accounts of a namespace since a time, from the audit log of kube-apiserver.
pub fn of_audit(lines: &[Value], namespace: &str, since: Timestamp) -> Vec<Seen> {
    let accounts = format!("system:serviceaccount:{namespace}:");
    let seen = lines.iter().filter_map(|line| {
        line["user"]["username"].as_str()?.strip_prefix(&accounts)?;
        if line["verb"] == "watch" || line["stage"] != "ResponseComplete" {
            return None;
        }
        let time = |key: &str| line[key].as_str()?.parse::<Timestamp>().ok();
        let object = &line["objectRef"];
        Some(Seen {
            is_scale: line["verb"] == "patch" && object["subresource"] == "scale",
            name: object["name"].as_str().unwrap_or_default().to_owned(),
            code: u16::try_from(line["responseStatus"]["code"].as_u64()?).ok()?,
            asked: time("requestReceivedTimestamp")?,
            answered: time("stageTimestamp")?,
        })
    });
    seen.filter(|seen| seen.asked >= since).collect()
}
