//! Patterns that stand in the code.

use regex::bytes::Regex;

/// Returns a pattern of bytes: without `(?-u)`, `\b` and `\s` need tables that the crate `regex` is built without.
///
/// # Panics
/// If it is no pattern.
pub fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "it stands in the code, and a test uses it"
    )]
    Regex::new(&format!("(?-u){text}")).expect("a valid pattern")
}
