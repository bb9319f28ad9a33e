//! What the program has asked of the API.

use scale_from_zero::demo::kubernetes::{Kube, Resource, Subresource};
use serde_json::Value;

use super::admin::MARK;

/// A request of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Verb of RBAC.
    pub verb: String,
    /// Resource with its part, as RBAC spells it: `deployments/scale`; the path where it is about no
    /// object, such as `/apis/apps/v1`.
    pub resource: String,
    /// Name of the object.
    pub name: String,
    /// Status of the answer; 0 if there was none.
    pub code: u16,
    /// The account, where there are accounts.
    pub account: String,
}

impl Asked {
    /// Whether it is this kind of request.
    pub fn is(&self, verb: &str, resource: &str) -> bool {
        self.verb == verb && self.resource == resource
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// The log of the embedded API without what trials ask.
pub fn of_kube(kube: &Kube) -> Vec<Asked> {
    let requests = kube.requests().into_iter();
    let asked = requests
        .filter(|request| !request.query.contains(MARK))
        .map(|request| {
            let part = match request.subresource {
                Subresource::Main => "",
                Subresource::Status => "/status",
                Subresource::Scale => "/scale",
            };
            Asked {
                verb: request.verb.as_str().into(),
                resource: format!("{}{part}", plural(request.resource)),
                name: request.name.unwrap_or_default(),
                code: request.code.unwrap_or_default(),
                account: String::new(),
            }
        });
    let found = kube.discoveries().into_iter().filter(|path| !path.contains(MARK));
    let found = found.map(|path| Asked {
        verb: "get".into(),
        resource: path,
        name: String::new(),
        code: 200,
        account: String::new(),
    });
    asked.chain(found).collect()
}

/// The audit log, as far as it is about accounts of a namespace.
pub fn of_audit(lines: &[Value], namespace: &str) -> Vec<Asked> {
    let accounts = format!("system:serviceaccount:{namespace}:");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asked = lines.iter().filter_map(|line| {
        let account = line["user"]["username"].as_str()?.strip_prefix(&accounts)?;
        let object = &line["objectRef"];
        let verb = text(&line["verb"]);
        // A watch is written down at both its ends.
        let begins = if verb == "watch" {
            "ResponseStarted"
        } else {
            "ResponseComplete"
        };
        (line["stage"] == begins).then_some(())?;
        let part = object["subresource"].as_str().map(|part| format!("/{part}"));
        let resource = match object["resource"].as_str() {
            Some(resource) => resource.to_owned() + &part.unwrap_or_default(),
            None => text(&line["requestURI"]),
        };
        Some(Asked {
            verb,
            resource,
            name: text(&object["name"]),
            code: u16::try_from(line["responseStatus"]["code"].as_u64()?).ok()?,
            account: account.into(),
        })
    });
    asked.collect()
}

fn plural(resource: Resource) -> &'static str {
    match resource {
        Resource::Namespaces => "namespaces",
        Resource::Deployments => "deployments",
        Resource::StatefulSets => "statefulsets",
        Resource::VariantAutoscalings => "variantautoscalings",
        Resource::InferencePools | Resource::InferencePoolsV1alpha2 => "inferencepools",
        Resource::Events => "events",
        Resource::Leases => "leases",
        Resource::HorizontalPodAutoscalers => "horizontalpodautoscalers",
        Resource::ScaledObjects => "scaledobjects",
        Resource::LeaderWorkerSets => "leaderworkersets",
        Resource::Rollouts => "rollouts",
        Resource::Pods => "pods",
        Resource::AccessReviews => "selfsubjectaccessreviews",
    }
}
