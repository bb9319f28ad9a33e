//! The API as a trial uses it: whatever is refused fails the trial, in the server's words.

use http::{Method, Request};
use kube::{Client, core::Status};
use scale_from_zero::cluster::client::{ClientError, client};
use serde_json::Value;

use super::Kind;
use crate::wait;

/// Marks the requests of trials, so that those of the program can be told apart. Servers ignore it.
pub const MARK: &str = "by=the-trial";

/// How something is written.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// A merge patch.
    Merge,
    /// The whole of it.
    Put,
    /// Server-side apply, whoever else owns what it says.
    Apply,
}

/// A client that may do everything.
#[derive(Clone)]
pub struct Admin(Client);

impl Admin {
    /// A client.
    pub fn new(config: &kube::Config) -> Result<Self, ClientError> {
        client(config).map(Self)
    }

    /// The body at a path.
    pub async fn text(&self, path: &str) -> Result<String, kube::Error> {
        let request = Request::get(path).body(Vec::new()).expect("a path");
        self.0.request_text(request).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, kube::Error> {
        let kind = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        self.send_as(method, &format!("{path}?{MARK}"), kind, body).await
    }

    async fn send_as(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let request = || {
            Request::builder()
                .method(&method)
                .uri(path)
                .header("Content-Type", kind)
                .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
                .expect("a path")
        };
        match self.0.request(request()).await {
            // A trial has cut all connections, ours among them: nothing was sent.
            Err(kube::Error::Service(_)) => self.0.request(request()).await,
            answer => answer,
        }
    }

    /// Creates an object and returns it.
    pub async fn create(&self, object: Value) -> Value {
        let namespace = object["metadata"]["namespace"].as_str();
        let path = Kind::of(&object).path(namespace, None, None);
        let answer = self.send(Method::POST, &path, Some(&object)).await;
        answer.unwrap_or_else(|error| panic!("cannot create {object}: {error}"))
    }

    /// Posts to a part of an object, as one asks for the token of an account.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(Method::POST, path, Some(body)).await;
        answer.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// An object, if it is there.
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let path = kind.path(Some(namespace), Some(name), None);
        match self.send(Method::GET, &path, None).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("cannot get {path}: {error}"),
        }
    }

    /// The objects of a namespace.
    pub async fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        let path = kind.path(Some(namespace), None, None);
        let answer = self.send(Method::GET, &path, None).await;
        let list = answer.unwrap_or_else(|error| panic!("cannot list {path}: {error}"));
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Merges a patch into an object or a part of it.
    pub async fn patch(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        part: Option<&str>,
        body: &Value,
    ) -> Value {
        let path = kind.path(namespace, Some(name), part);
        let answer = self.send(Method::PATCH, &path, Some(body)).await;
        answer.unwrap_or_else(|error| panic!("cannot patch {path} with {body}: {error}"))
    }

    /// Writes to an object or a part of it under a name, as its `managedFields` then tell.
    pub async fn write(&self, how: Write, manager: &str, at: &str, body: &Value) -> Value {
        let (method, kind, more) = match how {
            Write::Merge => (Method::PATCH, "application/merge-patch+json", ""),
            Write::Put => (Method::PUT, "application/json", ""),
            Write::Apply => (Method::PATCH, "application/apply-patch+yaml", "&force=true"),
        };
        let path = format!("{at}?{MARK}&fieldManager={manager}{more}");
        let answer = self.send_as(method, &path, kind, Some(body)).await;
        answer.unwrap_or_else(|error| panic!("{how:?} {at} with {body}: {error}"))
    }

    /// The body at a path, or the refusal.
    pub async fn look(&self, path: &str) -> Result<Value, Box<Status>> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}{MARK}");
        refusal(self.send_as(Method::GET, &path, "application/json", None).await)
    }

    /// Why an object cannot be created, or what became of it.
    pub async fn try_create(&self, object: &Value) -> Result<Value, Box<Status>> {
        let path = Kind::of(object).path(object["metadata"]["namespace"].as_str(), None, None);
        refusal(self.send(Method::POST, &path, Some(object)).await)
    }

    /// Deletes an object.
    pub async fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str) {
        let path = kind.path(namespace, Some(name), None);
        let answer = self.send(Method::DELETE, &path, None).await;
        if let Err(error) = answer {
            panic!("cannot delete {path}: {error}");
        }
    }

    /// Waits until the API has a kind, or has it no more.
    pub async fn until_served(&self, kind: Kind, served: bool) {
        let path = kind.path(None, None, None);
        wait::until_true(&format!("{path} served: {served}"), async || {
            match self.send(Method::GET, &path, None).await {
                Ok(_) => served,
                Err(kube::Error::Api(status)) => !served && status.code == 404,
                Err(_) => false,
            }
        })
        .await;
    }
}

fn refusal(answer: Result<Value, kube::Error>) -> Result<Value, Box<Status>> {
    answer.map_err(|error| match error {
        kube::Error::Api(status) => status,
        other => panic!("no answer: {other}"),
    })
}
