//! The first half of the path: from the request to the row of our query.

use super::{Mark, Telling, Told, counted, is_ready, seconds};
use crate::{
    check::{Facts, Origin, ScrapeTarget, Series},
    core::{Sample, Signal},
    prometheus::query,
};

/// At most so many lines of one sort.
const SOME: usize = 5;

impl Telling<'_> {
    /// Link 1: which pool, which endpoint picker, whether it has a queue.
    pub(super) fn arrives(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        for pool in self.pools() {
            let signal = self.verdict.signal(self.namespace, pool);
            let kind = self
                .pool(pool)
                .map(|pool| format!(" ({}/{})", pool.group, pool.version));
            let Some(epp) = self.epp(pool) else {
                told.found(
                    Mark::Unknown,
                    format!(
                        "InferencePool {pool}{} names no endpoint picker",
                        kind.unwrap_or_default()
                    ),
                );
                continue;
            };
            told.say(format!(
                "InferencePool {pool}{}: its endpoint picker is Service {epp}",
                kind.unwrap_or_default()
            ));
            let (mark, pods) = self.epp_pods(epp);
            told.found(mark, pods);
            let (mark, text) = match signal {
                Signal::On => (Mark::Ok, "flow control is on: it exports a queue"),
                Signal::Off => (
                    Mark::Broken,
                    "flow control is off: it exports its other metrics, and no queue",
                ),
                Signal::NotScraped => (
                    Mark::Unknown,
                    "whether flow control is on cannot be told: nothing of it is scraped",
                ),
                Signal::Unknown => (Mark::Unknown, "whether flow control is on is not known"),
            };
            told.found(mark, text);
        }
        if told.lines.is_empty() {
            let text = "no InferencePool selects the pods of its target (see link 6), so where a request would wait is not known";
            told.found(Mark::Unknown, text);
        }
        told
    }

    fn epp_pods(&self, service: &str) -> (Mark, String) {
        let from_files = matches!(self.facts.origin, Origin::Files { .. });
        let Some(object) = self.facts.objects.get("", "Service", self.namespace, service) else {
            return match self.unread("", "Service") {
                Some(unread) => (
                    Mark::Unknown,
                    format!("its Service was not looked at: {}", unread.why),
                ),
                None if from_files => (Mark::Unknown, format!("Service {service} is not among the files")),
                None => (
                    Mark::Broken,
                    format!("there is no Service {service} in {}", self.namespace),
                ),
            };
        };
        if from_files {
            return (Mark::Ok, format!("Service {service} is there"));
        }
        if let Some(unread) = self.unread("", "Pod") {
            return (
                Mark::Unknown,
                format!("its pods were not looked at: {}", unread.why),
            );
        }
        let selector: Vec<_> = object.strings("/spec/selector").into_iter().collect();
        let pods = self.pods(&selector);
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let mark = if ready > 0 { Mark::Ok } else { Mark::Broken };
        (
            mark,
            format!(
                "Service {service} has {}, {ready} ready",
                counted(pods.len(), "pod")
            ),
        )
    }

    /// Link 2: the series of the queue.
    pub(super) fn waits(&self) -> Told {
        let prometheus = &self.facts.prometheus;
        let mut told = Told::new(Mark::Ok);
        told.lines.extend(self.series().take(SOME).map(series));
        let waiting = self.waiting();
        let signals = || {
            self.pools()
                .into_iter()
                .map(|pool| self.verdict.signal(self.namespace, pool))
        };
        if !told.lines.is_empty() || waiting > 0.0 {
            told.say(format!("{waiting} requests wait now"));
            return told;
        }
        if let Some(error) = &prometheus.series_error {
            told.say(format!("the series were not looked at: {error}"));
        }
        if signals().any(|signal| signal == Signal::On) {
            told.say("nobody waits now; its series appears with the first request");
            return told;
        }
        if signals().any(|signal| signal == Signal::Off) {
            told.found(
                Mark::Broken,
                "without flow control nothing waits: a request fails at once",
            );
            return told;
        }
        told.found(Mark::Unknown, "no series of a queue is known for it");
        told
    }

    /// The queue's series of the model at its pools.
    fn series(&self) -> impl Iterator<Item = &Series> {
        let labels = &self.facts.config.query.labels;
        let pools = self.pools();
        self.facts.prometheus.series.iter().filter(move |series| {
            let label = |name: &str| {
                series
                    .labels
                    .get(name)
                    .map(String::as_str)
                    .filter(|text| !text.is_empty())
            };
            let model = label(&labels.target_model).or_else(|| label(&labels.model));
            let at = |wanted: Option<&str>, here: &str| wanted.is_none_or(|wanted| wanted == here);
            self.facts.config.query.families.contains(&series.name)
                && model == Some(&**self.model)
                && at(label(&labels.namespace), self.namespace)
                && pools.iter().any(|pool| at(label(&labels.pool), pool))
        })
    }

    fn waiting(&self) -> f64 {
        let waiting = self
            .variants
            .iter()
            .map(|(name, entry)| self.verdict.waiting(name, entry));
        waiting.fold(0.0, f64::max)
    }

    /// Link 3: the scrape.
    pub(super) fn scraped(&self) -> Told {
        let mut told = Told::new(Mark::Ok);
        let signals: Vec<_> = self
            .pools()
            .into_iter()
            .map(|pool| self.verdict.signal(self.namespace, pool))
            .collect();
        let seen = signals
            .iter()
            .any(|signal| matches!(signal, Signal::On | Signal::Off));
        if seen {
            told.say("Prometheus has metrics of the EPP");
        } else if signals.contains(&Signal::NotScraped) {
            told.found(Mark::Broken, "Prometheus has no metric of the EPP");
        } else {
            told.found(
                Mark::Unknown,
                "whether Prometheus has metrics of the EPP is not known",
            );
        }
        match &self.facts.prometheus.targets {
            None => told.say("samples do not say how often it is scraped"),
            Some(Err(why)) => told.say(format!("how often is not known: {why}")),
            Some(Ok(targets)) => {
                let epps: Vec<_> = self
                    .pools()
                    .into_iter()
                    .filter_map(|pool| self.epp(pool))
                    .collect();
                let of_epp: Vec<_> = targets
                    .iter()
                    .filter(|target| self.is_of(target, &epps))
                    .collect();
                if of_epp.is_empty() {
                    told.say("no scrape target of it is known to Prometheus");
                }
                for target in of_epp.iter().take(SOME) {
                    scrape(self.facts, target, &mut told);
                }
            }
        }
        told
    }

    fn is_of(&self, target: &ScrapeTarget, epps: &[&str]) -> bool {
        let label = |name: &str| target.labels.get(name).map(String::as_str);
        if label("namespace") != Some(&**self.namespace) {
            return false;
        }
        let by_pod = || {
            epps.iter().any(|epp| {
                let service = self.facts.objects.get("", "Service", self.namespace, epp);
                let selector = service.map(|service| service.strings("/spec/selector"));
                let selector: Vec<_> = selector.into_iter().flatten().collect();
                self.pods(&selector)
                    .iter()
                    .any(|pod| label("pod") == Some(&pod.name))
            })
        };
        epps.iter().any(|epp| label("service") == Some(epp)) || by_pod()
    }

    /// Link 4: the row of the query, and its age.
    pub(super) fn returned(&self) -> Told {
        let prometheus = &self.facts.prometheus;
        let mut told = Told::new(Mark::Ok);
        let samples = match &prometheus.demand {
            None => {
                told.found(
                    Mark::Unknown,
                    "not asked: there are no samples; --samples FILE adds them",
                );
                return told;
            }
            Some(Err(error)) => {
                told.found(Mark::Broken, error);
                return told;
            }
            Some(Ok(samples)) => samples,
        };
        let rows: Vec<_> = samples.iter().filter(|sample| self.is_ours(sample)).collect();
        let latency = prometheus
            .latency
            .map(|latency| format!(" within {} ms", latency.as_millis()));
        told.say(format!(
            "answered{} with {}, {} of this model",
            latency.unwrap_or_default(),
            counted(samples.len(), "row"),
            rows.len()
        ));
        let row = |sample: &&Sample| {
            let family = sample.family.as_deref().unwrap_or("a row without a name");
            format!("{family} says {}", sample.value)
        };
        told.lines.extend(rows.iter().take(SOME).map(row));
        let ages = prometheus
            .ages
            .iter()
            .flatten()
            .filter(|sample| self.is_ours(sample));
        if let Some(age) = ages
            .map(|sample| sample.value)
            .reduce(f64::min)
            .filter(|_| !rows.is_empty())
        {
            let limit = self.facts.config.query.max_sample_age;
            let stale = age > limit.as_secs_f64();
            let verdict = if stale {
                "too old to wake by"
            } else {
                "fresh enough"
            };
            let line = format!(
                "its sample is {} old, {verdict} (query.maxSampleAge is {})",
                seconds(age),
                humantime::format_duration(limit)
            );
            told.found(if stale { Mark::Broken } else { Mark::Ok }, line);
        }
        if rows.is_empty() {
            told.say(format!("the query: {}", query::demand(&self.facts.config.query)));
        }
        told
    }

    fn is_ours(&self, sample: &Sample) -> bool {
        let model = sample.target_model.as_deref().or(sample.model.as_deref());
        let pools = self.pools();
        model == Some(&**self.model)
            && sample
                .namespace
                .as_deref()
                .is_none_or(|namespace| *namespace == **self.namespace)
            && sample
                .pool
                .as_deref()
                .is_none_or(|wanted| pools.iter().any(|pool| ***pool == *wanted))
    }
}

/// A series as Prometheus writes it.
fn series(series: &Series) -> String {
    let labels: Vec<_> = series
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let age = series.age.map(|age| format!(", {} old", seconds(age)));
    format!(
        "{}{{{}}} is {}{}",
        series.name,
        labels.join(", "),
        series.value,
        age.unwrap_or_default()
    )
}

/// How a target is scraped, and what that costs in time.
fn scrape(facts: &Facts, target: &ScrapeTarget, told: &mut Told) {
    let every = target
        .interval
        .map(|interval| format!(" every {}", humantime::format_duration(interval)));
    told.say(format!(
        "{} is scraped{} ({})",
        target.url,
        every.unwrap_or_default(),
        target.pool
    ));
    if let Some(interval) = target.interval {
        let tick = facts.config.interval;
        let query = facts.prometheus.latency.unwrap_or_default();
        told.say(format!(
            "so from a request to its wake it takes {} on average: half a scrape, half a tick ({}), and the query",
            seconds((interval / 2 + tick / 2 + query).as_secs_f64()),
            humantime::format_duration(tick)
        ));
    }
    if target.health == "down" {
        told.found(Mark::Broken, format!("the scrape fails: {}", target.last_error));
    }
}
