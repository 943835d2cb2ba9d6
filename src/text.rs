//! Texts: bytes and lines, places within a file, and printing.
//!
//! Everything inside cachelane uses *bytes* ([`Span`]); only reports and JSON use lines and columns ([`Pos`]), all
//! computed here so that no two reports disagree.

mod lines;
mod map;
mod pattern;
#[cfg(feature = "cli")]
mod show;
mod span;

pub use lines::{LineIndex, Pos, Range, indentation, line_ending};
pub use map::{Mapped, Run, SourceMap};
pub use pattern::pattern;
#[cfg(feature = "cli")]
pub use show::{inert, is_unprintable, printable, visible};
pub use span::{BOM, Span, bom};

/// Returns `n` with its noun, in the plural unless it is one.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}
