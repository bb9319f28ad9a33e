//! The rules of the decision, each a test by its number in the design.

mod against_oracle;
pub(super) mod given;
mod memory;
mod oracle;
pub(super) mod random;
mod rule_04_signal;
mod rule_07_join;
mod rule_07_scope;
mod rule_08_09_select;
mod rule_08_roles;
mod rule_10_pool;
mod rule_10_unmatched;
mod rule_11_escalation;
mod rule_11_sets;
mod rule_12_13_attempts;
mod rule_12_reverts;
mod rule_14_15_reports;
mod rule_15_renewal;
mod rule_15_restore;
mod rule_16_sources;
mod rule_19_caps;
mod rule_2_3_labels;
mod rule_5_6_demand;
mod simulated;
mod status;
mod world;
