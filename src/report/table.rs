//! Tables.

use std::iter;

use crate::text::printable;

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
/// characters, the widest columns are folded between words; where that breaks a word or takes more lines, each row
/// becomes a list of its cells with their names.
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
    let widest = |column: usize, of: &dyn Fn(&String) -> usize| {
        let lines = rows.iter().flat_map(|row| &row[column]);
        lines.map(of).max().unwrap_or(0)
    };
    let mut widths: [usize; N] =
        std::array::from_fn(|column| widest(column, &|line| line.chars().count()));
    let Some(width) = width else {
        return columns(&rows, widths);
    };
    let room = width.saturating_sub(2 * (N - 1));
    if widths.iter().sum::<usize>() <= room {
        return columns(&rows, widths);
    }
    let least: [usize; N] =
        std::array::from_fn(|column| widest(column, &|line| longest_word(line)));
    let list = list(&rows, width);
    if !fold(&mut widths, least, room) {
        return list;
    }
    let table = columns(&rows, widths);
    if list.lines().count() < table.lines().count() {
        list
    } else {
        table
    }
}

/// Returns the rows in columns of these widths.
fn columns<const N: usize>(rows: &[[Vec<String>; N]], widths: [usize; N]) -> String {
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<Vec<String>> = cells.map(|(cell, width)| folded(cell, width)).collect();
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

/// Returns each row below the first as a list: the first has the names of its cells. One without anything is left out.
fn list<const N: usize>(rows: &[[Vec<String>; N]], width: usize) -> String {
    let Some((head, rows)) = rows.split_first() else {
        return String::new();
    };
    let names = head.iter().map(|name| name.concat());
    let names: Vec<String> = names.collect();
    let indent = names.iter().map(|name| name.len() + 2).max().unwrap_or(0);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        for (name, cell) in names.iter().zip(row).filter(|(_, cell)| *cell != &["-"]) {
            let lines = folded(cell, width.saturating_sub(indent).max(1));
            for (line, cell) in lines.iter().enumerate() {
                let name = if line == 0 { name } else { "" };
                text.push_str(&format!("{name:indent$}{cell}\n"));
            }
        }
    }
    text
}

/// Makes the widest columns narrower until all have `room`; none becomes narrower than `least`. Returns whether they have it.
fn fold<const N: usize>(widths: &mut [usize; N], least: [usize; N], room: usize) -> bool {
    while widths.iter().sum::<usize>() > room {
        let can = (0..N).filter(|column| widths[*column] > least[*column]);
        match can.max_by_key(|column| widths[*column]) {
            Some(widest) => widths[widest] -= 1,
            None => return false,
        }
    }
    true
}

/// Returns the words of a line, the folders of a path apart.
fn words(line: &str) -> Box<dyn Iterator<Item = textwrap::core::Word<'_>> + '_> {
    Box::new(
        line.split_inclusive([' ', '/'])
            .map(textwrap::core::Word::from),
    )
}

/// What the lines of a cell begin with that belong to the one above.
const INDENT: &str = "  ";

/// Returns the width that a line of a cell needs at least, in characters.
fn longest_word(line: &str) -> usize {
    let words = line.split_inclusive([' ', '/']).enumerate();
    let width = |(at, word): (usize, &str)| {
        let indent = if at == 0 { 0 } else { INDENT.len() };
        word.trim_end().chars().count() + indent
    };
    words.map(width).max().unwrap_or(0)
}

/// Returns the lines of a cell in a column of `width` characters: they break at a blank or a folder where there is one.
fn folded(cell: &[String], width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .subsequent_indent(INDENT)
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
