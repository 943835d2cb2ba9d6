//! Tables.

use std::iter;

use crate::text::printable;

/// The least width of a column that is folded, in characters.
const NARROWEST: usize = 9;

/// The text of a cell, line by line.
pub struct Cell(Vec<String>);

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(vec![text])
    }
}

impl From<Vec<String>> for Cell {
    fn from(lines: Vec<String>) -> Self {
        Self(lines)
    }
}

/// Returns a table with aligned columns, in which cells are made safe to print. Where it is wider than `width`, in
/// characters, the widest columns are folded.
pub fn table<const N: usize, C: Into<Cell>>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [C; N]>,
    width: Option<usize>,
) -> String {
    let safe = |line: &String| printable(line).into_owned();
    let safe = |cell: C| cell.into().0.iter().map(safe).collect::<Vec<String>>();
    let rows = rows.into_iter().map(|row| row.map(safe));
    let rows: Vec<[Vec<String>; N]> = iter::once(head.map(|name| vec![name.into()]))
        .chain(rows)
        .collect();
    let natural = |column: usize| {
        let lines = rows.iter().flat_map(|row| &row[column]);
        lines.map(|line| line.chars().count()).max().unwrap_or(0)
    };
    let mut widths: [usize; N] = std::array::from_fn(natural);
    if let Some(width) = width {
        fold(&mut widths, width.saturating_sub(2 * (N - 1)));
    }
    let mut text = String::new();
    for row in rows {
        let mut column = widths.iter();
        let cells = row.map(|cell| folded(&cell, *column.next().unwrap_or(&0)));
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let cells = cells.iter().zip(widths).map(|(cell, width)| {
                let line = cell.get(line).map(String::as_str).unwrap_or_default();
                format!("{line:width$}")
            });
            let cells: Vec<String> = cells.collect();
            text.extend([cells.join("  ").trim_end(), "\n"]);
        }
    }
    text
}

/// Makes the widest columns narrower until all have `room`, or none is wider than it has to be.
fn fold(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// Returns the words of a line, the folders of a path apart.
fn words(line: &str) -> Box<dyn Iterator<Item = textwrap::core::Word<'_>> + '_> {
    Box::new(
        line.split_inclusive([' ', '/'])
            .map(textwrap::core::Word::from),
    )
}

/// Returns the lines of a cell in a column of `width` characters: they break at a blank or a folder where there is one.
fn folded(cell: &[String], width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .subsequent_indent("  ")
        .word_separator(textwrap::WordSeparator::Custom(words))
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let fold = |line: &String| {
        let is_short = line.chars().count() <= width;
        let lines = if is_short {
            vec![line.as_str().into()]
        } else {
            textwrap::wrap(line, &options)
        };
        lines.into_iter().map(String::from).collect::<Vec<_>>()
    };
    cell.iter().flat_map(fold).collect()
}
