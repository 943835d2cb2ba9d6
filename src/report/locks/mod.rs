//! The map of locks: who takes each, who builds that, and who waits.

mod dot;
mod groups;
mod mermaid;
mod picture;
mod words;

use clap::ValueEnum;
use serde::Serialize;

use crate::lint::matching::{Follows, LockMap, MappedLock};
use crate::text::count;

use super::document::document;
use super::table::table;
use groups::Group;
use words::name;

pub(super) use groups::{cells, groups};
pub use mermaid::mermaid;

/// A format for the map of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MapFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// A Mermaid flowchart, for a pull request or a step summary
    Mermaid,
    /// A graph for Graphviz
    Dot,
}

/// The part of a map that is shown.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// In characters; `None` for as wide as it is.
    pub width: Option<usize>,
    /// True for all places and builds of a lock.
    pub all: bool,
    /// True for the table alone.
    pub quiet: bool,
}

/// Returns the map in this format; `files` is the number of files that were read.
pub fn render(map: &LockMap, format: MapFormat, files: usize, extent: Extent) -> String {
    match format {
        MapFormat::Table => text(map, files, extent),
        MapFormat::Json => json(map),
        MapFormat::Mermaid => mermaid(map),
        MapFormat::Dot => dot::dot(map),
    }
}

fn json(map: &LockMap) -> String {
    #[derive(Serialize)]
    struct Map<'m> {
        locks: &'m [MappedLock],
        /// Of each circle the indices of its locks.
        circles: &'m [Vec<usize>],
    }
    document(Map {
        locks: &map.locks,
        circles: &map.circles,
    })
}

/// Limits the places and the builds of a lock in the table.
const MAX_LINES: usize = 4;

fn text(map: &LockMap, files: usize, extent: Extent) -> String {
    let files = count(files, "file");
    if map.locks.is_empty() {
        return format!("{files}, no lock.\n");
    }
    let most = if extent.all { usize::MAX } else { MAX_LINES };
    let groups = if extent.all {
        let locks = map.locks.iter().enumerate();
        locks.map(|(index, lock)| Group::new(index, lock)).collect()
    } else {
        groups(map)
    };
    let head = ["LOCK", "TAKEN BY", "BUILT BY", "WHO WAITS"];
    let rows: Vec<_> = groups.iter().map(|group| cells(group, most)).collect();
    let mut text = table(head, rows.clone(), extent.width);
    if extent.quiet {
        return text;
    }
    let of = |follows| {
        map.locks
            .iter()
            .filter(|lock| lock.follows == follows)
            .count()
    };
    let is_open = |lock: &&MappedLock| lock.follows == Follows::OfCallers && !lock.has_lane;
    let open = map.locks.iter().filter(is_open).count();
    let said = match (of(Follows::Wait), open) {
        (0, 0) if of(Follows::OfCallers) > 0 => {
            "no build waits for one of another lane; `cachelane builds` shows who passes it"
                .to_owned()
        }
        (0, 0) => "no build is known to wait for another".to_owned(),
        (0, some) => format!(
            "two builds at once wait at {some}, but who runs two at once is not known; \
             `cachelane fix --diff` shows what it would change"
        ),
        (some, _) => format!(
            "builds wait for each other at {some}; `cachelane fix --diff` shows what it would change"
        ),
    };
    let is_cut = rows.iter().flatten().any(|cell| cell.len() > most);
    let more = if is_cut { " (`-v` shows all)" } else { "" };
    text.push_str(&format!(
        "\n{} in {files}{more}: {said}.\n",
        count(map.locks.len(), "lock")
    ));
    for circle in &map.circles {
        let mut names: Vec<String> = circle.iter().map(|at| name(&map.locks[*at])).collect();
        names.extend(names.first().cloned());
        let names = names.join(" → ");
        text.push_str(&format!(
            "Builds can wait for each other for ever: {names}.\n"
        ));
    }
    text
}
