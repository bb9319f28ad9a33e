//! The trials by concern. Each file says at its top what it holds the program to.

mod alerts;
mod api;
mod by_hand;
mod check;
mod check_gather;
mod choice;
mod cluster_wide;
mod copies;
mod demo;
mod ends;
mod escalation;
mod faults;
mod guards;
mod hostile;
mod kinds;
mod manifests;
mod page;
mod pages;
mod reload;
mod reverts;
mod signal;
mod signals;
mod starts;
mod successors;
mod tables;
mod wakes;

use crate::suite::Suite;

/// All of them. Those that take longest come first, so that they do not run on alone at the end.
pub fn register(suite: &mut Suite) {
    signal::register(suite);
    alerts::register(suite);
    let faults = faults::register(suite);
    kinds::register(suite);
    successors::register(suite);
    escalation::register(suite);
    reverts::register(suite);
    guards::register(suite);
    cluster_wide::register(suite);
    copies::register(suite);
    manifests::register(suite);
    reload::register(suite);
    wakes::register(suite);
    choice::register(suite);
    by_hand::register(suite);
    check::register(suite);
    check_gather::register(suite);
    signals::register(suite);
    ends::register(suite);
    starts::register(suite);
    let attacks = hostile::register(suite);
    page::register(suite);
    pages::register(suite);
    demo::register(suite);
    api::register(suite);
    // It knows them all then.
    tables::register(suite, faults, attacks);
}
