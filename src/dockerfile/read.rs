//! Reads a file's lines into directives and instructions.

use std::cell::OnceCell;
use std::collections::HashSet;

use bstr::ByteSlice as _;

use crate::budget;
use crate::text::{Mapped, Span};

use super::ast::{
    Behind, Dockerfile, Flag, Heredoc, Instruction, Keyword, Mount, SyntaxError, SyntaxErrorKind,
};
use super::directives::{self, Directive, Key};
use super::lines::{self, Line, Lines, MAX_LINE};
use super::template::{self, Blocks};
use super::{expression, flags, heredoc, stages};

pub(super) struct LineReader<'a> {
    source: &'a [u8],
    lines: Lines<'a>,
    file: Dockerfile<'a>,
    /// True while directives may still follow.
    directives: bool,
    /// The start of the comment lines right above the current line.
    lead: Option<usize>,
    /// The heredocs that no later line ends, by name and whether tabs are dropped.
    endless: HashSet<(String, bool)>,
    /// The number of heredocs so far that run to the end of the file.
    open_heredocs: usize,
}

/// The lines of an instruction as one text.
struct Joined<'a> {
    text: Mapped<'a>,
    /// The comment lines among them.
    comments: Vec<Span>,
    last: Line,
}

/// The limit for heredocs without an end behind which reading goes on: each takes a look at the rest of the file.
const MAX_OPEN_HEREDOCS: usize = 64;

impl<'a> Dockerfile<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SyntaxError`] where BuildKit could not read it either: an unterminated heredoc, a repeated directive, no
    /// instruction.
    pub fn read(source: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut file = Self::read_past_faults(source);
        match file.error.take() {
            Some(error) => Err(error),
            None => Ok(file),
        }
    }

    /// Reads a file as far as it can be read: a heredoc without an end is left out, and so is a bad directive.
    pub fn read_past_faults(source: &'a [u8]) -> Self {
        budget::spend(source.len());
        let mut file = LineReader::new(source).read();
        file.stages = stages::find(&file);
        file.boundaries = stages::boundaries(&file);
        stages::resolve_targets(&mut file);
        stages::refuse_sources(&mut file);
        file
    }
}

impl<'a> LineReader<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        let template = template::is_template(source);
        let file = Dockerfile {
            source,
            directives: Vec::new(),
            escape: b'\\',
            top: 0,
            // Real files have about one instruction in 100 bytes.
            instructions: Vec::with_capacity(source.len() / 100 + 4),
            stages: Vec::new(),
            boundaries: Vec::new(),
            blocks: Blocks::read(source, template),
            template,
            error: None,
            scope: OnceCell::new(),
        };
        Self {
            source,
            lines: Lines::new(source),
            file,
            directives: true,
            lead: None,
            endless: HashSet::new(),
            open_heredocs: 0,
        }
    }

    pub(super) fn read(mut self) -> Dockerfile<'a> {
        while let Some(line) = self.next_line() {
            if line.number == 1 {
                self.file.top = line.full.start;
            }
            let bytes = lines::trim_start(line.text.of(self.source));
            let text = Span::new(line.text.end - bytes.len(), line.text.end);
            if self.directives && self.directive(text) {
                self.file.top = line.full.end;
            } else if bytes.first() == Some(&b'#') {
                if line.number == 1 && bytes.starts_with(b"#!") {
                    self.file.top = self.below_shebang(line);
                } else {
                    self.lead.get_or_insert(line.full.start);
                }
            } else if bytes.is_empty() {
                self.lead = None;
            } else {
                self.instruction(line, text);
                self.lead = None;
            }
        }
        if self.file.instructions.is_empty() {
            self.fail(SyntaxErrorKind::Empty.at(Span::at(0)));
        }
        self.file
    }

    /// Notes a fault; the first one counts.
    fn fail(&mut self, error: SyntaxError) {
        self.file.error.get_or_insert(error);
    }

    /// Returns the start of the instructions in a file that begins with `#!…`: BuildKit looks for `# syntax=` right
    /// below.
    fn below_shebang(&self, shebang: Line) -> usize {
        directives::syntax(self.source).map_or(shebang.full.end, |syntax| {
            let end = syntax.value.end;
            self.source[end..]
                .find_byte(b'\n')
                .map_or(self.source.len(), |at| end + at + 1)
        })
    }

    /// Returns the next line; one longer than BuildKit takes is a fault.
    fn next_line(&mut self) -> Option<Line> {
        let line = self.lines.next()?;
        let newline = line.full.of(self.source).ends_with(b"\n");
        // A byte-order mark counts, though it is dropped afterwards.
        let start = if line.number == 1 { 0 } else { line.full.start };
        if line.full.end - start + usize::from(!newline) > MAX_LINE {
            self.fail(SyntaxErrorKind::LongLine.at(line.text));
        }
        Some(line)
    }

    /// Reads `text` as a directive; any other line ends them.
    fn directive(&mut self, text: Span) -> bool {
        let Some(directive) = directives::parse(self.source, text, b"#") else {
            self.directives = false;
            return false;
        };
        let before = &self.file.directives;
        if before.iter().any(|before| before.key == directive.key) {
            self.fail(SyntaxErrorKind::RepeatedDirective(directive.key.as_str()).at(text));
            return true;
        }
        if directive.key == Key::Escape {
            self.file.escape = match directive.value.of(self.source) {
                [escape @ (b'\\' | b'`')] => *escape,
                value => {
                    let value = value.to_str_lossy().into_owned();
                    self.fail(SyntaxErrorKind::BadEscape(value).at(text));
                    return true;
                }
            };
        }
        self.file.directives.push(directive);
        true
    }

    /// Reads the instruction that starts with `line`; `text` is that line, trimmed.
    fn instruction(&mut self, line: Line, text: Span) {
        let Joined {
            text,
            comments,
            mut last,
        } = self.join(text, line);
        let mut instruction = Instruction {
            keyword: Keyword::Opaque,
            onbuild: false,
            name: Span::at(line.full.start),
            span: Span::new(line.full.start, 0),
            lead: self.lead.unwrap_or(line.full.start),
            lines: (line.number, 0),
            text,
            flags: Vec::new(),
            args: 0,
            heredocs: Vec::new(),
            comments,
            mounts: Vec::new(),
            branch: self.file.blocks.at(line.full.start),
        };
        self.name_and_flags(&mut instruction);
        let takes_json = matches!(
            instruction.keyword,
            Keyword::Run | Keyword::Add | Keyword::Copy
        );
        if takes_json && !self.is_json(&instruction) {
            instruction.heredocs = heredoc::openers(instruction.text.bytes());
            // `$((1 << 2))` is arithmetic to frontends before 1.16 and to its author. And a tag may stand behind the
            // name that ends one.
            let joined = instruction.text.bytes();
            let first = instruction
                .text
                .source(joined.len() - lines::trim_start(joined).len());
            let doubtful = |doc: &Heredoc| doc.spaced || first < instruction.name.start;
            instruction
                .heredocs
                .retain(|doc| !doubtful(doc) || self.has_end(doc));
        }
        for index in 0..instruction.heredocs.len() {
            let Some(end) = self.heredoc_body(&mut instruction, index) else {
                instruction.heredocs.truncate(index);
                break;
            };
            last = end;
        }
        instruction.span.end = last.text.end;
        instruction.lines.1 = last.number;
        self.file.instructions.push(instruction);
    }

    /// Joins the lines of the instruction that begins with `line`.
    fn join(&mut self, text: Span, line: Line) -> Joined<'a> {
        let escape = self.file.escape;
        let mut comments = Vec::new();
        let mut last = line;
        let Some(kept) = lines::continued(text.of(self.source), escape) else {
            return Joined {
                text: Mapped::borrowed(self.source, text),
                comments,
                last,
            };
        };
        let mut joined = Mapped::empty(text.start);
        joined.push(&text.of(self.source)[..kept], text.start);
        while let Some(line) = self.next_line() {
            last = line;
            let bytes = line.text.of(self.source);
            if lines::is_comment(bytes) {
                comments.push(line.text);
                continue;
            }
            let control = self.file.template && template::is_control_line(bytes);
            if control || lines::trim_start(bytes).is_empty() {
                continue;
            }
            let kept = lines::continued(bytes, escape);
            joined.push(&bytes[..kept.unwrap_or(bytes.len())], line.text.start);
            if kept.is_none() {
                break;
            }
        }
        Joined {
            text: joined,
            comments,
            last,
        }
    }

    /// Finds name, flags and mounts of `instruction`, looking through `ONBUILD`.
    fn name_and_flags(&self, instruction: &mut Instruction<'a>) {
        let (escape, template) = (self.file.escape, self.file.template);
        let text = &instruction.text;
        // What is joined to an empty first line may start with white space.
        let behind_blanks =
            |from: usize| text.bytes().len() - lines::trim_start(&text.bytes()[from..]).len();
        let split = |from: usize| {
            let (end, next) = flags::split_name(text.bytes(), from);
            let (flags, args) = flags::split(text, next, escape, template);
            (lower(&text.bytes()[from..end]), end, flags, args)
        };
        let start = behind_blanks(0);
        let (mut name, end, mut flags, mut args) = split(start);
        instruction.name = text.span(start, end);
        if name == "onbuild" && behind_blanks(args) < text.bytes().len() {
            instruction.onbuild = true;
            (name, _, flags, args) = split(behind_blanks(args));
        }
        instruction.keyword = keyword(&name);
        // `{% if x %}RUN …{% endif %}`. Anything else there, for example an ARG, does not apply to the lines below.
        if instruction.keyword == Keyword::Opaque
            && template
            && let (behind, true) = template::skip_tags(text.bytes(), start)
        {
            let inner = behind_blanks(behind);
            let (name, end, inner_flags, inner_args) = split(inner);
            let on_one_line = text.span(start, behind).len() == behind - start;
            if behind > start && on_one_line && keyword(&name) == Keyword::Run {
                instruction.keyword = Keyword::Run;
                instruction.name = text.span(inner, end);
                (flags, args) = (inner_flags, inner_args);
            } else if template::makes_from(text.bytes(), start) {
                instruction.keyword = Keyword::From;
            }
        }
        if instruction.keyword == Keyword::Run {
            instruction.mounts = self.mounts(instruction, &flags, behind_blanks(args));
        }
        instruction.flags = flags;
        instruction.args = args;
    }

    /// Reads the mounts of a RUN whose command begins at byte `command` of its text.
    fn mounts(&self, run: &Instruction<'a>, flags: &[Flag<'a>], command: usize) -> Vec<Mount<'a>> {
        let last = flags.len().saturating_sub(1);
        let all = flags.iter().enumerate();
        let mounts = all.filter(|(_, flag)| flag.name() == b"mount");
        let read = |(index, flag): (usize, &Flag<'a>)| {
            let text = flag.text.bytes();
            let has_expression = expression::all(text).next().is_some();
            // Empy's `@name`, and `@NAME@`, which `configure` fills in.
            let mut signs = memchr::memchr_iter(b'@', text);
            let is_filled_in = signs.any(|at| {
                let is_value = at > 0 && matches!(text[at - 1], b'=' | b',');
                (is_value && self.file.template) || expression::filled_in(&text[at..]).is_some()
            });
            let between = Span::new(flag.span.end, run.text.source(command));
            let behind = (index == last).then(|| Behind {
                text: &run.text.bytes()[command..],
                on_next_line: between.of(self.source).contains(&b'\n'),
            });
            let templated = (self.file.template && has_expression) || is_filled_in;
            let mut mount = Mount::read(flag, self.source, self.file.escape, templated, behind);
            mount.conditional |= self.file.blocks.at(flag.span.start) != run.branch;
            mount
        };
        mounts.map(read).collect()
    }

    /// Returns whether a later line ends `doc`.
    fn has_end(&mut self, doc: &Heredoc) -> bool {
        let key = (doc.name.clone(), doc.chomp);
        let ends = |line: Line| {
            let text = line.text.of(self.source);
            !budget::spend(1 + text.len()) || doc.is_ended_by(text)
        };
        let found = !self.endless.contains(&key) && self.lines.clone().any(ends);
        if !found {
            self.endless.insert(key);
        }
        found
    }

    /// Reads the body of heredoc `index`; returns the line that ends it. Where none does, which is a fault, the lines
    /// below are left to be read as instructions.
    fn heredoc_body(&mut self, instruction: &mut Instruction<'a>, index: usize) -> Option<Line> {
        let doc = &mut instruction.heredocs[index];
        let (below, mut start) = (self.lines.clone(), None);
        while let Some(line) = self.next_line() {
            let start = *start.get_or_insert(line.full.start);
            if doc.is_ended_by(line.text.of(self.source)) {
                doc.body = Span::new(start, line.full.start);
                return Some(line);
            }
        }
        let kind = SyntaxErrorKind::OpenHeredoc(doc.name.clone());
        let text = &instruction.text;
        self.fail(kind.at(text.span(0, text.bytes().len())));
        self.open_heredocs += 1;
        if self.open_heredocs <= MAX_OPEN_HEREDOCS {
            self.lines = below;
        }
        None
    }

    /// Returns whether `instruction` is in JSON form. An array that holds anything but strings is a fault.
    fn is_json(&mut self, instruction: &Instruction<'_>) -> bool {
        let arguments = instruction.arguments();
        if !arguments.starts_with(b"[") {
            return false;
        }
        let Ok(values) = serde_json::from_slice::<Vec<serde_json::Value>>(arguments) else {
            return false;
        };
        if !values.iter().all(serde_json::Value::is_string) {
            let text = &instruction.text;
            let span = text.span(instruction.args, text.bytes().len());
            self.fail(SyntaxErrorKind::NotStrings.at(span));
        }
        true
    }
}

impl Heredoc {
    fn is_ended_by(&self, line: &[u8]) -> bool {
        let tabs = self.chomp.then_some('\t');
        line.trim_start_with(|ch| Some(ch) == tabs) == self.name.as_bytes()
    }
}

/// The instructions, as they are written.
const NAMES: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Dockerfile<'_> {
    /// Returns whether BuildKit can read the file, though it may refuse an instruction.
    pub fn is_read(&self) -> bool {
        self.error.is_none()
    }

    /// Returns why BuildKit refuses the file: it could not read it, or an instruction in capitals is a slip for a known
    /// one. Of a template's instructions, and of those that another frontend knows, nothing is said.
    pub fn fault(&self) -> Option<SyntaxError> {
        self.error.clone().or_else(|| self.misspelt())
    }

    fn misspelt(&self) -> Option<SyntaxError> {
        let is_syntax = |directive: &&Directive| directive.key == Key::Syntax;
        let syntax = self.directives.iter().find(is_syntax);
        let syntax = syntax.map(|directive| directive.value.of(self.source));
        if self.template || syntax.is_some_and(|image| image.find(b"docker/dockerfile").is_none()) {
            return None;
        }
        let mut froms = self.instructions.iter();
        if let Some(from) = froms.find(|one| is_refused_from(one)) {
            return Some(SyntaxErrorKind::From.at(from.span));
        }
        let unknown = self.instructions.iter();
        let mut unknown = unknown.filter(|one| one.keyword == Keyword::Opaque);
        unknown.find_map(|one| {
            let name = one.name.of(self.source).to_str().ok()?;
            let is_near = |known: &&&str| strsim::damerau_levenshtein(name, known) == 1;
            let is_word = name.bytes().all(|byte| byte.is_ascii_uppercase());
            let meant = NAMES.iter().filter(|_| is_word).find(is_near)?;
            let name = name.to_owned();
            Some(SyntaxErrorKind::Misspelt { name, meant }.at(one.name))
        })
    }
}

/// Returns whether `instruction` is a FROM with other words than an image, or an image, AS and a name.
fn is_refused_from(instruction: &Instruction<'_>) -> bool {
    let words: Vec<&[u8]> = instruction.arguments().fields().collect();
    let is_from = instruction.keyword == Keyword::From && !instruction.onbuild;
    is_from
        && match words[..] {
            [_] => false,
            [_, word, _] => !word.eq_ignore_ascii_case(b"as"),
            _ => true,
        }
}

/// Lowercases like Go's `strings.ToLower`, which turns the Kelvin sign and the dotted capital I into ASCII letters.
fn lower(name: &[u8]) -> String {
    let mut name = name.to_str_lossy().to_ascii_lowercase();
    if !name.is_ascii() {
        name = name.replace('\u{212A}', "k").replace('\u{130}', "i");
    }
    name
}

fn keyword(lower: &str) -> Keyword {
    match lower {
        "add" => Keyword::Add,
        "arg" => Keyword::Arg,
        "copy" => Keyword::Copy,
        "env" => Keyword::Env,
        "from" => Keyword::From,
        "run" => Keyword::Run,
        "workdir" => Keyword::Workdir,
        "cmd" | "entrypoint" | "expose" | "healthcheck" | "label" | "maintainer" | "onbuild"
        | "shell" | "stopsignal" | "user" | "volume" => Keyword::Other,
        _ => Keyword::Opaque,
    }
}
