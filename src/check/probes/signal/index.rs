//! What Prometheus says of each pool, found once: there may be a thousand pools with ten series each.

use std::collections::BTreeMap;

use super::{
    super::epp::Epp,
    monitor::{Monitor, Monitors},
    targets::Targets,
};
use crate::check::{Facts, ScrapeTarget, Series};

/// Series and targets by where they are of.
pub(super) struct Index<'a> {
    series: BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<&'a Series>>,
    targets: Targets<'a>,
    monitors: Monitors<'a>,
}

/// What there is of one EPP.
pub(super) struct Scraped<'a> {
    /// The series of its pool.
    pub series: Vec<&'a Series>,
    /// Series of a pool of that name without a namespace.
    pub without_namespace: Option<&'a Series>,
    /// Series in its namespace without a pool.
    pub without_pool: Option<&'a Series>,
    /// Series of pools of that name in other namespaces, one of each, where there is none in its own.
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
        Self {
            series,
            targets: Targets::of(facts),
            monitors: Monitors::of(facts),
        }
    }
}

impl<'a> Scraped<'a> {
    pub fn find(epp: &Epp<'a>, index: &Index<'a>) -> Self {
        let (namespace, name) = (&*epp.namespace, &*epp.name);
        let at = |pool, namespace| index.series.get(&(pool, namespace)).map(Vec::as_slice);
        let one = |series: Option<&[&'a Series]>| series.and_then(|series| series.first().copied());
        let series = at(Some(name), Some(namespace)).unwrap_or_default().to_vec();
        // The places of one pool name stand together, that without a namespace first. They are looked for only where
        // there are none in the right place, as a name may stand in a thousand namespaces.
        let named = index.series.range((Some(name), None)..);
        let named = named.take_while(|((pool, _), _)| *pool == Some(name) && series.is_empty());
        Self {
            without_namespace: one(at(Some(name), None)),
            without_pool: one(at(None, Some(namespace))),
            elsewhere: named
                .filter(|((_, other), _)| other.is_some_and(|other| other != namespace))
                .filter_map(|(_, series)| series.first().copied())
                .collect(),
            series,
            targets: index.targets.of_epp(epp),
            monitors: index.monitors.selecting(epp),
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
