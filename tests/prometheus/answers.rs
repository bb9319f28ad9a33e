//! What is sent, and what is made of each kind of answer.

use scale_from_zero::prometheus::query as text;

use super::{
    server::{Body, Reply, Server},
    *,
};

/// Short enough to be run into; nothing is measured.
const SHORT: Duration = Duration::from_secs(1);

async fn fails(reply: impl Into<Reply>, reason: Reason, says: &[&str]) -> QueryError {
    let reply = reply.into();
    let server = Server::start(move |_| reply.clone()).await;
    let timeout = if reason == Reason::Timeout {
        SHORT
    } else {
        PATIENCE
    };
    let prometheus = client(&Config {
        timeout,
        ..config(&[&server.url()])
    });
    let error = assert_fails(&prometheus, reason, says).await;
    assert_eq!(error.url, server.url());
    assert!(error.to_string().starts_with(&server.url()), "{error}");
    error
}

#[tokio::test]
async fn both_queries_are_asked_over_one_connection() {
    let server = Server::start(answers_five).await;
    let prometheus = client(&Config {
        timeout: Duration::from_millis(2500),
        ..config(&[&server.url()])
    });
    for _ in 0..3 {
        assert_five(&prometheus).await;
        assert_eq!(prometheus.ages().await.unwrap().unwrap().len(), 1);
    }
    assert_eq!(server.connections(), 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 6);
    for (request, query) in requests.iter().zip(
        [text::demand(&query()), text::age(&query()).unwrap()]
            .iter()
            .cycle(),
    ) {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/api/v1/query")
        );
        let expected = [
            ("query".to_owned(), query.clone()),
            ("timeout".to_owned(), "2500ms".to_owned()),
        ];
        assert_eq!(request.params, expected);
    }
}

#[tokio::test]
async fn a_path_before_the_api_is_kept() {
    let server = Server::start(answers_five).await;
    for (path, asked) in [
        ("", "/api/v1/query"),
        ("/", "/api/v1/query"),
        ("/prometheus", "/prometheus/api/v1/query"),
        ("/select/0/prometheus/", "/select/0/prometheus/api/v1/query"),
    ] {
        let prometheus = client(&config(&[&format!("{}{path}", server.url())]));
        assert_five(&prometheus).await;
        assert_eq!(server.requests().last().unwrap().path, asked);
    }
}

#[tokio::test]
async fn a_custom_expression_has_no_age() {
    let server = Server::start(answers_five).await;
    let query = Query {
        expression: Some("my_queue > 0".into()),
        ..query()
    };
    let prometheus = Prometheus::new(&config(&[&server.url()]), &query).unwrap();
    assert_five(&prometheus).await;
    assert_eq!(prometheus.ages().await.unwrap(), None);
    let requests = server.requests();
    assert_eq!(
        (requests.len(), requests[0].param("query")),
        (1, Some("my_queue > 0"))
    );
}

#[tokio::test]
async fn slow_answers_end_at_the_deadline() {
    let says = ["no whole answer within 1s", "prometheus.timeout"];
    fails(Body::NoHead, Reason::Timeout, &says).await;
    fails(Body::Hangs(five()), Reason::Timeout, &says).await;
    let error = Reply {
        status: 503,
        headers: vec![],
        body: Body::Hangs("busy".into()),
    };
    fails(error, Reason::Timeout, &says).await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_told() {
    fails(
        Body::BreaksOff(five()),
        Reason::Connect,
        &["the connection broke off", "look at the server"],
    )
    .await;
}

#[tokio::test]
async fn statuses_have_their_reasons() {
    use Reason::{HttpStatus, Throttled, Unauthorized};
    fails(
        Reply::new(401, "go\u{1b}[2Jaway"),
        Unauthorized,
        &["401", "go<U+001B>[2Jaway", "bearerTokenFile"],
    )
    .await;
    fails(Reply::new(403, ""), Unauthorized, &["403", "grants"]).await;
    fails(
        Reply::new(404, "404 page not found"),
        HttpStatus,
        &["404", "path of prometheus.url"],
    )
    .await;
    fails(
        Reply::new(500, "x".repeat(100_000)),
        HttpStatus,
        &["500", "xxxx…"],
    )
    .await;
    let rest = |status, wish: &str| Reply::new(status, "").with("retry-after", wish);
    let error = fails(rest(429, "7"), Throttled, &["429"]).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    let error = fails(rest(503, "Fri, 31 Dec 1999 23:59:59 GMT"), HttpStatus, &["503"]).await;
    assert_eq!(error.retry_after, Some(Duration::ZERO));
    let error = fails(rest(500, "7"), HttpStatus, &[]).await;
    assert_eq!(error.retry_after, None);
}

#[tokio::test]
async fn a_query_error_shows_the_query_and_what_to_mend() {
    let refused = r#"{"status":"error","errorType":"bad_data","error":"1:9: parse error: unexpected"}"#;
    let says = [
        "1:9: parse error",
        "mend query.families",
        "sent: sum by (__name__, namespace",
    ];
    fails(Reply::new(400, refused), Reason::BadQuery, &says).await;
    fails(Reply::new(200, refused), Reason::BadQuery, &says).await;

    let refused = Reply::new(400, refused);
    let server = Server::start(move |_| refused.clone()).await;
    let query = Query {
        expression: Some("sum(".into()),
        ..query()
    };
    let prometheus = Prometheus::new(&config(&[&server.url()]), &query).unwrap();
    assert_fails(
        &prometheus,
        Reason::BadQuery,
        &["mend query.expression; sent: sum("],
    )
    .await;

    let late =
        r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    let server = Server::start(move |_| Reply::new(503, late)).await;
    let prometheus = client(&config(&[&server.url()]));
    assert_fails(
        &prometheus,
        Reason::Timeout,
        &["timed out in expression", "prometheus.timeout"],
    )
    .await;
}

#[tokio::test]
async fn a_query_too_long_for_a_url_is_told() {
    let server = Server::start(answers_five).await;
    let query = Query {
        expression: Some("x".repeat(70_000)),
        ..query()
    };
    let prometheus = Prometheus::new(&config(&[&server.url()]), &query).unwrap();
    assert_fails(&prometheus, Reason::BadQuery, &["too long", "query.expression"]).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_no_prometheus_says_is_told() {
    let page = Reply::new(200, "<html>\n<title>Grafana</title>");
    let says = ["not JSON", "<html> <title>Grafana</title>", "prometheus.url"];
    fails(page, Reason::Decode, &says).await;
    fails(Reply::new(200, ""), Reason::Decode, &["not JSON"]).await;
    fails(Reply::new(200, "{}"), Reason::Decode, &["missing field `status`"]).await;
    fails(
        Reply::new(200, &five()[..100]),
        Reason::Decode,
        &["not JSON", "EOF"],
    )
    .await;
    fails(Reply::new(204, ""), Reason::Decode, &["not JSON"]).await;
    fails(
        Reply::new(200, five().replace("\"5\"", "5")),
        Reason::Decode,
        &["data.result[0].value[1]"],
    )
    .await;
}

#[tokio::test]
async fn warnings_make_an_answer_partial() {
    let warned = |kind: &str| {
        five().replacen(
            '{',
            &format!(r#"{{"{kind}":["store 10.0.0.1 is out of reach"],"#),
            1,
        )
    };
    fails(
        Reply::new(200, warned("warnings")),
        Reason::Partial,
        &["store 10.0.0.1 is out of reach"],
    )
    .await;
    let server = Server::start(move |_| Reply::new(200, warned("infos"))).await;
    assert_five(&client(&config(&[&server.url()]))).await;
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let says = ["larger than 32 MiB", "query.matchers"];
    fails(Body::Endless, Reason::TooLarge, &says).await;
    let error = Reply {
        status: 500,
        headers: vec![],
        body: Body::Endless,
    };
    fails(error, Reason::HttpStatus, &["500"]).await;
}

/// Nothing is asked for packed, nor unpacked: what the limit is measured on is what arrives.
#[tokio::test]
async fn nothing_is_unpacked() {
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let server =
            Server::start(move |request| answers_five(request).with("content-encoding", coding)).await;
        assert_five(&client(&config(&[&server.url()]))).await;
        assert_eq!(server.requests()[0].header("accept-encoding"), None);
    }
}

#[test]
fn urls_that_cannot_be_asked_are_named() {
    for (url, says) in [
        ("ftp://host/", "ftp://host is neither http:// nor https://"),
        (
            "http://host/?dedup=true",
            "http://host has a query string; write its parts under prometheus.params",
        ),
        ("/path", "cannot be parsed"),
    ] {
        let error = setup_error(&config(&[url]));
        assert!(error.to_string().starts_with("prometheus.url: "), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(matches!(setup_error(&config(&[])), SetupError::NoServer));
}
