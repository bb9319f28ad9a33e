//! A small API server within the process: it compares and swaps, tells what has changed, and has its moods.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::BoxError;

use crate::{
    cluster::change,
    core::{Change, Kind, PoolGroup, TargetKind},
};

/// How many models there are. Those of an even number have a second, dearer variant.
pub const MODELS: usize = 4;

/// A model, its pool, and its cheaper variant with the target.
pub fn model(index: usize) -> String {
    format!("m{index}")
}

/// What becomes of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weather {
    /// They are done and answered.
    Fine,
    /// The connection is refused.
    Down,
    /// They are not done, and no answer comes.
    Hangs,
    /// They are done, and the connection breaks before the answer.
    LosesAnswers,
    /// They are done, and no answer comes.
    HangsWhenDone,
    /// 500.
    Fails,
    /// 429, with a second to wait.
    Throttles,
    /// 409 to every PATCH, whatever the version.
    Conflicts,
}

impl Weather {
    pub const ALL: [Self; 8] = [
        Self::Fine,
        Self::Down,
        Self::Hangs,
        Self::LosesAnswers,
        Self::HangsWhenDone,
        Self::Fails,
        Self::Throttles,
        Self::Conflicts,
    ];
}

/// What has been told of a wake.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub events: usize,
    pub status: bool,
}

/// The server. Clones are one.
#[derive(Clone)]
pub struct Cluster(Arc<Mutex<State>>);

struct State {
    version: u64,
    /// By kind and name.
    objects: BTreeMap<(&'static str, String), Value>,
    events: BTreeMap<String, Value>,
    weather: Weather,
    follower: Option<mpsc::Sender<Change>>,
    /// What the watches hold back, while they do.
    held: Option<Vec<Change>>,
    /// Who waited as of the last answer, and ever.
    asked: BTreeSet<usize>,
    ever_asked: BTreeSet<usize>,
    /// Targets by the number of our steps from 0.
    woken: BTreeMap<String, usize>,
    /// Of these, those whose step was not answered.
    unanswered: BTreeSet<String>,
    violations: Vec<String>,
}

const TARGETS: &str = "deployments";
const VARIANTS: &str = "variantautoscalings";
const POOLS: &str = "inferencepools";

fn kind(of: &str) -> Kind {
    match of {
        TARGETS => Kind::Target(TargetKind::Deployment),
        VARIANTS => Kind::Variant,
        _ => Kind::Pool(PoolGroup::Stable),
    }
}

impl Cluster {
    pub fn new() -> Self {
        let cluster = Self(Arc::new(Mutex::new(State {
            version: 1000,
            objects: BTreeMap::new(),
            events: BTreeMap::new(),
            weather: Weather::Fine,
            follower: None,
            held: None,
            asked: BTreeSet::new(),
            ever_asked: BTreeSet::new(),
            woken: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            violations: Vec::new(),
        })));
        let mut state = cluster.state();
        for index in 0..MODELS {
            let model = model(index);
            let selector = json!({"selector": {"matchLabels": {"app": model}}});
            state.put(POOLS, &model, json!({"spec": selector}));
            let dear = format!("{model}-dear");
            let mut names = vec![(model.clone(), "1")];
            names.extend((index % 2 == 0).then_some((dear, "9")));
            for (name, cost) in names {
                let template = json!({"metadata": {"labels": {"app": model}}});
                let spec = json!({"replicas": 0, "template": template});
                state.put(TARGETS, &name, json!({"spec": spec, "status": {}}));
                let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
                let spec = json!({"scaleTargetRef": target, "modelID": model, "variantCost": cost});
                state.put(VARIANTS, &name, json!({"spec": spec, "status": {}}));
            }
        }
        drop(state);
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Tells all that there is, and from now on what changes.
    pub fn follow(&self, follower: mpsc::Sender<Change>) {
        let mut state = self.state();
        state.follower = Some(follower);
        // A list is fresh, whatever the watches of the one before held back.
        state.held = state.held.is_some().then(Vec::new);
        let all: Vec<Change> = state
            .objects
            .iter()
            .filter_map(|((of, _), o)| change(&kind(of), o))
            .collect();
        for change in all {
            state.tell(change);
        }
    }

    pub fn weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    pub fn lag(&self, lags: bool) {
        let mut state = self.state();
        if lags {
            state.held.get_or_insert_default();
        } else {
            for change in state.held.take().unwrap_or_default() {
                state.tell(change);
            }
        }
    }

    pub fn ready(&self, index: usize) {
        self.state().edit(TARGETS, &model(index), |target| {
            target["status"] = json!({"readyReplicas": target["spec"]["replicas"]});
        });
    }

    pub fn touch(&self, index: usize) {
        self.state().edit(TARGETS, &model(index), |_| {});
    }

    /// Somebody else scales it to 2, if it is at 0.
    pub fn others_wake(&self, index: usize) -> bool {
        let mut state = self.state();
        let is_parked = state.replicas(&model(index)) == 0;
        if is_parked {
            state.edit(TARGETS, &model(index), |target| {
                target["spec"]["replicas"] = 2.into();
            });
        }
        is_parked
    }

    /// Somebody else scales it to 0.
    pub fn others_park(&self, index: usize) {
        self.state().edit(TARGETS, &model(index), |target| {
            target["spec"]["replicas"] = 0.into();
        });
    }

    /// A request of ours that scales a target to 1, whatever stands. Returns the code of its answer.
    pub async fn scale_to_one(self, target: &str) -> u16 {
        let body = json!({"spec": {"replicas": 1}}).to_string().into_bytes();
        let path = format!("/apis/apps/v1/namespaces/ns/{TARGETS}/{target}/scale");
        let request = Request::patch(path).body(Body::from(body)).unwrap();
        self.serve(request).await.unwrap().status().as_u16()
    }

    /// A query for demand was answered so.
    pub fn answered(&self, waiting: &BTreeSet<usize>) {
        let mut state = self.state();
        state.asked.clone_from(waiting);
        state.ever_asked.extend(waiting);
    }

    pub fn was_asked(&self, index: usize) -> bool {
        self.state().ever_asked.contains(&index)
    }

    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    pub fn replicas(&self, index: usize) -> i64 {
        self.state().replicas(&model(index))
    }

    pub fn woken(&self, index: usize) -> bool {
        self.state().woken.contains_key(&model(index))
    }

    /// Whether the status is not ours any more: who had no answer to its wake has seen the target go up and no more, as
    /// a witness, and a witness leaves the status of what serves to WVA.
    pub fn leaves_the_status(&self, index: usize) -> bool {
        let (state, name) = (self.state(), model(index));
        let ready = &state.objects[&(TARGETS, name.clone())]["status"]["readyReplicas"];
        ready.as_i64() > Some(0) && state.unanswered.contains(&name)
    }

    pub fn told(&self, index: usize) -> Told {
        let (state, name) = (self.state(), model(index));
        let of = |event: &&Value| event["regarding"]["name"] == *name && event["reason"] == "ScaledFromZero";
        let status = &state.objects[&(VARIANTS, name.clone())]["status"];
        Told {
            events: state.events.values().filter(of).count(),
            status: status["desiredOptimizedAlloc"]["numReplicas"] == 1,
        }
    }

    /// Answers a request, or does not.
    pub async fn serve(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let weather = self.state().weather;
        let refusal = |code: u16, reason: &str| {
            Ok(answer(
                code,
                &json!({"kind": "Status", "code": code, "reason": reason}),
            ))
        };
        match weather {
            Weather::Down => return Err("connection refused".into()),
            Weather::Hangs => std::future::pending().await,
            Weather::Fails => return refusal(500, "InternalError"),
            Weather::Conflicts if parts.method == Method::PATCH => return refusal(409, "Conflict"),
            Weather::Throttles => {
                let mut answer = refusal(429, "TooManyRequests");
                if let Ok(answer) = &mut answer {
                    answer
                        .headers_mut()
                        .insert("retry-after", http::HeaderValue::from_static("1"));
                }
                return answer;
            }
            _ => {}
        }
        let (code, object) = self.state().carry_out(&parts.method, parts.uri.path(), body);
        match weather {
            Weather::LosesAnswers => Err("connection reset".into()),
            Weather::HangsWhenDone => std::future::pending().await,
            _ => Ok(answer(code, &object)),
        }
    }
}

fn answer(code: u16, object: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(object.to_string().into_bytes()));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

impl State {
    fn put(&mut self, of: &'static str, name: &str, mut object: Value) {
        self.version += 1;
        object["metadata"] = json!({
            "name": name, "namespace": "ns", "uid": format!("{of}-{name}"), "generation": 1,
            "resourceVersion": self.version.to_string(),
        });
        self.objects.insert((of, name.to_owned()), object);
    }

    fn edit(&mut self, of: &'static str, name: &str, edit: impl FnOnce(&mut Value)) {
        self.version += 1;
        let object = self.objects.get_mut(&(of, name.to_owned())).unwrap();
        edit(object);
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let change = change(&kind(of), object).unwrap();
        self.tell(change);
    }

    fn tell(&mut self, change: Change) {
        if let Some(held) = &mut self.held {
            held.push(change);
        } else if let Some(follower) = &self.follower {
            // Fails only for a process that is gone.
            let _ = follower.try_send(change);
        }
    }

    fn replicas(&self, target: &str) -> i64 {
        self.objects[&(TARGETS, target.to_owned())]["spec"]["replicas"]
            .as_i64()
            .unwrap()
    }

    fn carry_out(&mut self, method: &Method, path: &str, body: Value) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let missing = (404, json!({"kind": "Status", "code": 404, "reason": "NotFound"}));
        // apis GROUP VERSION namespaces NS RESOURCE NAME PART
        let of = match parts.get(5) {
            Some(&"deployments") => TARGETS,
            Some(&"variantautoscalings") => VARIANTS,
            Some(&"events") if *method == Method::POST => return self.event(body),
            _ => return missing,
        };
        let Some(object) = parts
            .get(6)
            .and_then(|name| self.objects.get(&(of, (*name).to_owned())))
        else {
            return missing;
        };
        if *method == Method::GET {
            return (200, object.clone());
        }
        let name = parts[6].to_owned();
        let seen = &body["metadata"]["resourceVersion"];
        if !seen.is_null() && *seen != object["metadata"]["resourceVersion"] {
            return (409, json!({"kind": "Status", "code": 409, "reason": "Conflict"}));
        }
        match (of, parts.get(7)) {
            (TARGETS, Some(&"scale")) => self.scale(&name, &body),
            (VARIANTS, Some(&"status")) => self.edit(VARIANTS, &name, |variant| {
                variant["status"] = body["status"].clone();
            }),
            _ => self
                .violations
                .push(format!("{method} {path}: nobody asked for that")),
        }
        (200, self.objects[&(of, name)].clone())
    }

    /// A wake, on the version that stands.
    fn scale(&mut self, name: &str, body: &Value) {
        let (replicas, of) = (self.replicas(name), name.trim_end_matches("-dear").to_owned());
        let mut wrong = Vec::new();
        if body["spec"]["replicas"] != 1 || replicas != 0 {
            wrong.push(format!("{name}: from {replicas} to {}", body["spec"]["replicas"]));
        }
        if of != name {
            wrong.push(format!("{name}: the dearer one"));
        }
        let asked = (0..MODELS)
            .filter(|index| self.asked.contains(index))
            .any(|index| model(index) == of);
        if !asked {
            wrong.push(format!("{name}: without demand"));
        }
        let times = self.woken.entry(name.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            wrong.push(format!("{name}: {times} times"));
        }
        self.violations.append(&mut wrong);
        if self.weather != Weather::Fine {
            self.unanswered.insert(name.to_owned());
        }
        self.edit(TARGETS, name, |target| {
            target["spec"]["replicas"] = 1.into();
            target["metadata"]["generation"] = 2.into();
        });
    }

    fn event(&mut self, body: Value) -> (u16, Value) {
        let name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if self.events.contains_key(&name) {
            return (
                409,
                json!({"kind": "Status", "code": 409, "reason": "AlreadyExists"}),
            );
        }
        self.events.insert(name, body.clone());
        (201, body)
    }
}
