//! Bytes of an answer to samples.
//!
//! The answer of <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries> goes from
//! its bytes to [`Sample`]s in one pass: nothing is kept but the labels that the join reads. Only where
//! that fails is it read a second time, to tell the place.

use std::{cell::Cell, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{config::Labels, core::Sample, text::tame};

/// A successful answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Elements of the vector, as answered.
    pub samples: Vec<Sample>,
    /// What the server says is wrong with the result; not empty where something is missing in it. What
    /// it only notes about the query (`infos`, and the `PromQL info` that versions 2.48 to 2.53 put
    /// among the warnings) is left out. The cluster of `VictoriaMetrics` warns of nothing, it says `isPartial`,
    /// which stands here in words: <https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/#cluster-availability>.
    pub warnings: Vec<String>,
}

/// The body of an error that comes from Prometheus itself, not from something before it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ErrorBody {
    status: String,
    /// The class, e.g. `bad_data`.
    #[serde(rename = "errorType")]
    pub kind: String,
    /// What is wrong, in words.
    pub error: String,
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No JSON, or only the beginning of it.
    #[error("the answer is not JSON ({cause}); it begins: {excerpt:?}")]
    NotJson {
        /// What the parser says.
        cause: String,
        /// The first 100 characters, without control characters.
        excerpt: String,
    },
    /// JSON, but not an answer of Prometheus.
    #[error("the answer is not one of Prometheus: at {place}: {cause}")]
    Shape {
        /// Path to the odd value, e.g. `data.result[3].value`.
        place: String,
        /// What is odd about it.
        cause: String,
    },
    /// The expression does not yield an instant vector.
    #[error("the result is a {kind}")]
    ResultType {
        /// `scalar`, `string` or `matrix`.
        kind: String,
    },
}

/// Decodes a whole successful answer, values as Prometheus writes them (`NaN`, `+Inf`, `-Inf`, too).
///
/// # Errors
/// Where the body is not JSON, a field is missing or odd (the place is named), a value is a native
/// histogram, or the result is anything else than a vector.
pub fn answer(body: &[u8], labels: &Labels) -> Result<Answer, DecodeError> {
    let other_type = Cell::new(None);
    let envelope = Envelope {
        labels,
        other_type: &other_type,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let decoded = envelope
        .deserialize(&mut json)
        .and_then(|answer| json.end().map(|()| answer));
    let Err(error) = decoded else {
        return decoded.map_err(|error| DecodeError::Shape {
            place: ".".into(),
            cause: error.to_string(),
        });
    };
    if let Some(kind) = other_type.take() {
        return Err(DecodeError::ResultType {
            kind: tame(&kind, 20),
        });
    }
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
        return Err(DecodeError::NotJson {
            cause: error.to_string(),
            excerpt: tame(&String::from_utf8_lossy(&body[..body.len().min(400)]), 100),
        });
    }
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let _ = envelope.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    Err(DecodeError::Shape {
        place: track.path().to_string(),
        cause: tame(&error.to_string(), 200),
    })
}

/// The error in `body`, if it is one of Prometheus' own.
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    serde_json::from_slice::<ErrorBody>(body)
        .ok()
        .filter(|body| body.status == "error")
}

/// The outermost object.
#[derive(Clone, Copy)]
struct Envelope<'a> {
    labels: &'a Labels,
    /// Where a result of another type than `vector` is noted.
    other_type: &'a Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Envelope<'_> {
    type Value = Answer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Answer, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = Answer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with status and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answer, A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Field {
            Status,
            Data,
            Warnings,
            IsPartial,
            #[serde(other)]
            Other,
        }
        let (mut status, mut samples, mut warnings) = (None, None, Vec::new());
        let mut is_partial = false;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Status => status = Some(map.next_value::<String>()?),
                Field::Data => samples = Some(map.next_value_seed(Data(self))?),
                Field::Warnings => warnings = map.next_value::<Option<Vec<String>>>()?.unwrap_or_default(),
                Field::IsPartial => is_partial = map.next_value::<Option<bool>>()?.unwrap_or_default(),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match status.as_deref() {
            Some("success") => {}
            Some(_) => return Err(A::Error::custom("status is not success")),
            None => return Err(A::Error::missing_field("status")),
        }
        warnings.retain(|warning| !warning.starts_with("PromQL info"));
        if is_partial {
            warnings.push("isPartial: a storage node did not answer".to_owned());
        }
        let samples = samples.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Answer { samples, warnings })
    }
}

/// The object under `data`.
struct Data<'a>(Envelope<'a>);

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = Vec<Sample>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Sample>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = Vec<Sample>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with resultType and result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Sample>, A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Field {
            ResultType,
            Result,
            #[serde(other)]
            Other,
        }
        let (mut is_vector, mut samples) = (false, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::ResultType => {
                    let kind: String = map.next_value()?;
                    is_vector = kind == "vector";
                    if !is_vector {
                        self.0.other_type.set(Some(kind));
                        return Err(A::Error::custom("resultType is not vector"));
                    }
                }
                Field::Result => samples = Some(map.next_value_seed(Rows(self.0.labels))?),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !is_vector {
            return Err(A::Error::missing_field("resultType"));
        }
        samples.ok_or_else(|| A::Error::missing_field("result"))
    }
}

/// The array of elements. `null`, as Go writes an array that was never filled, is an empty one.
#[derive(Clone, Copy)]
struct Rows<'a>(&'a Labels);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<Sample>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Sample>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Sample>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of samples")
    }

    fn visit_unit<E>(self) -> Result<Vec<Sample>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Vec<Sample>, A::Error> {
        let mut samples = Vec::new();
        while let Some(sample) = rows.next_element_seed(Row(self.0))? {
            samples.push(sample);
        }
        Ok(samples)
    }
}

/// One element: `{"metric": {...}, "value": [time, "value"]}`.
struct Row<'a>(&'a Labels);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Sample;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sample, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample with metric and value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sample, A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "lowercase")]
        enum Field {
            Metric,
            Value,
            Histogram,
            #[serde(other)]
            Other,
        }
        let (mut sample, mut value) = (None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Metric => sample = Some(map.next_value_seed(Metric(self.0))?),
                Field::Value => value = Some(map.next_value::<(f64, Value)>()?.1.0),
                Field::Histogram => {
                    return Err(A::Error::custom(
                        "a native histogram, where a plain number is wanted",
                    ));
                }
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let sample = sample.ok_or_else(|| A::Error::missing_field("metric"))?;
        Ok(Sample {
            value: value.ok_or_else(|| A::Error::missing_field("value"))?,
            ..sample
        })
    }
}

/// The labels of one element.
struct Metric<'a>(&'a Labels);

impl<'de> DeserializeSeed<'de> for Metric<'_> {
    type Value = Sample;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sample, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metric<'_> {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sample, A::Error> {
        let mut sample = Sample::default();
        while let Some(roles) = map.next_key_seed(Name(self.0))? {
            if roles == [false; 5] {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let text: Box<str> = map.next_value()?;
            let text = (!text.is_empty()).then_some(text);
            let [family, namespace, pool, model, target_model] = roles;
            for (plays, place) in [
                (family, &mut sample.family),
                (namespace, &mut sample.namespace),
                (pool, &mut sample.pool),
                (model, &mut sample.model),
                (target_model, &mut sample.target_model),
            ] {
                if plays {
                    place.clone_from(&text);
                }
            }
        }
        Ok(sample)
    }
}

/// The name of a label; yields which of the five roles it plays. One label may play several.
struct Name<'a>(&'a Labels);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = [bool; 5];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<[bool; 5], D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = [bool; 5];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a label")
    }

    fn visit_str<E>(self, name: &str) -> Result<[bool; 5], E> {
        let Labels {
            namespace,
            pool,
            model,
            target_model,
        } = self.0;
        Ok([
            name == "__name__",
            name == namespace,
            name == pool,
            name == model,
            name == target_model,
        ])
    }
}

/// A number in a string, as JSON has no NaN.
struct Value(f64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                text.parse()
                    .map(Value)
                    .map_err(|_| E::custom(format_args!("{text:?} is no number")))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests;
