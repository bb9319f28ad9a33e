//! What `check` asks beside the loop's queries: pages that are no queries go the same way, with the same credentials.

use super::{server::Server, *};

const TARGETS: &str = r#"{"status":"success","data":{"activeTargets":[
    {"labels":{"job":"epp"},"scrapePool":"p","scrapeUrl":"http://epp:9090/metrics","scrapeInterval":"10s","health":"up"}]}}"#;

fn answers(request: &Request) -> Reply {
    match &*request.path {
        "/prom/api/v1/targets" => Reply::new(200, TARGETS),
        "/prom/api/v1/status/buildinfo" => {
            Reply::new(200, r#"{"status":"success","data":{"version":"3.5.0"}}"#)
        }
        _ => answers_five(request),
    }
}

#[tokio::test]
async fn pages_are_asked_for_as_queries_are() {
    let files = Files::new();
    let server = Server::start(answers).await;
    let mut config = config(&[&format!("{}/prom/", server.url())]);
    config.auth = Auth::BearerTokenFile(files.write("token", "the-token\n"));
    config.params = [("tenant".to_owned(), "a b".to_owned())].into();
    let prometheus = client(&config);
    let targets = prometheus.targets().await.unwrap();
    assert_eq!(
        (targets.len(), targets[0].interval),
        (1, Some(Duration::from_secs(10)))
    );
    assert_eq!(prometheus.version().await.unwrap(), "3.5.0");
    let asked = server.requests();
    assert_eq!(asked.len(), 2);
    for request in &asked {
        assert_eq!(request.method, "GET");
        assert_eq!(request.header("authorization"), Some("Bearer the-token"));
        assert_eq!(request.param("tenant"), Some("a b"));
    }
    assert_eq!(asked[0].param("state"), Some("active"));
}

#[tokio::test]
async fn a_server_without_a_page_says_so_and_stays_the_first_for_queries() {
    let without = Server::start(|request| match &*request.path {
        "/api/v1/query" => answers_five(request),
        _ => Reply::new(404, "404 page not found"),
    })
    .await;
    let with = Server::start(|request| match &*request.path {
        "/api/v1/targets" => Reply::new(200, TARGETS),
        _ => Reply::new(500, "no"),
    })
    .await;
    let error = client(&config(&[&without.url()])).targets().await.unwrap_err();
    assert!(
        error.to_string().contains("the server has no /api/v1/targets"),
        "{error}"
    );

    let both = client(&config(&[&without.url(), &with.url()]));
    assert_eq!(both.targets().await.unwrap().len(), 1);
    assert_five(&both).await;
    assert_eq!(with.requests().len(), 1, "queries go on to the first");
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let server =
        Server::start(|_| Reply::new(200, r#"{"status":"success","data":{"activeTargets":7}}"#)).await;
    let error = client(&config(&[&server.url()])).targets().await.unwrap_err();
    assert_eq!(error.reason, Reason::Decode);
    assert!(error.to_string().contains("data.activeTargets"), "{error}");
    let large = Server::start(|_| Reply::new(200, " ".repeat((32 << 20) + 1))).await;
    let error = client(&config(&[&large.url()])).targets().await.unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge);
    assert!(error.to_string().contains("32 MiB"), "{error}");
}

#[tokio::test]
async fn series_bring_their_labels_and_their_age() {
    let server = Server::start(|request| {
        let query = request.param("query").unwrap_or_default();
        let (name, value) = match query {
            "new_queue" => (r#""__name__":"new_queue","#, "5"),
            "time() - timestamp(new_queue)" => ("", "0.75"),
            _ => return Reply::new(200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        };
        Reply::new(200, format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{{name}"job":"epp","pod":"a"}},"value":[1,"{value}"]}}]}}}}"#
        ))
    })
    .await;
    let series = client(&config(&[&server.url()])).series().await.unwrap();
    assert_eq!(series.len(), 1);
    assert_eq!(
        (&*series[0].name, series[0].label("pod"), series[0].age),
        ("new_queue", "a", Some(0.75))
    );
}
