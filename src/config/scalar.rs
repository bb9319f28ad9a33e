//! The kinds of value that a key may have, each with what a message says it wants.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_yaml::Value;

use super::{
    key::{kind, shown},
    words::HIDDEN,
};

/// What [`Given`] can hold.
pub(super) trait Scalar: Sized {
    /// What is wanted and how it is written; ends the sentence "VALUE is not".
    const WANTED: &'static str;

    /// `None` where the value is of another kind.
    fn read(value: &Value) -> Option<Self>;

    /// The value as the file writes it, so that [`Scalar::read`] gives it back.
    fn write(&self) -> Value;

    /// How a message shows a wrong value.
    fn shown(value: &Value) -> String {
        shown(value)
    }
}

/// A value as the file gives it: of the right kind, not yet within its limits.
///
/// There is no leniency: a number is no text, since `0123` or `1e3` would not come back as they were written.
#[derive(Clone, Copy)]
pub(super) struct Given<T>(pub T);

impl<'de, T: Scalar> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("{} is not {}", T::shown(&value), T::WANTED));
        T::read(&value).map(Self).ok_or_else(wrong)
    }
}

impl<T: Scalar> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write().serialize(serializer)
    }
}

impl Scalar for Duration {
    const WANTED: &'static str = "a duration; write a number with a unit, e.g. 100ms, 2s, 5m";

    fn read(value: &Value) -> Option<Self> {
        humantime::parse_duration(value.as_str()?).ok()
    }

    fn write(&self) -> Value {
        humantime::format_duration(*self).to_string().into()
    }
}

impl Scalar for bool {
    const WANTED: &'static str = "a boolean; write true or false";

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Scalar for u64 {
    const WANTED: &'static str = "a whole number; write digits only, without quotes";

    fn read(value: &Value) -> Option<Self> {
        value.as_u64()
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Scalar for String {
    const WANTED: &'static str = "text; put it in quotes";

    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

/// What `scope.sources` takes. The items are not read yet: what is wrong with one is told at its own place.
pub(super) enum WordOrList {
    Word(String),
    List(Vec<Value>),
}

impl Scalar for WordOrList {
    const WANTED: &'static str = "a word or a list; write auto, or e.g. [VariantAutoscaling, ScaledObject]";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(word) => Some(Self::Word(word.clone())),
            Value::Sequence(items) => Some(Self::List(items.clone())),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Word(word) => word.as_str().into(),
            Self::List(items) => Value::Sequence(items.clone()),
        }
    }
}

/// Text that no message may repeat.
pub(super) struct Hidden(pub String);

impl Scalar for Hidden {
    const WANTED: &'static str = <String as Scalar>::WANTED;

    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(Self)
    }

    /// Never the text itself.
    fn write(&self) -> Value {
        HIDDEN.into()
    }

    fn shown(value: &Value) -> String {
        kind(value).to_owned()
    }
}
