//! YAML of others, such as an EPP's configuration in a ConfigMap, as a JSON value.

use serde_json::Value;

use super::yaml;

/// Reads one YAML document of somebody else's; an empty one is `Null`.
///
/// # Errors
///
/// Why it cannot be read, in one line with its place. As strict as for a file of our own: a key that stands twice is
/// refused, and so is what unfolds without end.
pub fn yaml_value(text: &str) -> Result<Value, String> {
    let tree = yaml::tree(text).map_err(|problem| match problem.place {
        Some(at) => format!("line {}, column {}: {}", at.line, at.column, problem.message),
        None => problem.message,
    })?;
    serde_json::to_value(tree).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::yaml_value;

    #[test]
    fn a_document_becomes_json() {
        assert_eq!(
            yaml_value("featureGates: [flowControl]\nn: 1\n").unwrap(),
            json!({"featureGates": ["flowControl"], "n": 1})
        );
        assert_eq!(yaml_value("").unwrap(), Value::Null);
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let error = yaml_value("a: 1\na: 2\n").unwrap_err();
        assert!(
            error.starts_with("line 2, column 1: ") && error.contains("twice"),
            "{error}"
        );
        assert!(yaml_value(&"[".repeat(5000)).is_err());
    }
}
