//! Tables.

use crate::text::printable;

/// Returns a table with aligned columns, in which cells are made safe to print.
pub fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows = rows.into_iter();
    let rows = rows.map(|row| row.map(|cell| printable(&cell).into_owned()));
    let rows: Vec<[String; N]> = std::iter::once(head.map(String::from))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.extend([cells.join("  ").trim_end(), "\n"]);
    }
    text
}
