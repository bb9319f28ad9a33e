//! The probes on a set-up that is all well, broken one link at a time: the first line that is read must be the right one.

mod given;
mod path;
mod take_back;
mod variants;
