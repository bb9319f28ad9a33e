//! Access reviews: whether a request would be forbidden.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    requests::{Request, Verb},
    resource::Resource,
    route::Subresource,
    server::Server,
};

const VERBS: [Verb; 7] = [
    Verb::Get,
    Verb::List,
    Verb::Watch,
    Verb::Create,
    Verb::Update,
    Verb::Patch,
    Verb::Delete,
];

/// Answers a `SelfSubjectAccessReview`: allowed is what no fault forbids.
pub(super) fn answer(server: &Server, mut review: Value) -> Value {
    let allowed =
        asked(&review["spec"]["resourceAttributes"]).is_none_or(|request| !server.forbids(&request));
    review["metadata"] = json!({});
    review["status"] = json!({"allowed": allowed});
    review
}

/// The request that a review is about, if it is one that the API knows.
fn asked(attributes: &Value) -> Option<Request> {
    let field = |key: &str| attributes[key].as_str().unwrap_or_default();
    let given = |key: &str| Some(field(key).to_owned()).filter(|text| !text.is_empty());
    Some(Request {
        verb: VERBS.into_iter().find(|verb| verb.as_str() == field("verb"))?,
        resource: Resource::ALL.into_iter().find(|resource| {
            let traits = resource.traits();
            traits.plural == field("resource") && traits.group == field("group")
        })?,
        subresource: match field("subresource") {
            "status" => Subresource::Status,
            "scale" => Subresource::Scale,
            _ => Subresource::Main,
        },
        namespace: given("namespace"),
        name: given("name"),
        query: String::new(),
        content_type: None,
        body: None,
        code: None,
        asked: Timestamp::now(),
        ended: None,
    })
}
