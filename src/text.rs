//! Texts: bytes and lines, the place of a text within a file, and how a text is shown.
//!
//! Everything inside cachelane speaks *bytes* ([`Span`]); only the edges (reports, JSON) turn them into lines and
//! columns ([`Pos`]), and they all do it here, so that no two reports can disagree about a column.

mod lines;
mod map;
mod show;
mod span;

pub use lines::{LineIndex, Pos, Range, indentation, line_ending};
pub use map::{Mapped, Run, SourceMap};
pub use show::{count, inert, is_plain, is_unprintable, printable, visible};
pub use span::{BOM, Span, bom};
