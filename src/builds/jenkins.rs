//! Jenkinsfiles: the `sh` steps of stages, and `docker.build`.
//!
//! By Jenkins' "Pipeline Syntax": stages follow one another, those of `parallel` run at once; a text in double quotes has
//! Groovy's `${…}`, one in three quotes has several lines; `docker.build(image, arguments)` runs `docker build -t image`
//! with these arguments, which end in the context.

use std::sync::Arc;

use super::command;
use super::format::{Around, FilePath, Format, Inserter, Insertion};
use super::jobs::{
    self, Found, Gatherer, Job, Language, Looked, Matrix, Piece, Pipeline, Scope, Source, Step,
};
use super::model::{BuildFile, Lane, Ordered, ReadError};
use super::paths::Text;
use super::shell::is_name;
use super::yaml::Addition;
use crate::budget;
use crate::text::{SourceMap, Span};

#[derive(Debug)]
pub struct Jenkins;

impl Format for Jenkins {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let rest = path.name.strip_prefix("Jenkinsfile");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
            || path.name.to_ascii_lowercase().ends_with(".jenkinsfile")
    }

    /// Returns no folder's name: steps begin in the checkout, wherever the file is.
    fn folder(&self) -> Option<&'static str> {
        Some(".git")
    }

    fn may_build(&self, source: &[u8]) -> bool {
        command::names_builder(source) || command::names_script(source)
    }

    fn adds(&self) -> Option<Addition> {
        None
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        jobs::read(&Self, source, Around::NONE)
    }

    fn inserter(
        &self,
        source: &str,
        _around: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        jobs::inserter(&Self, source, Around::NONE, then)
    }
}

impl Language for Jenkins {
    fn root(&self) -> &'static str {
        "WORKSPACE"
    }

    fn filled(&self, _: &Scope<'_>, text: &str, _: Option<&Looked<'_>>) -> Option<Text> {
        (!text.contains(['$', '`'])).then(|| text.into())
    }
}

impl Pipeline for Jenkins {
    fn source<'s>(&self, source: &'s str) -> Result<Source<'s>, ReadError> {
        Ok(Source::Text(source))
    }

    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        let Source::Text(source) = source else {
            return;
        };
        if !budget::spend(16 * source.len()) {
            return;
        }
        let mut reader = Reader {
            source,
            at: 0,
            blocks: Vec::new(),
            gatherer,
            count: 0,
        };
        reader.blocks.push(Block::default());
        reader.read();
    }

    /// Passes the stage's name.
    fn insert(&self, found: &Found<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        match found.build.jobs.as_slice() {
            [name] if jobs::is_plain_value(name) => {
                jobs::insertion(found, lane, name.to_ascii_lowercase())
            }
            _ => Err("the name of the stage cannot be part of a cache id".to_owned()),
        }
    }
}

/// A block in braces.
#[derive(Default)]
struct Block {
    /// The stage that it is the body of.
    stage: Option<String>,
    is_parallel: bool,
    /// The folder in which its steps run; `None` where only a run knows.
    folder: Option<String>,
    /// What has ended before its next stage begins, and when all of its stages have.
    after: Vec<Ordered>,
    ended: Vec<Ordered>,
}

struct Reader<'r, 'y> {
    source: &'y str,
    at: usize,
    blocks: Vec<Block>,
    gatherer: &'r mut Gatherer<'y>,
    /// The number of stages so far.
    count: usize,
}

/// A string, without its quotes.
struct Quoted {
    span: Span,
    quote: &'static str,
}

impl<'y> Reader<'_, 'y> {
    fn rest(&self) -> &'y str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn read(&mut self) {
        self.blocks[0].folder = Some(String::new());
        // The last word, with the first string behind it.
        let (mut word, mut text): (&str, Option<Quoted>) = ("", None);
        while let Some(letter) = self.rest().chars().next() {
            if let Some(quoted) = self.quoted() {
                text.get_or_insert(quoted);
            } else if letter.is_alphabetic() || letter == '_' {
                let len = self
                    .rest()
                    .find(|ch: char| !ch.is_alphanumeric() && ch != '_' && ch != '.');
                let own = &self.rest()[..len.unwrap_or(self.rest().len())];
                self.at += own.len();
                match own {
                    "sh" => self.shell(),
                    "docker.build" => self.docker_build(),
                    "script" | "returnStdout" | "label" | "returnStatus" => {}
                    _ => (word, text) = (own, None),
                }
            } else if letter == '{' {
                self.at += 1;
                let text = text.take();
                self.open(word, text.as_ref());
                word = "";
            } else if letter == '}' {
                self.at += 1;
                self.close();
            } else {
                self.at += letter.len_utf8();
            }
        }
    }

    /// Skips a comment, or reads a string that begins here.
    fn quoted(&mut self) -> Option<Quoted> {
        let rest = self.rest();
        let comment = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|end| end + 1),
            _ => None,
        };
        if let Some(end) = comment {
            self.at += end;
            return None;
        }
        let quote = ["'''", "\"\"\"", "'", "\""]
            .into_iter()
            .find(|quote| rest.starts_with(quote))?;
        let start = self.at + quote.len();
        let mut end = start;
        loop {
            let rest = self.source.get(end..).unwrap_or_default();
            if rest.is_empty() || (quote.len() == 1 && rest.starts_with('\n')) {
                // No string after all.
                return None;
            }
            if rest.starts_with(quote) {
                break;
            }
            let escaped = rest.starts_with('\\');
            let mut letters = rest.chars();
            end += letters
                .by_ref()
                .take(1 + usize::from(escaped))
                .map(char::len_utf8)
                .sum::<usize>();
        }
        self.at = end + quote.len();
        Some(Quoted {
            span: Span::new(start, end),
            quote,
        })
    }

    fn text(&self, quoted: &Quoted) -> &'y str {
        &self.source[quoted.span.start..quoted.span.end]
    }

    /// Opens the block behind `word`, with a string between.
    fn open(&mut self, word: &str, text: Option<&Quoted>) {
        let outer = self.blocks.last();
        let folder = outer.and_then(|outer| outer.folder.clone());
        let plain = text
            .map(|text| self.text(text))
            .filter(|text| !text.contains(['$', '\\']));
        let mut block = Block {
            folder,
            after: outer.map(|outer| outer.after.clone()).unwrap_or_default(),
            ..Block::default()
        };
        match word {
            "stage" => {
                self.count += 1;
                let number = format!("{} ", self.count);
                block.stage = Some(plain.map_or(number, str::to_owned));
            }
            "parallel" => block.is_parallel = true,
            "dir" => {
                let path = plain.map(Text::from);
                block.folder = path.and_then(|path| path.seen_from(block.folder.as_deref()));
            }
            _ => {}
        }
        if budget::spend(64 * (1 + block.after.len())) {
            self.blocks.push(block);
        }
    }

    fn close(&mut self) {
        if self.blocks.len() < 2 {
            return;
        }
        let Some(block) = self.blocks.pop() else {
            return;
        };
        let mut ended = block.ended;
        if let Some(stage) = block.stage
            && ended.is_empty()
        {
            let job = Ordered::Job(stage);
            self.gatherer.order.push((job.clone(), block.after.clone()));
            ended.push(job);
        }
        if let Some(outer) = self.blocks.last_mut().filter(|_| !ended.is_empty()) {
            if outer.is_parallel {
                outer.ended.extend(ended);
            } else {
                outer.after.clone_from(&ended);
                outer.ended = ended;
            }
        }
    }

    fn step(&mut self, piece: Piece) {
        let stage = self
            .blocks
            .iter()
            .rev()
            .find_map(|block| block.stage.clone());
        let folder = self.blocks.last().and_then(|block| block.folder.clone());
        let title = stage.as_ref().map_or("the pipeline".to_owned(), |stage| {
            format!("stage `{}`", stage.trim())
        });
        let job = Arc::new(Job {
            name: stage.or(Some("pipeline".to_owned())),
            matrix: Matrix::none(),
            ..Job::default()
        });
        self.gatherer
            .piece(piece, &Step::new(&job, title, None), folder.as_deref());
    }

    /// Reads the script of `sh`.
    fn shell(&mut self) {
        let rest = self.rest();
        let skipped = rest.trim_start_matches([' ', '\t', '(', '\n', '\r']);
        self.at += rest.len() - skipped.len();
        if !self.rest().starts_with(['\'', '"']) {
            const NAME: &str = "script:";
            let line = self.rest().lines().next().unwrap_or_default();
            let named = line.find(NAME).map_or(line.len(), |at| at + NAME.len());
            self.at += named;
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(' ').len();
        }
        if let Some(quoted) = self.quoted() {
            let piece = self.piece("", &quoted);
            self.step(piece);
        }
    }

    /// Reads `docker.build("image", "arguments")`.
    fn docker_build(&mut self) {
        let Some(rest) = self.rest().trim_start().strip_prefix('(') else {
            return;
        };
        self.at = self.source.len() - rest.len();
        let mut texts = Vec::new();
        while let Some(letter) = self.rest().chars().next() {
            match letter {
                ')' => break,
                '\'' | '"' => match self.quoted() {
                    Some(text) => texts.push(text),
                    None => self.at += 1,
                },
                _ => self.at += letter.len_utf8(),
            }
        }
        let piece = match &texts[..] {
            [image] => Piece {
                text: "docker build .".to_owned(),
                map: SourceMap::of(Span::new(
                    image.span.start,
                    image.span.end.min(image.span.start + 1),
                )),
                write: str::to_owned,
            },
            [_, arguments] => self.piece("docker build ", arguments),
            _ => return,
        };
        self.step(piece);
    }

    /// Returns a string as the shell gets it, behind `start`.
    fn piece(&self, start: &str, quoted: &Quoted) -> Piece {
        let (own, place) = (self.text(quoted), quoted.span.start);
        let is_double = quoted.quote.starts_with('"');
        let (mut text, mut map) = (start.to_owned(), SourceMap::default());
        let mut letters = own.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            let mut push = |text: &mut String, part: &str, at: Option<usize>| {
                if let Some(at) = at {
                    map.push(text.len(), place + at, part.len());
                }
                text.push_str(part);
            };
            match (letter, letters.peek().copied()) {
                ('\\', None) => {}
                // Groovy joins the lines.
                ('\\', Some((_, '\n'))) => drop(letters.next()),
                ('\\', Some((at, escaped))) => {
                    letters.next();
                    match escaped {
                        'n' => push(&mut text, "\n", None),
                        't' => push(&mut text, "\t", None),
                        _ => push(&mut text, escaped.encode_utf8(&mut [0; 4]), Some(at)),
                    }
                }
                // What Groovy puts in is no variable of the shell's.
                ('$', Some((_, next)))
                    if is_double && (next == '{' || is_name(&next.to_string())) =>
                {
                    let rest = &own[at + 1..];
                    let end = match rest.strip_prefix('{') {
                        Some(inner) => inner.find('}').map_or(rest.len(), |end| end + 2),
                        None => rest
                            .find(|ch: char| !ch.is_alphanumeric() && !"_.".contains(ch))
                            .unwrap_or(rest.len()),
                    };
                    let name = rest[..end].trim_matches(['{', '}']);
                    push(
                        &mut text,
                        &format!("$({})", name.replace(['(', ')', '"', '\''], "")),
                        None,
                    );
                    while letters.peek().is_some_and(|(next, _)| *next <= at + end) {
                        letters.next();
                    }
                }
                _ => push(&mut text, letter.encode_utf8(&mut [0; 4]), Some(at)),
            }
        }
        Piece {
            text,
            map,
            write: if is_double { in_double } else { in_single },
        }
    }
}

fn in_single(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

fn in_double(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$")
}
