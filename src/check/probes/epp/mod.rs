//! The endpoint picker of a pool: its Service and pods, its configuration.

mod config;
mod find;
mod flow;
mod start;
#[cfg(test)]
mod tests;
mod there;

pub(super) use self::find::Epp;
use crate::check::{Facts, Problem, Verdict};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, verdict: &Verdict<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for epp in Epp::all(facts) {
        problems.extend(there::problems(&epp));
        if let Some(settings) = config::Settings::read(&epp) {
            let running = epp.running(verdict);
            problems.extend(flow::problems(&epp, &settings, running));
            problems.extend(start::problem(&epp, &settings, running));
        }
    }
    problems
}
