//! Asking Prometheus: whether it answers, and how fast.

use std::time::Duration;

use crate::check::{Concerns, Facts, Link, Problem, Severity, Verdict};

/// Clocks that differ by less than this are as good as equal.
const SKEW: f64 = 30.0;

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let (prometheus, config) = (&facts.prometheus, &facts.config);
    let mut problems = Vec::new();
    if let Some(Err(error)) = &prometheus.demand {
        problems.push(
            Problem::new(
                "prometheus_failing",
                Severity::Error,
                Link::Prometheus,
                "Prometheus gives no answer to go by, so nobody knows which models are asked for",
            )
            .about(prometheus.servers.join(", "))
            .concerning(Concerns::All)
            .seen(error.clone())
            .mend("mend what the error says; the keys are those of prometheus: in the configuration")
            .mend(format!(
                "curl -sG {}/api/v1/query --data-urlencode 'query={}'",
                prometheus.servers.first().map_or("URL", String::as_str),
                config.query.families.first().map_or("up", String::as_str),
            )),
        );
    }
    let Some(latency) = prometheus.latency else {
        return problems;
    };
    let shown = |time: Duration| {
        humantime::format_duration(Duration::from_millis(
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        ))
        .to_string()
    };
    let paced = latency.saturating_mul(4);
    let slow = latency > config.prometheus.timeout / 2;
    if slow || paced > config.interval.saturating_mul(3) {
        let severity = if slow { Severity::Warning } else { Severity::Note };
        problems.push(
            Problem::new(
                "prometheus_slow",
                severity,
                Link::Prometheus,
                format!(
                    "the query takes {}, so it is asked about every {} instead of every {}",
                    shown(latency),
                    shown(paced.saturating_add(latency)),
                    shown(config.interval)
                ),
            )
            .about(prometheus.servers.join(", "))
            .concerning(Concerns::All)
            .seen(format!(
                "prometheus.timeout is {}; a connection's first query takes longer than the next ones",
                shown(config.prometheus.timeout)
            ))
            .mend(
                "ask a Prometheus that is near and holds fewer series, or narrow the query by query.matchers",
            ),
        );
    }
    if let Some(ahead) = prometheus.clock_ahead.filter(|ahead| ahead.abs() > SKEW) {
        problems.push(
            Problem::new(
                "clock_skew",
                Severity::Note,
                Link::Prometheus,
                format!(
                    "Prometheus' clock is {:.0} s {} ours; ages are taken from its clock alone, times in reports are not",
                    ahead.abs(),
                    if ahead > 0.0 { "ahead of" } else { "behind" }
                ),
            )
            .mend("look at the time synchronisation of both nodes"),
        );
    }
    problems
}
