//! What is dropped on the incidents queue.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::messages::check(input));
