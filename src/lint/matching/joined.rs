//! Reads files of builds together that are parts of one whole: a pipeline of GitLab's and what it includes, a
//! Compose file and its `.env`.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::graph::BuildGraph;
use super::model::FileAccess;
use crate::budget;
use crate::builds::{Around, BuildFile, FormatRef};
use crate::lint::model::{FileReport, Whole};

/// Reads the files among `reports` anew that other files include, and those that do it.
pub fn join_files(reports: &mut [FileReport], access: &FileAccess<'_>) {
    for report in &mut *reports {
        read_beside(report, access);
    }
    let is_joined = |report: &FileReport| {
        let builds = report.builds.as_deref();
        builds.is_some_and(|builds| builds.format.is_joined() && !builds.includes().is_empty())
    };
    if !reports.iter().any(is_joined) {
        return;
    }
    let joined = {
        let graph = BuildGraph::new(reports.iter().collect(), access);
        let joiner = Joiner { graph: &graph };
        joiner.all()
    };
    for (index, (file, whole)) in joined {
        if let Some(builds) = &mut reports[index].builds {
            builds.file = file;
            builds.whole = Some(Box::new(whole));
        }
    }
}

/// Reads a file anew with the one that its format has beside it.
fn read_beside(report: &mut FileReport, access: &FileAccess<'_>) {
    let root = (access.absolute)(&report.path);
    let Some(builds) = &mut report.builds else {
        return;
    };
    let Ok(source) = std::str::from_utf8(&report.source) else {
        return;
    };
    let name = builds.format.beside().filter(|_| source.contains('$'));
    let text = name.and_then(|name| (access.text)(&root.with_file_name(name)));
    let Some(text) = text.filter(|text| budget::spend(text.len() + source.len())) else {
        return;
    };
    let around = Around {
        over: Vec::new(),
        under: vec![text.into()],
    };
    if let Ok(file) = builds.format.read_within(source, &around) {
        builds.file = file;
        builds.whole = Some(Box::new(Whole { root, around }));
    }
}

struct Joiner<'g> {
    graph: &'g BuildGraph<'g>,
}

/// A file of a whole.
struct Part {
    path: PathBuf,
    text: Arc<str>,
}

impl Joiner<'_> {
    /// Returns the files to read anew, by their indices.
    fn all(&self) -> BTreeMap<usize, (BuildFile, Whole)> {
        let included: HashSet<usize> = self
            .graph
            .own_reports()
            .flat_map(|(file, report)| {
                let builds = report.builds.iter();
                let paths = builds.flat_map(|builds| builds.includes());
                paths
                    .flat_map(move |path| self.graph.included(file, path))
                    .filter_map(|path| self.graph.index(&path))
            })
            .collect();
        let mut joined = BTreeMap::new();
        for (root, report) in self.graph.own_reports() {
            let Some(builds) = report.builds.as_deref() else {
                continue;
            };
            if !builds.format.is_joined()
                || builds.includes().is_empty()
                || included.contains(&root)
            {
                continue;
            }
            let mut parts = Vec::new();
            let start = (self.graph.access.absolute)(&report.path);
            self.add(builds.format, start.clone(), root, &mut parts);
            for (at, part) in parts.iter().enumerate() {
                let index = self.graph.index(&part.path);
                let Some(index) = index.filter(|index| !joined.contains_key(index)) else {
                    continue;
                };
                let texts =
                    |parts: &[Part]| parts.iter().map(|part| Arc::clone(&part.text)).collect();
                let around = Around {
                    over: texts(&parts[..at]),
                    under: texts(&parts[at + 1..]),
                };
                if !budget::spend(around.size()) {
                    return joined;
                }
                if let Ok(file) = builds.format.read_within(&part.text, &around) {
                    let root = start.clone();
                    joined.insert(index, (file, Whole { root, around }));
                }
            }
        }
        joined
    }

    /// Adds the file at `path`, and what it includes: of those, the last counts before the others. Paths start from those
    /// of the file `root`.
    fn add(&self, format: FormatRef, path: PathBuf, root: usize, parts: &mut Vec<Part>) {
        if parts.iter().any(|part| part.path == path) {
            return;
        }
        let source = match self.graph.index(&path) {
            Some(index) => Some(self.graph.report(index).source.clone()),
            None => (self.graph.access.load)(&path, Some(format)).map(|report| report.source),
        };
        let text = source.and_then(|source| String::from_utf8(source).ok());
        let Some(text) = text.filter(|text| budget::spend(text.len())) else {
            return;
        };
        let calls = format
            .read(&text)
            .map(|file| file.calls)
            .unwrap_or_default();
        let text = text.into();
        parts.push(Part { path, text });
        let includes = calls.iter().filter(|call| call.is_include());
        for call in includes.rev() {
            for path in self.graph.included(root, &call.path) {
                let _ = budget::nested(|| self.add(format, path, root, parts));
            }
        }
    }
}
