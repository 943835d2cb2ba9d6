//! The types that a Dockerfile is read into.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::text::{Mapped, Span};

use super::directives::Directive;
use super::lines::{MAX_LINE, trim_end, trim_start};
use super::template::{Blocks, BranchId};

/// A Dockerfile, or a piece of one.
#[derive(Clone, Debug)]
pub struct Dockerfile<'a> {
    /// The file as it is on disk.
    pub source: &'a [u8],
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
    /// True where it holds a template's expressions.
    pub template: bool,
    pub(super) scope: OnceCell<Scope>,
}

impl<'a> Dockerfile<'a> {
    /// Returns the instruction whose lines hold byte `offset`, by its index.
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

    /// Returns every mount with the index of its instruction, in order.
    pub fn mounts(&self) -> impl Iterator<Item = (usize, &Mount<'a>)> {
        self.instructions
            .iter()
            .enumerate()
            .flat_map(|(index, instruction)| {
                instruction.mounts.iter().map(move |mount| (index, mount))
            })
    }
}

/// The name of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyword {
    Add,
    Arg,
    Copy,
    Env,
    From,
    Run,
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
    /// True where it is an `ONBUILD` trigger, read only when another build starts from the image.
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
    pub heredocs: Vec<Heredoc>,
    /// Comment lines between its lines.
    pub comments: Vec<Span>,
    /// The `--mount` flags of a RUN.
    pub mounts: Vec<Mount<'a>>,
    /// The branch of a template's blocks that it stands in.
    pub branch: BranchId,
}

impl Instruction<'_> {
    /// Returns what follows the name and the flags, white space around it taken off.
    pub fn arguments(&self) -> &[u8] {
        trim_end(trim_start(&self.text.bytes()[self.args..]))
    }
}

/// One flag, `--name` or `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The flag as BuildKit reads it, its quotes and escapes gone: `--mount=type=cache,…`.
    pub text: Mapped<'a>,
    /// The flag as it stands in the file, quotes included.
    pub span: Span,
    /// True where a quote in it is never closed, so that it runs to the end of the instruction.
    pub open_quote: bool,
    /// True where a template's tags before it decide whether it is there.
    pub conditional: bool,
}

/// One heredoc of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, quotes and escapes taken off.
    pub name: String,
    /// `<<-`: leading tabs of the body and of the end line are dropped.
    pub chomp: bool,
    /// True where white space stands between `<<` and the name. Only frontends since 1.16 take that for a heredoc.
    pub spaced: bool,
    /// The body: from behind the line before it to the start of the line that ends it.
    pub body: Span,
}

/// What a mount mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// `type=bind`, also where no type is given.
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
    /// A type that only a variable or a template knows, or that BuildKit does not.
    Unknown,
}

/// How builds that overlap share a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// All at once; also where no mode is given.
    Shared,
    /// Each a directory of its own while another holds the first.
    Private,
    /// One at a time.
    Locked,
}

impl Sharing {
    /// Returns the mode as it is written in a Dockerfile.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}

/// One field of the option list; ranges are byte ranges of [`Mount::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The option's full name; `None` for one that BuildKit does not know.
    pub option: Option<&'static str>,
    pub start: usize,
    /// Where its `=` stands, if it has one.
    pub equals: Option<usize>,
    pub end: usize,
    /// The byte of the file before which a further field (`,name=value`) can be put.
    pub next: usize,
}

/// One `--mount` flag of a RUN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
    pub span: Span,
    /// The option list as BuildKit reads it, CSV quotes gone too.
    pub text: Mapped<'a>,
    pub fields: Vec<Field>,
    pub kind: MountKind,
    /// What BuildKit refuses in it; empty for a mount that builds.
    pub faults: Vec<Fault>,
    /// True where a template's expression stands in it, so that its final text is not known.
    pub templated: bool,
    /// True where an expression opens in it that it does not close: where it really ends is not known, and nothing in
    /// it may be changed.
    pub torn: bool,
    /// True where a template's tags within its RUN decide whether it is there.
    pub conditional: bool,
    /// The file's escape character: the one that variables in values are read with.
    pub escape: u8,
}

/// Something in a mount that BuildKit refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub span: Span,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    NoValue,
    /// A `"` that CSV does not allow where it stands.
    Quote,
    /// Nothing between two commas, or behind the last.
    EmptyField,
    /// White space behind a comma: the flag ends there. Whether a line break is part of it.
    SpaceAfterComma(bool),
    /// A word without `=` that is no switch.
    BareOption(String),
    /// An option BuildKit does not know, and the nearest that it does.
    UnknownOption(String, Option<&'static str>),
    /// A value that the option does not take, and the nearest that it does.
    UnknownValue(&'static str, String, Option<&'static str>),
    /// An option that mounts of this type do not have.
    NotForType(String, MountKind),
    /// `$` in `from`.
    VariableInFrom,
    /// A secret that names no source, id or target.
    EmptySecret,
    TwoSecrets,
    /// A quote that is never closed: the rest of the instruction became part of the flag.
    OpenQuote,
    /// A variable that cannot be expanded, `${` without an end say.
    BadVariable(&'static str),
    /// No target, and no WORKDIR that could be one.
    NoTarget,
    RootTarget,
}

/// What stands behind a RUN's last flag.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'t> {
    pub text: &'t [u8],
    /// True where a line break parts it from the flag.
    pub on_next_line: bool,
}

/// What a stage is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage of the file, by its index.
    Stage(usize),
    /// An image, as FROM names it (variables not expanded).
    Image(String),
    /// Nobody knows: a snippet without FROM.
    Unknown,
}

/// A stage: a FROM and what follows it, up to the next.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its index among the file's stages.
    pub index: usize,
    /// The index of its FROM; `None` for a snippet.
    pub from: Option<usize>,
    /// The name behind `AS`, as written.
    pub name: Option<String>,
    pub base: Base,
    /// Its instructions, FROM left out, by their indices.
    pub instructions: Range<usize>,
    /// Which other stages it takes files from (`COPY --from`, `ADD`, a mount's `from`), by their indices, each with the
    /// instruction that does.
    pub uses: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredBy {
    Arg,
    Env,
}

/// One name that an ARG or ENV instruction declares.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub by: DeclaredBy,
    pub instruction: usize,
    /// The stage, by its index; `None` for a global ARG.
    pub stage: Option<usize>,
    /// The value as written, quotes and all; `None` for a bare `ARG NAME`.
    pub value: Option<Vec<u8>>,
    /// Where the name ends in the instruction's text: where `=value` belongs.
    pub name_end: usize,
    /// True where the instruction declares this name alone.
    pub alone: bool,
    pub onbuild: bool,
    /// The branch of a template's blocks that it stands in.
    pub branch: BranchId,
}

/// The declarations of a file by name, each in the file's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) names: HashMap<String, Name>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    pub(super) declarations: Vec<Declaration>,
    /// The branches of those that are no triggers, with their stages.
    pub(super) branches: OnceCell<HashSet<(BranchId, Option<usize>)>>,
}

/// Why BuildKit could not read a file, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SyntaxError {
    pub span: Span,
    pub kind: SyntaxErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxErrorKind {
    #[error("no line ends the heredoc `{0}`: BuildKit refuses the file")]
    OpenHeredoc(String),
    #[error("the directive `{0}` is given twice: BuildKit refuses the file")]
    RepeatedDirective(&'static str),
    #[error("`{0}` cannot be the escape character: BuildKit takes `\\` or a backtick")]
    BadEscape(String),
    #[error("the line is longer than {} bytes: BuildKit refuses the file", MAX_LINE - 1)]
    LongLine,
    #[error("the JSON array holds something other than strings: BuildKit refuses the file")]
    NotStrings,
    #[error("the file holds no instruction: BuildKit refuses it")]
    Empty,
}

impl SyntaxErrorKind {
    /// Returns the error for `span`.
    pub(super) const fn at(self, span: Span) -> SyntaxError {
        SyntaxError { span, kind: self }
    }

    pub fn help(&self) -> String {
        match self {
            Self::OpenHeredoc(name) => {
                format!(
                    "put a line that is exactly `{name}` behind the heredoc's body, without white space around it"
                )
            }
            Self::RepeatedDirective(name) => format!("keep one `# {name}=` line"),
            Self::BadEscape(_) => {
                "write # escape=\\ or # escape=` (or drop the line: `\\` is the default)".into()
            }
            Self::LongLine => {
                "break the line with continuations, or move the text into a file and COPY it".into()
            }
            Self::NotStrings => "quote every element, or write the command in shell form".into(),
            Self::Empty => "a Dockerfile needs at least one instruction, FROM as a rule".into(),
        }
    }
}
