//! `cachelane list`

use std::collections::HashSet;

use crate::lint::{self, ListedMount};
use crate::report::{self, json};
use crate::text::{LineIndex, count, printable};

use super::args::{ListArgs, Plain};
use super::run::{self, Given};
use super::settled::Settled;
use super::{Outcome, terminal};

pub(super) fn run(args: &ListArgs) -> Outcome {
    terminal::set_color(args.common.color);
    if let Err(problem) = args.common.check() {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    let overrides = args.common.settings.overrides(None, false);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else {
        return Outcome::Trouble;
    };
    let ran = run::over(
        &args.common,
        &settled,
        |Given {
             path,
             settings,
             source,
             kind,
             ..
         }| {
            if kind.is_some() {
                return None;
            }
            let name = report::path(path);
            match lint::list(&name, source, settings) {
                Ok(mounts) => (!mounts.is_empty()).then_some(Ok(mounts)),
                Err(error) => {
                    let line = LineIndex::new(source).line(error.span.start);
                    Some(Err(format!("{name}:{line}: {error}")))
                }
            }
        },
    );
    let mut trouble = ran.trouble;
    let mut mounts = Vec::new();
    for result in ran.results {
        match result {
            Ok(found) => mounts.extend(found),
            Err(message) => {
                trouble = true;
                terminal::complain(&message);
            }
        }
    }
    match args.format {
        Plain::Json => terminal::print(json::list(&mounts)),
        Plain::Human if ran.files > 0 => {
            terminal::tell(&table(&mounts, ran.files, args.common.quiet));
        }
        Plain::Human => {}
    }
    if trouble {
        Outcome::Trouble
    } else {
        Outcome::Clean
    }
}

/// The mounts as a table for people.
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
