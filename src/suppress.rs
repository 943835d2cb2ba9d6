//! Suppressions: comments that tell cachelane to be silent about something.
//!
//! `# cachelane: ignore[shared-lock, lock-order] reason` speaks for the instruction below it, or for the one that it stands
//! in; `# cachelane: ignore-file[shared-lock] reason` for the whole file. A list of rules is asked for: what nobody named
//! is never hidden.

use std::collections::HashMap;
use std::sync::LazyLock;

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::dockerfile::{Dockerfile, Keyword};
use crate::finding::Finding;
use crate::fix::Edit;
use crate::text::{Span, line_ending};

/// What every suppression begins with, behind the `#`.
const MARK: &str = "cachelane:";

/// The same without the colon, and with the word behind it that leaves no doubt.
const SLIP: &str = "cachelane ignore";

/// How many blocks with a suppression are looked at around a place.
const MAX_NESTING: usize = 64;

/// Words that people may write for `ignore`.
const OTHER_WORDS: &[&str] = &["disable", "skip", "allow", "noqa", "nolint", "suppress", "off"];

/// A comment that suppresses, or tries to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What it speaks for.
    pub covers: Covers,
    /// The comment, from its `#` to the end of its line.
    pub comment: Span,
    /// The whole line, its newline included.
    pub line: Span,
    /// The names in its list, in order. Empty where there is a fault.
    pub names: Vec<(String, Span)>,
    /// Why it suppresses nothing whatever it names.
    pub fault: Option<Fault>,
    /// Whether the line below would be a parser directive if this one were not there.
    pub guards: bool,
}

impl Ignore {
    /// The part of it that is about `rule`, where there is one and it is for the whole file.
    #[must_use]
    pub fn of(mut self, rule: &str) -> Option<Self> {
        let at = self.names.iter().position(|(name, _)| name == rule).filter(|_| self.covers == Covers::File)?;
        self.names = vec![self.names.swap_remove(at)];
        Some(self)
    }
}

/// What a suppression speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covers {
    /// The whole file.
    File,
    /// The instruction of these bytes.
    Instruction(Span),
    /// Nothing: no instruction follows right below it.
    Nothing,
}

/// What is wrong with a suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no colon behind the name.
    NoColon,
    /// It stands behind a command, where it is the shell's.
    Trailing,
    /// It names no rule.
    NoList,
    /// The list has no end.
    Open,
    /// It is none of the words that cachelane knows.
    Unknown(String),
}

/// Whether `source` can hold a suppression.
#[must_use]
pub fn is_marked(source: &[u8]) -> bool {
    marks(source).next().is_some()
}

/// Where the marks of suppressions are, and whether they have their colon.
fn marks(source: &[u8]) -> impl Iterator<Item = (usize, bool)> + '_ {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&MARK[..MARK.len() - 1]));
    NAME.find_iter(source).filter_map(|at| {
        let text = &source[at..];
        let colon = text.starts_with(MARK.as_bytes());
        (colon || text.starts_with(SLIP.as_bytes())).then_some((at, colon))
    })
}

/// The suppressions of a file, in order. `file` is `None` where BuildKit could not read it: then every line that begins
/// with `#` counts as a comment.
#[must_use]
pub fn read(source: &[u8], file: Option<&Dockerfile<'_>>) -> Vec<Ignore> {
    let mut ignores = Vec::new();
    let mut done = 0;
    let mut guarded = None;
    for (at, colon) in marks(source) {
        if at < done {
            continue;
        }
        let start = memchr::memrchr(b'\n', &source[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |newline| at + newline + 1);
        done = end;
        let line = Span::new(start, end);
        let before = source[start..at].strip_prefix(crate::text::BOM).unwrap_or(&source[start..at]);
        if before.trim() != b"#" {
            let hash = (at + before.trim_end().len()).saturating_sub(before.len() + 1);
            if colon && file.is_some_and(|file| hash > start && is_trailing(file, start, hash)) {
                let comment = Span::new(hash, start + source[line.start..line.end].trim_end().len());
                let found = parse(source, at + MARK.len(), comment, line, Covers::Nothing);
                let found = found.filter(|found| found.fault.is_none());
                ignores.extend(found.map(|found| Ignore { fault: Some(Fault::Trailing), names: Vec::new(), ..found }));
            }
            continue;
        }
        let hash = at - before.len() + before.find_byte(b'#').unwrap_or(0);
        let comment = Span::new(hash, start + source[line.start..line.end].trim_end().len());
        if let Some(place) = place(file, hash) {
            let from = at + MARK.len() - usize::from(!colon);
            let found = parse(source, from, comment, line, place).filter(|found| colon || found.fault.is_none());
            ignores.extend(found.map(|mut found| {
                if !colon {
                    (found.fault, found.names) = (Some(Fault::NoColon), Vec::new());
                }
                found.guards =
                    line.end <= *guarded.get_or_insert_with(|| file.map_or(0, |file| guards(source, file.top)));
                found
            }));
        }
    }
    ignores
}

/// The suppressions of a file that is no Dockerfile (YAML, HCL), in order. Each speaks for the block below it: the next
/// line, and the lines behind it that are indented deeper.
#[must_use]
pub fn read_outline(source: &[u8]) -> Vec<Ignore> {
    let mut ignores = read(source, None);
    // What the suppression below speaks for: with nothing but comments between them, it is the same.
    let mut below: Option<(usize, Covers)> = None;
    for ignore in ignores.iter_mut().rev().filter(|ignore| ignore.covers == Covers::Nothing) {
        let from = ignore.line.end;
        let comments = |end: &usize| source[from..*end].lines().all(|line| line.trim_start().starts_with(b"#"));
        ignore.covers = match below.filter(|(start, _)| comments(start)) {
            Some((_, covers)) => covers,
            None => block_below(source, from).map_or(Covers::Nothing, Covers::Instruction),
        };
        below = Some((ignore.line.start, ignore.covers));
    }
    ignores
}

/// The block that begins with the first line from byte `from` on that is no comment.
fn block_below(source: &[u8], from: usize) -> Option<Span> {
    let indent = |line: &[u8]| line.iter().take_while(|b| **b == b' ').count();
    let is_item = |text: &[u8]| text == b"-" || text.starts_with(b"- ");
    // A list may stand as far to the left as the key that it belongs to; another item of a list belongs to none before it.
    let mut goes_on = false;
    let mut block: Option<(Span, usize)> = None;
    let mut at = from;
    for line in source[from..].split_inclusive(|b| *b == b'\n') {
        let text = line.trim();
        match &mut block {
            None if text.is_empty() => return None,
            None if text.starts_with(b"#") => {}
            None => {
                // What comes behind its colon is a comment at most.
                let key = text.find(b" #").map_or(text, |comment| text[..comment].trim_end());
                goes_on = !is_item(text) && key.ends_with(b":");
                block = Some((Span::new(at, at + line.len()), indent(line)));
            }
            Some(_) if text.is_empty() => {}
            Some((span, depth)) if indent(line) > *depth || (goes_on && indent(line) == *depth && is_item(text)) => {
                span.end = at + line.len();
            }
            Some(_) => break,
        }
        at += line.len();
    }
    block.map(|(span, _)| span)
}

/// What a comment at byte `hash` stands above or in; `None` where it is no comment but a heredoc's text, say.
fn place(file: Option<&Dockerfile<'_>>, hash: usize) -> Option<Covers> {
    let Some(file) = file else { return Some(Covers::Nothing) };
    if let Some(index) = file.instruction_at(hash) {
        let instruction = &file.instructions[index];
        let after = instruction.comments.partition_point(|comment| comment.start <= hash);
        let is_comment = after > 0 && hash < instruction.comments[after - 1].end;
        return is_comment.then_some(Covers::Instruction(instruction.span));
    }
    let next = file.instructions.partition_point(|instruction| instruction.span.start <= hash);
    let below = file.instructions.get(next).filter(|below| below.lead <= hash);
    Some(below.map_or(Covers::Nothing, |below| Covers::Instruction(below.span)))
}

/// Whether the `#` at byte `hash` of the line at byte `start` begins a comment of the shell that a RUN starts: behind a
/// blank, and without a quote before it that could make it text.
fn is_trailing(file: &Dockerfile<'_>, start: usize, hash: usize) -> bool {
    let before = &file.source[start..hash];
    let is_comment = file.source.get(hash) == Some(&b'#') && before.ends_with(b" ");
    let run = file.instruction_at(hash).map(|index| &file.instructions[index]);
    is_comment
        && !before.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\'))
        && run.is_some_and(|run| run.keyword == Keyword::Run && run.heredocs.is_empty() && run.lines.0 == run.lines.1)
}

/// Where the suppressions end that keep a comment below them from being a parser directive: between the directives, which
/// end at byte `top`, and that comment there is nothing but suppressions. `top` where there are none.
fn guards(source: &[u8], top: usize) -> usize {
    let is_suppression = |line: &[u8]| line.starts_with(b"#") && marks(line).next().is_some();
    let mut end = top;
    for line in source[top..].lines_with_terminator() {
        let text = line.trim();
        if !is_suppression(text) {
            let word = text.strip_prefix(b"#").map(bstr::ByteSlice::trim_start).unwrap_or_default();
            let rest = word.trim_start_with(|ch| ch.is_ascii_alphanumeric());
            let is_directive = rest.len() < word.len() && rest.trim_start().starts_with(b"=");
            return if is_directive { end } else { top };
        }
        end += line.len();
    }
    top
}

/// Reads what stands behind the mark at byte `from`; `None` where it is prose.
fn parse(source: &[u8], from: usize, comment: Span, line: Span, place: Covers) -> Option<Ignore> {
    let text = &source[from..comment.end.max(from)];
    let start = from + (text.len() - text.trim_start().len());
    let word = source[start..comment.end.max(start)]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .count();
    let name = source[start..start + word].to_str_lossy().into_owned();
    let after = &source[start + word..comment.end.max(start + word)];
    let ignore = |covers, names, fault| Some(Ignore { covers, comment, line, names, fault, guards: false });
    let covers = match name.as_str() {
        "ignore" => place,
        "ignore-file" => Covers::File,
        _ => {
            let near = |known: &&str| strsim::damerau_levenshtein(&name, known) <= 2;
            let meant = OTHER_WORDS.contains(&name.as_str()) || ["ignore", "ignore-file"].iter().any(near);
            let fault = Some(Fault::Unknown(name.clone()));
            return if meant { ignore(place, Vec::new(), fault) } else { None };
        }
    };
    let Some(list) = after.trim_start().strip_prefix(b"[") else {
        return ignore(covers, Vec::new(), Some(Fault::NoList));
    };
    let Some(len) = list.find_byte(b']') else { return ignore(covers, Vec::new(), Some(Fault::Open)) };
    let mut at = comment.end - list.len();
    let mut names = Vec::new();
    for item in list[..len].split(|b| *b == b',') {
        let name = item.trim();
        if !name.is_empty() {
            let start = at + (item.len() - item.trim_start().len());
            names.push((name.to_str_lossy().into_owned(), Span::new(start, start + name.len())));
        }
        at += item.len() + 1;
    }
    let fault = names.is_empty().then_some(Fault::NoList);
    ignore(covers, names, fault)
}

/// Which suppression speaks for which rule where.
#[derive(Debug)]
pub struct Table<'i> {
    /// The instructions that have one, ordered, each with the one that it stands in.
    instructions: Vec<(Span, Option<usize>)>,
    /// The first suppression and the place in its list, by the start of the instruction (`None` for the file) and the rule.
    names: HashMap<(Option<usize>, &'i str), (usize, usize)>,
}

impl<'i> Table<'i> {
    /// The table of `ignores`.
    #[must_use]
    pub fn new(ignores: &'i [Ignore]) -> Self {
        let mut table = Self { instructions: Vec::new(), names: HashMap::new() };
        for (index, ignore) in ignores.iter().enumerate() {
            let key = match ignore.covers {
                Covers::File => None,
                Covers::Instruction(span) => {
                    table.instructions.push((span, None));
                    Some(span.start)
                }
                Covers::Nothing => continue,
            };
            for (at, (name, _)) in ignore.names.iter().enumerate() {
                table.names.entry((key, name)).or_insert((index, at));
            }
        }
        table.nest();
        table
    }

    /// Orders the instructions, and finds out which stands in which: blocks of YAML stand within one another.
    fn nest(&mut self) {
        self.instructions.sort_unstable_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        self.instructions.dedup_by_key(|(span, _)| span.start);
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.instructions.len() {
            let start = self.instructions[index].0.start;
            while open.last().is_some_and(|outer| self.instructions[*outer].0.end <= start) {
                open.pop();
            }
            self.instructions[index].1 = open.last().copied();
            open.push(index);
        }
    }

    /// The suppression of `rule` at `span`, and the place in its list.
    #[must_use]
    pub fn suppressing(&self, rule: &str, span: Span) -> Option<(usize, usize)> {
        let after = self.instructions.partition_point(|(instruction, _)| instruction.start <= span.start);
        let around = std::iter::successors(after.checked_sub(1), |index| self.instructions[*index].1);
        let around = around.take(MAX_NESTING).map(|index| self.instructions[index].0);
        // What is missing at the end of an instruction stands there, too.
        let holds = |around: &Span| span.start < around.end.max(around.start + 1) || span == Span::at(around.end);
        let mut here = around.filter(holds);
        let near = here.find_map(|here| self.names.get(&(Some(here.start), rule)));
        near.or_else(|| self.names.get(&(None, rule))).copied()
    }
}

/// The edits that take the names of `unused` (indices, in order) out of the list of `ignore`; the whole line goes where
/// none is left.
#[must_use]
pub fn remove(ignore: &Ignore, unused: &[usize]) -> Vec<Edit> {
    if unused.len() >= ignore.names.len() {
        return vec![Edit::delete(ignore.line)];
    }
    let kept: Vec<&str> = (0..ignore.names.len())
        .filter(|index| unused.binary_search(index).is_err())
        .map(|index| ignore.names[index].0.as_str())
        .collect();
    let (Some(first), Some(last)) = (ignore.names.first(), ignore.names.last()) else { return Vec::new() };
    let list = Span::new(first.1.start, last.1.end);
    vec![Edit::replace(list, kept.join(", "))]
}

/// The edits that suppress `findings` of `file` from now on, beside the suppressions `ignores` that are there: a comment
/// above each instruction, and one for the file for what stands in none.
#[must_use]
pub fn add(source: &[u8], file: Option<&Dockerfile<'_>>, ignores: &[Ignore], findings: &[&Finding]) -> Vec<Edit> {
    let index = |finding: &Finding| {
        let before = finding.span.start.checked_sub(1).filter(|_| finding.span.is_empty());
        let at = |at: usize| file?.instruction_at(at);
        at(finding.span.start).or_else(|| at(before?))
    };
    let mut open: Vec<(Option<usize>, &str)> = findings.iter().map(|f| (index(f), f.rule)).collect();
    open.sort_unstable();
    open.dedup();
    let usable = ignores.iter().filter(|ignore| ignore.fault.is_none());
    let there: HashMap<Covers, &Ignore> = usable.map(|ignore| (ignore.covers, ignore)).collect();
    let mut edits = Vec::new();
    for group in open.chunk_by(|a, b| a.0 == b.0) {
        let instruction = group[0].0.and_then(|index| file.map(|file| &file.instructions[index]));
        let rules = group.iter().map(|(_, rule)| *rule).collect::<Vec<_>>().join(", ");
        let covers = instruction.map_or(Covers::File, |instruction| Covers::Instruction(instruction.span));
        if let Some((_, last)) = there.get(&covers).and_then(|ignore| ignore.names.last()) {
            edits.push(Edit::insert(last.end, format!(", {rules}")));
            continue;
        }
        let top = file.map_or_else(|| bom(source), |file| file.top);
        let (at, beside, verb) = match instruction {
            Some(instruction) => (instruction.lead.max(top), instruction.span.start, "ignore"),
            None => (top, top, "ignore-file"),
        };
        let indent = source[beside..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let indent = source[beside..beside + indent].to_str_lossy();
        let ending = line_ending(source, at);
        // A file may end without a newline right where the comment is to begin.
        let before = if at > bom(source) && source[at - 1] != b'\n' { ending } else { "" };
        let comment = format!("{indent}# {MARK} {verb}[{rules}]{ending}");
        // The file's own and that of its first instruction may come in one spot.
        let text = match edits.pop_if(|last: &mut Edit| last.span() == Span::at(at)) {
            Some(last) => last.text().to_owned() + &comment,
            None => before.to_owned() + &comment,
        };
        edits.push(Edit::insert(at, text));
    }
    edits
}

/// Where the text begins: behind a byte-order mark.
fn bom(source: &[u8]) -> usize {
    if source.starts_with(crate::text::BOM) { crate::text::BOM.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(source: &str) -> Vec<Ignore> {
        let file = Dockerfile::read(source.as_bytes()).unwrap();
        read(source.as_bytes(), Some(&file))
    }

    fn names(ignore: &Ignore) -> Vec<&str> {
        ignore.names.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn above_and_inside_of_an_instruction_and_for_the_file() {
        let source = "# cachelane: ignore-file[a] why\nFROM x\n\n#cachelane:ignore[ b , c ]\n# more\nRUN a \\\n  \
                      # cachelane: ignore[d]\n  b\n";
        let found = ignores(source);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].covers, names(&found[0])), (Covers::File, vec!["a"]));
        assert_eq!(names(&found[1]), ["b", "c"]);
        assert_eq!(names(&found[2]), ["d"]);
        assert!(matches!(found[1].covers, Covers::Instruction(span) if source[span.start..].starts_with("RUN a")));
        assert_eq!(found[1].covers, found[2].covers);
        for (name, span) in &found[1].names {
            assert_eq!(&source[span.start..span.end], name);
        }
    }

    #[test]
    fn what_is_no_comment_is_no_suppression() {
        let source = "FROM x\nRUN <<EOF\n# cachelane: ignore[a]\nEOF\nRUN echo '# cachelane: ignore[b]'\n\
                      # see cachelane: ignore[c]\n# cachelane: we use lanes\nRUN true\n";
        assert_eq!(ignores(source), []);
    }

    #[test]
    fn faults() {
        let source = "FROM x\n# cachelane: ignore\nRUN a\n# cachelane: ignore[]\nRUN b\n# cachelane: ignore[x\nRUN c\n\
                      # cachelane: disable=x\nRUN d\n# cachelane: ingore[x]\nRUN e\n# cachelane: ignore[x]\n\nRUN f\n";
        let found = ignores(source);
        let faults: Vec<Option<Fault>> = found.iter().map(|ignore| ignore.fault.clone()).collect();
        let unknown = |word: &str| Some(Fault::Unknown(word.into()));
        let expected =
            [Some(Fault::NoList), Some(Fault::NoList), Some(Fault::Open), unknown("disable"), unknown("ingore"), None];
        assert_eq!(faults, expected);
        assert_eq!(found[5].covers, Covers::Nothing);
    }

    #[test]
    fn a_colon_that_is_missing_is_said() {
        let source =
            "FROM x\n# cachelane ignore[a]\nRUN a\n# cachelane ignores this\nRUN b\n# cachelane ignore\nRUN c\n";
        let found = ignores(source);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].fault.clone(), names(&found[0])), (Some(Fault::NoColon), vec![]));
        assert!(is_marked(source.as_bytes()) && !is_marked(b"FROM cachelane\n"));
    }

    #[test]
    fn a_comment_behind_a_command_is_the_shell_s() {
        assert_eq!(ignores("cachelane: ignore[a]\ncachelane: ignore[a]\n"), []);
        let source = "FROM x\nRUN a # cachelane: ignore[a]\nRUN echo \"a # cachelane: ignore[a]\"\nRUN a#cachelane: ignore[a]\n\
                      RUN cat <<E # cachelane: ignore[a]\nE\nLABEL a # cachelane: ignore[a]\nRUN a # cachelane: see above\n";
        let found = ignores(source);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].fault, Some(Fault::Trailing));
        assert_eq!(found[0].comment.of(source.as_bytes()), b"# cachelane: ignore[a]");
    }

    #[test]
    fn what_guards_a_directive() {
        let guards = |source: &str| ignores(source).iter().map(|ignore| ignore.guards).collect::<Vec<_>>();
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n# cachelane: ignore-file[b]\n# syntax=x\nFROM x\n"),
            [true, true]
        );
        assert_eq!(guards("# escape=\\\n# cachelane: ignore-file[a]\n# syntax=x\nFROM x\n"), [true]);
        assert_eq!(guards("# a\n# cachelane: ignore-file[a]\n# syntax=x\nFROM x\n"), [false]);
        assert_eq!(guards("# cachelane: ignore-file[a]\n# a b=c\nFROM x\n"), [false]);
    }

    #[test]
    fn blocks_of_yaml_stand_within_one_another() {
        let mut source = "# cachelane: ignore[a]\njob:\n".to_owned();
        for step in 0..70 {
            source.push_str(&format!("  # cachelane: ignore[b]\n  s{step}:\n    x: 1\n"));
        }
        source.push_str("  last:\n    x: 2\nother:\n");
        let found = read_outline(source.as_bytes());
        let table = Table::new(&found);
        let at = |text: &str| source.find(text).map(|at| Span::new(at, at + 1)).unwrap();
        assert!(table.suppressing("a", at("x: 2")).is_some() && table.suppressing("b", at("x: 2")).is_none());
        assert!(table.suppressing("a", at("s3:")).is_some() && table.suppressing("b", at("s3:")).is_some());
        assert!(table.suppressing("a", at("other")).is_none());
    }

    #[test]
    fn a_list_belongs_to_the_key_above_it() {
        let covered = |source: &str, text: &str| {
            let found = read_outline(source.as_bytes());
            let at = source.find(text).unwrap();
            Table::new(&found).suppressing("a", Span::new(at, at + 1)).is_some()
        };
        let list = "job:\n  # cachelane: ignore[a]\n  script:\n  - one\n  - two\n  after:\n  - three\n";
        assert!(covered(list, "one") && covered(list, "two") && !covered(list, "three"));
        let item = "steps:\n# cachelane: ignore[a]\n- one\n  more\n- two\n";
        assert!(covered(item, "one") && covered(item, "more") && !covered(item, "two"));
        assert!(!covered("# cachelane: ignore[a]\nkey: text\n- one\n", "one"));
    }

    #[test]
    fn names_go_out_of_a_list() {
        let source = "FROM x\n# cachelane: ignore[a, b,c] why\nRUN a\n";
        let found = ignores(source);
        let after = |unused: &[usize]| {
            let fix = crate::fix::Fix::safe("", remove(&found[0], unused));
            String::from_utf8(crate::fix::apply(source.as_bytes(), &[&fix]).bytes).unwrap()
        };
        assert_eq!(after(&[1]), "FROM x\n# cachelane: ignore[a, c] why\nRUN a\n");
        assert_eq!(after(&[0, 1, 2]), "FROM x\nRUN a\n");
    }
}
