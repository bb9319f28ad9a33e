//! What Prometheus scrapes, by what it says of itself: Service, pod, or address.

use std::collections::{BTreeSet, HashMap};

use super::super::epp::Epp;
use crate::check::{Facts, ScrapeTarget};

/// The targets.
pub(super) struct Targets<'a> {
    all: Vec<&'a ScrapeTarget>,
    /// By namespace and Service: where they stand in `all`.
    of_service: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// By namespace and pod.
    of_pod: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// By namespace, and the Deployment or StatefulSet that makes pods of such a name.
    of_maker: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// Those without a namespace, by address.
    of_address: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Targets<'a> {
    /// All of them.
    pub fn of(facts: &'a Facts) -> Self {
        let labels = &facts.config.query.labels;
        let mut targets = Self {
            all: facts.prometheus.targets.iter().flatten().flatten().collect(),
            of_service: HashMap::new(),
            of_pod: HashMap::new(),
            of_maker: HashMap::new(),
            of_address: HashMap::new(),
        };
        for (at, target) in targets.all.iter().enumerate() {
            let label = |name: &str| target.labels.get(name).map(String::as_str);
            let Some(namespace) = label(&labels.namespace).or_else(|| label("namespace")) else {
                if let Some(host) = host(&target.url) {
                    targets.of_address.entry(host).or_default().push(at);
                }
                continue;
            };
            if let Some(service) = label("service") {
                targets
                    .of_service
                    .entry((namespace, service))
                    .or_default()
                    .push(at);
            }
            if let Some(pod) = label("pod") {
                targets.of_pod.entry((namespace, pod)).or_default().push(at);
                for maker in makers(pod) {
                    targets.of_maker.entry((namespace, maker)).or_default().push(at);
                }
            }
        }
        targets
    }

    /// Those of an EPP: by the labels of the scrape, or where it gives no namespace by the address.
    pub fn of_epp(&self, epp: &Epp<'_>) -> Vec<&'a ScrapeTarget> {
        let namespace = &*epp.namespace;
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let service = epp.service.map(|service| (namespace, &*service.name));
        places.extend(
            service
                .and_then(|place| self.of_service.get(&place))
                .into_iter()
                .flatten(),
        );
        for pod in &epp.pods {
            places.extend(self.of_pod.get(&(namespace, &*pod.name)).into_iter().flatten());
            let address = pod.text("/status/podIP");
            places.extend(
                address
                    .and_then(|address| self.of_address.get(address))
                    .into_iter()
                    .flatten(),
            );
        }
        // A name says less than a pod does.
        let workload = epp.workload.filter(|_| !epp.knows("", "Pod"));
        if let Some(workload) = workload {
            let made = self
                .of_maker
                .get(&(namespace, &*workload.name))
                .into_iter()
                .flatten();
            places.extend(made.copied().filter(|at| {
                let pod = self.all[*at].labels.get("pod");
                pod.is_some_and(|pod| makes(&workload.kind, &workload.name, pod))
            }));
        }
        places.into_iter().map(|at| self.all[at]).collect()
    }
}

/// Which Deployment, which StatefulSet would make a pod of this name: `NAME-HASH-ID`, `NAME-0`.
fn makers(pod: &str) -> impl Iterator<Item = &str> {
    let of_set = pod.rsplit_once('-').map(|(name, _)| name);
    let of_deployment = of_set
        .and_then(|rest| rest.rsplit_once('-'))
        .map(|(name, _)| name);
    of_set.into_iter().chain(of_deployment)
}

/// Whether a workload makes pods of a name. The name of one may begin with that of another.
fn makes(kind: &str, name: &str, pod: &str) -> bool {
    let rest = pod.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| match kind {
        "StatefulSet" => rest.bytes().all(|byte| byte.is_ascii_digit()),
        _ => rest.split('-').count() == 2,
    })
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
