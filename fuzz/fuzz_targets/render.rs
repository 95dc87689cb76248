//! Incidents, however they came about, and every message about them.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::render::check(input));
