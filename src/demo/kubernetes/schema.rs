//! The CRD of VariantAutoscaling, as far as the real server checks it: unknown fields are pruned, the
//! rest is checked, wording as the real server's.

use jiff::Timestamp;
use serde_json::Value;

use super::failure::Cause;

enum Schema {
    Object(&'static [Field]),
    /// A list of objects that the named field tells apart.
    List(&'static Schema, &'static str),
    Text(&'static Text),
    Integer,
    Boolean,
    Time,
    OneOf(&'static [&'static str]),
}

struct Text {
    at_least: usize,
    pattern: &'static str,
    matches: fn(&str) -> bool,
}

struct Field {
    name: &'static str,
    required: bool,
    default: Option<&'static str>,
    schema: Schema,
}

const fn required(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        required: true,
        default: None,
        schema,
    }
}

const fn optional(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        required: false,
        default: None,
        schema,
    }
}

const ANY: Schema = Schema::Text(&Text {
    at_least: 0,
    pattern: "",
    matches: |_| true,
});

const SPEC: Schema = Schema::Object(&[
    required(
        "modelID",
        Schema::Text(&Text {
            at_least: 1,
            pattern: "",
            matches: |_| true,
        }),
    ),
    required(
        "scaleTargetRef",
        Schema::Object(&[
            required("kind", ANY),
            required("name", ANY),
            optional("apiVersion", ANY),
        ]),
    ),
    Field {
        name: "variantCost",
        required: false,
        default: Some("10.0"),
        schema: Schema::Text(&Text {
            at_least: 0,
            pattern: r"^\d+(\.\d+)?$",
            matches: is_cost,
        }),
    },
]);

const STATUS: Schema = Schema::Object(&[
    optional(
        "actuation",
        Schema::Object(&[required("applied", Schema::Boolean)]),
    ),
    optional("conditions", Schema::List(&CONDITION, "type")),
    optional(
        "desiredOptimizedAlloc",
        Schema::Object(&[
            required(
                "accelerator",
                Schema::Text(&Text {
                    at_least: 2,
                    pattern: "",
                    matches: |_| true,
                }),
            ),
            required("numReplicas", Schema::Integer),
            optional("lastRunTime", Schema::Time),
        ]),
    ),
]);

static CONDITION: Schema = Schema::Object(&[
    required("lastTransitionTime", Schema::Time),
    required("message", ANY),
    required(
        "reason",
        Schema::Text(&Text {
            at_least: 1,
            pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
            matches: is_reason,
        }),
    ),
    required("status", Schema::OneOf(&["True", "False", "Unknown"])),
    required("type", ANY),
    optional("observedGeneration", Schema::Integer),
]);

fn is_cost(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

fn is_reason(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().last().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b',' || byte == b':')
}

/// Checks a VariantAutoscaling against its CRD, prunes what the CRD does not know, sets defaults.
pub(super) fn variant_autoscaling(object: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (part, schema) in [("spec", &SPEC), ("status", &STATUS)] {
        if let Some(value) = object.get_mut(part).filter(|value| !value.is_null()) {
            schema.check(part, value, &mut causes);
        }
    }
    causes
}

impl Schema {
    fn check(&self, path: &str, value: &mut Value, causes: &mut Vec<Cause>) {
        let fitting = match self {
            Self::Object(_) => value.is_object(),
            Self::List(..) => value.is_array(),
            Self::Text(_) | Self::Time | Self::OneOf(_) => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
        };
        if !fitting {
            let found = format!("{:?}", type_of(value));
            causes.push(wrong_type(path, self.type_name(), &found));
            return;
        }
        match self {
            Self::Object(fields) => check_fields(fields, path, value, causes),
            Self::List(item, key) => check_list(item, key, path, value, causes),
            Self::Text(rules) => rules.check(path, value.as_str().unwrap_or_default(), causes),
            Self::Integer if value.as_i64().is_some_and(|number| number < 0) => {
                let why = format!("{} in body should be greater than or equal to 0", in_body(path));
                causes.push(Cause::invalid(path, &value.to_string(), &why));
            }
            Self::Time
                if value
                    .as_str()
                    .is_some_and(|text| text.parse::<Timestamp>().is_err()) =>
            {
                causes.push(wrong_type(path, "date-time", &value.to_string()));
            }
            Self::OneOf(allowed) if !allowed.iter().any(|word| value == word) => {
                let allowed: Vec<String> = allowed.iter().map(|word| format!("{word:?}")).collect();
                let message = format!(
                    "Unsupported value: {value}: supported values: {}",
                    allowed.join(", ")
                );
                causes.push(Cause {
                    reason: "FieldValueNotSupported",
                    field: path.to_owned(),
                    message,
                });
            }
            _ => {}
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Object(_) => "object",
            Self::List(..) => "array",
            Self::Text(_) | Self::Time | Self::OneOf(_) => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

impl Text {
    fn check(&self, path: &str, text: &str, causes: &mut Vec<Cause>) {
        let body = in_body(path);
        let why = if text.chars().count() < self.at_least {
            format!("{body} in body should be at least {} chars long", self.at_least)
        } else if !(self.matches)(text) {
            format!("{body} in body should match '{}'", self.pattern)
        } else {
            return;
        };
        causes.push(Cause::invalid(path, &format!("{text:?}"), &why));
    }
}

fn check_fields(fields: &[Field], path: &str, value: &mut Value, causes: &mut Vec<Cause>) {
    let Some(map) = value.as_object_mut() else { return };
    map.retain(|key, _| fields.iter().any(|field| field.name == key));
    for field in fields {
        let at = format!("{path}.{}", field.name);
        match (map.get_mut(field.name), field.default) {
            (Some(value), _) if !value.is_null() => field.schema.check(&at, value, causes),
            (_, Some(default)) => {
                map.insert(field.name.to_owned(), default.into());
            }
            _ if field.required => causes.push(Cause::required(at)),
            _ => {}
        }
    }
}

fn check_list(item: &Schema, key: &str, path: &str, value: &mut Value, causes: &mut Vec<Cause>) {
    let Some(items) = value.as_array_mut() else { return };
    for (index, value) in items.iter_mut().enumerate() {
        item.check(&format!("{path}[{index}]"), value, causes);
    }
    for (index, value) in items.iter().enumerate() {
        let same = |earlier: &Value| value.get(key).is_some() && earlier.get(key) == value.get(key);
        if items[..index].iter().any(same) {
            let message = format!("Duplicate value: {{{key:?}:{}}}", value[key]);
            let field = format!("{path}[{index}]");
            causes.push(Cause {
                reason: "FieldValueDuplicate",
                field,
                message,
            });
        }
    }
}

/// The status is checked by itself, so its paths start below it.
fn in_body(path: &str) -> &str {
    path.strip_prefix("status.").unwrap_or(path)
}

fn wrong_type(path: &str, expected: &str, found: &str) -> Cause {
    let why = format!("{} in body must be of type {expected}: {found}", in_body(path));
    Cause {
        reason: "FieldValueTypeInvalid",
        ..Cause::invalid(path, found, &why)
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
