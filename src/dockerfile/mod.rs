//! Dockerfiles, read as BuildKit reads them and kept byte for byte.
//!
//! A [`Dockerfile`] is spans over bytes that nobody touches. The reader follows BuildKit's own
//! (`frontend/dockerfile/parser/parser.go`), so that what cachelane says about a file is what a build would do with it;
//! `tests/outer/parity` holds it to that with the official parser. What BuildKit calls an unknown instruction is kept as an
//! [`Keyword::Opaque`] line: snippets and templates are full of them.

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
pub use template::{Block, Blocks, BranchId};
pub use words::{Form, Part, Unreadable, Variable, Word};
