//! The schema of a CRD, as far as the real server checks objects against it: unknown fields are pruned
//! unless they may stay, defaults are set, the rest is checked; wording as the real server's.

use jiff::Timestamp;
use serde_json::Value;

use super::failure::Cause;

pub(super) enum Schema {
    /// With these fields and no others.
    Object(&'static [Field]),
    /// With these fields and any others.
    Open(&'static [Field]),
    /// A list of objects that the named field tells apart.
    List(&'static Schema, &'static str),
    /// A list of at least so many.
    Items(&'static Schema, usize),
    /// An object of any keys with texts.
    Texts,
    Text(&'static Text),
    /// A whole number of at least this.
    Integer(i64),
    Boolean,
    Time,
    OneOf(&'static [&'static str]),
}

pub(super) struct Text {
    pub at_least: usize,
    pub pattern: &'static str,
    pub matches: fn(&str) -> bool,
}

pub(super) struct Field {
    pub name: &'static str,
    pub required: bool,
    pub default: Option<Preset>,
    pub schema: Schema,
}

/// What a field is where it is not given.
#[derive(Clone, Copy)]
pub(super) enum Preset {
    Text(&'static str),
    Integer(i64),
}

pub(super) const fn required(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        required: true,
        default: None,
        schema,
    }
}

pub(super) const fn optional(name: &'static str, schema: Schema) -> Field {
    Field {
        name,
        required: false,
        default: None,
        schema,
    }
}

/// Any text.
pub(super) const ANY: Schema = Schema::Text(&Text {
    at_least: 0,
    pattern: "",
    matches: |_| true,
});

impl Schema {
    /// Checks a value at a path such as `spec.triggers[0]`, prunes it and sets defaults.
    pub fn check(&self, path: &str, value: &mut Value, causes: &mut Vec<Cause>) {
        let fitting = match self {
            Self::Object(_) | Self::Open(_) | Self::Texts => value.is_object(),
            Self::List(..) | Self::Items(..) => value.is_array(),
            Self::Text(_) | Self::Time | Self::OneOf(_) => value.is_string(),
            Self::Integer(_) => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
        };
        if !fitting {
            let found = format!("{:?}", type_of(value));
            causes.push(wrong_type(path, self.type_name(), &found));
            return;
        }
        match self {
            Self::Object(fields) => {
                if let Some(map) = value.as_object_mut() {
                    map.retain(|key, _| fields.iter().any(|field| field.name == key));
                }
                check_fields(fields, path, value, causes);
            }
            Self::Open(fields) => check_fields(fields, path, value, causes),
            Self::Texts => {
                for (key, value) in value.as_object_mut().into_iter().flatten() {
                    ANY.check(&format!("{path}.{key}"), value, causes);
                }
            }
            Self::Items(item, at_least) => check_items(item, *at_least, path, value, causes),
            Self::List(item, key) => check_list(item, key, path, value, causes),
            Self::Text(rules) => rules.check(path, value.as_str().unwrap_or_default(), causes),
            Self::Integer(least) if value.as_i64().is_some_and(|number| number < *least) => {
                let why = format!(
                    "{} in body should be greater than or equal to {least}",
                    in_body(path)
                );
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
            Self::Object(_) | Self::Open(_) | Self::Texts => "object",
            Self::List(..) | Self::Items(..) => "array",
            Self::Text(_) | Self::Time | Self::OneOf(_) => "string",
            Self::Integer(_) => "integer",
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
    for field in fields {
        let at = format!("{path}.{}", field.name);
        match (map.get_mut(field.name), field.default) {
            (Some(value), _) if !value.is_null() => field.schema.check(&at, value, causes),
            (_, Some(default)) => {
                let value = match default {
                    Preset::Text(text) => text.into(),
                    Preset::Integer(number) => number.into(),
                };
                map.insert(field.name.to_owned(), value);
            }
            _ if field.required => causes.push(Cause::required(at)),
            _ => {}
        }
    }
}

fn check_items(item: &Schema, at_least: usize, path: &str, value: &mut Value, causes: &mut Vec<Cause>) {
    let Some(items) = value.as_array_mut() else { return };
    if items.len() < at_least {
        let why = format!("{} in body should have at least {at_least} items", in_body(path));
        causes.push(Cause::invalid(path, &items.len().to_string(), &why));
    }
    for (index, value) in items.iter_mut().enumerate() {
        item.check(&format!("{path}[{index}]"), value, causes);
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
