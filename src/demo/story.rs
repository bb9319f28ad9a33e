//! Tells on a terminal what was seen to happen.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    columns::Columns,
    world::{Happening, What},
};

/// Where lines go on that have no room on the first.
const INDENT: usize = 12;
/// Rows of the table, so that a thousand models do not bury the story.
const ROWS: usize = 20;

/// A story, told line by line.
pub struct Story<W> {
    out: W,
    /// Width of the longest model name.
    width: usize,
}

impl<W: Write> Story<W> {
    /// A story of models with these names.
    pub fn new<'a>(out: W, models: impl Iterator<Item = &'a str>) -> Self {
        Self {
            out,
            width: models.map(str::len).max().unwrap_or_default(),
        }
    }

    /// Says something that is no event.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Tells what happened, with the time since the start.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn tell(&mut self, at: Duration, happening: &Happening) -> io::Result<()> {
        let (width, at, model) = (self.width, at.as_secs_f64(), &happening.model);
        writeln!(
            self.out,
            "{at:>7.2}s  {model:<width$}  {}",
            sentence(&happening.what)
        )?;
        self.out.flush()
    }

    /// Prints variants as `kubectl get va -A` would.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn table(&mut self, variants: &[Columns]) -> io::Result<()> {
        let rows = variants.iter().take(ROWS).map(Columns::cells);
        let rows: Vec<[&str; 6]> = [Columns::TITLES].into_iter().chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..Columns::TITLES.len()).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(self.out, "  {}", cells.join("   ").trim_end())?;
        }
        if variants.len() > ROWS {
            writeln!(self.out, "  ... and {} more", variants.len() - ROWS)?;
        }
        self.out.flush()
    }
}

fn sentence(what: &What) -> String {
    match what {
        What::Requested { ready: false } => "a request arrives, no pod is ready: it waits".to_owned(),
        What::Requested { ready: true } => "a request arrives".to_owned(),
        What::Asked { count, name, ready } => {
            let requests = plural(*count, "request");
            let by = name
                .as_ref()
                .map_or(String::new(), |name| format!(" that ask for {name}"));
            let then = if *ready { "" } else { "; no pod is ready" };
            format!("somebody sends {requests}{by}{then}")
        }
        What::Refused { count } => {
            let requests = plural(*count, "request");
            format!("{requests} refused at once: without flow control the EPP has no queue")
        }
        What::NotFound { name, count } => {
            let requests = plural(*count, "request");
            format!("{requests} for {name} reached a pod, which answers 404: it serves no such model")
        }
        What::Broken { link, mend } => {
            let (title, seen, indent) = (link.title(), link.seen(), " ".repeat(INDENT));
            format!("link broken: {title}\n{indent}{seen}\n{indent}In real life: {mend}")
        }
        What::Mended { link } => format!("link mended: {}", link.title()),
        What::Told { waiting } => format!("asked for: Prometheus reports {waiting} waiting"),
        What::Woken {
            target,
            replicas,
            cost,
            parked,
            after,
        } => {
            let parked: Vec<String> = parked
                .iter()
                .map(|(name, cost)| format!("{name} at {cost}"))
                .collect();
            let parked = match parked.as_slice() {
                [] => String::new(),
                some => format!("; still parked: {}", some.join(", ")),
            };
            let after = after.map_or(String::new(), |after| {
                format!(", {:.2} s after the request", after.as_secs_f64())
            });
            format!("woken: {target}, replicas 0 -> {replicas}{after} (cost {cost}{parked})")
        }
        What::Reported { variant } => {
            let Columns {
                name,
                optimized,
                metrics_ready,
                ..
            } = variant;
            format!("status of {name}: OPTIMIZED {optimized}, METRICSREADY {metrics_ready}")
        }
        What::Noted { reason, note } => format!("Event {reason}: {note}"),
        What::Ready { after } => format!("ready, {:.2} s after it was woken", after.as_secs_f64()),
        What::Drained { served, longest } => {
            let longest = longest.as_secs_f64();
            format!("queue drained: {served} requests served, the longest wait was {longest:.2} s")
        }
        What::Expired { lost } => {
            let requests = plural(*lost, "request");
            format!("{requests} waited too long and were given up")
        }
        What::Parked { idle } => {
            format!(
                "idle for {:.1} s: parked again by the simulated autoscaler",
                idle.as_secs_f64()
            )
        }
        What::TakenBack { target, by } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            format!("{target} was taken back to 0{by}")
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_an_end() {
        let variant = |name: &str| {
            Columns::of(&json!({
                "metadata": {"namespace": "llm", "name": name},
                "spec": {"scaleTargetRef": {"name": "target"}, "modelID": "meta/llama-3.1-8b"},
                "status": {
                    "desiredOptimizedAlloc": {"numReplicas": 1},
                    "conditions": [{"type": "MetricsAvailable", "status": "True"}],
                },
            }))
        };
        let mut out = Vec::new();
        let mut story = Story::new(&mut out, std::iter::empty());
        story.table(&[variant("llama-8b-autoscaler")]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  NAMESPACE   NAME                  TARGET   MODEL               OPTIMIZED   METRICSREADY\n  \
             llm         llama-8b-autoscaler   target   meta/llama-3.1-8b   1           True\n"
        );
        let mut out = Vec::new();
        Story::new(&mut out, std::iter::empty())
            .table(&vec![variant("a"); 25])
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), 22);
        assert!(out.ends_with("  ... and 5 more\n"));
    }
}
