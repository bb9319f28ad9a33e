//! How often the EPP is scraped, and what that costs in wake time.

use std::time::Duration;

use super::{
    super::epp::Epp,
    index::Scraped,
    monitor::{self, Monitor},
    paste,
};
use crate::check::{Link, Problem, Severity};

/// An interval up to this is left alone: it is what we recommend.
const GOOD: Duration = Duration::from_secs(1);
/// From this on the scrape is most of the wake's delay.
const SLOW: Duration = Duration::from_secs(5);

/// Where the interval comes from.
enum From<'a> {
    /// A monitor.
    Monitor(&'a Monitor<'a>),
    /// The name of a scrape configuration.
    Configuration(&'a str),
}

/// What is wrong with it.
pub(super) fn problems(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Vec<Problem> {
    let timeout = scraped
        .monitors
        .iter()
        .find_map(|monitor| above_interval(epp, monitor));
    let slow = slow(epp, scraped);
    timeout.into_iter().chain(slow).collect()
}

fn slow(epp: &Epp<'_>, scraped: &Scraped<'_>) -> Option<Problem> {
    // Of several scrapes the fastest brings the news.
    let monitors = &scraped.monitors;
    let fastest = scraped
        .targets
        .iter()
        .filter(|target| target.health == "up")
        .filter_map(|target| Some((target.interval?, From::Configuration(&target.pool))))
        .min_by_key(|(interval, _)| *interval);
    let written = || {
        let set = monitors.iter().filter_map(|monitor| {
            let interval = monitor.of_endpoint("interval")?.as_str()?;
            Some((humantime::parse_duration(interval).ok()?, From::Monitor(monitor)))
        });
        set.min_by_key(|(interval, _)| *interval)
    };
    let (interval, from) = match fastest {
        Some(found) => found,
        None => match written() {
            Some(found) => found,
            // The server's own then, 30 s or a minute with the charts; not known here.
            None => return unset(epp, monitors.first()?),
        },
    };
    if interval <= GOOD {
        return None;
    }
    let severity = if interval < SLOW {
        Severity::Note
    } else {
        Severity::Warning
    };
    let what = format!(
        "the EPP is scraped every {}, and a wake begins only after a scrape has seen the queue",
        spelled(interval)
    );
    let mut problem = epp.problem("scrape_interval_slow", severity, Link::Signal, epp.service, what);
    let tick = epp.facts.config.interval;
    let query = epp.facts.prometheus.latency.unwrap_or_default();
    let (average, worst) = (
        (interval / 2).saturating_add(tick / 2).saturating_add(query),
        interval.saturating_add(tick).saturating_add(query),
    );
    problem.evidence = vec![format!(
        "{} scrape, {} tick{}: {} on average, {} at worst until the wake begins",
        spelled(interval),
        spelled(tick),
        if query.is_zero() {
            String::new()
        } else {
            format!(", {} query", spelled(query))
        },
        spelled(average),
        spelled(worst)
    )];
    let (command, name) = match &from {
        From::Monitor(monitor) => (Some(set(monitor)), monitor.object.named()),
        From::Configuration(pool) => {
            let monitor = of_pool(pool);
            let known = monitor.as_ref().and_then(|of| {
                let mut all = monitors.iter();
                all.find(|m| {
                    let same_kind = (m.object.kind == "PodMonitor") == of.of_pods;
                    same_kind && m.object.namespace == of.namespace && m.object.name == of.name
                })
            });
            let command = known.map(set).or_else(|| {
                let of = monitor.as_ref()?;
                Some(monitor::set(
                    of.of_pods,
                    of.namespace,
                    of.name,
                    of.endpoint,
                    &[("interval", "1s")],
                ))
            });
            let name = match &monitor {
                Some(of) if of.of_pods => format!("PodMonitor {}/{}", of.namespace, of.name),
                Some(of) => format!("ServiceMonitor {}/{}", of.namespace, of.name),
                None if pool.is_empty() => "the scrape configuration of Prometheus".to_owned(),
                None => format!("the scrape configuration {pool} of Prometheus"),
            };
            (command, name)
        }
    };
    problem.mend = match command {
        Some(command) => vec![format!("Scrape it every second, in {name}"), command],
        None => vec![
            format!("Scrape it every second, in {name}"),
            "scrape_interval: 1s".to_owned(),
        ],
    };
    Some(problem)
}

/// A monitor says nothing, and no target tells what holds then.
fn unset(epp: &Epp<'_>, monitor: &Monitor<'_>) -> Option<Problem> {
    if monitor.of_endpoint("interval").is_some() {
        return None;
    }
    let what =
        "the monitor sets no interval, so the EPP is scraped as seldom as all else, and wakes wait for that";
    let mut problem = epp.problem(
        "scrape_interval_slow",
        Severity::Warning,
        Link::Signal,
        Some(monitor.object),
        what.to_owned(),
    );
    problem.evidence = vec!["without it the server's own holds: 30 s with kube-prometheus-stack".to_owned()];
    problem.mend = vec!["Scrape it every second".to_owned(), set(monitor)];
    Some(problem)
}

/// The operator leaves a monitor out whose timeout is above its interval; a timeout that is not set follows.
fn above_interval(epp: &Epp<'_>, monitor: &Monitor<'_>) -> Option<Problem> {
    let read = |field: &str| {
        let text = monitor.of_endpoint(field)?.as_str()?;
        Some((text, humantime::parse_duration(text).ok()?))
    };
    let ((interval, shorter), (timeout, longer)) = (read("interval")?, read("scrapeTimeout")?);
    if longer <= shorter {
        return None;
    }
    let what = "the monitor's scrapeTimeout is above its interval, so the operator leaves it out";
    let mut problem = epp.problem(
        "scrape_timeout_long",
        Severity::Error,
        Link::Signal,
        Some(monitor.object),
        what.to_owned(),
    );
    problem.evidence = vec![format!("interval: {interval}, scrapeTimeout: {timeout}")];
    problem.mend = vec![
        "Shorten the timeout".to_owned(),
        monitor.set(&[("scrapeTimeout", interval)]),
    ];
    Some(problem)
}

/// The command for an interval of a second, with a timeout that fits.
fn set(monitor: &Monitor<'_>) -> String {
    if monitor.of_endpoint("scrapeTimeout").is_some() {
        monitor.set(&[("interval", "1s"), ("scrapeTimeout", "1s")])
    } else {
        monitor.set(&[("interval", "1s")])
    }
}

/// The monitor that a scrape configuration was made of.
struct OfPool<'a> {
    of_pods: bool,
    namespace: &'a str,
    name: &'a str,
    endpoint: usize,
}

/// `serviceMonitor/NAMESPACE/NAME/ENDPOINT`, as the operator calls them.
fn of_pool(pool: &str) -> Option<OfPool<'_>> {
    let mut parts = pool.split('/');
    let of_pods = match parts.next()? {
        "serviceMonitor" => false,
        "podMonitor" => true,
        _ => return None,
    };
    Some(OfPool {
        of_pods,
        namespace: parts.next()?,
        name: parts.next()?,
        endpoint: parts.next()?.parse().ok()?,
    })
}

fn spelled(time: Duration) -> String {
    paste::seconds(time.as_secs_f64())
}
