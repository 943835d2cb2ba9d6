//! The Compose files that others lead to.

use crate::text::Span;

/// A Compose file from which another takes services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub span: Span,
    /// As in [`Subject::File`](super::model::Subject::File).
    pub path: String,
    /// The service that extends one of that file; `None` where the file is included.
    pub extended: Option<Extended>,
}

/// A service that extends one of another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    pub name: String,
    /// The name of the service there.
    pub of: String,
}
