//! Names as the API server takes them. Those in files become part of commands and of what is printed.
//!
//! The rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.

use crate::check::{Object, gather::GatherError};

/// Kinds of this group may have nearly any name (`system:node`), and nobody looks at them.
const RBAC: &str = "rbac.authorization.k8s.io";
/// Longest name, and longest namespace, in characters.
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Refuses an object of a name, or in a namespace, that no API server takes.
pub(super) fn check(object: &Object, place: &str) -> Result<(), GatherError> {
    let refuse = |what: &str, value: &str, longest: usize| GatherError::Manifest {
        place: place.to_owned(),
        problem: format!(
            "{what} {value:?} can be none: the API server takes up to {longest} lower-case letters, digits and dashes{}, \
             with a letter or digit at both ends; correct it there",
            if longest == LONGEST {
                ", in parts with dots between"
            } else {
                ""
            }
        ),
    };
    if object.group == RBAC {
        return Ok(());
    }
    // A Namespace's own name is one as well.
    let is_namespace = object.group.is_empty() && object.kind == "Namespace";
    if is_namespace && !is_label(&object.name) {
        return Err(refuse("metadata.name", &object.name, LONGEST_LABEL));
    }
    if !is_subdomain(&object.name) {
        return Err(refuse("metadata.name", &object.name, LONGEST));
    }
    if !object.namespace.is_empty() && !is_label(&object.namespace) {
        return Err(refuse("metadata.namespace", &object.namespace, LONGEST_LABEL));
    }
    Ok(())
}

fn is_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_part(text)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= LONGEST && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut all = text.chars();
    text.starts_with(fits) && text.ends_with(fits) && all.all(|c| fits(c) || c == '-')
}
