//! The slow query of rule 4: what it asks, what is made of its rows, and that it fails as the others do.

use scale_from_zero::{
    core::{Seen, Sign},
    prometheus::query as text,
};

use super::{server::Server, *};

fn vector(rows: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}"#)
}

fn answers(_: &Request) -> Reply {
    let row = |labels: &str, value: &str| format!(r#"{{"metric":{{{labels}}},"value":[1,"{value}"]}}"#);
    let rows = [
        row(
            r#""__name__":"old_queue","namespace":"a","inference_pool":"p""#,
            "0",
        ),
        row(
            r#""__name__":"llm_d_epp_flow_control_pool_saturation","namespace":"","inference_pool":"q""#,
            "NaN",
        ),
        row(
            r#""__name__":"llm_d_epp_ready_endpoints","namespace":"a","name":"p""#,
            "1",
        ),
        row(
            r#""__name__":"inference_pool_ready_pods","namespace":"b","name":"p""#,
            "1",
        ),
        row(
            r#""__name__":"old_queue","namespace":"c","inference_pool":"""#,
            "1",
        ),
        row(r#""namespace":"d""#, "1"),
        row("", "1"),
    ];
    Reply::new(200, vector(&rows.join(",")))
}

fn seen(namespace: Option<&str>, pool: Option<&str>, what: Sign) -> Seen {
    Seen {
        namespace: namespace.map(Into::into),
        pool: pool.map(Into::into),
        what,
    }
}

#[tokio::test]
async fn each_row_is_a_sign_whatever_its_value() {
    let server = Server::start(answers).await;
    let signals = client(&config(&[&server.url()])).signals().await.unwrap();
    assert_eq!(
        signals.unwrap(),
        [
            seen(Some("a"), Some("p"), Sign::FlowControl),
            seen(None, Some("q"), Sign::FlowControl),
            seen(Some("a"), Some("p"), Sign::Endpoints),
            seen(Some("b"), Some("p"), Sign::OldEndpoints),
            seen(Some("c"), None, Sign::FlowControl),
            seen(Some("d"), None, Sign::Other),
            seen(None, None, Sign::Other),
        ]
    );
    let asked = server.requests();
    let query = text::signal(&query()).unwrap();
    assert_eq!((asked.len(), asked[0].param("query")), (1, Some(&*query)));
}

#[tokio::test]
async fn nothing_is_asked_with_a_custom_expression() {
    let server = Server::start(answers).await;
    let query = Query {
        expression: Some("my_queue > 0".into()),
        ..query()
    };
    let prometheus = Prometheus::new(&config(&[&server.url()]), &query).unwrap();
    assert_eq!(prometheus.signals().await.unwrap(), None);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_partial_answer_is_none_and_the_next_server_is_asked() {
    let warned = vector("").replacen('{', r#"{"warnings":["a store is gone"],"#, 1);
    let odd = Server::start(move |_| Reply::new(200, warned.clone())).await;
    let alone = client(&config(&[&odd.url()]));
    let error = alone.signals().await.unwrap_err();
    assert_eq!(error.reason, Reason::Partial, "{error}");
    assert!(error.to_string().contains("a store is gone"), "{error}");

    let good = Server::start(answers).await;
    let prometheus = client(&config(&[&odd.url(), &good.url()]));
    assert_eq!(prometheus.signals().await.unwrap().unwrap().len(), 7);
    // What was learnt serves the other queries too.
    prometheus.demand().await.unwrap();
    assert_eq!((odd.requests().len(), good.requests().len()), (2, 2));
}
