#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cachelane_fuzz::github(data));
