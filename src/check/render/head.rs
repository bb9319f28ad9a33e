//! Where a check looked: without it nobody can tell what its words are worth.

use super::{
    Page, View,
    paint::{Paint, Tone},
    wrapped,
};
use crate::{
    check::{Facts, Origin, Prom, Unread},
    text::visible,
};
use std::fmt::Write as _;

/// The lines before the table.
pub(super) fn head(page: &Page<'_>, view: View, paint: Paint) -> String {
    let facts = page.facts;
    let mut lines = Vec::new();
    match &facts.origin {
        Origin::Live { cluster, version } => {
            let mut line = cluster.clone();
            if let Some(version) = version {
                let _ = write!(line, " ({version})");
            }
            if let Some(account) = &facts.account {
                let _ = write!(line, ", as {account}");
            }
            lines.push(("cluster", line));
        }
        Origin::Files { objects, samples } => {
            lines.push(("objects", objects.display().to_string()));
            let samples = samples.as_ref().map(|samples| samples.display().to_string());
            lines.push((
                "samples",
                samples.unwrap_or_else(|| "none; --samples FILE adds them".into()),
            ));
        }
    }
    if let (Origin::Live { .. }, Some(line)) = (&facts.origin, prometheus(&facts.prometheus)) {
        lines.push(("Prometheus", line));
    }
    let config = page.config.map(|file| file.display().to_string());
    lines.push((
        "config",
        config.unwrap_or_else(|| "none given, the defaults".into()),
    ));
    lines.push(("scope", scope(page)));
    lines.push((
        "time",
        facts.now.wall.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    ));
    let mut out = String::new();
    let room = view.width.map(|width| width.saturating_sub(12).max(20));
    let mut tell = |label: &str, line: &str, tone| {
        for (index, line) in wrapped(&visible(line), room).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            out.push_str(&paint.on(Tone::Dim, &format!("{label:<12}")));
            out.push_str(&paint.on(tone, line));
            out.push('\n');
        }
    };
    for (label, line) in lines {
        tell(label, &line, Tone::Plain);
    }
    for (index, gap) in not_looked_at(facts).iter().enumerate() {
        let label = if index == 0 { "not seen" } else { "" };
        tell(label, &gap.to_string(), Tone::Warn);
    }
    out
}

fn prometheus(prometheus: &Prom) -> Option<String> {
    if prometheus.servers.is_empty() {
        return None;
    }
    let mut line = prometheus.servers.join(", ");
    if let Some(version) = &prometheus.version {
        let _ = write!(line, " ({version})");
    }
    match (&prometheus.demand, prometheus.latency) {
        (Some(Ok(_)), Some(latency)) => {
            let _ = write!(line, ", answered in {} ms", latency.as_millis());
        }
        (Some(Err(_)), _) => line.push_str(", no answer to go by"),
        _ => {}
    }
    Some(line)
}

fn scope(page: &Page<'_>) -> String {
    let namespaces = &page.facts.config.scope.namespaces;
    let scope = match &namespaces[..] {
        [] => "all namespaces".to_owned(),
        [one] => format!("namespace {one}"),
        several => format!("namespaces {}", several.join(", ")),
    };
    match page.only {
        Some(only) => format!("{scope}; shown is {only}"),
        None => scope,
    }
}

/// Something that was not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// What: a kind, or a part of Prometheus.
    pub what: String,
    /// In which namespace; `None`: in all, or in none.
    pub namespace: Option<String>,
    /// Why not.
    pub why: String,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if let Some(namespace) = &self.namespace {
            write!(f, " in {namespace}")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// What could not be looked at. A kind that the API does not have is no gap: there are none of it.
pub(super) fn not_looked_at(facts: &Facts) -> Vec<Gap> {
    let unread = facts.unread.iter().filter(|unread| !unread.absent);
    let mut gaps: Vec<_> = unread
        .map(|unread| Gap {
            what: kind(unread),
            namespace: unread.namespace.clone(),
            why: unread.why.clone(),
        })
        .collect();
    let mut of_prometheus = |what: &str, why: Option<&String>| {
        gaps.extend(why.map(|why| Gap {
            what: what.to_owned(),
            namespace: None,
            why: why.clone(),
        }));
    };
    let prometheus = &facts.prometheus;
    if matches!(prometheus.demand, Some(Err(_))) {
        // One cause, told as a problem.
        return gaps;
    }
    of_prometheus("the series of queues", prometheus.series_error.as_ref());
    let targets = prometheus
        .targets
        .as_ref()
        .and_then(|targets| targets.as_ref().err());
    of_prometheus("the scrape targets of Prometheus", targets);
    gaps
}

fn kind(unread: &Unread) -> String {
    match &*unread.group {
        "" => format!("{}s", unread.kind),
        group => format!("{}s ({group})", unread.kind),
    }
}
