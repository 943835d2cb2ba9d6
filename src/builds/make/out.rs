//! A text for the shell in the making.

use crate::builds::jobs::Piece;
use crate::text::{SourceMap, Span};

/// The marks before a command: `@` hides it, `-` ignores its failure, `+` runs it always.
pub(super) const MARKS: [char; 5] = [' ', '\t', '@', '-', '+'];

/// The values of `$@`, `$<` and `$^`.
#[derive(Clone, Copy)]
pub struct Automatic<'r> {
    pub(super) target: &'r str,
    pub(super) before: &'r [String],
}

/// A text for the shell, with the places of what stands in the file.
#[derive(Default)]
pub struct Out {
    pub(super) text: String,
    pub(super) map: SourceMap,
    /// The variables that it is the value of, each of the one before.
    pub(super) open: Vec<String>,
    /// The variables of `foreach`, and the arguments of `call`.
    pub(super) locals: Vec<(String, String)>,
    /// The reasons why builds in it are not known.
    pub(super) unseen: Vec<String>,
}

/// The scripts that a recipe runs.
pub struct Scripts {
    pub pieces: Vec<Piece>,
    /// Builds that are not known: the line, and the reason.
    pub unseen: Vec<(Span, String)>,
}

impl Out {
    /// Records a build that is not known; returns true.
    pub(super) fn unseen(&mut self, why: String) -> bool {
        self.unseen.push(why);
        true
    }

    /// Adds the scripts of its lines: those of a `define` run one after the other.
    pub(super) fn split(self, place: usize, scripts: &mut Vec<(String, SourceMap)>) {
        let mut start = 0;
        let ends = self.text.match_indices('\n').map(|(at, _)| at);
        for end in ends.chain([self.text.len()]) {
            let line = &self.text[start..end];
            if line.ends_with('\\') && end < self.text.len() {
                continue;
            }
            let from = start + line.len() - line.trim_start_matches(MARKS).len();
            if from < end {
                let mut map = SourceMap::default();
                map.append(0, &self.map, Span::new(from, end));
                if map.is_empty() {
                    map.push(0, place, 0);
                }
                scripts.push((self.text[from..end].to_owned(), map));
            }
            start = end + 1;
        }
    }

    pub(super) fn push(&mut self, text: &str, place: Option<usize>) {
        if let Some(place) = place {
            self.map.push(self.text.len(), place, text.len());
        }
        self.text.push_str(text);
    }
}
