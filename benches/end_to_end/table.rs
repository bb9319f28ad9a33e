//! The figures: what they are called, printed as a table, kept as JSON, compared with kept ones.

use std::{collections::BTreeMap, fmt, fmt::Write as _, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Options, measure, process};

/// A figure of each run.
struct Measure {
    /// In JSON.
    key: &'static str,
    /// In the table.
    label: &'static str,
    /// Digits after the point.
    digits: usize,
    /// Whether more of it is worse.
    cost: bool,
}

const fn cost(key: &'static str, label: &'static str, digits: usize) -> Measure {
    Measure {
        key,
        label,
        digits,
        cost: true,
    }
}

const fn told(key: &'static str, label: &'static str, digits: usize) -> Measure {
    Measure {
        cost: false,
        ..cost(key, label, digits)
    }
}

/// All figures, in the order of the table.
const MEASURES: [Measure; 30] = [
    cost("startToFirstTickMs", "start to first tick, ms", 0),
    cost("requestsPerSecond", "steady: API requests a second", 2),
    cost("queriesPerSecond", "steady: queries a second", 2),
    cost("cpuPercent", "steady: CPU, % of a core", 2),
    cost(
        "prometheusCpuPercent",
        "steady: CPU of Prometheus for it, % of a core",
        1,
    ),
    cost("rssMb", "steady: memory, MB RSS", 1),
    cost("tickUs", "steady: tick without query, us", 0),
    cost("queryUs", "steady: query, us", 0),
    told("wakes", "single wakes", 0),
    cost("wakeP50Ms", "sample to accepted PATCH: p50, ms", 1),
    cost("wakeP99Ms", "p99, ms", 1),
    cost("wakeMaxMs", "max, ms", 1),
    cost(
        "requestP50Ms",
        "request to accepted PATCH, scrape and all: p50, ms",
        1,
    ),
    cost("wakePatchP50Ms", "of it the PATCH at the server: p50, ms", 1),
    cost("requestsToScale", "requests to a target at 1", 2),
    told("burstWoken", "burst: woken", 0),
    cost("burstMs", "burst: sample to last PATCH, ms", 0),
    cost("burstFirstMs", "burst: sample to first PATCH, ms", 0),
    cost("burstWritesMs", "burst: first to last PATCH, ms", 0),
    told("bareLoopMs", "bare loop of the same PATCHes, ms", 0),
    cost("burstToBare", "burst / bare loop", 2),
    cost("burstWritesToBare", "burst, first to last PATCH / bare loop", 2),
    cost("burstPatchesPerWake", "burst: PATCHes of scale per wake", 2),
    cost(
        "burstRequestsPerWake",
        "burst: requests per wake, reports and all",
        2,
    ),
    cost("burstErrors", "burst: refused requests", 0),
    cost("burstReportedMs", "burst: sample to last report, ms", 0),
    cost(
        "busyTickUs",
        "all asked for and starting: tick without query, us",
        0,
    ),
    cost(
        "busyCpuPercent",
        "all asked for and starting: CPU, % of a core",
        1,
    ),
    cost("rssAfterMb", "all asked for and starting: memory, MB RSS", 1),
    cost("rssPeakMb", "most memory so far, MB RSS", 1),
    told("load", "load of the machine meanwhile", 1),
];

/// The figures of one run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Run {
    backend: String,
    models: usize,
    figures: BTreeMap<String, Option<f64>>,
}

impl Run {
    /// One without figures.
    pub fn new(backend: &str, models: usize) -> Self {
        Self {
            backend: backend.to_owned(),
            models,
            figures: BTreeMap::new(),
        }
    }

    /// Notes a figure. What is not known is NaN.
    pub fn set(&mut self, key: &str, value: f64) {
        debug_assert!(MEASURES.iter().any(|measure| measure.key == key), "{key}");
        self.figures
            .insert(key.to_owned(), Some(value).filter(|value| value.is_finite()));
    }

    /// A figure, NaN where it is not known.
    pub fn get(&self, key: &str) -> f64 {
        self.figures.get(key).copied().flatten().unwrap_or(f64::NAN)
    }
}

/// The figures of all runs, as they are kept.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    version: String,
    commit: String,
    machine: String,
    settings: Value,
    /// One for each number of models and kind of servers.
    pub runs: Vec<Run>,
}

impl Kept {
    /// None yet.
    pub fn new(options: &Options) -> Self {
        Self {
            version: scale_from_zero::build_info::VERSION.to_owned(),
            commit: scale_from_zero::build_info::COMMIT.to_owned(),
            machine: process::machine(),
            settings: measure::settings(options),
            runs: Vec::new(),
        }
    }

    /// Those of a file.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    }

    /// Keeps them in a file.
    pub fn write(&self, file: &Path) {
        let text = serde_json::to_string_pretty(self).expect("JSON");
        std::fs::write(file, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }

    /// How many times the figures of a baseline these are, as a table, and the worst of what more is worse of.
    pub fn compared(&self, baseline: &Self) -> (String, f64) {
        let mut text = format!("Compared with {} ({}):\n\n", baseline.version, baseline.commit);
        let mut worst: f64 = 0.0;
        for run in &self.runs {
            let same = |of: &&Run| of.backend == run.backend && of.models == run.models;
            let Some(before) = baseline.runs.iter().find(same) else {
                continue;
            };
            let _ = writeln!(
                text,
                "| {}, {} models | before | now | now / before |\n|---|---|---|---|",
                run.backend, run.models
            );
            for measure in &MEASURES {
                let (was, is) = (before.get(measure.key), run.get(measure.key));
                if was.is_nan() || is.is_nan() {
                    continue;
                }
                let ratio = is / was;
                if measure.cost && ratio.is_finite() {
                    worst = worst.max(ratio);
                }
                let digits = measure.digits;
                let _ = writeln!(
                    text,
                    "| {} | {was:.digits$} | {is:.digits$} | {ratio:.2} |",
                    measure.label
                );
            }
            text.push('\n');
        }
        (text, worst)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "scale-from-zero {} ({}) on {}",
            self.version, self.commit, self.machine
        )?;
        writeln!(f, "{}\n", self.settings)?;
        write!(f, "| parked models |")?;
        for run in &self.runs {
            write!(f, " {} {} |", run.models, run.backend)?;
        }
        writeln!(f, "\n|---|{}", "---|".repeat(self.runs.len()))?;
        for measure in &MEASURES {
            write!(f, "| {} |", measure.label)?;
            for run in &self.runs {
                let (value, digits) = (run.get(measure.key), measure.digits);
                if value.is_nan() {
                    write!(f, " |")?;
                } else {
                    write!(f, " {value:.digits$} |")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A run in one line, while the others are still to come.
pub fn line(run: &Run) -> String {
    let parts = MEASURES.iter().filter_map(|measure| {
        let (value, digits) = (run.get(measure.key), measure.digits);
        (!value.is_nan()).then(|| format!("{} {value:.digits$}", measure.key))
    });
    parts.collect::<Vec<_>>().join(", ")
}
