//! The commands of a script in order, each with its folder and the variables set so far.

use std::collections::HashMap;
use std::rc::Rc;

use super::lex::tokens;
use super::word::{Assigned, Dialect, Inner, PieceKind, SETTERS, Simple, Token, Values, Word};
use crate::budget;
use crate::text::{Span, is_name};

/// Words that open a block, which may run more than once or not at all.
const OPENERS: &[&str] = &[
    "if", "while", "until", "for", "case", "select", "{", "function",
];
const CLOSERS: &[&str] = &["fi", "done", "esac", "}"];
/// Words before a command that do not change it.
const KEYWORDS: &[&str] = &["then", "do", "else", "elif", "!", "time"];
/// Commands that set variables in their own way.
const READERS: &str = "read unset getopts mapfile readarray let printf";
/// Commands that only test, so that the command behind their `&&` may not run.
const TESTS: &[&str] = &["[", "[[", "test", "grep", "which", "command", "false"];

/// Returns the commands of `script`, which starts in `folder`. `values` is only asked for the targets of `cd`.
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
    let mut interpreter = Interpreter {
        script,
        dialect,
        values,
        counts,
        sets: HashMap::new(),
        folder: folder.map(str::to_owned),
        blocks: Vec::new(),
        depth: 0,
        open: true,
        input: None,
        found: Vec::new(),
    };
    interpreter.run(&tokens);
    interpreter.found
}

/// Counts the assignments of each variable; one that is not followed counts twice.
fn count(tokens: &[Token], counts: &mut HashMap<String, usize>) {
    let mut add = |name: &str, times: usize| *counts.entry(name.to_owned()).or_default() += times;
    for command in tokens.split(|token| matches!(token, Token::Op(_))) {
        let words: Vec<&Word> = command.iter().filter_map(Token::word).collect();
        let mut is_before = true;
        let mut previous: Option<&Word> = None;
        for (index, word) in words.iter().enumerate() {
            let text = word.text();
            let head = previous.and_then(Word::text);
            let assignment = word.assignment();
            if let Some((name, _)) = assignment.as_ref().filter(|_| is_before) {
                match name.strip_suffix('+') {
                    Some(name) => add(name, 2),
                    None => add(name, 1),
                }
            } else if matches!(head, Some("for" | "select")) {
                add(text.unwrap_or_default(), 2);
            } else if text.is_some_and(|text| READERS.split(' ').any(|word| word == text)) {
                for word in &words[index..] {
                    add(word.text().unwrap_or_default(), 2);
                }
            } else if text == Some("=")
                && let Some([piece]) = previous.map(|word| word.pieces.as_slice())
                && let PieceKind::Variable(name, _) = &piece.kind
            {
                add(name, 2);
            }
            let goes_on = |text: &str| {
                let lists = [OPENERS, KEYWORDS, SETTERS];
                lists.iter().any(|list| list.contains(&text)) || text.starts_with('-')
            };
            is_before &= assignment.is_some() || text.is_some_and(goes_on);
            previous = Some(word);
        }
    }
    let inner = tokens
        .iter()
        .filter_map(Token::word)
        .flat_map(|word| &word.inner);
    inner.for_each(|inner| count(&inner.tokens, counts));
}

struct Block {
    subshell: bool,
    before: Option<String>,
    /// The folder behind its condition.
    then: Option<String>,
    is_choice: bool,
}

struct Interpreter<'t> {
    script: &'t str,
    dialect: Dialect,
    values: &'t Values<'t>,
    counts: HashMap<String, usize>,
    /// The values of variables, each with the length of its chain of variables.
    sets: HashMap<String, (Rc<Word>, usize)>,
    folder: Option<String>,
    blocks: Vec<Block>,
    depth: usize,
    open: bool,
    /// The file that the command reads.
    input: Option<Word>,
    found: Vec<Simple>,
}

impl Interpreter<'_> {
    fn run(&mut self, tokens: &[Token]) {
        let outer = self.blocks.len();
        let mut words = Vec::new();
        let mut before = "\n";
        let mut tested = false;
        // The file that goes through the pipe before the command.
        let mut piped: Option<Word> = None;
        let end = Token::Op("\n");
        for token in tokens.iter().chain([&end]) {
            let op = match token {
                Token::Word(word) => {
                    words.push(word);
                    continue;
                }
                Token::Input(word) => {
                    piped = Some(self.substitute(word));
                    continue;
                }
                Token::Op(op) => *op,
            };
            let tests = words.first().and_then(|word| word.text());
            let tests = tests.is_some_and(|text| TESTS.contains(&text));
            let is_pipe = |op: &str| op.starts_with('|') && op != "||";
            let apart = is_pipe(before) || is_pipe(op) || op == "&";
            let through = match words.as_slice() {
                [cat, file] if is_pipe(op) && cat.text() == Some("cat") => {
                    Some(self.substitute(file))
                }
                _ => None,
            };
            self.input = piped.take();
            self.command(&words, apart, before == "||" || tested);
            piped = through;
            words.clear();
            tested = (tested || tests) && matches!(op, "&&" | "||");
            match op {
                "(" => self.block(true, false),
                ")" if self.blocks.len() > outer => self.close(true),
                _ => {}
            }
            before = op;
        }
        self.blocks.truncate(outer);
    }

    fn block(&mut self, subshell: bool, is_choice: bool) {
        self.blocks.push(Block {
            subshell,
            before: self.folder.clone(),
            then: self.folder.clone(),
            is_choice,
        });
    }

    fn close(&mut self, subshell: bool) {
        let Some(block) = self.blocks.pop_if(|block| block.subshell == subshell) else {
            return;
        };
        if subshell {
            self.folder = block.before;
        } else if self.folder != block.before {
            self.folder = None;
        }
    }

    /// Runs one command. `apart`: it cannot change what the next one sees; `maybe`: it may not run.
    fn command(&mut self, mut words: &[&Word], apart: bool, maybe: bool) {
        for word in words {
            self.inner(&word.inner);
        }
        while let [first, rest @ ..] = words {
            let text = first.text().unwrap_or_default();
            if OPENERS.contains(&text) {
                self.block(false, text == "case");
                if matches!(text, "for" | "case" | "select" | "function") {
                    return;
                }
            } else if CLOSERS.contains(&text) {
                return self.close(false);
            } else if KEYWORDS.contains(&text) {
                self.keyword(text);
            } else {
                break;
            }
            words = rest;
        }
        let mut sets = Vec::new();
        while let [first, rest @ ..] = words
            && let Some((name, value)) = first.assignment().filter(|(name, _)| is_name(name))
        {
            sets.push((name.to_owned(), self.substitute(&value)));
            words = rest;
        }
        let name = words.first().map(|first| first.text().unwrap_or_default());
        match name {
            None if apart => {}
            None => {
                self.emit(sets.clone(), &[]);
                for (name, value) in sets.into_iter().filter(|_| !maybe) {
                    self.set(name, value);
                }
            }
            Some("cd" | "pushd" | "popd" | "chdir" | "Set-Location") => {
                if !apart {
                    self.folder = self.target(words).filter(|_| !maybe);
                }
            }
            Some(name) => {
                self.emit(sets, words);
                if SETTERS.contains(&name) && !apart && !maybe {
                    for (name, value) in words[1..].iter().filter_map(|word| word.assignment()) {
                        let value = self.substitute(&value);
                        self.set(name.to_owned(), value);
                    }
                }
            }
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
        if let Some(span) = self.quoted_script(words) {
            budget::spend(8 * span.len());
            // A value put in there would be read by two shells.
            self.inner(&[Inner {
                tokens: tokens(self.script, span, self.dialect),
                open: false,
            }]);
        }
        budget::spend(self.folder.as_ref().map_or(0, String::len));
        let words = words.iter().map(|word| self.substitute(word)).collect();
        self.found.push(Simple {
            words,
            sets,
            folder: self.folder.clone(),
            open: self.open,
            is_choice: self.blocks.iter().any(|block| block.is_choice),
            behind_variable: false,
            input: self.input.clone(),
        });
    }

    fn quoted_script(&self, words: &[&Word]) -> Option<Span> {
        let is_shell = |word: &&Word| {
            let text = word.text().unwrap_or_default();
            // These two hand a script to one.
            Dialect::of(text) == Some(Dialect::Posix) || matches!(text, "flock" | "su")
        };
        let shell = words.iter().position(is_shell).filter(|at| *at < 4)?;
        let is_switch =
            |text: &str| text.starts_with('-') && !text.starts_with("--") && text.ends_with('c');
        let mut behind = words[shell..].iter();
        behind.find(|word| word.text().is_some_and(is_switch))?;
        let word = behind.next()?;
        // One quoted text, from the word's first letter to its last.
        let [quote @ (b'\'' | b'"'), within @ .., last] = word.span.of(self.script.as_bytes())
        else {
            return None;
        };
        let is_plain = last == quote
            && !within.contains(quote)
            && (*quote == b'\'' || !within.contains(&b'\\'));
        is_plain.then(|| Span::new(word.span.start + 1, word.span.end - 1))
    }

    fn inner(&mut self, scripts: &[Inner]) {
        for script in scripts {
            let (folder, open) = (self.folder.clone(), self.open);
            let input = self.input.take();
            self.open &= script.open;
            self.depth += 1;
            let _ = budget::nested(|| self.run(&script.tokens));
            self.depth -= 1;
            (self.folder, self.open) = (folder, open);
            self.input = input;
        }
    }

    fn target(&self, words: &[&Word]) -> Option<String> {
        let is_option = |word: &&&Word| word.head().starts_with('-');
        let mut targets = words.iter().skip(1).skip_while(is_option);
        let target = targets.next()?;
        if targets.next().is_some() {
            return None;
        }
        let mut target = self.substitute(target).resolve(self.values)?;
        if self.dialect == Dialect::Windows {
            target.text = target.text.replace('\\', "/");
        }
        target.seen_from(self.folder.as_deref())
    }

    fn set(&mut self, name: String, value: Word) {
        let is_plain = self.blocks.is_empty() && self.depth == 0;
        let depth = value.pieces.iter().filter_map(|piece| match &piece.kind {
            PieceKind::Variable(name, _) => self.sets.get(name).map(|(_, depth)| depth + 1),
            _ => None,
        });
        let depth = depth.max().unwrap_or(0);
        if is_plain && self.counts.get(&name) == Some(&1) && budget::is_shallow(depth) {
            self.sets.insert(name, (Rc::new(value), depth));
        }
    }

    fn substitute(&self, word: &Word) -> Word {
        let mut pieces = word.pieces.clone();
        for piece in &mut pieces {
            if let PieceKind::Variable(name, assigned) = &mut piece.kind {
                *assigned = match (self.counts.get(name), self.sets.get(name)) {
                    (None, _) => Assigned::Not,
                    (Some(1), Some((value, _))) => Assigned::To(Rc::clone(value)),
                    _ => Assigned::Unclear,
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
