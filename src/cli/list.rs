//! `cachelane list`

use std::collections::HashSet;

use crate::lint::{self, ListedMount};
use crate::project::input::InputFile;
use crate::report::{self, json};
use crate::text::{LineIndex, count, printable};

use super::args::{ListArgs, Plain, Select};
use super::config_resolver::ConfigResolver;
use super::outcome::{Ended, Outcome};
use super::run::{Run, Texts};
use super::terminal;

pub fn run(args: &ListArgs) -> Ended {
    let common = &args.common;
    terminal::set_color(common.color);
    common.check()?;
    let overrides = common.settings.overrides(&Select::default(), false);
    let settled = ConfigResolver::new(&common.settings, overrides)?;
    let listed = Run::new(common, &settled, Texts::None).over(list);
    let mut trouble = !listed.troubles.is_empty();
    let mut mounts = Vec::new();
    for result in listed.results {
        match result {
            Ok(found) => mounts.extend(found),
            Err(message) => {
                trouble = true;
                terminal::warn(&message);
            }
        }
    }
    match args.format {
        Plain::Json => terminal::print(json::list(&mounts)),
        Plain::Human if listed.files > 0 => {
            terminal::print_text(&table(&mounts, listed.files, common.quiet));
        }
        Plain::Human => {}
    }
    Ok(Outcome::new(trouble, false).into())
}

/// Returns the mounts of one Dockerfile, or why it cannot be read; `None` where there are none.
fn list(input: InputFile<'_>) -> Option<Result<Vec<ListedMount>, String>> {
    if input.format.is_some() {
        return None;
    }
    let name = report::path(input.path);
    match lint::list(&name, input.source, input.settings) {
        Ok(mounts) => (!mounts.is_empty()).then_some(Ok(mounts)),
        Err(error) => {
            let line = LineIndex::new(input.source).line(error.span.start);
            Some(Err(format!("{name}:{line}: {error}")))
        }
    }
}

/// Returns the mounts as a table for people.
fn table(mounts: &[ListedMount], all: usize, quiet: bool) -> String {
    let files = count(all, "file");
    if mounts.is_empty() {
        return format!("{files}, no cache mount that BuildKit accepts.\n");
    }
    let head = [
        "PLACE", "STAGE", "ID", "TARGET", "SHARING", "BASE", "ISOLATED",
    ]
    .map(String::from);
    let rows: Vec<[String; 7]> = std::iter::once(head)
        .chain(mounts.iter().map(row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if quiet {
        return text;
    }
    let with: HashSet<&str> = mounts.iter().map(|mount| mount.path.as_str()).collect();
    let files = if with.len() < all {
        format!("{} of {files}", with.len())
    } else {
        files
    };
    let isolated = mounts.iter().filter(|mount| mount.isolated).count();
    let locked = mounts
        .iter()
        .filter(|mount| mount.sharing == "locked")
        .count();
    text.push_str(&format!(
        "\n{} in {files}: {locked} locked, {isolated} with a lane of {} own.\n",
        count(mounts.len(), "cache mount"),
        if isolated == 1 { "its" } else { "their" }
    ));
    text
}

fn row(mount: &ListedMount) -> [String; 7] {
    let none = || "-".to_owned();
    let base = [
        ("from", &mount.from),
        ("uid", &mount.uid),
        ("gid", &mount.gid),
        ("mode", &mount.mode),
    ];
    let base: Vec<String> = base
        .iter()
        .filter_map(|(name, v)| v.as_ref().map(|v| format!("{name}={v}")))
        .collect();
    let id = match &mount.id {
        Some(id) => id.clone(),
        None => format!("({})", mount.effective_id),
    };
    let cells = [
        format!("{}:{}", mount.path, mount.line),
        mount.stage.clone().unwrap_or_else(none),
        id,
        mount.target.clone(),
        mount.sharing.clone(),
        if base.is_empty() {
            none()
        } else {
            base.join(" ")
        },
        if mount.isolated {
            "yes".into()
        } else {
            "no".into()
        },
    ];
    cells.map(|cell| printable(&cell).into_owned())
}
