//! The probes on a set-up that is all well, broken one link at a time: the first line that is read must be the right one.

pub mod given;
mod many;
mod path;
mod take_back;
mod variants;
