//! Dockerfiles within other files: places and edits, from the one to the other.

use crate::fix::Edit;
use crate::text::Span;

use super::Inline;

/// Where `span` of the Dockerfile stands in the file; `None` where it does not stand there byte for byte.
#[must_use]
pub fn to_file(_inline: &Inline, _span: Span) -> Option<Span> {
    None
}

/// `edits` of the Dockerfile as edits of the file.
///
/// # Errors
/// Why they cannot be made there, for people.
pub fn edits(_inline: &Inline, _edits: &[Edit]) -> Result<Vec<Edit>, String> {
    Err("not there yet".into())
}
