#![no_main]

// The first question makes the official parser's environment, which takes longer than any input may.
libfuzzer_sys::fuzz_target!(init: cachelane_fuzz::parity(b"FROM a"), |data: &[u8]| cachelane_fuzz::parity(data));
