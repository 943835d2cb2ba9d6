//! Texts: bytes and lines, places within a file, and printing.
//!
//! Everything inside cachelane uses *bytes* ([`Span`]); only reports and JSON use lines and columns ([`Pos`]), all
//! computed here so that no two reports disagree.

mod lines;
mod map;
mod show;
mod span;

pub use lines::{LineIndex, Pos, Range, indentation, line_ending};
pub use map::{Mapped, Run, SourceMap};
pub use show::{count, inert, is_plain, is_unprintable, printable, visible};
pub use span::{BOM, Span, bom};
