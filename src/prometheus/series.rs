//! Series with all their labels, as `check` looks at them: for a tick the decoder beside keeps only what the join reads.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{decode::DecodeError, verdict::Decoded};
use crate::text::tame;

/// One series with its last sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// `__name__`; empty where an expression dropped it.
    pub name: String,
    /// The other labels; none is empty.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// Age of the sample in seconds, where known.
    pub age: Option<f64>,
}

impl Series {
    /// A label; a missing one is an empty one.
    pub fn label(&self, name: &str) -> &str {
        match name {
            "__name__" => &self.name,
            name => self.labels.get(name).map_or("", String::as_str),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    status: String,
    data: Data,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Option<Vec<Element>>,
}

#[derive(Deserialize)]
struct Element {
    metric: BTreeMap<String, String>,
    /// Missing for a native histogram.
    value: Option<(f64, String)>,
}

/// Decodes the successful answer to an instant query: its series, and what the server warns of. Native histograms are
/// left out.
///
/// # Errors
/// Where the body is no such answer; the place is named.
pub fn series(body: &[u8]) -> Result<(Vec<Series>, Vec<String>), DecodeError> {
    let Body {
        status,
        data,
        warnings,
    } = decode(body)?;
    let shape = |place: String, cause: String| DecodeError::Shape { place, cause };
    if status != "success" {
        return Err(shape("status".into(), "is not success".into()));
    }
    if data.result_type != "vector" {
        return Err(DecodeError::ResultType {
            kind: tame(&data.result_type, 20),
        });
    }
    let mut all = Vec::new();
    for (index, element) in data.result.unwrap_or_default().into_iter().enumerate() {
        let Some((_, text)) = element.value else { continue };
        let value = text.parse().map_err(|_| {
            let told = format!("{:?} is no number", tame(&text, 50));
            shape(format!("data.result[{index}].value"), told)
        })?;
        let mut labels = element.metric;
        labels.retain(|_, value| !value.is_empty());
        all.push(Series {
            name: labels.remove("__name__").unwrap_or_default(),
            labels,
            value,
            age: None,
        });
    }
    let mut warnings = warnings.unwrap_or_default();
    warnings.retain(|warning| !warning.starts_with("PromQL info"));
    Ok((all, warnings))
}

/// Decodes any answer, naming the place where it is not as it should be.
pub(super) fn decode<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            return DecodeError::Shape {
                place: error.path().to_string(),
                cause: tame(&error.inner().to_string(), 200),
            };
        }
        DecodeError::NotJson {
            cause: error.inner().to_string(),
            excerpt: tame(&String::from_utf8_lossy(&body[..body.len().min(400)]), 100),
        }
    })
}

/// The same for what carries no warnings.
pub(super) fn plain<T: serde::de::DeserializeOwned>(body: &[u8]) -> Decoded<T> {
    decode(body).map(|value| (value, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_labels_stay() {
        let body = br#"{"status":"success","warnings":["one","PromQL info: x"],"data":{"resultType":"vector","result":[
            {"metric":{"__name__":"q","pod":"p","empty":"","job":"j"},"value":[1.5,"NaN"]},
            {"metric":{},"histogram":[1,{}]},
            {"metric":{"a":"b"},"value":[1,"+Inf"]}]}}"#;
        let (all, warnings) = series(body).unwrap();
        assert_eq!(warnings, ["one"]);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].label("__name__"), all[0].label("pod")), ("q", "p"));
        assert_eq!((all[0].labels.len(), all[0].label("empty")), (2, ""));
        assert!(all[0].value.is_nan());
        assert_eq!((all[1].label("__name__"), all[1].value), ("", f64::INFINITY));
    }

    #[test]
    fn what_is_odd_is_named_with_its_place() {
        for (body, told) in [
            ("<html>", "not JSON"),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1}}]}}"#,
                "data.result[0].metric.a",
            ),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}"#,
                "data.result[0].value",
            ),
            (
                r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
                "a matrix",
            ),
            (
                r#"{"status":"error","data":{"resultType":"vector","result":[]}}"#,
                "status",
            ),
            (r#"{"status":"success"}"#, "data"),
        ] {
            let error = series(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
