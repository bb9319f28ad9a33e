//! HTTP: reads a request, lets faults have their way, answers.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, Query as UrlQuery, Request as HttpRequest, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::connection::Connection,
    discovery::{self, Missing},
    failure::{Cause, Failure},
    fault::{self, Effect},
    list::{self, Query},
    object,
    requests::{Request, Verb},
    resource::Resource,
    review,
    route::{Discovery, Place, Route, Subresource, route},
    scale,
    server::Server,
    store::{Patch, Stored},
    watch::Watch,
};

/// Bodies of requests are refused beyond this, as by the real server.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// Answers any request.
pub(super) async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return Failure::new(413, "RequestEntityTooLarge", "limit is 3145728").into_response();
    };
    let place = match route(parts.uri.path()) {
        Route::To(place) => place,
        Route::NotInGroup(place) => return missing(&server, &place).into_response(),
        Route::Discovery(asked) => return discover(&server, &parts, &asked),
        Route::Nowhere => return elsewhere(parts.uri.path()),
    };
    let query = match UrlQuery::<Query>::try_from_uri(&parts.uri) {
        Ok(query) => query.0,
        Err(error) => return Failure::bad_request(error.body_text()).into_response(),
    };
    let Some(verb) = verb(&parts.method, &place, &query) else {
        return Failure::method_not_allowed().into_response();
    };
    let call = Call {
        verb,
        place,
        query,
        json: serde_json::from_slice(&body).ok(),
        parts,
    };
    let noted = call.noted();
    let mut entry = server.begin(&noted);
    let effect = server.strike(&noted);
    match &effect {
        Some(Effect::Status {
            code,
            reason,
            retry_after,
        }) => {
            entry.code = Some(*code);
            let message = format!("{reason}: a fault of the embedded API");
            return Failure::new(*code, reason, message)
                .retry_after(*retry_after)
                .into_response();
        }
        Some(Effect::Forbidden) => {
            entry.code = Some(403);
            return fault::forbidden(&noted).into_response();
        }
        Some(Effect::Hang) => return std::future::pending().await,
        Some(Effect::Drop) => return drop_connection(&connection).await,
        Some(Effect::Delay(delay)) => tokio::time::sleep(*delay).await,
        Some(
            Effect::CloseMidway | Effect::ApplyThenDrop | Effect::ApplyThenHang | Effect::SilenceWatches,
        )
        | None => {}
    }
    let midway = effect == Some(Effect::CloseMidway);
    let answer = call.answer(&server, noted, midway);
    match effect {
        Some(Effect::ApplyThenDrop) => return drop_connection(&connection).await,
        Some(Effect::ApplyThenHang) => return std::future::pending().await,
        _ => {}
    }
    entry.code = Some(answer.status().as_u16());
    if midway && verb != Verb::Watch {
        half(answer).await
    } else {
        answer
    }
}

/// Never answers: the connection, and with it this future, ends first.
async fn drop_connection(connection: &Connection) -> Response {
    connection.cut();
    std::future::pending().await
}

/// Half of an answer, and then the end of the connection.
async fn half(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let first = stream::iter([Ok(bytes.slice(..bytes.len() / 2))]);
    let cut = stream::once(async {
        // Lets the first half out before the cut.
        tokio::task::yield_now().await;
        Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Response::from_parts(parts, Body::from_stream(first.chain(cut)))
}

/// What a known group lacks.
fn missing(server: &Server, place: &Place) -> Response {
    let traits = place.resource.traits();
    match &place.name {
        _ if traits.custom && !server.store().table(place.resource).present => page_not_found(),
        Some(name) if traits.custom => Failure::not_found(traits, name).into_response(),
        _ => Failure::no_such_path().into_response(),
    }
}

/// Tells what there is.
fn discover(server: &Server, parts: &Parts, asked: &Discovery) -> Response {
    server.with_log(|log| log.discovery(&parts.uri.to_string()));
    if parts.method != Method::GET {
        return Failure::method_not_allowed().into_response();
    }
    if let Err(failure) = check_headers(&parts.headers, &Query::new()) {
        return failure.into_response();
    }
    match discovery::answer(&server.store(), asked) {
        Ok(body) => json_answer(StatusCode::OK, body.to_string().into()),
        Err(Missing::Page) => page_not_found(),
        Err(Missing::Refusal(failure)) => failure.into_response(),
    }
}

/// Paths that are about no object.
fn elsewhere(path: &str) -> Response {
    match path {
        "/livez" | "/readyz" | "/healthz" => "ok".into_response(),
        "/version" => {
            let version = json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2-embedded", "gitCommit": "",
                "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "",
                "compiler": "rustc", "platform": "embedded"});
            json_answer(StatusCode::OK, version.to_string().into())
        }
        _ => page_not_found(),
    }
}

fn page_not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

fn json_answer(code: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn verb(method: &Method, place: &Place, query: &Query) -> Option<Verb> {
    let watch = query
        .get("watch")
        .is_some_and(|value| matches!(value.as_str(), "true" | "1"));
    let placed = place.namespace.is_some() || !place.resource.traits().namespaced;
    let verb = match (method.as_str(), place.name.is_some()) {
        ("GET", false) if watch => Verb::Watch,
        ("GET", false) => Verb::List,
        ("GET", true) => Verb::Get,
        ("POST", false) if placed => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) if place.subresource == Subresource::Main => Verb::Delete,
        _ => return None,
    };
    // Reviews are answered, not kept.
    (verb == Verb::Create || place.resource != Resource::AccessReviews).then_some(verb)
}

/// A request that was understood.
struct Call {
    verb: Verb,
    place: Place,
    query: Query,
    /// The body, if it is JSON.
    json: Option<Value>,
    parts: Parts,
}

impl Call {
    fn noted(&self) -> Request {
        let named = self
            .json
            .as_ref()
            .map(|body| object::text(body, &["metadata", "name"]).to_owned());
        Request {
            verb: self.verb,
            resource: self.place.resource,
            subresource: self.place.subresource,
            namespace: self.place.namespace.clone(),
            name: self
                .place
                .name
                .clone()
                .or(named.filter(|_| self.verb == Verb::Create)),
            query: self.parts.uri.query().unwrap_or_default().to_owned(),
            content_type: self.header(&header::CONTENT_TYPE).map(str::to_owned),
            body: self.json.clone(),
            code: None,
            asked: Timestamp::now(),
            ended: None,
        }
    }

    fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn answer(self, server: &Arc<Server>, noted: Request, midway: bool) -> Response {
        if !server.store().table(self.place.resource).present {
            return page_not_found();
        }
        let answer = check_headers(&self.parts.headers, &self.query).and_then(|()| match self.verb {
            Verb::Watch => self.watch(server, noted, midway),
            Verb::List => {
                let body = server.change(|store| list::list(store, &self.place, &self.query))?;
                Ok(json_answer(StatusCode::OK, body))
            }
            Verb::Get => {
                let stored = server.store().get(&self.place)?;
                if self.place.subresource == Subresource::Scale {
                    scale::check(self.place.resource.traits(), &stored.value)?;
                }
                Ok(self.object(StatusCode::OK, &stored))
            }
            Verb::Create if self.place.resource == Resource::AccessReviews => {
                let answer = review::answer(server, self.body()?);
                Ok(json_answer(StatusCode::CREATED, answer.to_string().into()))
            }
            Verb::Create => {
                let body = self.body()?;
                let stored = server.change(|store| store.create(&self.place, body, &self.manager()))?;
                Ok(self.object(StatusCode::CREATED, &stored))
            }
            Verb::Update => {
                let body = self.body()?;
                let stored = server.change(|store| store.replace(&self.place, body, &self.manager()))?;
                Ok(self.object(StatusCode::OK, &stored))
            }
            Verb::Patch => self.patch(server),
            Verb::Delete => self.delete(server),
        });
        answer.unwrap_or_else(IntoResponse::into_response)
    }

    /// The object as the subresource shows it.
    fn object(&self, code: StatusCode, stored: &Stored) -> Response {
        let body = match self.place.subresource {
            Subresource::Scale => scale::scale(self.place.resource.traits(), &stored.value)
                .to_string()
                .into(),
            Subresource::Main | Subresource::Status => stored.json.clone(),
        };
        json_answer(code, body)
    }

    fn watch(&self, server: &Arc<Server>, noted: Request, midway: bool) -> Result<Response, Failure> {
        let watch = Watch::open(server, &self.place, &self.query, noted, midway)?;
        let mut answer = json_answer(StatusCode::OK, Bytes::new());
        *answer.body_mut() = Body::from_stream(watch.into_stream());
        Ok(answer)
    }

    fn body(&self) -> Result<Value, Failure> {
        let kind = self.header(&header::CONTENT_TYPE).unwrap_or_default();
        if !kind.starts_with("application/json") {
            let message = "the body of the request was in an unknown format - accepted media types \
                           include: application/json, application/yaml, application/vnd.kubernetes.protobuf";
            return Err(Failure::new(415, "UnsupportedMediaType", message));
        }
        self.json.clone().ok_or_else(|| {
            let kind = self.place.resource.traits().kind;
            Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error"
            ))
        })
    }

    /// Whose name a write goes by.
    fn manager(&self) -> String {
        let agent = self
            .header(&header::USER_AGENT)
            .and_then(|agent| agent.split('/').next());
        let given = self
            .query
            .get("fieldManager")
            .map(String::as_str)
            .filter(|name| !name.is_empty());
        given.or(agent).unwrap_or("unknown").to_owned()
    }

    fn patch(&self, server: &Server) -> Result<Response, Failure> {
        let kind = self.patch_kind()?;
        let body = self
            .json
            .as_ref()
            .ok_or_else(|| Failure::bad_request("invalid JSON patch"))?;
        if !body.is_object() {
            return Err(Failure::bad_request(
                "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
            ));
        }
        let stored = server.change(|store| store.patch(&self.place, &kind, body, &self.manager()))?;
        Ok(self.object(StatusCode::OK, &stored))
    }

    fn patch_kind(&self) -> Result<Patch, Failure> {
        let lease = self.place.resource == Resource::Leases;
        match self.header(&header::CONTENT_TYPE).unwrap_or_default() {
            "application/merge-patch+json" => Ok(Patch::Merge),
            "application/strategic-merge-patch+json" if lease => Ok(Patch::Strategic),
            "application/apply-patch+yaml" if self.place.subresource == Subresource::Main => {
                if !self.query.contains_key("fieldManager") {
                    let mut cause = Cause::required("fieldManager");
                    cause.message.push_str(": is required for apply patch");
                    let (kind, group) = ("PatchOptions", "meta.k8s.io");
                    return Err(Failure::invalid_as(
                        "PatchOptions.meta.k8s.io",
                        kind,
                        group,
                        "",
                        &[cause],
                    ));
                }
                Ok(Patch::Apply {
                    force: self.query.get("force").is_some_and(|force| force == "true"),
                })
            }
            _ => Err(Failure::new(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: \
                 application/merge-patch+json (embedded API)",
            )),
        }
    }

    fn delete(&self, server: &Server) -> Result<Response, Failure> {
        let gone = server.change(|store| store.delete(&self.place))?;
        let traits = self.place.resource.traits();
        let mut details = json!({
            "name": gone.value["metadata"]["name"], "kind": traits.plural, "uid": gone.value["metadata"]["uid"],
        });
        if !traits.group.is_empty() {
            details["group"] = traits.group.into();
        }
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": details});
        Ok(json_answer(StatusCode::OK, status.to_string().into()))
    }
}

/// Refuses what the client may ask of a real server, but not of this one, rather than answer it wrong.
fn check_headers(headers: &HeaderMap, query: &Query) -> Result<(), Failure> {
    if query.contains_key("dryRun") {
        return Err(Failure::bad_request("this embedded API knows no dryRun"));
    }
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or("*/*");
    let known = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        matches!(parts.next(), Some("application/json" | "application/*" | "*/*"))
            && !parts.any(|part| part.starts_with("as="))
    };
    if accept.split(',').map(str::trim).any(known) {
        return Ok(());
    }
    let message = "406: Not Acceptable\n\nAvailable representations: application/json";
    Err(Failure::new(406, "NotAcceptable", message))
}
