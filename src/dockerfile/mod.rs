//! Dockerfiles, read as BuildKit reads them and kept byte for byte.
//!
//! A [`Dockerfile`] is spans over bytes that nobody touches. The reader follows BuildKit's own
//! (`frontend/dockerfile/parser/parser.go`), so that what cachelane says about a file is what a build would do with it;
//! `tests/outer/parity` holds it to that with the official parser. What BuildKit calls an unknown instruction is kept as an
//! [`Keyword::Opaque`] line: snippets and templates are full of them.

pub mod directives;
pub mod expression;
pub mod faults;
pub mod flags;
pub mod heredoc;
pub mod lines;
pub mod mounts;
mod read;
pub mod scope;
pub mod stages;
pub mod template;
pub mod words;

pub use directives::{Directive, Key};
pub use faults::{Behind, Fault, FaultKind};
pub use flags::Flag;
pub use heredoc::Heredoc;
pub use mounts::{Field, Kind, Mount, Sharing};
pub use read::{SyntaxError, SyntaxErrorKind};
pub use scope::{Declaration, DeclaredBy};
pub use stages::{Base, Stage};
pub use template::{Block, Blocks, Place};
pub use words::{Form, Part, Variable, Word};

use crate::budget;
use crate::text::{Mapped, Span};

/// The name of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// `ADD`
    Add,
    /// `ARG`
    Arg,
    /// `COPY`
    Copy,
    /// `ENV`
    Env,
    /// `FROM`
    From,
    /// `RUN`
    Run,
    /// `WORKDIR`
    Workdir,
    /// Any other instruction that BuildKit knows.
    Other,
    /// What BuildKit does not know: a template's line, say.
    Opaque,
}

/// One instruction: its first line, the lines that continue it, and the bodies of its heredocs.
#[derive(Clone, Debug)]
pub struct Instruction<'a> {
    /// What it does; for `ONBUILD x`, what `x` does.
    pub keyword: Keyword,
    /// Whether it is an `ONBUILD` trigger, read only when another build starts from the image.
    pub onbuild: bool,
    /// The name in the file; for a trigger, `ONBUILD` itself.
    pub name: Span,
    /// From the start of its first line to the end of its last, without the newline.
    pub span: Span,
    /// Where the comment lines right above it start; its own first line where there are none.
    pub lead: usize,
    /// 1-based first and last line.
    pub lines: (usize, usize),
    /// The instruction as BuildKit joins it: continuations gone, heredoc bodies not in it.
    pub text: Mapped<'a>,
    /// Its flags. For a trigger, those of the inner instruction.
    pub flags: Vec<Flag<'a>>,
    /// Where in `text` that begins which follows name and flags.
    pub args: usize,
    /// Its heredocs, in order.
    pub heredocs: Vec<Heredoc>,
    /// Comment lines between its lines.
    pub comments: Vec<Span>,
    /// The `--mount` flags of a RUN.
    pub mounts: Vec<Mount<'a>>,
    /// Where it stands among a template's blocks.
    pub place: Place,
}

impl Instruction<'_> {
    /// What follows the name and the flags, white space around it taken off.
    #[must_use]
    pub fn arguments(&self) -> &[u8] {
        lines::trim_end(lines::trim_start(&self.text.bytes()[self.args..]))
    }

    /// The words of an ARG or ENV of `file` as BuildKit splits them, quotes and escapes kept; in a template, an expression
    /// is one piece.
    #[must_use]
    pub fn words(&self, file: &Dockerfile<'_>) -> Vec<&[u8]> {
        let text = self.text.bytes();
        scope::words(file, self)
            .into_iter()
            .map(|(start, end)| &text[start..end])
            .collect()
    }
}

/// A Dockerfile, or a piece of one.
#[derive(Clone, Debug)]
pub struct Dockerfile<'a> {
    /// The file as it is on disk.
    pub source: &'a [u8],
    /// Its parser directives, in order.
    pub directives: Vec<Directive>,
    /// The escape character: `\`, or a backtick where `# escape=` says so.
    pub escape: u8,
    /// Where the directives end and the instructions' part begins.
    pub top: usize,
    /// Its instructions, opaque lines among them, in order.
    pub instructions: Vec<Instruction<'a>>,
    /// Its stages, in order. A snippet without FROM is one stage.
    pub stages: Vec<Stage>,
    /// The blocks of the template around it.
    pub blocks: Blocks,
    /// Whether it holds a template's expressions.
    pub template: bool,
    scope: std::cell::OnceCell<scope::Scope>,
}

impl<'a> Dockerfile<'a> {
    /// Reads `source`.
    ///
    /// # Errors
    /// [`SyntaxError`] where BuildKit could not read it either: an unterminated heredoc, a directive given twice, no
    /// instruction at all.
    pub fn read(source: &'a [u8]) -> Result<Self, SyntaxError> {
        budget::spend(source.len());
        let mut file = read::Reader::new(source).read()?;
        file.stages = stages::find(&file);
        stages::settle_targets(&mut file);
        Ok(file)
    }

    /// The instruction whose lines hold byte `offset`, by its index.
    #[must_use]
    pub fn instruction_at(&self, offset: usize) -> Option<usize> {
        let after = self
            .instructions
            .partition_point(|instruction| instruction.span.start <= offset);
        let index = after.checked_sub(1)?;
        self.instructions[index]
            .span
            .contains(offset)
            .then_some(index)
    }

    /// Every mount with the index of its instruction, in order.
    pub fn mounts(&self) -> impl Iterator<Item = (usize, &Mount<'a>)> {
        self.instructions
            .iter()
            .enumerate()
            .flat_map(|(index, instruction)| {
                instruction.mounts.iter().map(move |mount| (index, mount))
            })
    }
}
