//! What each key refuses, and the whole message that says so.

use std::path::Path;

use scale_from_zero::config::{Environment, parse};

use crate::{check, problem, told};

#[test]
fn prometheus_is_found_and_let_in_one_way_only() {
    let example = "write e.g. http://prometheus.monitoring.svc:9090";
    let url = |url: &str, message: &str| {
        assert_eq!(
            problem(&format!("prometheus: {{url: '{url}'}}")),
            format!("line 1: prometheus.url: {message}")
        );
    };
    url(
        "prometheus:9090",
        &format!("\"prometheus:9090\" has no scheme; {example}"),
    );
    url(
        "ftp://p",
        &format!("\"ftp://p\" has a scheme other than http and https; {example}"),
    );
    url(
        "file:///etc/passwd",
        &format!("\"file:///etc/passwd\" is not a URL; {example}"),
    );
    url("http://", &format!("\"http://\" is not a URL; {example}"));
    url(
        "http://:9090",
        &format!("\"http://:9090\" names no host; {example}"),
    );
    url(
        "http://p:99999",
        &format!("\"http://p:99999\" has a port that is not a number from 1 to 65535; {example}"),
    );
    url("http://[::1", &format!("\"http://[::1\" is not a URL; {example}"));
    url(
        "http://u:s3cret@p",
        "holds a user name or password; write those under prometheus.basicAuth",
    );
    url(
        "http://p?token=s3cret",
        "holds a query or fragment; write the base URL, and parameters under prometheus.params",
    );
    url(
        "http://p/x/api/v1/",
        "\"http://p/x/api/v1/\" is the address of the API; write the base URL, what stands before /api/v1",
    );
    check(&[
        (
            "prometheus:\n  urls: [http://b]\n  url: http://a",
            "line 2: prometheus.urls: stands beside prometheus.url; write one of the two",
        ),
        (
            "prometheus: {urls: []}",
            "line 1: prometheus.urls: is empty; at least one URL is needed",
        ),
        (
            "prometheus: {urls: [http://a, http://a]}",
            "line 1: prometheus.urls[1]: repeats item [0]; remove one",
        ),
    ]);
}

#[test]
fn a_query_authenticates_in_one_way_and_that_whole() {
    check(&[
        (
            "prometheus:\n  bearerTokenFile: t\n  basicAuth: {username: u, passwordFile: f}",
            "line 3: prometheus.basicAuth: stands beside prometheus.bearerTokenFile; a query can carry only one: \
             remove the other",
        ),
        (
            "prometheus:\n  basicAuth:\n    username: u",
            "line 2: prometheus.basicAuth.passwordFile: is missing; write the path of the file that holds the password",
        ),
        (
            "prometheus: {basicAuth: {passwordFile: f}}",
            "line 1: prometheus.basicAuth.username: is missing; write the user that the password belongs to",
        ),
        // The misspelt one is not missing, too.
        (
            "prometheus: {basicAuth: {username: u, password: f}}",
            "line 1: prometheus.basicAuth.password: unknown key; did you mean prometheus.basicAuth.passwordFile?",
        ),
        (
            "prometheus: {basicAuth: {username: 'a:b', passwordFile: f}}",
            "line 1: prometheus.basicAuth.username: \"a:b\" is not a user name; write one without : and control \
             characters, basic authentication cannot carry them",
        ),
        (
            "prometheus: {bearerTokenFile: ''}",
            "line 1: prometheus.bearerTokenFile: \"\" is not a file; write its path",
        ),
        (
            "prometheus: {tls: {certFile: c}}",
            "line 1: prometheus.tls.keyFile: is missing; certFile needs the key that belongs to it",
        ),
        (
            "prometheus: {tls: {keyFile: k}}",
            "line 1: prometheus.tls.certFile: is missing; keyFile needs the certificate that belongs to it",
        ),
    ]);
}

#[test]
fn headers_and_parameters_leave_alone_what_is_the_query_s_own() {
    check(&[
        (
            "prometheus: {headers: {'a b': s3cret}}",
            "line 1: prometheus.headers.\"a b\": is not a header name; use letters, digits and -",
        ),
        (
            "prometheus: {headers: {X-A: \"s3cret\\n\"}}",
            "line 1: prometheus.headers.X-A: has a value that a header cannot carry; use printable ASCII on one line, \
             without a line end",
        ),
        (
            "prometheus: {headers: {X-A: s3cret, x-a: s3cret}}",
            "line 1: prometheus.headers.x-a: is the same header as X-A; remove one",
        ),
        (
            "prometheus: {headers: {Content-Type: x}}",
            "line 1: prometheus.headers.Content-Type: is set by the query itself; remove it",
        ),
        (
            "prometheus: {params: {query: up}}",
            "line 1: prometheus.params.query: is set by the query itself; use query.expression for one of your own",
        ),
        (
            "prometheus: {params: {time: '1'}}",
            "line 1: prometheus.params.time: is set by the query itself, which always asks for now; remove it",
        ),
        (
            "prometheus: {params: {timeout: 1s}}",
            "line 1: prometheus.params.timeout: is set by the query itself; use prometheus.timeout",
        ),
    ]);
}

#[test]
fn numbers_and_words_are_told_what_is_allowed() {
    check(&[
        (
            "prometheus: {timeout: 0s}",
            "line 1: prometheus.timeout: 0s is too short; write at least 1ms",
        ),
        (
            "wake: {settle: 2days}",
            "line 1: wake.settle: 2days is too long; write at most 24h",
        ),
        (
            "wake: {concurrency: 0}",
            "line 1: wake.concurrency: 0 is out of range; write a number from 1 to 256",
        ),
        (
            "wake: {concurrency: 257}",
            "line 1: wake.concurrency: 257 is out of range; write a number from 1 to 256",
        ),
        (
            "wake: {select: cheapst}",
            "line 1: wake.select: \"cheapst\" is not known; write cheapest or all",
        ),
        (
            "wake: {unmatched: any}",
            "line 1: wake.unmatched: \"any\" is not known; write report or pool",
        ),
        (
            "wake: {unschedulableAfter: 0s}",
            "line 1: wake.unschedulableAfter: 0s is too short; write at least 1ms",
        ),
        (
            "wake: {maxEscalations: 17}",
            "line 1: wake.maxEscalations: 17 is out of range; write a number from 0 to 16",
        ),
        (
            "wake: {maxEscalations: 4294967297}",
            "line 1: wake.maxEscalations: 4294967297 is out of range; write a number from 0 to 16",
        ),
        (
            "wake: {manualHold: 25h}",
            "line 1: wake.manualHold: 1day 1h is too long; write at most 24h",
        ),
        (
            "wake: {maxStartingPerNamespace: 0}",
            "line 1: wake.maxStartingPerNamespace: 0 would hold back every wake; write at least 1, or null for no cap",
        ),
        (
            "wake:\n  maxStartingPerNamespace: 5\n  maxStarting: 3",
            "line 2: wake.maxStartingPerNamespace: 5 is more than wake.maxStarting, 3; lower the one or raise the other",
        ),
        // One that is wrong by itself is not compared with the other.
        (
            "wake: {maxStartingPerNamespace: 5, maxStarting: 0}",
            "line 1: wake.maxStarting: 0 would hold back every wake; write at least 1, or null for no cap",
        ),
        (
            "wake: {backoff: {max: 1ms}}",
            "line 1: wake.backoff.initial: 1s is longer than wake.backoff.max, 1ms; lower \
          the one or raise the other",
        ),
    ]);
}

#[test]
fn names_are_told_what_is_allowed() {
    check(&[
        (
            "query: {families: []}",
            "line 1: query.families: is empty; at least one metric is needed",
        ),
        (
            "query: {families: [up, llm-d]}",
            "line 1: query.families[1]: \"llm-d\" is not a metric name; use letters, digits, _ and :, the first no digit",
        ),
        (
            "query: {labels: {pool: inference-pool}}",
            "line 1: query.labels.pool: \"inference-pool\" is not a label name; use letters, digits and _, the first \
             no digit, and not __name__",
        ),
        (
            "query: {matchers: {__name__: up}}",
            "line 1: query.matchers.__name__: \"__name__\" is not a label name; use letters, digits and _, the first \
             no digit, and not __name__",
        ),
        (
            "query: {expression: ' '}",
            "line 1: query.expression: \" \" is not a query; write PromQL, or null for the built one",
        ),
        (
            "query: {missingNamespace: two}",
            "line 1: query.missingNamespace: \"two\" is not known; write one or all",
        ),
        (
            "scope: {namespaces: [a, b, a]}",
            "line 1: scope.namespaces[2]: repeats item [0]; remove one",
        ),
        (
            "scope: {namespaces: [own]}",
            "line 1: scope.namespaces[0]: \"own\" is the pod's own namespace, which is not known here; set the \
             environment variable POD_NAMESPACE, or write the namespace's name",
        ),
        (
            "scope: {controllerInstance: ''}",
            "line 1: scope.controllerInstance: \"\" is not a label value; use letters, digits, -, _ and ., first and \
             last a letter or digit, at most 63",
        ),
        (
            "status: {fallbackAccelerator: A}",
            "line 1: status.fallbackAccelerator: \"A\" is not an accelerator; write at least 2 characters, fewer are \
             refused by the VariantAutoscaling's schema",
        ),
        (
            "leaderElection: {leaseDuration: 1s}",
            "line 1: leaderElection.leaseDuration: 1s is too short; write at least 5s, since the holder has to renew \
             it several times in that span",
        ),
        (
            "leaderElection: {leaseDuration: 5500ms}",
            "line 1: leaderElection.leaseDuration: 5s 500ms has a fraction of a second, which a Lease cannot hold; \
             write whole seconds",
        ),
        (
            "leaderElection: {enabled: true}",
            "line 1: leaderElection.namespace: is the pod's own unless given, which is not known here; set the \
             environment variable POD_NAMESPACE, or write the namespace's name",
        ),
        (
            "leaderElection: {name: My Lease}",
            "line 1: leaderElection.name: \"My Lease\" is not an object's name; use lower-case letters, digits, - \
             and ., first and last a letter or digit, at most 253",
        ),
        (
            "server: {address: ':8085'}",
            "line 1: server.address: \":8085\" is not an IP address with a port; write e.g. 0.0.0.0:8085, or [::]:8085",
        ),
        (
            "log: {level: INFO}",
            "line 1: log.level: \"INFO\" is not known; write error, warn, info, debug or trace",
        ),
        (
            "log: {format: xml}",
            "line 1: log.format: \"xml\" is not known; write text or json",
        ),
    ]);
}

#[test]
fn sources_are_told_what_they_could_be() {
    let all = "VariantAutoscaling, ScaledObject";
    let word = |word: &str, message: &str| {
        assert_eq!(
            problem(&format!("scope: {{sources: {word:?}}}")),
            format!("line 1: scope.sources: {word:?} {message}")
        );
    };
    for near in ["Auto", "automatic"] {
        word(near, "is not known; did you mean auto?");
    }
    for near in ["ScaledObject", "scaledobjects", "scaled-object", "so"] {
        word(near, "is not a list; did you mean [ScaledObject]?");
    }
    for near in ["VariantAutoscaling,ScaledObject", "so, VariantAutoscalings"] {
        word(near, &format!("is not a list; did you mean [{all}]?"));
    }
    for far in ["all", "", ",", "ScaledObject, Deployment"] {
        word(
            far,
            &format!("is not known; write auto, or a list of {all} and HorizontalPodAutoscaler"),
        );
    }
    let item = |item: &str, message: &str| {
        assert_eq!(
            problem(&format!("scope:\n  sources:\n  - ScaledObject\n  - {item}")),
            format!("line 4: scope.sources[1]: {message}")
        );
    };
    for (near, meant) in [
        ("VariantAutoscaler", "VariantAutoscaling"),
        ("variantautoscaling", "VariantAutoscaling"),
        ("VA", "VariantAutoscaling"),
        ("ScaleObject", "ScaledObject"),
        ("hpa", "HorizontalPodAutoscaler"),
        ("HorizontalPodAutoscalers", "HorizontalPodAutoscaler"),
    ] {
        item(
            near,
            &format!("\"{near}\" is not a source; did you mean {meant}?"),
        );
    }
    for (far, shown) in [
        ("Deployment", "\"Deployment\""),
        ("''", "\"\""),
        ("null", "null"),
        ("1", "1"),
        ("[VariantAutoscaling]", "a list"),
    ] {
        item(
            far,
            &format!("{shown} is not a source; write {all} or HorizontalPodAutoscaler"),
        );
    }
    item("ScaledObject", "repeats item [0]; remove one");
    item(
        "auto",
        "\"auto\" stands for all sources, so not in a list; write scope.sources: auto",
    );
    check(&[(
        "scope: {sources: []}",
        "line 1: scope.sources: is empty; at least one source is needed, or auto for all of them",
    )]);
    // Each item is told, in one reading.
    assert_eq!(
        told("scope:\n  sources:\n  - VA\n  - ScaledObject\n  - 7\n  - ScaledObject"),
        format!(
            "config.yaml: 3 problems
  line 3: scope.sources[0]: \"VA\" is not a source; did you mean VariantAutoscaling?
  line 5: scope.sources[2]: 7 is not a source; write {all} or HorizontalPodAutoscaler
  line 6: scope.sources[3]: repeats item [1]; remove one"
        )
    );
}

#[test]
fn a_namespace_that_only_the_environment_names_is_checked_like_one_in_the_file() {
    let env = Environment {
        namespace: Some("Not One".to_owned()),
    };
    let error = parse(Path::new("config.yaml"), "scope: {namespaces: [own]}", &env).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config.yaml: 1 problem\n  line 1: scope.namespaces[0]: \"Not One\" is not a namespace; use lower-case \
         letters, digits and -, first and last no -, at most 63"
    );
}
