//! Splitting words into options, their values and positional words.

use super::super::model::{ArgName, NAMESPACE};
use super::super::shell::Word;
use super::model::{MATRIX_LANE, OWN_LANE};
use super::tables::{self, Options, Wrapped};
use crate::text::is_name;

pub(super) enum Item<'w> {
    Word(usize),
    Option {
        /// The name without dashes; a letter for a short one.
        name: &'w str,
        value: Option<Word>,
        /// The word with the value, or else the name.
        index: usize,
    },
    /// May be anything, or several words.
    Several(usize),
}

pub(super) struct Items<'w> {
    words: &'w [Word],
    at: usize,
    options: &'w Options,
    /// True behind `--`.
    only_words: bool,
    /// The position in a word of several letters.
    letter: usize,
}

impl<'w> Items<'w> {
    pub(super) fn new(words: &'w [Word], at: usize, options: &'w Options) -> Self {
        Self {
            words,
            at,
            options,
            only_words: false,
            letter: 0,
        }
    }

    pub(super) fn next(&mut self) -> Option<Item<'w>> {
        if self.letter > 0 {
            return self.letters();
        }
        let index = self.at;
        let word = self.words.get(index)?;
        self.at += 1;
        if word.may_be_several() {
            return Some(Item::Several(index));
        }
        let head = word.head();
        if self.only_words || head.len() < 2 || !head.starts_with('-') {
            return Some(Item::Word(index));
        }
        if word.text() == Some("--") {
            self.only_words = true;
            return self.next();
        }
        let Some(long) = head.strip_prefix("--") else {
            self.at = index;
            self.letter = 1;
            return self.letters();
        };
        if let Some((name, _)) = long.split_once('=') {
            let value = word.behind(name.len() + 3);
            return Some(Item::Option { name, value, index });
        }
        if self
            .options
            .switches
            .split(' ')
            .any(|switch| switch == long)
        {
            return Some(Item::Option {
                name: long,
                value: None,
                index,
            });
        }
        Some(self.taking(long, index))
    }

    fn taking(&mut self, name: &'w str, index: usize) -> Item<'w> {
        let value = self.words.get(self.at).cloned();
        let index = if value.is_some() { self.at } else { index };
        self.at += usize::from(value.is_some());
        Item::Option { name, value, index }
    }

    /// Returns the next letter of `-qt`, whose value may stand in the same word.
    fn letters(&mut self) -> Option<Item<'w>> {
        let index = self.at;
        let word = self.words.get(index)?;
        let head = word.head();
        let letter = head.get(self.letter..)?.chars().next()?;
        let rest = self.letter + letter.len_utf8();
        let name = head.get(self.letter..rest)?;
        let is_last = word.text().is_some_and(|text| text.len() == rest);
        let is_switch = self.options.letters.contains(letter);
        let goes_on = is_switch && head.len() > rest;
        self.letter = if goes_on { rest } else { 0 };
        self.at = index + usize::from(!goes_on);
        if is_last && !is_switch {
            return Some(self.taking(name, index));
        }
        let equals = usize::from(head.get(rest..).is_some_and(|rest| rest.starts_with('=')));
        let value = if is_switch {
            None
        } else {
            word.behind(rest + equals)
        };
        Some(Item::Option { name, value, index })
    }
}

/// Returns whether the words behind the subcommand only ask what would be built.
pub(super) fn only_looks(words: &[Word], behind: usize) -> bool {
    let looks = |word: &Word| {
        let text = word.text().unwrap_or_default();
        matches!(
            text,
            "--print" | "--check" | "--help" | "--list-targets" | "--list-variables"
        ) || text.starts_with("--list=")
    };
    words.get(behind..).unwrap_or_default().iter().any(looks)
}

/// Skips `sudo -E`, `env A=1` and the like; returns their variables as well.
pub(super) fn skip_prefixes(words: &[Word]) -> Option<(usize, Vec<(ArgName, Word)>)> {
    let known = words.iter().map(|word| match word.text() {
        None if word.head().contains('=') => word.head(),
        text => text.unwrap_or_default(),
    });
    let known: Vec<&str> = known.collect();
    let at = tables::before_program(&known, |prefix| prefix.runs != Wrapped::Script);
    let sets = words[..at].iter().filter_map(Word::assignment);
    let sets = sets.filter(|(name, _)| is_name(name));
    let sets = sets.map(|(name, value)| (name.into(), value)).collect();
    (at < words.len()).then_some((at, sets))
}

/// A call of `cachelane run`.
pub(super) struct LaneRunner {
    /// The index of the first word of the command that it runs.
    pub(super) command: usize,
    /// The argument that it passes.
    pub(super) arg: ArgName,
    pub(super) lane: Word,
}

/// Returns the call of `cachelane run` whose words begin at `tool`.
pub(super) fn lane_runner(words: &[Word], tool: usize) -> Option<LaneRunner> {
    let text = |at: usize| words.get(at).and_then(Word::text);
    let is_tool = tables::program_name(text(tool)?) == "cachelane";
    if !is_tool || text(tool + 1) != Some("run") {
        return None;
    }
    let mut items = Items::new(words, tool + 2, &tables::CACHELANE_RUN);
    let mut arg = ArgName::Lane;
    let mut lane = Word::plain(OWN_LANE);
    loop {
        match items.next()? {
            Item::Word(command) => return Some(LaneRunner { command, arg, lane }),
            Item::Option {
                name: "lane",
                value,
                ..
            } => lane = value?,
            Item::Option { name: "matrix", .. } => lane = Word::plain(MATRIX_LANE),
            Item::Option {
                name: "arg", value, ..
            } => arg = value?.text()?.into(),
            Item::Option {
                name: "via", value, ..
            } if value.as_ref().and_then(Word::text) == Some("namespace") => {
                arg = NAMESPACE.into();
            }
            Item::Option { .. } => {}
            Item::Several(_) => return None,
        }
    }
}

/// Returns the index and text of the subcommand behind the global options at `at`.
pub(super) fn subcommand(words: &[Word], at: usize) -> Option<(usize, &str)> {
    let mut items = Items::new(words, at, &tables::GLOBAL);
    loop {
        match items.next()? {
            Item::Word(index) => return Some((index, words[index].text()?)),
            Item::Option { .. } => {}
            Item::Several(_) => return None,
        }
    }
}
