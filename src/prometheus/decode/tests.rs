use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::Query;

fn labels() -> Labels {
    Query::default().labels
}

fn decoded(body: &str) -> Result<Answer, DecodeError> {
    answer(body.as_bytes(), &labels())
}

fn vector(rows: &serde_json::Value) -> String {
    json!({"status": "success", "data": {"resultType": "vector", "result": rows}}).to_string()
}

fn one(row: &serde_json::Value) -> Result<Sample, DecodeError> {
    decoded(&vector(&json!([row]))).map(|answer| answer.samples.into_iter().next().unwrap())
}

#[test]
fn the_five_labels_are_kept_and_nothing_else() {
    let row = json!({
        "metric": {
            "__name__": "llm_d_epp_flow_control_queue_size", "namespace": "team-a", "inference_pool": "pool",
            "model_name": "public", "target_model_name": "meta/llama-\"8b\"\u{e9}", "pod": "epp-0", "odd": 3,
        },
        "value": [1_435_781_451.781, "5"],
        "more": {"deep": [null]},
    });
    assert_eq!(
        one(&row).unwrap(),
        Sample {
            family: Some("llm_d_epp_flow_control_queue_size".into()),
            namespace: Some("team-a".into()),
            pool: Some("pool".into()),
            model: Some("public".into()),
            target_model: Some("meta/llama-\"8b\"é".into()),
            value: 5.0,
        }
    );
}

#[test]
fn a_missing_or_empty_label_is_none() {
    let sample = one(&json!({"metric": {"namespace": "", "model_name": "m"}, "value": [1, "1"]})).unwrap();
    assert_eq!(
        sample,
        Sample {
            model: Some("m".into()),
            value: 1.0,
            ..Sample::default()
        }
    );
}

#[test]
fn one_label_may_play_several_roles() {
    let labels = Labels {
        target_model: "model_name".into(),
        ..labels()
    };
    let body = vector(&json!([{"metric": {"model_name": "m"}, "value": [1, "1"]}]));
    let samples = answer(body.as_bytes(), &labels).unwrap().samples;
    assert_eq!(
        (samples[0].model.as_deref(), samples[0].target_model.as_deref()),
        (Some("m"), Some("m"))
    );
}

#[test]
fn values_are_read_as_prometheus_writes_them() {
    let value = |text: &str| {
        one(&json!({"metric": {}, "value": [1.5, text]}))
            .unwrap()
            .value
            .to_bits()
    };
    for (text, expected) in [
        ("0", 0.0),
        ("-3.25", -3.25),
        ("1e+06", 1e6),
        ("+Inf", f64::INFINITY),
        ("-Inf", f64::NEG_INFINITY),
    ] {
        assert_eq!(value(text), f64::to_bits(expected), "{text}");
    }
    assert!(f64::from_bits(value("NaN")).is_nan());
}

#[test]
fn the_order_of_fields_does_not_matter() {
    let body = r#" {"infos":["x"],"warnings":["w"],"data":{"stats":{},
        "result":[{"value":[1,"2"],"metric":{}}],"resultType":"vector"},"status":"success"} "#;
    let answer = decoded(body).unwrap();
    assert_eq!((answer.samples.len(), answer.warnings), (1, vec!["w".to_owned()]));
}

/// As vmselect answers while a storage node is out of reach; whole answers say `false`.
#[test]
fn an_answer_that_says_it_is_partial_has_a_warning() {
    let answer =
        |said: &str| decoded(&vector(&json!([])).replacen('{', &format!(r#"{{"isPartial":{said},"#), 1));
    assert!(answer("true").unwrap().warnings[0].starts_with("isPartial"));
    assert_eq!(answer("false").unwrap(), Answer::default());
    assert_eq!(answer("null").unwrap(), Answer::default());
}

#[test]
fn a_result_of_null_is_empty() {
    assert_eq!(decoded(&vector(&json!(null))).unwrap(), Answer::default());
}

#[test]
fn errors_name_the_place() {
    let good = json!({"metric": {}, "value": [1, "1"]});
    for (row, place, cause) in [
        (
            json!({"value": [1, "1"]}),
            "data.result[1]",
            "missing field `metric`",
        ),
        (json!({"metric": {}}), "data.result[1]", "missing field `value`"),
        (
            json!({"metric": {}, "value": [1, 2]}),
            "data.result[1].value[1]",
            "expected a number in a string",
        ),
        (
            json!({"metric": {}, "value": [1, "x"]}),
            "data.result[1].value[1]",
            "\"x\" is no number",
        ),
        (
            json!({"metric": {}, "value": ["1", "1"]}),
            "data.result[1].value[0]",
            "expected f64",
        ),
        (
            json!({"metric": {}, "value": [1]}),
            "data.result[1].value",
            "invalid length 1",
        ),
        (
            json!({"metric": {}, "value": [1, "1", 2]}),
            "data.result[1].value",
            "trailing characters",
        ),
        (
            json!({"metric": {"namespace": 1}, "value": [1, "1"]}),
            "data.result[1].metric.namespace",
            "string",
        ),
        (
            json!({"metric": null, "value": [1, "1"]}),
            "data.result[1].metric",
            "an object of labels",
        ),
        (
            json!({"metric": {}, "histogram": [1, {}]}),
            "data.result[1]",
            "native histogram",
        ),
        (json!(7), "data.result[1]", "a sample with metric and value"),
    ] {
        let text = decoded(&vector(&json!([good, row]))).unwrap_err().to_string();
        assert!(
            text.contains(&format!("at {place}: ")) || cause.starts_with("trailing"),
            "{text}"
        );
        assert!(text.contains(cause), "{text}");
    }
    for (body, place) in [
        ("[]", "."),
        ("{}", "."),
        (r#"{"status":"success"}"#, "."),
        (r#"{"status":3}"#, "status"),
        (r#"{"status":"success","data":null}"#, "data"),
        (r#"{"status":"success","data":{}}"#, "data"),
        (r#"{"status":"success","data":{"result":[]}}"#, "data"),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":3}}"#,
            "data.result",
        ),
    ] {
        let text = decoded(body).unwrap_err().to_string();
        assert!(text.contains(&format!("at {place}: ")), "{body}: {text}");
    }
}

#[test]
fn another_type_of_result_is_named() {
    for kind in ["scalar", "matrix", "string"] {
        let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[1,"2"]}}}}"#);
        assert_eq!(
            decoded(&body).unwrap_err().to_string(),
            format!("the result is a {kind}")
        );
    }
}

#[test]
fn what_is_not_json_is_told_from_what_is_odd() {
    for body in ["", "<html>", "{\"status\":", "{} x", "nul", "\u{0}"] {
        assert!(
            matches!(
                decoded(body),
                Err(DecodeError::NotJson { .. } | DecodeError::Shape { .. })
            ),
            "{body}"
        );
    }
    assert!(matches!(decoded("<html>"), Err(DecodeError::NotJson { excerpt, .. }) if excerpt == "<html>"));
    assert!(matches!(
        answer(b"\xff\xfe", &labels()),
        Err(DecodeError::NotJson { .. })
    ));
    let nested = "[".repeat(100_000);
    assert!(matches!(
        decoded(&format!("{{\"x\":{nested}")),
        Err(DecodeError::NotJson { .. })
    ));
}

#[test]
fn only_prometheus_own_errors_are_errors_of_prometheus() {
    let body = br#"{"status":"error","errorType":"bad_data","error":"parse error","data":null}"#;
    let error = error_body(body).unwrap();
    assert_eq!(
        (error.kind.as_str(), error.error.as_str()),
        ("bad_data", "parse error")
    );
    for body in [
        r#"{"status":"success","errorType":"a","error":"b"}"#,
        r#"{"error":"b"}"#,
        "bad gateway",
    ] {
        assert_eq!(error_body(body.as_bytes()), None, "{body}");
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let label = || proptest::option::of("\\PC{1,8}").prop_map(|text| text.map(Box::from));
    let value = proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::INFINITE;
    (label(), label(), label(), label(), label(), value).prop_map(
        |(family, namespace, pool, model, target_model, value)| Sample {
            family,
            namespace,
            pool,
            model,
            target_model,
            value,
        },
    )
}

/// An answer as Prometheus would write it.
fn written(samples: &[Sample]) -> String {
    let rows: Vec<_> = samples
        .iter()
        .map(|sample| {
            let labels = [
                ("__name__", &sample.family),
                ("namespace", &sample.namespace),
                ("inference_pool", &sample.pool),
                ("model_name", &sample.model),
                ("target_model_name", &sample.target_model),
            ];
            let metric: serde_json::Map<_, _> = labels
                .into_iter()
                .filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_deref()?))))
                .collect();
            json!({"metric": metric, "value": [1_700_000_000.123, sample.value.to_string()]})
        })
        .collect();
    vector(&json!(rows))
}

proptest! {
    #[test]
    fn what_is_written_is_read(samples in proptest::collection::vec(sample(), 0..8)) {
        prop_assert_eq!(decoded(&written(&samples)).unwrap().samples, samples);
    }

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(answer(&body, &labels()));
        drop(error_body(&body));
    }

    #[test]
    fn no_mutation_of_an_answer_panics(
        samples in proptest::collection::vec(sample(), 1..4),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>()), 1..6),
    ) {
        let mut body = written(&samples).into_bytes();
        for (at, edit, byte) in edits {
            let at = at.index(body.len());
            match edit {
                0 => body[at] = byte,
                1 => body.insert(at, b"{}[],:\"\\0en"[usize::from(byte) % 11]),
                _ => body.truncate(at.max(1)),
            }
        }
        drop(answer(&body, &labels()));
        drop(error_body(&body));
    }
}
