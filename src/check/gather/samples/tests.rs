use super::*;
use crate::core::{Sample, Seen, Sign};

const NEW: &str = "llm_d_epp_flow_control_queue_size";
const OLD: &str = "inference_extension_flow_control_queue_size";

fn evaluated(text: &str) -> Prom {
    evaluate(text, &Query::default()).unwrap()
}

fn rows(prom: &Prom) -> Vec<Sample> {
    prom.demand.clone().unwrap().unwrap()
}

/// What an endpoint picker prints, without the labels of a scrape.
fn epp() -> String {
    let queue = |family: &str, flow: &str, value: &str| {
        format!(
            "{family}{{fairness_id=\"{flow}\",inference_pool=\"pool\",model_name=\"public\",priority=\"0\",\
             target_model_name=\"meta/llama\"}} {value}\n"
        )
    };
    [
        "# TYPE llm_d_epp_flow_control_queue_size gauge\n",
        &queue(NEW, "a", "5"),
        &queue(NEW, "b", "2"),
        &queue(NEW, "c", "NaN"),
        &queue(OLD, "a", "5"),
        "llm_d_epp_flow_control_pool_saturation{inference_pool=\"pool\"} 1\n",
        "llm_d_epp_ready_endpoints{name=\"pool\"} 0\n",
        "inference_pool_ready_pods{name=\"pool\"} 0\n",
        "go_goroutines 42\n",
    ]
    .concat()
}

#[test]
fn what_an_endpoint_picker_prints_is_evaluated() {
    let prom = evaluated(&epp());
    let expected = Sample {
        family: Some(NEW.into()),
        pool: Some("pool".into()),
        model: Some("public".into()),
        target_model: Some("meta/llama".into()),
        value: 7.0,
        namespace: None,
    };
    assert_eq!(rows(&prom), [expected]);
    let seen = |what| Seen {
        namespace: None,
        pool: Some("pool".into()),
        what,
    };
    assert_eq!(
        prom.seen.unwrap(),
        [seen(Sign::FlowControl), seen(Sign::Endpoints)]
    );
    assert_eq!(prom.ages, None, "no sample says its time");
    assert_eq!(prom.series.len(), 5, "queues and saturation: {:?}", prom.series);
    assert!(prom.targets.is_none() && prom.latency.is_none() && prom.series_error.is_none());
}

#[test]
fn samples_with_a_time_are_as_old_as_the_newest_makes_them() {
    let text = format!("{NEW}{{model_name=\"a\"}} 1 1000000\n{NEW}{{model_name=\"b\"}} 1 1090500\n");
    let ages = evaluated(&text).ages.unwrap();
    let of = |model: &str| {
        ages.iter()
            .find(|age| age.model.as_deref() == Some(model))
            .unwrap()
            .value
    };
    assert!((of("a") - 90.5).abs() < 1e-6 && of("b").abs() < 1e-6, "{ages:?}");
}

#[test]
fn an_answer_of_prometheus_will_do() {
    let answer = |result: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#)
    };
    let row = |name: &str, more: &str, value: &str| {
        format!(
            r#"{{"metric":{{"__name__":"{name}","namespace":"n","inference_pool":"p","model_name":"m"{more}}},"value":[1,"{value}"]}}"#
        )
    };
    // The answer to the demand query, and the series themselves, say the same.
    let both = [
        row(NEW, r#","pod":"a""#, "2"),
        row(OLD, r#","pod":"a""#, "2"),
        row(NEW, r#","pod":"b""#, "3"),
    ];
    for result in [row(NEW, "", "5"), both.join(",")] {
        let prom = evaluated(&answer(&result));
        let rows = rows(&prom);
        assert_eq!((rows.len(), rows[0].value), (1, 5.0), "{result}");
        assert_eq!(prom.seen, None, "queues alone do not tell what else there is");
    }
    let endpoints =
        r#"{"metric":{"__name__":"llm_d_epp_ready_endpoints","namespace":"n","name":"p"},"value":[1,"0"]}"#;
    let prom = evaluated(&answer(&[endpoints, &row(NEW, "", "0")].join(",")));
    assert_eq!((rows(&prom).len(), prom.seen.unwrap().len()), (0, 2));
    assert_eq!(rows(&evaluated(&answer(""))), []);

    let custom = Query {
        expression: Some("my:queue".into()),
        ..Query::default()
    };
    let prom = evaluate(&answer(&row("my:queue", "", "9")), &custom).unwrap();
    assert!((rows(&prom)[0].value - 9.0).abs() < 1e-9);
    assert_eq!(prom.seen, None);
}

#[test]
fn a_query_of_ones_own_is_not_evaluated() {
    let custom = Query {
        expression: Some("my:queue > 0".into()),
        ..Query::default()
    };
    let prom = evaluate(&epp(), &custom).unwrap();
    let why = prom.demand.unwrap().unwrap_err();
    assert!(
        why.contains("query.expression") && why.contains("my:queue > 0"),
        "{why}"
    );
    assert_eq!((prom.seen, prom.ages), (None, None));
}

#[test]
fn matchers_hold_where_their_label_is_there() {
    let query = Query {
        matchers: [("cluster".to_owned(), "a".to_owned())].into(),
        ..Query::default()
    };
    assert_eq!(
        rows(&evaluate(&epp(), &query).unwrap()).len(),
        1,
        "a scrape would add it"
    );
    let two =
        format!("{NEW}{{cluster=\"a\",model_name=\"m\"}} 1\n{NEW}{{cluster=\"b\",model_name=\"m\"}} 2\n");
    let prom = evaluate(&two, &query).unwrap();
    assert_eq!((rows(&prom)[0].value, prom.series.len()), (1.0, 1));
}

#[test]
fn what_is_wrong_is_told() {
    for (text, told) in [
        ("{\"status\":\"success\"}", "data"),
        ("{\"status\": \"success\",", "not JSON"),
        (
            "{\"data\":{\"resultType\":\"matrix\",\"result\":[]},\"status\":\"success\"}",
            "matrix",
        ),
        ("q{", "line 1"),
    ] {
        let error = evaluate(text, &Query::default()).unwrap_err();
        assert!(error.contains(told), "{told}: {error}");
    }
    assert!(
        evaluated("{\"status\"} 1\n").series.is_empty(),
        "a metric of that name"
    );
    let missing = read(Path::new("/nowhere"), &Query::default()).unwrap_err();
    assert!(
        missing.to_string().contains("/nowhere: cannot be read"),
        "{missing}"
    );
}
