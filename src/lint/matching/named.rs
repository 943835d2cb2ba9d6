//! The files that a command takes: those that it names, or those that its tool looks for.

use std::path::Path;

use super::graph::BuildGraph;
use super::names::{BAKE, COMPOSE, DEVCONTAINER, OVERRIDES};
use crate::budget;
use crate::builds::{BuildTool, FilesAt, make};

impl BuildGraph<'_> {
    /// Returns the files that a command takes, in order; fails where one is missing.
    pub(super) fn named(
        &self,
        tool: BuildTool,
        places: &[FilesAt],
        root: &Path,
    ) -> Result<Vec<usize>, String> {
        let at = |path: &str| self.read(root, path);
        let mut found = Vec::new();
        let mut is_silent = false;
        for place in places {
            let folder = match place {
                FilesAt::Folder(path) => path,
                FilesAt::File(path) => {
                    let is_there = || {
                        let path = self.path(root, path);
                        self.index(&path).is_none() && (self.access.is_there)(&path)
                    };
                    match at(path) {
                        Some(file) => found.push(file),
                        // One that builds nothing is not among the files.
                        None if is_there() => is_silent = true,
                        None => return Err(format!("`{path}` is not there, or cannot be read")),
                    }
                    continue;
                }
            };
            let named = |names: &'static [&str]| {
                let paths = names.iter().map(|name| format!("{folder}/{name}"));
                paths.filter_map(|path| at(&path))
            };
            if tool == BuildTool::Devcontainer {
                found.extend(named(DEVCONTAINER).next());
            } else if tool == BuildTool::Make {
                found.extend(named(make::NAMES).next());
            } else if tool.is_bake() {
                found.extend(named(COMPOSE).chain(named(BAKE)));
            } else if let Some(base) = named(COMPOSE).next() {
                found.push(base);
                found.extend(named(OVERRIDES).next());
            }
        }
        // Each file comes behind those that include it.
        let mut at = 0;
        while let Some(&file) = found.get(at).filter(|_| budget::spend(16)) {
            let all = self
                .sources(file)
                .iter()
                .filter(|source| source.extended.is_none());
            let files = all.flat_map(|source| self.taken(file, source));
            for other in files {
                if !found.contains(&other) {
                    found.push(other);
                }
            }
            at += 1;
        }
        if found.is_empty() && !is_silent {
            let what = match tool {
                BuildTool::Devcontainer => "devcontainer.json",
                tool if tool.is_compose() => "Compose file",
                _ => "bake file",
            };
            return Err(format!(
                "there is no {what} that builds anything among the files"
            ));
        }
        Ok(found)
    }
}
