//! What the real server demands of names and of Events, in its own words.

use serde_json::Value;

use super::{failure::Cause, object::text, resource::Resource};

const QUALIFIED: &str = "alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
    '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
    must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with the name of a new object.
pub(super) fn name(resource: Resource, name: &str) -> Option<Cause> {
    let label = |part: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte != b'-');
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        edge(part.bytes().next()) && edge(part.bytes().last()) && part.bytes().all(allowed)
    };
    let (longest, fits, rule) = match resource {
        Resource::Namespaces => (63, label(name), LABEL),
        _ => (253, name.split('.').all(label), SUBDOMAIN),
    };
    let why = if name.len() > longest {
        format!("must be no more than {longest} characters")
    } else if fits {
        return None;
    } else {
        rule.to_owned()
    };
    Some(Cause::invalid("metadata.name", &format!("{name:?}"), &why))
}

/// Checks an Event as `events.k8s.io/v1` does for new ones.
pub(super) fn event(object: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let namespace = text(object, &["metadata", "namespace"]);
    // What has no namespace itself is reported in `default`.
    if text(object, &["regarding", "namespace"]).is_empty() && !matches!(namespace, "default" | "kube-system")
    {
        causes.push(Cause::invalid(
            "involvedObject.namespace",
            "\"\"",
            "does not match event.namespace",
        ));
    }
    if text(object, &["eventTime"]).is_empty() {
        causes.push(Cause::required("eventTime"));
    } else {
        let controller = text(object, &["reportingController"]);
        if controller.is_empty() {
            causes.push(Cause::required("reportingController"));
        } else if !is_qualified(controller) {
            let why = format!("name part must consist of {QUALIFIED}");
            causes.push(Cause::invalid(
                "reportingController",
                &format!("{controller:?}"),
                &why,
            ));
        }
        for field in ["reportingInstance", "action", "reason"] {
            let value = text(object, &[field]);
            if value.is_empty() {
                causes.push(Cause::required(field));
            } else if value.len() > 128 {
                causes.push(Cause::invalid(field, "\"\"", "can have at most 128 characters"));
            }
        }
        if text(object, &["note"]).len() > 1024 {
            causes.push(Cause::invalid(
                "message",
                "\"\"",
                "can have at most 1024 characters",
            ));
        }
    }
    let kind = text(object, &["type"]);
    if !matches!(kind, "Normal" | "Warning") {
        causes.push(Cause::invalid(
            "type",
            "\"\"",
            &format!("has invalid value: {kind}"),
        ));
    }
    causes
}

/// A name as label keys have it, with an optional DNS prefix.
fn is_qualified(text: &str) -> bool {
    let name = text.split_once('/').map_or(text, |(_, name)| name);
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(name.bytes().next())
        && edge(name.bytes().last())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
