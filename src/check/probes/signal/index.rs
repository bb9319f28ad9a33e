//! What Prometheus says of each pool, found once: there may be a thousand pools with ten series each.

use std::collections::BTreeMap;

use super::{
    super::epp::Epp,
    monitor::{self, Monitor},
};
use crate::check::{Facts, ScrapeTarget, Series};

/// Series and targets by where they are of.
pub(super) struct Index<'a> {
    series: BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<&'a Series>>,
    targets: BTreeMap<Option<&'a str>, Vec<&'a ScrapeTarget>>,
}

/// What there is of one EPP.
pub(super) struct Scraped<'a> {
    /// The series of its pool.
    pub series: Vec<&'a Series>,
    /// Series of a pool of that name without a namespace.
    pub without_namespace: Option<&'a Series>,
    /// Series in its namespace without a pool.
    pub without_pool: Option<&'a Series>,
    /// Series of pools of that name in other namespaces, one of each.
    pub elsewhere: Vec<&'a Series>,
    /// Its targets.
    pub targets: Vec<&'a ScrapeTarget>,
    /// The monitors that select it.
    pub monitors: Vec<Monitor<'a>>,
}

impl<'a> Index<'a> {
    pub fn of(facts: &'a Facts) -> Self {
        let labels = &facts.config.query.labels;
        let mut series: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in &facts.prometheus.series {
            let place = (label(one, &labels.pool), label(one, &labels.namespace));
            series.entry(place).or_default().push(one);
        }
        let mut targets: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for target in facts.prometheus.targets.iter().flatten().flatten() {
            let label = |name: &str| target.labels.get(name).map(String::as_str);
            let namespace = label(&labels.namespace).or_else(|| label("namespace"));
            targets.entry(namespace).or_default().push(target);
        }
        Self { series, targets }
    }
}

impl<'a> Scraped<'a> {
    pub fn find(epp: &Epp<'a>, index: &Index<'a>) -> Self {
        let (namespace, name) = (&*epp.namespace, &*epp.name);
        let at = |pool, namespace| index.series.get(&(pool, namespace)).map(Vec::as_slice);
        let one = |series: Option<&[&'a Series]>| series.and_then(|series| series.first().copied());
        // The places of one pool name stand together, that without a namespace first.
        let named = index.series.range((Some(name), None)..);
        let named = named.take_while(|((pool, _), _)| *pool == Some(name));
        Self {
            series: at(Some(name), Some(namespace)).unwrap_or_default().to_vec(),
            without_namespace: one(at(Some(name), None)),
            without_pool: one(at(None, Some(namespace))),
            elsewhere: named
                .filter(|((_, other), _)| other.is_some_and(|other| other != namespace))
                .filter_map(|(_, series)| series.first().copied())
                .collect(),
            targets: targets(epp, index),
            monitors: monitor::selecting(epp),
        }
    }

    /// Whether any target is down, and which.
    pub fn down(&self) -> Option<&'a ScrapeTarget> {
        self.targets.iter().copied().find(|target| target.health != "up")
    }
}

/// The value of a label; one that is empty is none.
pub(super) fn label<'s>(series: &'s Series, name: &str) -> Option<&'s str> {
    let value = series.labels.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// The targets of an EPP: by the labels of the scrape, or where it gives no namespace by the address.
fn targets<'a>(epp: &Epp<'a>, index: &Index<'a>) -> Vec<&'a ScrapeTarget> {
    let addresses = epp.pods.iter().filter_map(|pod| pod.text("/status/podIP"));
    let addresses: Vec<_> = addresses.collect();
    let is_its = |target: &ScrapeTarget| {
        let label = |name: &str| target.labels.get(name).map(String::as_str);
        let service = epp
            .service
            .is_some_and(|service| label("service") == Some(&*service.name));
        let pod = || epp.pods.iter().any(|pod| label("pod") == Some(&*pod.name));
        let made = || {
            let rest = epp
                .workload
                .and_then(|workload| label("pod")?.strip_prefix(&*workload.name));
            rest.is_some_and(|rest| rest.starts_with('-'))
        };
        service || pod() || made()
    };
    let at = |namespace| index.targets.get(&namespace).into_iter().flatten().copied();
    let here = at(Some(&*epp.namespace)).filter(|target| is_its(target));
    let of_address = at(None).filter(|target| {
        let host = host(&target.url);
        addresses.iter().any(|address| host == Some(*address))
    });
    here.chain(of_address).collect()
}

/// The host of `http://10.0.0.7:9090/metrics`, of IPv6 without its brackets.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority
            .rsplit_once(':')
            .map_or(Some(authority), |(host, _)| Some(host)),
    }
}
