//! How much is tried of what has no end.

use std::env;
use std::str::FromStr;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// Returns how many times as much is tried as in a plain `cargo test`: what `CACHELANE_EFFORT` says.
pub fn effort() -> u32 {
    number("CACHELANE_EFFORT").unwrap_or(1)
}

/// Returns what makes up `count` cases, times the effort: the same in every run, and others with `CACHELANE_SEED`.
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count * effort(),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    }
}

pub fn seed() -> u64 {
    number("CACHELANE_SEED").unwrap_or(20)
}

fn number<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{name} is no number: {text}")))
}
