//! The commands of a script in order, with the folder that each runs in and what the script has set by then.

use std::collections::HashMap;
use std::rc::Rc;

use super::lex::{Inner, Token, is_name, tokens};
use super::{Dialect, Piece, Set, Simple, Values, Word};
use crate::budget;
use crate::text::Span;

/// What a folder of `Values` begins with that is the one everything is relative to, such as that of
/// `$GITHUB_WORKSPACE`.
pub const ROOT: &str = "/\u{0}root";

/// What opens a block, and so may run more than once or not at all.
const OPENERS: &[&str] = &[
    "if", "while", "until", "for", "case", "select", "{", "function",
];
/// What closes one.
const CLOSERS: &[&str] = &["fi", "done", "esac", "}"];
/// What stands before a command without changing it.
const KEYWORDS: &[&str] = &["then", "do", "else", "elif", "!", "time"];
/// What sets variables by `NAME=value` words.
pub(super) const SETTERS: &[&str] = &["export", "readonly", "local", "declare", "typeset"];
/// What sets variables in its own way.
const READERS: &[&str] = &[
    "read",
    "unset",
    "getopts",
    "mapfile",
    "readarray",
    "let",
    "printf",
];
/// What asks, so that what stands behind its `&&` may not run.
const TESTS: &[&str] = &["[", "[[", "test", "grep", "which", "command", "false"];

/// The commands of `script`, which starts in `folder`. `values` is asked for what only `cd` needs here.
#[must_use]
pub fn read(
    script: &str,
    folder: Option<&str>,
    dialect: Dialect,
    values: &Values<'_>,
) -> Vec<Simple> {
    budget::spend(8 * script.len());
    let tokens = tokens(script, Span::new(0, script.len()), dialect);
    let mut counts = HashMap::new();
    count(&tokens, &mut counts);
    let mut tracker = Tracker {
        script,
        dialect,
        values,
        counts,
        sets: HashMap::new(),
        folder: folder.map(str::to_owned),
        blocks: Vec::new(),
        depth: 0,
        open: true,
        found: Vec::new(),
    };
    tracker.run(&tokens);
    tracker.found
}

/// `path`, seen from `folder`: without `.`, and without `..` as far as that goes. `None` where it leads to a place that
/// is not under what `folder` is relative to.
#[must_use]
pub fn join(folder: &str, path: &str) -> Option<String> {
    let (folder, path) = match path.strip_prefix(ROOT) {
        Some(rest) => ("", rest.trim_start_matches('/')),
        None => (folder, path),
    };
    let is_drive = path.get(1..2) == Some(":")
        && path.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if path.starts_with(['/', '~', '\\']) || is_drive {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    // Each `cd` of a script makes another one.
    budget::spend(folder.len() + path.len()).then(|| names.join("/"))
}

/// How often each variable is set; twice for what sets it in a way that is not followed.
fn count(tokens: &[Token], counts: &mut HashMap<String, usize>) {
    let mut add = |name: &str, times: usize| *counts.entry(name.to_owned()).or_default() += times;
    for command in tokens.split(|token| matches!(token, Token::Op(_))) {
        let words: Vec<&Word> = command.iter().filter_map(word_of).collect();
        let mut before = true;
        for (index, word) in words.iter().enumerate() {
            let head = words[index.saturating_sub(1)].text().unwrap_or_default();
            if let Some((name, _)) = word.assignment().filter(|_| before) {
                let plain = name.strip_suffix('+').unwrap_or(name);
                add(plain, if plain == name { 1 } else { 2 });
            } else if matches!(head, "for" | "select") && index > 0 {
                add(word.text().unwrap_or_default(), 2);
            } else if word.text().is_some_and(|text| READERS.contains(&text)) {
                words[index..]
                    .iter()
                    .for_each(|word| add(word.text().unwrap_or_default(), 2));
            } else if word.text() == Some("=")
                && index > 0
                && let [Piece::Variable { name, .. }] = words[index - 1].pieces.as_slice()
            {
                add(name, 2);
            }
            let goes_on = |text: &str| {
                [OPENERS, KEYWORDS, SETTERS]
                    .iter()
                    .any(|list| list.contains(&text))
                    || text.starts_with('-')
            };
            before &= word.assignment().is_some() || word.text().is_some_and(goes_on);
        }
    }
    let words = tokens.iter().filter_map(word_of);
    words
        .flat_map(|word| &word.inner)
        .for_each(|inner| count(&inner.tokens, counts));
}

fn word_of(token: &Token) -> Option<&Word> {
    match token {
        Token::Word(word) => Some(word),
        Token::Op(_) => None,
    }
}

/// A block or a pair of parentheses that is open.
struct Block {
    /// Whether it is a subshell.
    subshell: bool,
    /// The folder before it.
    before: Option<String>,
    /// The folder behind its condition.
    then: Option<String>,
}

struct Tracker<'t> {
    script: &'t str,
    dialect: Dialect,
    values: &'t Values<'t>,
    counts: HashMap<String, usize>,
    /// What variables are set to, and how many are made of one another by then.
    sets: HashMap<String, (Rc<Word>, usize)>,
    folder: Option<String>,
    blocks: Vec<Block>,
    depth: usize,
    open: bool,
    found: Vec<Simple>,
}

impl Tracker<'_> {
    fn run(&mut self, tokens: &[Token]) {
        let outer = self.blocks.len();
        let mut start = 0;
        let mut before = "\n";
        let mut asked = false;
        for at in 0..=tokens.len() {
            let op = match tokens.get(at) {
                Some(Token::Op(op)) => *op,
                Some(Token::Word(_)) => continue,
                None => "\n",
            };
            let words: Vec<&Word> = tokens[start..at].iter().filter_map(word_of).collect();
            start = at + 1;
            let tests = words
                .first()
                .and_then(|word| word.text())
                .is_some_and(|text| TESTS.contains(&text));
            let piped =
                before.starts_with('|') && before != "||" || op.starts_with('|') && op != "||";
            self.command(&words, piped || op == "&", before == "||" || asked);
            asked = (asked || tests) && matches!(op, "&&" | "||");
            match op {
                "(" => self.block(true),
                ")" if self.blocks.len() > outer => self.close(true),
                _ => {}
            }
            before = op;
        }
        self.blocks.truncate(outer);
    }

    fn block(&mut self, subshell: bool) {
        self.blocks.push(Block {
            subshell,
            before: self.folder.clone(),
            then: self.folder.clone(),
        });
    }

    fn close(&mut self, subshell: bool) {
        if self
            .blocks
            .last()
            .is_none_or(|block| block.subshell != subshell)
        {
            return;
        }
        let Some(block) = self.blocks.pop() else {
            return;
        };
        if subshell {
            self.folder = block.before;
        } else if self.folder != block.before {
            self.folder = None;
        }
    }

    /// One command. `apart`: it cannot change what the next one sees; `maybe`: it may not run.
    fn command(&mut self, words: &[&Word], apart: bool, maybe: bool) {
        for word in words {
            self.inner(&word.inner);
        }
        let mut words = words;
        while let [first, rest @ ..] = words {
            let text = first.text().unwrap_or_default();
            if OPENERS.contains(&text) {
                self.block(false);
                if matches!(text, "for" | "case" | "select" | "function") {
                    return;
                }
            } else if CLOSERS.contains(&text) {
                self.close(false);
                return;
            } else if KEYWORDS.contains(&text) {
                self.keyword(text);
            } else {
                break;
            }
            words = rest;
        }
        let behind = words
            .iter()
            .position(|word| word.assignment().is_none_or(|(name, _)| !is_name(name)));
        let (sets, words) = words.split_at(behind.unwrap_or(words.len()));
        let sets: Vec<(String, Word)> = sets
            .iter()
            .filter_map(|word| {
                word.assignment()
                    .map(|(name, value)| (name.to_owned(), self.seen(&value)))
            })
            .collect();
        let Some(first) = words.first() else {
            if !apart {
                self.emit(sets.clone(), &[]);
            }
            if !apart && !maybe {
                for (name, value) in sets {
                    self.set(name, value);
                }
            }
            return;
        };
        let name = first.text().unwrap_or_default();
        if SETTERS.contains(&name) && !apart {
            self.emit(sets, words);
            for word in words[1..].iter().filter(|_| !maybe) {
                if let Some((name, value)) = word.assignment() {
                    let value = self.seen(&value);
                    self.set(name.to_owned(), value);
                }
            }
        } else if matches!(name, "cd" | "pushd" | "popd" | "chdir" | "Set-Location") {
            if !apart {
                let folder = self.goes_to(words).filter(|_| !maybe);
                self.folder = folder;
            }
        } else {
            self.emit(sets, words);
        }
    }

    fn keyword(&mut self, keyword: &str) {
        let Some(block) = self.blocks.last_mut() else {
            return;
        };
        match keyword {
            "then" => block.then.clone_from(&self.folder),
            "else" | "elif" => self.folder.clone_from(&block.then),
            _ => {}
        }
    }

    fn emit(&mut self, sets: Vec<(String, Word)>, words: &[&Word]) {
        self.script_of(words);
        budget::spend(self.folder.as_ref().map_or(0, String::len));
        let words = words.iter().map(|word| self.seen(word)).collect();
        self.found.push(Simple {
            words,
            sets,
            folder: self.folder.clone(),
            open: self.open,
        });
    }

    /// Reads the script in `sh -c '…'`.
    fn script_of(&mut self, words: &[&Word]) {
        let is_shell = |word: &&Word| word.text().and_then(Dialect::of) == Some(Dialect::Posix);
        let Some(shell) = words.iter().position(is_shell).filter(|at| *at < 4) else {
            return;
        };
        let is_switch = |word: &&Word| {
            word.text().is_some_and(|text| {
                text.starts_with('-') && !text.starts_with("--") && text.ends_with('c')
            })
        };
        let Some(switch) = words[shell..].iter().position(is_switch) else {
            return;
        };
        let Some(word) = words.get(shell + switch + 1) else {
            return;
        };
        let raw = word.span.of(self.script.as_bytes());
        // One quoted text, from the word's first letter to its last.
        let [quote, within @ .., last] = raw else {
            return;
        };
        if last != quote
            || !matches!(quote, b'\'' | b'"')
            || within.contains(quote)
            || (*quote == b'"' && within.contains(&b'\\'))
        {
            return;
        }
        let span = Span::new(word.span.start + 1, word.span.end - 1);
        budget::spend(8 * span.len());
        let tokens = tokens(self.script, span, self.dialect);
        // What is put in there would be read by two shells.
        self.inner(&[Inner {
            tokens,
            open: false,
        }]);
    }

    fn inner(&mut self, scripts: &[Inner]) {
        for script in scripts {
            let (folder, open) = (self.folder.clone(), self.open);
            self.open &= script.open;
            self.depth += 1;
            let _ = budget::nested(|| self.run(&script.tokens));
            self.depth -= 1;
            (self.folder, self.open) = (folder, open);
        }
    }

    /// Where `cd` goes to.
    fn goes_to(&self, words: &[&Word]) -> Option<String> {
        let is_option = |word: &&&Word| word.head().starts_with('-');
        let mut targets = words.iter().skip(1).skip_while(is_option);
        let target = targets.next()?.to_owned();
        if targets.next().is_some() {
            return None;
        }
        let target = self.seen(target).resolve(self.values)?;
        let target = if self.dialect == Dialect::Windows {
            target.replace('\\', "/")
        } else {
            target
        };
        if target.starts_with(ROOT) {
            join("", &target)
        } else {
            join(self.folder.as_deref()?, &target)
        }
    }

    fn set(&mut self, name: String, value: Word) {
        let is_plain = self.blocks.is_empty() && self.depth == 0;
        let depth = value.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { name, .. } => self.sets.get(name).map(|(_, depth)| depth + 1),
            _ => None,
        });
        let depth = depth.max().unwrap_or(0);
        if is_plain && self.counts.get(&name) == Some(&1) && budget::is_shallow(depth) {
            self.sets.insert(name, (Rc::new(value), depth));
        }
    }

    /// The word with what the script has set so far.
    fn seen(&self, word: &Word) -> Word {
        let mut pieces = word.pieces.clone();
        for piece in &mut pieces {
            if let Piece::Variable { name, set, .. } = piece {
                *set = match (self.counts.get(name.as_str()), self.sets.get(name.as_str())) {
                    (None, _) => Set::Not,
                    (Some(1), Some((value, _))) => Set::To(Rc::clone(value)),
                    _ => Set::Unclear,
                };
            }
        }
        Word {
            span: word.span,
            pieces,
            inner: Vec::new(),
        }
    }
}
