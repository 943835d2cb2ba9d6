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
    Base, Behind, Declaration, DeclaredBy, Dockerfile, Fault, FaultKind, Field, Flag, Heredoc,
    Instruction, Keyword, Mount, MountKind, Sharing, Stage, SyntaxError, SyntaxErrorKind,
};
pub use directives::{Directive, Key};
pub use mount_options::{MOUNT_OPTIONS, clean};
pub use scope::Given;
pub use stages::Workdir;
pub use template::{Block, Blocks, BranchId};
pub use words::{Form, Part, Unreadable, Variable, Word};
