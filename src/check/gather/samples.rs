//! Samples in a file, in place of a Prometheus: what an endpoint picker prints, or an answer to a query.

use std::{fs::File, io::Read as _, path::Path};

use super::GatherError;
use crate::{
    check::{Prom, Series},
    config::Query,
    prometheus::{Exposition, decode, exposition, offline, query, series},
};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Reads the file, and evaluates on it what the loop asks Prometheus.
pub(super) fn read(path: &Path, query: &Query) -> Result<Prom, GatherError> {
    let unreadable = |why| GatherError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let wrong = |problem: String| GatherError::Samples {
        path: path.to_owned(),
        problem,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!(
            "is larger than {} MiB; keep the queue's series only",
            LARGEST >> 20
        )));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| wrong(format!("is not text in UTF-8: {}", error.utf8_error())))?;
    evaluate(&text, query).map_err(wrong)
}

/// What the samples say.
fn evaluate(text: &str, query: &Query) -> Result<Prom, String> {
    if is_answer(text) {
        answer(text, query)
    } else {
        printed(text, query)
    }
}

/// Whether a text is an answer of Prometheus. A line of samples may begin with a brace, too.
fn is_answer(text: &str) -> bool {
    let text = text.trim_start();
    let key = text.strip_prefix('{').map(str::trim_start);
    key.is_some_and(|key| {
        ["\"status\"", "\"data\""].iter().any(|known| {
            key.strip_prefix(known)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    })
}

/// From the answer to an instant query: of `curl PROMETHEUS/api/v1/query`.
fn answer(text: &str, query: &Query) -> Result<Prom, String> {
    let mend = "give the whole answer of PROMETHEUS/api/v1/query, or what `curl EPP/metrics` prints";
    let (all, warnings) = series(text.as_bytes()).map_err(|error| format!("{error}; {mend}"))?;
    for warning in warnings {
        tracing::warn!("The samples may lack something; Prometheus warned: {warning}");
    }
    let query = fitting(query, &all);
    // Rows without a name are those of a query that has added up already.
    let is_raw = all.iter().any(|series| !series.name.is_empty());
    if query.expression.is_some() || !is_raw {
        let rows =
            decode::answer(text.as_bytes(), &query.labels).map_err(|error| format!("{error}; {mend}"))?;
        return Ok(Prom {
            demand: Some(Ok(rows.samples)),
            ..Prom::default()
        });
    }
    // An answer of queues alone does not say what else there is.
    let says_more = all.iter().any(|series| !query.families.contains(&series.name));
    Ok(Prom {
        demand: Some(Ok(offline::demand(&all, &query))),
        seen: says_more.then(|| offline::signals(&all, &query)),
        series: kept(all, &query),
        ..Prom::default()
    })
}

/// From what endpoint pickers print.
fn printed(text: &str, query: &Query) -> Result<Prom, String> {
    let Exposition {
        series: mut all,
        times,
    } = exposition(text).map_err(|error| error.to_string())?;
    // The text is the present of its own newest sample: it was taken some time before it is looked at.
    let newest = times.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    for (series, time) in all.iter_mut().zip(&times) {
        series.age = time.map(|time| newest - time);
    }
    let query = fitting(query, &all);
    let is_timed = times.iter().any(Option::is_some);
    let demand = match &query.expression {
        None => Ok(offline::demand(&all, &query)),
        Some(expression) => Err(format!(
            "query.expression is a query of your own, which is not evaluated here; give Prometheus' answer to it as \
             the samples: curl PROMETHEUS/api/v1/query --data-urlencode 'query={expression}'"
        )),
    };
    let built = query.expression.is_none();
    Ok(Prom {
        ages: (built && is_timed).then(|| offline::ages(&all, &query)),
        seen: built.then(|| offline::signals(&all, &query)),
        demand: Some(demand),
        series: kept(all, &query),
        ..Prom::default()
    })
}

/// The query without matchers of labels that no series has: those that a scrape, or a view of many clusters, would add.
fn fitting(query: &Query, all: &[Series]) -> Query {
    let mut query = query.clone();
    query.matchers.retain(|name, value| {
        let is_known = all.is_empty() || all.iter().any(|series| !series.label(name).is_empty());
        if !is_known {
            tracing::warn!("query.matchers: {name}={value:?} is not applied, as no sample has that label");
        }
        is_known
    });
    query
}

/// The series that the live check has, too.
fn kept(all: Vec<Series>, of: &Query) -> Vec<Series> {
    let families = query::flow_control(of);
    let matches = |series: &Series| {
        of.matchers
            .iter()
            .all(|(name, value)| series.label(name) == value)
    };
    all.into_iter()
        .filter(|series| families.contains(&series.name) && matches(series))
        .collect()
}

#[cfg(test)]
mod tests;
