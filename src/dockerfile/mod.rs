//! Dockerfiles, read as BuildKit reads them and kept byte for byte.
//!
//! A [`Dockerfile`] is spans over unchanged bytes. The reader follows BuildKit's own
//! (`frontend/dockerfile/parser/parser.go`), and `tests/outer/parity` compares it with the official parser. Instructions
//! that BuildKit does not know, common in snippets and templates, are [`Keyword::Opaque`].

mod assignments;
mod ast;
pub mod directives;
pub mod expression;
mod faults;
pub mod flags;
mod heredoc;
pub mod lines;
mod mount_options;
mod mounts;
mod read;
mod scope;
mod stages;
pub mod template;
mod words;

pub use ast::{
    Base, Declaration, DeclaredBy, Dockerfile, FaultKind, Flag, Instruction, Keyword, Mount,
    MountKind, Sharing, Stage, SyntaxError,
};
pub use directives::Key;
pub use mount_options::{MOUNT_OPTIONS, clean};
pub use scope::Seen;
pub use stages::target_of;
pub use template::BranchId;
pub use words::{Form, Part, Variable, Word};
#[cfg(feature = "internals")]
pub use {
    ast::{Heredoc, SyntaxErrorKind},
    words::Unreadable,
};
