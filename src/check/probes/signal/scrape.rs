//! Why Prometheus has nothing of an EPP: its targets, and the monitors that make them.

use super::{
    super::epp::Epp,
    index::Scraped,
    monitor::{self, Monitor},
    paste,
};
use crate::{
    check::{Link, Object, Origin, Problem, ScrapeTarget, Severity},
    core::Blocked,
};

/// Nothing of it: why.
///
/// What is known of series elsewhere says it best.
pub(super) fn not_scraped(epp: &Epp<'_>, scraped: &Scraped<'_>, elsewhere: Option<Problem>) -> Problem {
    let what = Blocked::EppNotScraped.to_string();
    let mut problem = epp.problem(
        "epp_not_scraped",
        Severity::Error,
        Link::Signal,
        epp.service,
        what,
    );
    if let Some(elsewhere) = elsewhere {
        problem.evidence = vec![elsewhere.what];
        problem.evidence.extend(elsewhere.evidence);
        problem.mend = elsewhere.mend;
    } else if let Some(down) = scraped.down() {
        is_down(epp, &mut problem, down);
    } else if let Some(up) = scraped.targets.first() {
        problem.evidence.push(format!("target {} is up", up.url));
        let matchers = &epp.facts.config.query.matchers;
        if matchers.is_empty() {
            problem.evidence.push(format!(
                "yet no series of pool {}/{} has the labels {} and {}",
                epp.namespace,
                epp.name,
                epp.facts.config.query.labels.namespace,
                epp.facts.config.query.labels.pool
            ));
            problem.mend = vec![
                "Look at what is scraped there: another pool (--pool-name of the EPP), or series that \
                 metricRelabelings drop"
                    .to_owned(),
                paste::kubectl(
                    &epp.namespace,
                    &format!(
                        "get servicemonitor,podmonitor -o yaml | grep -n -A8 {}",
                        paste::word("metricRelabelings")
                    ),
                ),
            ];
        } else {
            let told = matchers.iter().map(|(name, value)| format!("{name}={value}"));
            problem.evidence.push(format!(
                "query.matchers asks for {}",
                told.collect::<Vec<_>>().join(", ")
            ));
            problem.mend = vec![
                "Correct query.matchers to labels that the EPP's series have, or take them out".to_owned(),
                "query:".to_owned(),
                "  matchers: {}".to_owned(),
            ];
        }
    } else {
        no_target(epp, scraped, &mut problem);
    }
    problem
}

fn is_down(epp: &Epp<'_>, problem: &mut Problem, target: &ScrapeTarget) {
    let error = &target.last_error;
    problem.evidence.push(format!(
        "target {} is {}{}",
        target.url,
        target.health,
        if error.is_empty() {
            String::new()
        } else {
            format!(": {error}")
        }
    ));
    if !target.pool.is_empty() {
        problem.evidence.push(format!("it comes from {}", target.pool));
    }
    let has = |parts: &[&str]| parts.iter().any(|part| error.contains(part));
    problem.mend = if has(&["401", "403"]) {
        // `--metrics-endpoint-auth` is on by default: the scraper needs a token whose account may get /metrics.
        vec![
            "Give the scrape a token that may get /metrics, and name it in the monitor's endpoint".to_owned(),
            "kubectl create clusterrole epp-metrics-reader --verb=get --non-resource-url=/metrics".to_owned(),
            paste::kubectl(&epp.namespace, "create serviceaccount epp-metrics-reader"),
            format!(
                "kubectl create clusterrolebinding epp-metrics-reader --clusterrole=epp-metrics-reader \
                 --serviceaccount={}:epp-metrics-reader",
                paste::word(&epp.namespace)
            ),
            format!(
                "echo '{}' | {}",
                r#"{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/service-account-token","metadata":{"name":"epp-metrics-reader","annotations":{"kubernetes.io/service-account.name":"epp-metrics-reader"}}}"#,
                paste::kubectl(&epp.namespace, "apply -f -")
            ),
            "# in the endpoint of the ServiceMonitor:".to_owned(),
            "authorization:".to_owned(),
            "  credentials: {name: epp-metrics-reader, key: token}".to_owned(),
        ]
    } else if has(&["404"]) {
        vec![
            "Let the monitor's endpoint scrape the EPP's metrics port (9090) at this path".to_owned(),
            "path: /metrics".to_owned(),
        ]
    } else if has(&["connection refused", "malformed HTTP", "EOF"]) {
        vec![
            "Let the monitor's endpoint scrape the port that --metrics-port of the EPP names (9090)"
                .to_owned(),
            paste::kubectl(&epp.namespace, "get servicemonitor,podmonitor -o yaml"),
        ]
    } else if has(&["tls", "x509", "certificate", "HTTPS"]) {
        vec![
            "Scrape over the scheme that the EPP serves metrics with: http, unless it has --metrics-cert-dir"
                .to_owned(),
            "scheme: http".to_owned(),
        ]
    } else if has(&["deadline exceeded", "timeout", "no route"]) {
        vec![
            "Let Prometheus through to the EPP's metrics port: look at NetworkPolicies".to_owned(),
            paste::kubectl(&epp.namespace, "get networkpolicy"),
        ]
    } else {
        vec![
            "Look at the EPP's pods and at the targets page of Prometheus".to_owned(),
            paste::kubectl(&epp.namespace, "get pods -o wide"),
        ]
    };
}

/// No target: no monitor selects the EPP, or Prometheus does not take the monitor.
fn no_target(epp: &Epp<'_>, scraped: &Scraped<'_>, problem: &mut Problem) {
    let known = matches!(epp.facts.prometheus.targets, Some(Ok(_)));
    if known {
        problem
            .evidence
            .push("Prometheus has no target of the EPP's Service or pods".to_owned());
    }
    match scraped.monitors.first() {
        Some(monitor) => not_taken(epp, problem, monitor),
        None => unselected(epp, problem, monitor::nearest(epp).first()),
    }
}

/// A monitor selects the EPP and makes no target: Prometheus selects monitors by their labels, too.
fn not_taken(epp: &Epp<'_>, problem: &mut Problem, monitor: &Monitor<'_>) {
    let object = monitor.object;
    problem.evidence.push(format!("{} selects it", object.named()));
    let has = object.strings("/metadata/labels");
    // The chart of kube-prometheus-stack selects monitors by `release`.
    let mut servers = epp.facts.objects.all(monitor::GROUP, "Prometheus").peekable();
    let asked = servers.peek().map(|server| {
        let place = if object.kind == "PodMonitor" {
            "/spec/podMonitorSelector/matchLabels"
        } else {
            "/spec/serviceMonitorSelector/matchLabels"
        };
        (server.named(), server.strings(place))
    });
    if let Some((server, asked)) = asked {
        let missing = asked.iter().filter(|(name, value)| has.get(*name) != Some(value));
        let missing: Vec<_> = missing.map(|(name, value)| format!("{name}={value}")).collect();
        if missing.is_empty() {
            problem.mend =
                vec![
                "Look at why the operator leaves the monitor out: its namespace, or what its log says of it"
                    .to_owned(),
                paste::kubectl(
                    &object.namespace,
                    &format!("describe {} {}", object.kind.to_ascii_lowercase(), paste::word(&object.name)),
                ),
            ];
        } else {
            problem.evidence.push(format!(
                "{server} takes only monitors with {}, which it lacks",
                missing.join(", ")
            ));
            problem.mend = vec!["Give the monitor the label that Prometheus selects by".to_owned()];
            let pairs = missing.iter().map(|pair| paste::word(pair));
            problem
                .mend
                .push(labelled(object, &pairs.collect::<Vec<_>>().join(" ")));
        }
        return;
    }
    let release = epp
        .facts
        .objects
        .all(monitor::GROUP, "ServiceMonitor")
        .filter(|other| !std::ptr::eq(*other, object))
        .find_map(|other| other.text("/metadata/labels/release"))
        .unwrap_or("kube-prometheus-stack");
    if has.contains_key("release") {
        problem.mend = vec!["Compare its labels with what Prometheus selects monitors by".to_owned()];
    } else {
        problem
            .evidence
            .push("it has no label release, by which Prometheus often selects monitors".to_owned());
        problem.mend = vec![
            "Give the monitor the labels that Prometheus selects by; the second command tells them"
                .to_owned(),
            labelled(object, &format!("release={}", paste::word(release))),
        ];
    }
    problem.mend.push(
        "kubectl get prometheus -A -o jsonpath='{range .items[*]}{.spec.serviceMonitorSelector}{\"\\n\"}{end}'"
            .to_owned(),
    );
}

fn labelled(object: &Object, pairs: &str) -> String {
    let kind = object.kind.to_ascii_lowercase();
    let name = paste::word(&object.name);
    paste::kubectl(
        &object.namespace,
        &format!("label --overwrite {kind} {name} {pairs}"),
    )
}

/// No monitor selects it: the nearest one with what differs, and one that would.
fn unselected(epp: &Epp<'_>, problem: &mut Problem, nearest: Option<&Monitor<'_>>) {
    let known = epp.knows(monitor::GROUP, "ServiceMonitor") || !epp.is_live();
    if !known {
        problem
            .evidence
            .push("whether a ServiceMonitor selects it cannot be read".to_owned());
    } else if let Some(nearest) = nearest {
        problem.evidence.push(format!(
            "no monitor selects it; the nearest is {}",
            nearest.object.named()
        ));
        problem
            .evidence
            .extend(nearest.differences.iter().take(4).cloned());
    } else {
        problem
            .evidence
            .push("there is no ServiceMonitor or PodMonitor".to_owned());
    }
    let Some(service) = epp.service else {
        problem.mend = vec!["Give the EPP a Service, and a ServiceMonitor that selects it".to_owned()];
        return;
    };
    problem.mend = vec!["Create a ServiceMonitor that selects it (kubectl apply -f)".to_owned()];
    problem.mend.extend(manifest(epp, service));
}

/// A ServiceMonitor for the EPP's Service.
fn manifest(epp: &Epp<'_>, service: &Object) -> Vec<String> {
    let port = ports(service);
    let mut lines = vec![
        "apiVersion: monitoring.coreos.com/v1".to_owned(),
        "kind: ServiceMonitor".to_owned(),
        "metadata:".to_owned(),
        format!("  name: {}", paste::scalar(&service.name)),
        format!("  namespace: {}", paste::scalar(&epp.namespace)),
    ];
    let asked = epp.facts.objects.all(monitor::GROUP, "Prometheus").next();
    let asked = asked.map(|server| server.strings("/spec/serviceMonitorSelector/matchLabels"));
    let asked = asked.unwrap_or_default();
    if asked.is_empty() {
        lines
            .push("  labels: {release: kube-prometheus-stack}  # what your Prometheus selects by".to_owned());
    } else {
        lines.push("  labels:".to_owned());
        lines.extend(pairs(&asked));
    }
    let labels = service.strings("/metadata/labels");
    lines.push("spec:".to_owned());
    lines.push("  selector:".to_owned());
    if labels.is_empty() {
        lines.push(format!(
            "    matchLabels: {{app: {}}}  # the Service has no labels yet: give it this one",
            paste::scalar(&service.name)
        ));
    } else {
        lines.push("    matchLabels:".to_owned());
        // Not what a chart changes from release to release.
        let kept = labels.iter().filter(|(name, _)| {
            !name.ends_with("/version") && !name.ends_with("/managed-by") && **name != "helm.sh/chart"
        });
        let kept: std::collections::BTreeMap<_, _> = kept.map(|(n, v)| (*n, *v)).collect();
        lines.extend(pairs(if kept.is_empty() { &labels } else { &kept }).map(|line| format!("  {line}")));
    }
    lines.extend([
        "  endpoints:".to_owned(),
        match port {
            Some(name) => format!("  - port: {}", paste::scalar(name)),
            None => "  - targetPort: 9090".to_owned(),
        },
        "    path: /metrics".to_owned(),
        "    interval: 1s".to_owned(),
    ]);
    lines
}

fn pairs(labels: &std::collections::BTreeMap<&str, &str>) -> impl Iterator<Item = String> {
    let lines = labels
        .iter()
        .map(|(name, value)| format!("    {}: {}", paste::scalar(name), paste::scalar(value)));
    lines.collect::<Vec<_>>().into_iter()
}

/// The name of the Service's port for metrics, if it has one: of the charts, or by what it is called.
fn ports(service: &Object) -> Option<&str> {
    let ports = service.at("/spec/ports")?.as_array()?;
    let named = |port: &serde_json::Value| port.get("port")?.as_i64();
    let metrics = ports.iter().find(|port| {
        let name = port.get("name").and_then(serde_json::Value::as_str);
        named(port) == Some(9090) || name.is_some_and(|name| name.contains("metrics"))
    });
    metrics?.get("name")?.as_str()
}

/// Of files: no monitor among them selects the EPP. It may be scraped otherwise, by annotations or by a configuration of
/// Prometheus' own.
pub(super) fn unmonitored(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    let service = epp.service?;
    if !matches!(&epp.facts.origin, Origin::Files { .. }) || epp.facts.prometheus.seen.is_some() {
        return None;
    }
    if !scraped.monitors.is_empty() {
        return None;
    }
    let monitors = monitor::nearest(epp);
    let severity = if monitors.is_empty() {
        Severity::Note
    } else {
        Severity::Warning
    };
    let what = "no ServiceMonitor or PodMonitor among the files selects the EPP, so Prometheus may have nothing of it";
    let mut problem = epp.problem(
        "epp_without_monitor",
        severity,
        Link::Signal,
        Some(service),
        what.to_owned(),
    );
    unselected(epp, &mut problem, monitors.first());
    Some(problem)
}
