//! The `scale-from-zero` binary.

fn main() {}
