//! The files of one format that others lead to: what a Compose file includes or extends, what a Makefile includes.

use crate::text::Span;

/// A file from which another takes services, or rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub span: Span,
    /// As in [`Subject::File`](super::model::Subject::File); of a Makefile it may be a pattern.
    pub path: String,
    /// The service that extends one of that file; `None` where the file is included.
    pub extended: Option<Extended>,
    /// True where it may be missing: make may build it.
    pub is_optional: bool,
}

/// A service that extends one of another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    pub name: String,
    /// The name of the service there.
    pub of: String,
}
