//! What Slack sends, as far as it is read without AWS.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::ingress::check(input));
