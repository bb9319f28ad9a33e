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
    /// When more of it is clearly worse.
    judged: Judged,
}

/// When a figure is clearly worse than that of a baseline.
#[derive(Clone, Copy)]
enum Judged {
    /// Never: it says how something was measured, or depends on chance.
    Never,
    /// The same on every machine: a tenth more of it, and a tenth.
    Count,
    /// Megabytes, about the same on every machine: 1.3 times as much, and 3 MB.
    Size,
    /// On one machine only, and noisy: `--fail-above` times as much, and this much.
    Noisy(f64),
}

impl Judged {
    /// The most that is not clearly worse than `was`.
    fn most(self, was: f64, fail_above: f64, is_alike: bool) -> f64 {
        match self {
            Self::Count => was * 1.1 + 0.1,
            Self::Size => was * 1.3 + 3.0,
            Self::Noisy(slack) if is_alike => was * fail_above + slack,
            Self::Never | Self::Noisy(_) => f64::INFINITY,
        }
    }
}

const fn measure(key: &'static str, label: &'static str, digits: usize, judged: Judged) -> Measure {
    Measure {
        key,
        label,
        digits,
        judged,
    }
}

/// All figures, in the order of the table.
#[rustfmt::skip]
const MEASURES: [Measure; 31] = {
    use Judged::{Count, Never, Noisy, Size};
    [
        measure("startToFirstTickMs", "start to first tick, ms", 0, Noisy(100.0)),
        measure("requestsPerSecond", "steady: API requests a second", 2, Count),
        measure("queriesPerSecond", "steady: queries a second", 2, Count),
        measure("cpuPercent", "steady: CPU, % of a core", 2, Noisy(2.0)),
        measure("prometheusCpuPercent", "steady: CPU of Prometheus for it, % of a core", 1, Noisy(3.0)),
        measure("rssMb", "steady: memory, MB RSS", 1, Size),
        measure("tickUs", "steady: tick without query, us", 0, Noisy(200.0)),
        measure("queryUs", "steady: query, us", 0, Noisy(2000.0)),
        measure("wakes", "single wakes", 0, Never),
        measure("wakeP50Ms", "sample to accepted PATCH: p50, ms", 1, Noisy(30.0)),
        measure("wakeP99Ms", "p99, ms", 1, Noisy(100.0)),
        measure("wakeMaxMs", "max, ms", 1, Never),
        measure("requestP50Ms", "request to accepted PATCH, scrape and all: p50, ms", 1, Noisy(50.0)),
        measure("wakePatchP50Ms", "of it the PATCH at the server: p50, ms", 1, Noisy(5.0)),
        measure("requestsToScale", "requests to a target at 1", 2, Count),
        measure("burstWoken", "burst: woken", 0, Never),
        measure("burstMs", "burst: sample to last PATCH, ms", 0, Noisy(150.0)),
        measure("burstFirstMs", "burst: sample to first PATCH, ms", 0, Noisy(150.0)),
        measure("burstWritesMs", "burst: first to last PATCH, ms", 0, Noisy(50.0)),
        measure("bareLoopMs", "bare loop of the same PATCHes, ms", 0, Never),
        measure("burstToBare", "burst / bare loop", 2, Never),
        measure("burstWritesToBare", "burst, first to last PATCH / bare loop", 2, Noisy(1.0)),
        measure("burstPatchesPerWake", "burst: PATCHes of scale per wake", 2, Count),
        measure("burstRequestsPerWake", "burst: requests per wake, reports and all", 2, Count),
        measure("burstErrors", "burst: refused requests", 0, Count),
        measure("burstReportedMs", "burst: sample to last report, ms", 0, Noisy(500.0)),
        measure("busyTickUs", "all asked for and starting: tick without query, us", 0, Noisy(500.0)),
        measure("busyCpuPercent", "all asked for and starting: CPU, % of a core", 1, Noisy(3.0)),
        measure("rssAfterMb", "all asked for and starting: memory, MB RSS", 1, Size),
        measure("rssPeakMb", "most memory so far, MB RSS", 1, Size),
        measure("load", "load of the machine meanwhile", 1, Never),
    ]
};

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

    /// How many times the figures of a baseline these are, as a table.
    pub fn compared(&self, baseline: &Self, fail_above: f64) -> Compared {
        let mut text = format!("Compared with {} ({}):\n\n", baseline.version, baseline.commit);
        let mut worse = Vec::new();
        if self.settings != baseline.settings {
            let _ = writeln!(
                text,
                "Nothing is judged: that was measured with {}\n",
                baseline.settings
            );
        }
        let is_alike = self.machine == baseline.machine;
        if !is_alike {
            let _ = writeln!(
                text,
                "Times are not judged: that was measured on {}\n",
                baseline.machine
            );
        }
        for run in &self.runs {
            let same = |of: &&Run| of.backend == run.backend && of.models == run.models;
            let of = format!("{}, {} models", run.backend, run.models);
            let Some(before) = baseline.runs.iter().find(same) else {
                let _ = writeln!(text, "{of}: nothing to compare with\n");
                continue;
            };
            let _ = writeln!(text, "| {of} | before | now | now / before |\n|---|---|---|---|");
            for measure in &MEASURES {
                let (was, is) = (before.get(measure.key), run.get(measure.key));
                if was.is_nan() || is.is_nan() {
                    continue;
                }
                let (ratio, digits) = (is / was, measure.digits);
                let row = format!("| {} | {was:.digits$} | {is:.digits$} |", measure.label);
                let _ = if ratio.is_finite() {
                    writeln!(text, "{row} {ratio:.2} |")
                } else {
                    writeln!(text, "{row} |")
                };
                let most = measure.judged.most(was, fail_above, is_alike);
                if is > most && self.settings == baseline.settings {
                    worse.push(format!(
                        "{of}: {}: {is:.digits$} instead of {was:.digits$}; up to {most:.digits$} might be chance",
                        measure.label
                    ));
                }
            }
            text.push('\n');
        }
        Compared { text, worse }
    }

    /// Puts the table into a document, between the lines that say so.
    pub fn put(&self, document: &Path) {
        let failed = |why: &dyn fmt::Display| -> ! { panic!("{}: {why}", document.display()) };
        let text = std::fs::read_to_string(document).unwrap_or_else(|e| failed(&e));
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(END)?;
            Some((before, after))
        });
        let Some((before, after)) = parts else {
            failed(&format_args!("no lines {BEGIN} and {END}"))
        };
        let text = format!("{before}{BEGIN}\n\n{self}\n{END}{after}");
        std::fs::write(document, text).unwrap_or_else(|e| failed(&e));
    }
}

/// Where the table stands in a document.
const BEGIN: &str = "<!-- end_to_end: begin -->";
const END: &str = "<!-- end_to_end: end -->";

/// Figures beside those of a baseline.
pub struct Compared {
    /// A table for each run.
    pub text: String,
    /// What is clearly worse.
    pub worse: Vec<String>,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "scale-from-zero {} ({}) on {}",
            self.version, self.commit, self.machine
        )?;
        writeln!(f, "`{}`\n", self.settings)?;
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
