//! Objects as the API serves them, whole but for the fields of their `managedFields`, for those who look at fields that the loop does
//! not keep. A few requests at once, each with a deadline; all are counted.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::Request;
use kube::{Client, api::ApiResource};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    discovery::{Found, discover},
    error::RequestError,
    read::send,
};
use crate::core::{Failure, OtherKind};

/// Requests under way at once: what a person may ask of an API server without being noticed.
const AT_ONCE: usize = 8;
/// Objects in one page of a list: with whole Deployments some 2 MB.
const PAGE: usize = 500;
/// From sending a request to the end of its answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// One page of a list, as far as it is read.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// What an access review asks: whether somebody may do something.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    /// The user with its groups; `None` for whoever asks.
    pub user: Option<(&'a str, &'a [String])>,
    /// Verb.
    pub verb: &'a str,
    /// API group.
    pub group: &'a str,
    /// Resource, with its subresource: `deployments/scale`.
    pub resource: &'a str,
    /// Namespace; `None` for all, and for what has none.
    pub namespace: Option<&'a str>,
    /// Name of the object; `None` for any.
    pub name: Option<&'a str>,
}

/// Reads whole objects.
pub struct Raw<'a> {
    client: &'a Client,
    turns: Semaphore,
    requests: AtomicU64,
}

impl<'a> Raw<'a> {
    /// Through this client.
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            turns: Semaphore::new(AT_ONCE),
            requests: AtomicU64::new(0),
        }
    }

    /// How many requests it has sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// All objects of a kind, in one namespace or all.
    ///
    /// # Errors
    /// What the server answered; [`Failure::NotFound`] where it has no such kind.
    pub async fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, RequestError> {
        match self.pages(resource, namespace, Some(PAGE)).await {
            // 410: the list changed for so long that its next page is gone. Then all at once.
            Err(error) if error.message.starts_with("410 ") => self.pages(resource, namespace, None).await,
            answer => answer,
        }
    }

    async fn pages(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        size: Option<usize>,
    ) -> Result<Vec<Value>, RequestError> {
        let what = match namespace {
            Some(namespace) => format!("list {} in {namespace}", qualified(resource)),
            None => format!("list {} in all namespaces", qualified(resource)),
        };
        let path = path(resource, namespace);
        let (mut all, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut query = String::new();
            if let Some(size) = size {
                query = format!("?limit={size}");
            }
            if let Some(next) = &next {
                query.push_str("&continue=");
                query.extend(next.bytes().map(escaped));
            }
            let page: Page = self
                .send(
                    what.clone(),
                    Request::get(format!("{path}{query}")).body(Vec::new()),
                )
                .await?;
            let items = page.items.unwrap_or_default();
            all.extend(items.into_iter().map(|item| trimmed(item, resource)));
            next = page.metadata.next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// One object; `None` where it is not there.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn get(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, RequestError> {
        let place = namespace
            .map(|namespace| format!("{namespace}/"))
            .unwrap_or_default();
        let what = format!("get {} {place}{name}", qualified(resource));
        let name: String = name.bytes().map(escaped).collect();
        let path = format!("{}/{name}", path(resource, namespace));
        match self.send(what, Request::get(path).body(Vec::new())).await {
            Ok(object) => Ok(Some(trimmed(object, resource))),
            Err(error) if error.failure == Failure::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the API has of a kind of target.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn discover(&self, kind: &OtherKind) -> Result<Found, RequestError> {
        let _turn = self.turns.acquire().await;
        // Its group, and as a rule one version.
        self.requests.fetch_add(2, Ordering::Relaxed);
        discover(self.client, kind).await
    }

    /// The server's version: `v1.33.1`.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn version(&self) -> Result<Option<String>, RequestError> {
        let what = "ask for the version of the API server".into();
        let answer: Value = self.send(what, Request::get("/version").body(Vec::new())).await?;
        let version = answer.get("gitVersion").and_then(Value::as_str);
        Ok(version.map(crate::text::one_line))
    }

    /// Who asks, as the server names it.
    ///
    /// # Errors
    /// What the server answered; those before 1.28 have no such review.
    pub async fn account(&self) -> Result<Option<String>, RequestError> {
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let answer = self.post("ask who we are".into(), path, &review).await?;
        let name = answer
            .pointer("/status/userInfo/username")
            .and_then(Value::as_str);
        Ok(name.map(str::to_owned))
    }

    /// Whether something is allowed.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn may(&self, review: &Review<'_>) -> Result<bool, RequestError> {
        let Review {
            user,
            verb,
            group,
            resource,
            namespace,
            name,
        } = *review;
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let mut spec = json!({"resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": subresource,
            "namespace": namespace.unwrap_or_default(), "name": name.unwrap_or_default(),
        }});
        let kind = match user {
            Some((user, groups)) => {
                spec["user"] = user.into();
                spec["groups"] = groups.into();
                "SubjectAccessReview"
            }
            None => "SelfSubjectAccessReview",
        };
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec});
        let path = format!("/apis/authorization.k8s.io/v1/{}s", kind.to_lowercase());
        let answer = self
            .post(format!("ask whether one may {verb} {resource}"), &path, &review)
            .await?;
        Ok(answer.pointer("/status/allowed").and_then(Value::as_bool) == Some(true))
    }

    async fn post(&self, what: String, path: &str, body: &Value) -> Result<Value, RequestError> {
        let request = Request::post(path).header("Content-Type", "application/json");
        self.send(what, request.body(body.to_string().into_bytes())).await
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        what: String,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<T, RequestError> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        send(self.client, what, request, DEADLINE).await
    }
}

/// An object with its kind, which items of a list leave out, and of its `managedFields` no more than who wrote when:
/// the fields are the most of many an object.
fn trimmed(mut object: Value, resource: &ApiResource) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".into(), resource.api_version.as_str().into());
        fields.insert("kind".into(), resource.kind.as_str().into());
    }
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let writes = meta.get_mut("managedFields").and_then(Value::as_array_mut);
        for write in writes.into_iter().flatten().filter_map(Value::as_object_mut) {
            write.remove("fieldsV1");
        }
    }
    object
}

/// `deployments.apps`.
fn qualified(resource: &ApiResource) -> String {
    match &*resource.group {
        "" => resource.plural.clone(),
        group => format!("{}.{group}", resource.plural),
    }
}

fn path(resource: &ApiResource, namespace: Option<&str>) -> String {
    let ApiResource {
        group,
        api_version,
        plural,
        ..
    } = resource;
    let root = if group.is_empty() { "/api" } else { "/apis" };
    let within = namespace.map(|namespace| {
        let namespace: String = namespace.bytes().map(escaped).collect();
        format!("/namespaces/{namespace}")
    });
    format!("{root}/{api_version}{}/{plural}", within.unwrap_or_default())
}

/// A byte of a value in a query string, or of a segment of a path.
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::GroupVersionKind;

    #[test]
    fn paths_are_those_of_the_api() {
        let of = |group: &str, kind: &str, plural: &str| {
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural)
        };
        let deployments = of("apps", "Deployment", "deployments");
        assert_eq!(
            path(&deployments, Some("llm")),
            "/apis/apps/v1/namespaces/llm/deployments"
        );
        assert_eq!(
            path(&of("", "Namespace", "namespaces"), None),
            "/api/v1/namespaces"
        );
        assert_eq!(qualified(&deployments), "deployments.apps");
        assert_eq!("a/b c".bytes().map(escaped).collect::<String>(), "a%2Fb%20c");
    }

    #[test]
    fn owned_fields_go_and_the_kind_comes() {
        let of = ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk("apps", "v1", "Deployment"),
            "deployments",
        );
        let object = json!({"metadata": {"name": "a", "managedFields": [{"time": "t", "fieldsV1": {"f:spec": {}}}]}, "spec": {"replicas": 0}});
        let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "managedFields": [{"time": "t"}]},
            "spec": {"replicas": 0}});
        assert_eq!(trimmed(object, &of), expected);
    }
}
