//! The effort of tests without a natural end.

use std::env;
use std::str::FromStr;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// Returns the factor on the effort of a plain `cargo test`, from `CACHELANE_EFFORT`.
pub fn effort() -> u32 {
    number("CACHELANE_EFFORT").unwrap_or(1)
}

/// Returns a configuration for `count` cases, times the effort: the same in every run, and others with
/// `CACHELANE_SEED`.
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
