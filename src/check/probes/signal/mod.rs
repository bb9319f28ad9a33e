//! What Prometheus has of the EPP: the scrape, its interval, the families and labels of the queue.

mod index;
mod interval;
mod monitor;
mod scrape;
mod series;
mod tenants;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::index::{Index, Scraped};
use super::{epp::Epp, paste};
use crate::{
    check::{Concerns, Facts, Link, Problem, Severity, Verdict},
    core::{Blocked, Seen, Sign, Signal},
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    let index = Index::of(facts);
    // What a query of the user's own makes of the series, only its author knows.
    let own_query = facts.config.query.expression.is_some();
    let mut problems = Vec::new();
    for epp in Epp::all(facts) {
        let scraped = Scraped::find(&epp, &index);
        let elsewhere = series::elsewhere(&epp, &scraped).filter(|_| !own_query);
        match verdict.signal(&epp.namespace, &epp.name) {
            Signal::Off => problems.push(flow_control_off(&epp)),
            Signal::NotScraped => problems.push(scrape::not_scraped(&epp, &scraped, elsewhere)),
            Signal::On | Signal::Unknown => problems.extend(elsewhere),
        }
        problems.extend(scrape::unmonitored(&epp, &scraped));
        problems.extend(interval::problems(&epp, &scraped));
        if !own_query {
            problems.extend(series::problems(&epp, &scraped));
            problems.extend(tenants::problem(&epp, &scraped));
        }
    }
    once(problems)
}

/// What is the same for several pools, such as the interval of a monitor that selects all of their EPPs, is told once.
fn once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut kept: Vec<(Problem, usize)> = Vec::with_capacity(problems.len());
    let mut places: HashMap<(&'static str, String, String), usize> = HashMap::new();
    for problem in problems {
        let key = (problem.code, problem.evidence.join("\n"), problem.mend.join("\n"));
        let Some(&at) = places.get(&key) else {
            places.insert(key, kept.len());
            kept.push((problem, 0));
            continue;
        };
        let (first, others) = &mut kept[at];
        *others += 1;
        if let (Concerns::Variants(all), Concerns::Variants(more)) = (&mut first.concerns, problem.concerns) {
            all.extend(more);
        }
    }
    let told = kept.into_iter().map(|(mut problem, others)| {
        match others {
            0 => {}
            1 => problem.evidence.push("the same for another pool".to_owned()),
            n => problem.evidence.push(format!("the same for {n} other pools")),
        }
        problem
    });
    told.collect()
}

fn flow_control_off(epp: &Epp<'_>) -> Problem {
    let what = Blocked::FlowControlOff.to_string();
    let mut problem = epp.problem("flow_control_off", Severity::Error, Link::Signal, None, what);
    let mut families: Vec<_> = epp.signs().map(sign).collect();
    families.sort_unstable();
    families.dedup();
    problem.evidence = vec![format!(
        "Prometheus has {} of the pool, and no saturation or queue of flow control",
        if families.is_empty() {
            "llm_d_epp_ready_endpoints".to_owned()
        } else {
            families.join(", ")
        }
    )];
    problem.mend = vec![
        "Switch it on in the EPP's EndpointPickerConfig, and restart the EPP".to_owned(),
        "featureGates: [flowControl]".to_owned(),
        epp.restart(),
    ];
    problem
}

/// The family that a sign stands for.
fn sign(seen: &Seen) -> &'static str {
    match seen.what {
        Sign::FlowControl => "a saturation or queue",
        Sign::Endpoints => "llm_d_epp_ready_endpoints",
        Sign::OldEndpoints => "inference_pool_ready_pods",
        Sign::Other => "the EPP's build information",
    }
}
