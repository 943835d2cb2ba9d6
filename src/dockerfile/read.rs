//! The pass over a file's lines that finds its directives and instructions.

use std::cell::OnceCell;
use std::collections::HashMap;

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

pub(super) struct Reader<'a> {
    source: &'a [u8],
    lines: Lines<'a>,
    file: Dockerfile<'a>,
    /// True where directives may still come.
    directives: bool,
    /// Where the comment lines right above the current line start.
    lead: Option<usize>,
    ends: Ends,
}

/// Which lines a file has, and where each stands last: whether a heredoc has an end is asked for many in turn.
#[derive(Default)]
struct Ends(Option<HashMap<Vec<u8>, usize>>);

impl Ends {
    /// Returns whether a line behind byte `from` ends `doc`.
    fn ends(&mut self, source: &[u8], doc: &Heredoc, from: usize) -> bool {
        let last = self.0.get_or_insert_with(|| {
            let lines = Lines::new(source).map(|line| (line.text.of(source), line.full.start));
            let with_tabs = |(text, at): (&[u8], usize)| {
                let tabs = text.iter().take_while(|b| **b == b'\t').count();
                [(text.to_vec(), at), ([b"<<-", &text[tabs..]].concat(), at)]
            };
            lines.flat_map(with_tabs).collect()
        });
        let name = doc.name.as_bytes();
        let key = if doc.chomp {
            [b"<<-", name].concat()
        } else {
            name.to_vec()
        };
        last.get(&key).is_some_and(|at| *at >= from)
    }
}

impl<'a> Dockerfile<'a> {
    /// Reads `source`.
    ///
    /// # Errors
    /// [`SyntaxError`] where BuildKit could not read it either: an unterminated heredoc, a directive given twice, no
    /// instruction at all.
    pub fn read(source: &'a [u8]) -> Result<Self, SyntaxError> {
        budget::spend(source.len());
        let mut file = Reader::new(source).read()?;
        file.stages = stages::find(&file);
        stages::settle_targets(&mut file);
        Ok(file)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        let template = template::is_template(source);
        let file = Dockerfile {
            source,
            directives: Vec::new(),
            escape: b'\\',
            top: 0,
            // About one instruction in 100 bytes is what real files have.
            instructions: Vec::with_capacity(source.len() / 100 + 4),
            stages: Vec::new(),
            blocks: Blocks::read(source, template),
            template,
            scope: OnceCell::new(),
        };
        Self {
            source,
            lines: Lines::new(source),
            file,
            directives: true,
            lead: None,
            ends: Ends::default(),
        }
    }

    pub(super) fn read(mut self) -> Result<Dockerfile<'a>, SyntaxError> {
        while let Some(line) = self.next_line()? {
            if line.number == 1 {
                self.file.top = line.full.start;
            }
            let bytes = lines::trim_start(line.text.of(self.source));
            let text = Span::new(line.text.end - bytes.len(), line.text.end);
            if self.directives && self.directive(text, line)? {
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
                self.instruction(line, text)?;
                self.lead = None;
            }
        }
        if self.file.instructions.is_empty() {
            return Err(SyntaxError {
                span: Span::at(0),
                kind: SyntaxErrorKind::Empty,
            });
        }
        Ok(self.file)
    }

    /// Returns where the instructions' part begins in a file whose first line is `#!…`: BuildKit looks for `# syntax=`
    /// below it, and finds none where something comes between.
    fn below_shebang(&self, shebang: Line) -> usize {
        directives::syntax(self.source).map_or(shebang.full.end, |syntax| {
            let end = syntax.value.end;
            self.source[end..]
                .find_byte(b'\n')
                .map_or(self.source.len(), |at| end + at + 1)
        })
    }

    /// Returns the next line; an error when it is longer than BuildKit takes.
    fn next_line(&mut self) -> Result<Option<Line>, SyntaxError> {
        let Some(line) = self.lines.next() else {
            return Ok(None);
        };
        let newline = line.full.of(self.source).ends_with(b"\n");
        // A byte-order mark counts, though it is dropped afterwards.
        let start = if line.number == 1 { 0 } else { line.full.start };
        if line.full.end - start + usize::from(!newline) > MAX_LINE {
            return Err(SyntaxError {
                span: line.text,
                kind: SyntaxErrorKind::LongLine,
            });
        }
        Ok(Some(line))
    }

    /// Takes `text` for a directive if it is one; any other line ends them.
    fn directive(&mut self, text: Span, line: Line) -> Result<bool, SyntaxError> {
        let Some(directive) = directives::parse(self.source, text, b"#", line.number) else {
            self.directives = false;
            return Ok(false);
        };
        let name = match directive.key {
            Key::Syntax => "syntax",
            Key::Escape => "escape",
            Key::Check => "check",
        };
        let error = |kind| Err(SyntaxError { span: text, kind });
        if self
            .file
            .directives
            .iter()
            .any(|Directive { key, .. }| *key == directive.key)
        {
            return error(SyntaxErrorKind::RepeatedDirective(name));
        }
        if directive.key == Key::Escape {
            self.file.escape = match directive.value.of(self.source) {
                [escape @ (b'\\' | b'`')] => *escape,
                value => {
                    return error(SyntaxErrorKind::BadEscape(
                        String::from_utf8_lossy(value).into_owned(),
                    ));
                }
            };
        }
        self.file.directives.push(directive);
        Ok(true)
    }

    /// Reads the instruction that starts with `line`; `text` is that line without white space around it.
    fn instruction(&mut self, line: Line, text: Span) -> Result<(), SyntaxError> {
        let (text, comments, mut last) = self.join(text, line)?;
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
            place: self.file.blocks.at(line.full.start),
        };
        self.name_and_flags(&mut instruction);
        let json = is_json(&instruction)?;
        if matches!(
            instruction.keyword,
            Keyword::Run | Keyword::Add | Keyword::Copy
        ) && !json
        {
            instruction.heredocs = heredoc::openers(instruction.text.bytes());
            // `$((1 << 2))` is arithmetic to every frontend before 1.16, and to whoever wrote it.
            // And a tag may stand behind the name that ends one.
            let joined = instruction.text.bytes();
            let first = instruction
                .text
                .source(joined.len() - lines::trim_start(joined).len());
            let doubtful = |doc: &Heredoc| doc.spaced || first < instruction.name.start;
            let ends = &mut self.ends;
            instruction
                .heredocs
                .retain(|doc| !doubtful(doc) || ends.ends(self.source, doc, last.full.end));
        }
        for index in 0..instruction.heredocs.len() {
            last = self.heredoc_body(&mut instruction, index)?;
        }
        instruction.span.end = last.text.end;
        instruction.lines.1 = last.number;
        self.file.instructions.push(instruction);
        Ok(())
    }

    /// Joins the lines of an instruction that starts with `text`; gives its comment lines and its last line too.
    fn join(
        &mut self,
        text: Span,
        line: Line,
    ) -> Result<(Mapped<'a>, Vec<Span>, Line), SyntaxError> {
        let escape = self.file.escape;
        let mut comments = Vec::new();
        let mut last = line;
        let Some(kept) = lines::continued(text.of(self.source), escape) else {
            return Ok((Mapped::borrowed(self.source, text), comments, last));
        };
        let mut joined = Mapped::empty(text.start);
        joined.push(&text.of(self.source)[..kept], text.start);
        while let Some(line) = self.next_line()? {
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
        Ok((joined, comments, last))
    }

    /// Finds the name, the flags and the mounts of `instruction`, looking through `ONBUILD`.
    fn name_and_flags(&self, instruction: &mut Instruction<'a>) {
        let text = &instruction.text;
        let split = |from: usize| {
            let (end, next) = flags::split_name(text.bytes(), from);
            let (flags, args) = flags::split(
                text,
                self.source,
                next,
                self.file.escape,
                self.file.template,
            );
            (keyword(&text.bytes()[from..end]), end, flags, args)
        };
        // What is joined to an empty first line may start with white space.
        let behind_blanks =
            |from: usize| text.bytes().len() - lines::trim_start(&text.bytes()[from..]).len();
        let start = behind_blanks(0);
        let (mut name, end, mut flags, mut args) = split(start);
        instruction.name = text.span(start, end);
        if name == Some(Name::Onbuild) && behind_blanks(args) < text.bytes().len() {
            instruction.onbuild = true;
            (name, _, flags, args) = split(behind_blanks(args));
        }
        // `{% if x %}RUN …{% endif %}`. What else stands there, an ARG say, is not there for all that comes behind it.
        if name.is_none()
            && self.file.template
            && let (behind, true) = template::skip_tags(text.bytes(), start)
        {
            let start_of_tags = start;
            let start = behind_blanks(behind);
            let (inner, end, inner_flags, inner_args) = split(start);
            let on_one_line = text.span(start_of_tags, behind).len() == behind - start_of_tags;
            if behind > start_of_tags && on_one_line && inner == Some(Name::Known(Keyword::Run)) {
                instruction.name = text.span(start, end);
                (name, flags, args) = (inner, inner_flags, inner_args);
            }
        }
        instruction.keyword = match name {
            Some(Name::Known(keyword)) => keyword,
            Some(Name::Onbuild) => Keyword::Other,
            None => Keyword::Opaque,
        };
        if instruction.keyword == Keyword::Run {
            let rest = behind_blanks(args);
            let last = flags.len().saturating_sub(1);
            let mounts = flags
                .iter()
                .enumerate()
                .filter(|(_, flag)| flag.name() == b"mount");
            instruction.mounts = mounts
                .map(|(index, flag)| {
                    let templated = self.file.template && has_expression(flag);
                    let behind = (index == last).then(|| Behind {
                        text: &text.bytes()[rest..],
                        on_next_line: Span::new(flag.span.end, text.source(rest))
                            .of(self.source)
                            .contains(&b'\n'),
                    });
                    let mut mount =
                        Mount::read(flag, self.source, self.file.escape, templated, behind);
                    mount.conditional |= self.file.blocks.at(flag.span.start) != instruction.place;
                    mount
                })
                .collect();
        }
        instruction.flags = flags;
        instruction.args = args;
    }

    /// Reads the body of heredoc `index` of `instruction`; gives the line that ends it.
    fn heredoc_body(
        &mut self,
        instruction: &mut Instruction<'a>,
        index: usize,
    ) -> Result<Line, SyntaxError> {
        let mut start = None;
        while let Some(line) = self.next_line()? {
            let start = *start.get_or_insert(line.full.start);
            let doc = &mut instruction.heredocs[index];
            let mut text = line.text.of(self.source);
            while doc.chomp && text.first() == Some(&b'\t') {
                text = &text[1..];
            }
            if text == doc.name.as_bytes() {
                doc.body = Span::new(start, line.full.start);
                return Ok(line);
            }
        }
        let name = instruction.heredocs[index].name.clone();
        let span = instruction.text.span(0, instruction.text.bytes().len());
        Err(SyntaxError {
            span,
            kind: SyntaxErrorKind::OpenHeredoc(name),
        })
    }
}

/// Returns whether `instruction` is in JSON form; an error where the array holds something other than strings.
fn is_json(instruction: &Instruction<'_>) -> Result<bool, SyntaxError> {
    let takes_json = matches!(
        instruction.keyword,
        Keyword::Run | Keyword::Add | Keyword::Copy
    );
    if !takes_json || !instruction.arguments().starts_with(b"[") {
        return Ok(false);
    }
    match serde_json::from_slice::<Vec<serde_json::Value>>(instruction.arguments()) {
        Ok(values) if values.iter().all(serde_json::Value::is_string) => Ok(true),
        Ok(_) => {
            let span = instruction
                .text
                .span(instruction.args, instruction.text.bytes().len());
            Err(SyntaxError {
                span,
                kind: SyntaxErrorKind::NotStrings,
            })
        }
        Err(_) => Ok(false),
    }
}

/// Returns whether the flag holds a template's expression.
fn has_expression(flag: &Flag<'_>) -> bool {
    expression::all(flag.text.bytes()).next().is_some()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Known(Keyword),
    Onbuild,
}

fn keyword(name: &[u8]) -> Option<Name> {
    const NAMES: &[(&str, Name)] = &[
        ("RUN", Name::Known(Keyword::Run)),
        ("COPY", Name::Known(Keyword::Copy)),
        ("ENV", Name::Known(Keyword::Env)),
        ("ARG", Name::Known(Keyword::Arg)),
        ("FROM", Name::Known(Keyword::From)),
        ("WORKDIR", Name::Known(Keyword::Workdir)),
        ("ADD", Name::Known(Keyword::Add)),
        ("CMD", Name::Known(Keyword::Other)),
        ("ENTRYPOINT", Name::Known(Keyword::Other)),
        ("EXPOSE", Name::Known(Keyword::Other)),
        ("HEALTHCHECK", Name::Known(Keyword::Other)),
        ("LABEL", Name::Known(Keyword::Other)),
        ("MAINTAINER", Name::Known(Keyword::Other)),
        ("SHELL", Name::Known(Keyword::Other)),
        ("STOPSIGNAL", Name::Known(Keyword::Other)),
        ("USER", Name::Known(Keyword::Other)),
        ("VOLUME", Name::Known(Keyword::Other)),
        ("ONBUILD", Name::Onbuild),
    ];
    if !name.is_ascii() {
        // Go's `strings.ToLower` makes ASCII letters of two characters: the Kelvin sign and the dotted capital I.
        let name = String::from_utf8_lossy(name)
            .replace('\u{212A}', "k")
            .replace('\u{130}', "i");
        return if name.is_ascii() {
            keyword(name.as_bytes())
        } else {
            None
        };
    }
    NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
        .map(|(_, name)| *name)
}
