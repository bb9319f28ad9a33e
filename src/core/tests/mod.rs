//! The rules of the decision, each a test by its number in the design.

mod world;

mod rule_07_join;
mod rule_07_scope;
mod rule_08_09_select;
mod rule_10_unmatched;
mod rule_2_3_labels;
