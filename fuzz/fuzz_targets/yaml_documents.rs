#![no_main]
#![allow(dead_code, reason = "of the entries, each target uses one")]

#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::yaml_documents(bytes));
