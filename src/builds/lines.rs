use crate::text::{Run, SourceMap};

pub fn start(source: &str, at: usize) -> usize {
    memchr::memrchr(b'\n', &source.as_bytes()[..at]).map_or(0, |newline| newline + 1)
}

/// Returns the rest of the line from byte `at`, without the line's end.
pub fn rest(source: &str, at: usize) -> &str {
    let rest = source.get(at..).unwrap_or_default();
    rest.split(['\r', '\n']).next().unwrap_or_default()
}

/// Returns the byte at a 1-based line and column; the column counts bytes and may lie within a character.
pub fn place(source: &str, line: usize, column: usize) -> usize {
    let lines = source.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let at = (start + column.saturating_sub(1)).min(source.len());
    let mut before = (0..=at).rev();
    before.find(|at| source.is_char_boundary(*at)).unwrap_or(0)
}

/// Returns the leading blanks of the line of byte `at`.
pub fn margin(source: &str, at: usize) -> &str {
    let line = &source[start(source, at)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the number of blanks before each line of a block, whose text stands at `map`.
pub fn block_indent(text: &str, map: &SourceMap, source: &str) -> usize {
    let is_first = |run: &&Run| {
        (run.text == 0 || text[..run.text].ends_with('\n'))
            && !rest(text, run.text).trim().is_empty()
    };
    let first = map.runs().iter().find(is_first);
    first.map_or(0, |run| run.source - start(source, run.source))
}
