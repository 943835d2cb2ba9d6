//! The types that a Dockerfile is read into.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::text::{Mapped, Span};

use super::directives::Directive;
use super::lines::{MAX_LINE, trim_end, trim_start};
use super::template::{Blocks, BranchId};

/// A Dockerfile or a piece of one.
#[derive(Clone, Debug)]
pub struct Dockerfile<'a> {
    pub source: &'a [u8],
    pub directives: Vec<Directive>,
    /// The escape character: `\`, or a backtick where `# escape=` says so.
    pub escape: u8,
    /// The byte at which the directives end.
    pub top: usize,
    /// The instructions, opaque lines included.
    pub instructions: Vec<Instruction<'a>>,
    /// The stages; a snippet without FROM is one.
    pub stages: Vec<Stage>,
    /// The instructions that may begin a stage for all one knows: a template's expressions.
    pub boundaries: Vec<usize>,
    /// The template blocks around it.
    pub blocks: Blocks,
    /// True where the file holds template expressions.
    pub template: bool,
    /// The first fault for which BuildKit could not read the file; what is behind it is read all the same.
    pub(super) error: Option<SyntaxError>,
    pub(super) scope: OnceCell<Scope>,
}

impl<'a> Dockerfile<'a> {
    /// Returns the index of the instruction whose lines hold byte `offset`.
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

    /// Returns every mount with the index of its instruction.
    pub fn mounts(&self) -> impl Iterator<Item = (usize, &Mount<'a>)> {
        self.instructions
            .iter()
            .enumerate()
            .flat_map(|(index, instruction)| {
                instruction.mounts.iter().map(move |mount| (index, mount))
            })
    }
}

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
    /// An instruction unknown to BuildKit, for example a template's line.
    Opaque,
}

/// An instruction with its continuation lines and heredoc bodies.
#[derive(Clone, Debug)]
pub struct Instruction<'a> {
    /// The keyword; for `ONBUILD x`, that of `x`.
    pub keyword: Keyword,
    /// True for an `ONBUILD` trigger, which runs only when another build starts from the image.
    pub onbuild: bool,
    /// The name as written; for a trigger, `ONBUILD`.
    pub name: Span,
    /// From the start of its first line to the end of its last, without the newline.
    pub span: Span,
    /// The start of the comment lines right above it, or of its own first line.
    pub lead: usize,
    /// 1-based first and last line.
    pub lines: (usize, usize),
    /// The text as BuildKit joins it, without continuations and heredoc bodies.
    pub text: Mapped<'a>,
    /// The flags; for a trigger, those of the inner instruction.
    pub flags: Vec<Flag<'a>>,
    /// The byte of `text` behind name and flags.
    pub args: usize,
    pub heredocs: Vec<Heredoc>,
    /// Comment lines between its lines.
    pub comments: Vec<Span>,
    pub mounts: Vec<Mount<'a>>,
    /// The template branch around it.
    pub branch: BranchId,
}

impl Instruction<'_> {
    /// Returns the trimmed text behind the name and the flags.
    pub fn arguments(&self) -> &[u8] {
        trim_end(trim_start(&self.text.bytes()[self.args..]))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The flag as BuildKit reads it, without quotes and escapes: `--mount=type=cache,…`.
    pub text: Mapped<'a>,
    /// The flag as written, with quotes.
    pub span: Span,
    /// True where an unclosed quote makes it run to the end of the instruction.
    pub open_quote: bool,
    /// True where a template's tags decide whether it is there.
    pub conditional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, unquoted.
    pub name: String,
    /// `<<-`: leading tabs of the body and of the end line are dropped.
    pub chomp: bool,
    /// True where white space stands between `<<` and the name, which only frontends since 1.16 accept.
    pub spaced: bool,
    /// The body, up to the start of the line that ends it.
    pub body: Span,
}

/// The type of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// `type=bind`, the default.
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
    /// A type that is unknown to BuildKit or comes from a variable or template.
    Unknown,
}

/// The sharing mode of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// All builds at once; the default.
    Shared,
    /// A directory of its own for each build while another uses the first.
    Private,
    /// One build at a time.
    Locked,
}

impl Sharing {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }

    /// Returns the mode of this name, in any case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        let mut modes = [Self::Shared, Self::Private, Self::Locked].into_iter();
        modes.find(|mode| name.eq_ignore_ascii_case(mode.as_str().as_bytes()))
    }
}

/// A field of the option list; ranges are byte ranges of [`Mount::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The option's full name; `None` for an unknown one.
    pub option: Option<&'static str>,
    pub start: usize,
    /// The place of its `=`.
    pub equals: Option<usize>,
    pub end: usize,
    /// The byte of the file before which another field (`,name=value`) fits.
    pub next: usize,
}

/// One `--mount` flag of a RUN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
    pub span: Span,
    /// The option list as BuildKit reads it, without CSV quotes.
    pub text: Mapped<'a>,
    pub fields: Vec<Field>,
    pub kind: MountKind,
    /// The faults that BuildKit refuses; empty for a mount that builds everywhere.
    pub faults: Vec<Fault>,
    /// True where a template expression stands in it, so that its final text is unknown.
    pub templated: bool,
    /// True where an expression opens but does not close in it: its end is unknown, so nothing in it may be changed.
    pub torn: bool,
    /// True where a template's tags decide whether it is there.
    pub conditional: bool,
    /// The file's escape character, which applies to variables in values.
    pub escape: u8,
}

/// A fault in a mount that BuildKit refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub span: Span,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    NoValue,
    /// A `"` that CSV does not allow there.
    Quote,
    /// An empty field between two commas or behind the last.
    EmptyField,
    /// White space behind a comma, which ends the flag; true for a line break.
    SpaceAfterComma(bool),
    /// A word without `=` that is not a switch.
    BareOption(String),
    /// An unknown option, and the nearest known one.
    UnknownOption(String, Option<&'static str>),
    /// An invalid value of an option, and the nearest valid one.
    UnknownValue(&'static str, String, Option<&'static str>),
    /// An option that this mount type does not have.
    NotForType(String, MountKind),
    /// `$` in `from`.
    VariableInFrom,
    /// A `from` that names the stage itself.
    OwnStage,
    /// A `from` that names a stage further down.
    LaterStage(String),
    /// A secret without source, id and target.
    EmptySecret,
    TwoSecrets,
    /// An unclosed quote, which makes the rest of the instruction part of the flag.
    OpenQuote,
    /// A variable that cannot be expanded, for example `${` without an end.
    BadVariable(&'static str),
    /// An option of buildah, and so of podman.
    BuildahOption(String),
    /// No target, and no WORKDIR that could be one.
    NoTarget,
    /// No target, and no WORKDIR in the file; the base image may have one.
    NoTargetNoWorkdir,
    RootTarget,
    /// A relative target that leads to `/` where the base image sets no WORKDIR.
    RootTargetNoWorkdir,
}

impl FaultKind {
    /// Returns whether some builder, or some base image, makes it none.
    pub const fn is_excusable(&self) -> bool {
        matches!(
            self,
            Self::BuildahOption(_) | Self::NoTargetNoWorkdir | Self::RootTargetNoWorkdir
        )
    }
}

/// The text behind a RUN's last flag.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'t> {
    pub text: &'t [u8],
    /// True where a line break separates it from the flag.
    pub on_next_line: bool,
}

/// The base of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage of the file, by its index.
    Stage(usize),
    /// An image as written in FROM, variables not expanded.
    Image(String),
    /// Unknown: a snippet without FROM.
    Unknown,
}

/// A stage, from its FROM up to the next.
#[derive(Clone, Debug)]
pub struct Stage {
    pub index: usize,
    /// The index of its FROM; `None` for a snippet.
    pub from: Option<usize>,
    /// The name behind `AS`.
    pub name: Option<String>,
    pub base: Base,
    /// The indices of its instructions without FROM.
    pub instructions: Range<usize>,
    /// The stages it takes files from (`COPY --from`, `ADD`, a mount's `from`), each with the instruction that does.
    pub uses: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredBy {
    Arg,
    Env,
}

/// A name that an ARG or ENV declares.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub by: DeclaredBy,
    pub instruction: usize,
    /// The instruction from which on it holds: its own, or, for a trigger, the FROM of a stage built from the trigger's,
    /// which runs it.
    pub at: usize,
    /// The index of the stage; `None` for a global ARG.
    pub stage: Option<usize>,
    /// The value as written, with quotes; `None` for a bare `ARG NAME`.
    pub value: Option<Vec<u8>>,
    /// The end of the name in the instruction's text, where `=value` belongs.
    pub name_end: usize,
    /// True where the instruction declares only this name.
    pub alone: bool,
    pub onbuild: bool,
    /// The template branch around it.
    pub branch: BranchId,
}

/// A file's declarations by name, in the file's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) names: HashMap<String, Name>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    pub(super) declarations: Vec<Declaration>,
    /// The branches of declarations outside triggers, with their stages.
    pub(super) branches: OnceCell<HashSet<(BranchId, Option<usize>)>>,
}

/// The reason why BuildKit could not read a file, and the place.
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
    #[error("a FROM takes an image, or an image, AS and a name: BuildKit refuses the file")]
    From,
    /// An unknown instruction, and the known one that was meant.
    #[error("there is no instruction `{name}`: BuildKit refuses the file")]
    Misspelt { name: String, meant: &'static str },
}

impl SyntaxErrorKind {
    pub(super) const fn at(self, span: Span) -> SyntaxError {
        SyntaxError { span, kind: self }
    }

    pub fn help(&self) -> String {
        match self {
            Self::OpenHeredoc(name) => {
                format!(
                    "put a line that is exactly `{name}` after the heredoc's body, without white space around it"
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
            Self::From => {
                "write `FROM image` or `FROM image AS name` (a comment needs a line of its own)"
                    .into()
            }
            Self::Misspelt { meant, .. } => format!("did you mean `{meant}`?"),
            Self::Empty => "a Dockerfile needs at least one instruction, FROM as a rule".into(),
        }
    }
}
