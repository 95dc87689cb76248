//! The three receivers' handlers, with AWS and Slack at the other end of a wire.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::receivers::check(input));
