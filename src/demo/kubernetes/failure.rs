//! What the API answers when it refuses: `kind: Status`, with the wording of the real server.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::resource::Traits;

/// A refusal, as the real server would word it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct Failure {
    /// HTTP status.
    pub code: u16,
    /// One word for programs, e.g. `Conflict`; some errors of the real server have none.
    pub reason: String,
    /// For people.
    pub message: String,
    /// `details` of the Status, an object, or null where it has none.
    pub details: Value,
    /// Seconds for the `Retry-After` header.
    pub retry_after: Option<u32>,
}

/// One of the faults found in an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    pub fn required(field: impl Into<String>) -> Self {
        Self {
            reason: "FieldValueRequired",
            field: field.into(),
            message: "Required value".into(),
        }
    }

    /// `value` as it is shown, quotes included.
    pub fn invalid(field: impl Into<String>, value: &str, why: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message: format!("Invalid value: {value}: {why}"),
        }
    }
}

impl Failure {
    pub(super) fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            details: Value::Null,
            retry_after: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self {
            details: json!({}),
            ..Self::new(405, "MethodNotAllowed", message)
        }
    }

    pub(super) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self {
            details: json!({}),
            ..Self::new(404, "NotFound", message)
        }
    }

    pub(super) fn not_found(traits: &Traits, name: &str) -> Self {
        let message = format!("{} {name:?} not found", traits.qualified());
        Self::new(404, "NotFound", message).about(traits, name)
    }

    pub(super) fn already_exists(traits: &Traits, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", traits.qualified());
        Self::new(409, "AlreadyExists", message).about(traits, name)
    }

    /// A lost race: the resourceVersion is no longer that of the object.
    pub(super) fn conflict(traits: &Traits, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: the object has been modified; \
             please apply your changes to the latest version and try again",
            traits.qualified()
        );
        Self::new(409, "Conflict", message).about(traits, name)
    }

    /// Another field manager owns what an apply would change.
    pub(super) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                let message = format!("conflict with {manager}");
                json!({"reason": "FieldManagerConflict", "message": message, "field": field})
            })
            .collect();
        let message = match conflicts {
            [(manager, field)] => format!("Apply failed with 1 conflict: conflict with {manager}: {field}"),
            many => {
                let mut lines = Vec::new();
                let mut last = None;
                for (manager, field) in many {
                    if last != Some(manager) {
                        lines.push(format!("conflicts with {manager}:"));
                        last = Some(manager);
                    }
                    lines.push(format!("- {field}"));
                }
                format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
            }
        };
        Self {
            details: json!({"causes": causes}),
            ..Self::new(409, "Conflict", message)
        }
    }

    pub(super) fn invalid(traits: &Traits, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_as(
            &traits.qualified_kind(),
            traits.kind,
            traits.validation_group(),
            name,
            causes,
        )
    }

    /// Some checks name the plural where others name the kind.
    pub(super) fn invalid_as(shown: &str, kind: &str, group: &str, name: &str, causes: &[Cause]) -> Self {
        let list: Vec<String> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let list = match list.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut details = json!({"causes": causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect::<Vec<_>>()});
        for (key, value) in [("kind", kind), ("group", group), ("name", name)] {
            if !value.is_empty() {
                details[key] = value.into();
            }
        }
        Self {
            details,
            ..Self::new(422, "Invalid", format!("{shown} {name:?} is invalid: {list}"))
        }
    }

    /// The list or watch asked for is no longer held.
    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(super) fn version_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        Self {
            details: json!({"causes": [cause], "retryAfterSeconds": 1}),
            retry_after: Some(1),
            ..Self::new(504, "Timeout", message)
        }
    }

    fn about(mut self, traits: &Traits, name: &str) -> Self {
        self.details = json!({"kind": traits.plural});
        for (key, value) in [("group", traits.group), ("name", name)] {
            if !value.is_empty() {
                self.details[key] = value.into();
            }
        }
        self
    }

    /// Asks the client to come again, in the header and in the details.
    pub(super) fn retry_after(mut self, seconds: Option<u32>) -> Self {
        if let Some(seconds) = seconds {
            if self.details.is_null() {
                self.details = json!({});
            }
            self.details["retryAfterSeconds"] = seconds.into();
            self.retry_after = Some(seconds);
        }
        self
    }

    /// The body: `kind: Status`.
    pub(super) fn to_value(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.clone().into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Body::from(self.to_value().to_string()));
        *response.status_mut() = code;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
