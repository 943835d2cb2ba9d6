//! Resolves what a job builds by a Makefile or a script.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::graph::BuildId;
use super::resolve::{Merged, Resolver, Way, base};
use crate::budget;
use crate::builds::{self, Build, BuildFile, BuildTool, Builder, Files, PathsFrom, Subject};

impl Resolver<'_> {
    /// Returns the Makefile `file` as these variables of make's command line make it; `None` where it sets none of them.
    fn remade(&self, file: usize, given: &[(String, Option<String>)]) -> Option<Rc<BuildFile>> {
        let key = (file, given.to_vec());
        if let Some(known) = self.remade.borrow().get(&key) {
            return known.clone();
        }
        let source = std::str::from_utf8(&self.graph.report(file).source);
        let made = source
            .ok()
            .and_then(|source| builds::make::given(source, given));
        let made = made.map(Rc::new);
        self.remade.borrow_mut().insert(key, made.clone());
        made
    }

    /// Returns what the commands of a script build that `build` runs; `root` is the folder that its paths start from. What
    /// is not there builds nothing.
    pub(super) fn scripted(
        &self,
        build: &Build,
        files: &Files,
        root: &Path,
        way: &mut Way,
    ) -> Vec<Merged> {
        let graph = self.graph;
        let named = graph.named(build.tool, &files.paths, root);
        let sources = named.unwrap_or_default();
        let Some((file, folder)) = sources.first().copied().zip(files.folder.as_ref()) else {
            return Vec::new();
        };
        let here = graph.path(root, folder);
        let names: Vec<&str> = files.names.iter().map(String::as_str).collect();
        // The first target of a Makefile is the member of a group without a name.
        let names = if names.is_empty() { vec![""] } else { names };
        let mut names = graph.expanded(&[file], names);
        if sources.len() > 1 {
            // The first target of an included file is the first one of all only where the file itself has none.
            let has_own = names.len() > 1;
            names.retain(|name| !has_own || !name.is_empty());
            let all = names.into_iter().collect();
            names = graph.expanded(&sources, all);
        }
        let is_make = build.tool == BuildTool::Make;
        let is_run = |one: &Build| !is_make || one.id().is_some_and(|name| names.contains(name));
        let given = way.given.len();
        way.given.extend(build.given.iter().cloned());
        let remade: HashMap<usize, Rc<BuildFile>> = sources
            .iter()
            .filter(|_| is_make && !way.given.is_empty())
            .filter_map(|file| Some((*file, self.remade(*file, &way.given)?)))
            .collect();
        let mut found = Vec::new();
        let all = sources.iter().flat_map(|file| {
            let builds = graph.builds(*file).iter().enumerate();
            builds.map(|(build, one)| (BuildId { file: *file, build }, one))
        });
        for (id, one) in all {
            let remade = remade.get(&id.file);
            if !is_run(one) || way.open.contains(&id) || !budget::spend(256) {
                continue;
            }
            let new = remade.map(|remade| remade_as(one, remade));
            let one = match new {
                Some(Ok(new)) => new,
                Some(Err(why)) => {
                    way.unknown = way.unknown.take().or(why);
                    continue;
                }
                None => one,
            };
            way.open.push(id);
            let folder = self.fixed_folder(id, one);
            let mut own = self.by_command(one, folder.as_deref().unwrap_or(&here), way);
            way.open.pop();
            for merged in &mut own {
                merged.layers.push(id);
                if remade.is_some() {
                    merged.remade.push((id, one.clone()));
                }
            }
            found.extend(own);
        }
        way.given.truncate(given);
        found
    }

    /// Returns the folder that the paths of a script's command `one` start from, wherever it is called.
    fn fixed_folder(&self, id: BuildId, one: &Build) -> Option<PathBuf> {
        match one.service.as_ref()?.paths_from {
            PathsFrom::Caller => None,
            PathsFrom::OwnFolder => Some(self.folder_of(id.file)),
            PathsFrom::Repository => Some((self.graph.access.root)(
                &self.graph.report(id.file).path,
                &builds::Script,
            )),
        }
    }

    fn folder_of(&self, file: usize) -> PathBuf {
        let path = (self.graph.access.absolute)(&self.graph.report(file).path);
        path.parent().unwrap_or(&path).to_path_buf()
    }

    /// Returns the folders that the paths of a script's command start from: its own, or its callers'. Where none is known,
    /// that is the only one, up to the repository's root, of which `fits` is true; fails without one.
    pub(super) fn folders(
        &self,
        id: BuildId,
        one: &Build,
        fits: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<PathBuf>, String> {
        if let Some(own) = self.fixed_folder(id, one) {
            return Ok(vec![own]);
        }
        if let Some(bases) = self.bases.get(&id.file) {
            return Ok(bases.clone());
        }
        let (own, root) = (self.folder_of(id.file), self.graph.root(id.file));
        let all = own
            .ancestors()
            .take_while(|folder| folder.starts_with(root));
        let all: Vec<&Path> = all.collect();
        let mut fitting = all.iter().filter(|folder| fits(folder));
        match (&all[..], fitting.next(), fitting.next()) {
            ([only], ..) | (_, Some(only), None) => Ok(vec![only.to_path_buf()]),
            _ => Err("the folder that the script runs in is not known".to_owned()),
        }
    }

    /// Returns what a command of a script builds in the folder `here`.
    fn by_command(&self, one: &Build, here: &Path, way: &mut Way) -> Vec<Merged> {
        match &one.subject {
            Subject::File(path) => vec![Merged {
                dockerfile: self.dockerfile(one.tool, here, path),
                layers: Vec::new(),
                target: one.target.clone(),
                tool: one.tool,
                remade: Vec::new(),
            }],
            Subject::Files(files) if one.tool.runs_others() => {
                budget::nested(|| self.scripted(one, files, here, way)).unwrap_or_default()
            }
            Subject::Files(files) => {
                let named = self.graph.named(one.tool, &files.paths, here);
                let folder = base(one, here);
                let merged =
                    |named: Vec<usize>| self.merged(one.tool, files, &named, folder.as_deref());
                named.map(merged).unwrap_or_default()
            }
            Subject::Inline(_) | Subject::Snippets | Subject::ByInputs(_) => Vec::new(),
        }
    }

    /// Returns the builder of what a script builds that the build `caller` of `file` runs.
    pub(super) fn of_script(&self, file: usize, caller: &Build, found: &Merged) -> Builder {
        let mut own = found.layers.iter().map(|id| &self.graph.build(*id).builder);
        let env = |name: &str| caller.env.get(name)?.value.clone();
        let builder = match (own.find(|own| **own != Builder::Shared), &caller.builders) {
            (Some(own), _) => own.clone(),
            (None, Some(builders)) => builders.used(found.tool, None, &env),
            (None, None) => Builder::Shared,
        };
        let caller = Build {
            builder,
            ..caller.clone()
        };
        self.builder(file, &caller)
    }
}

/// Returns the build that `one` of a Makefile is in the same file with other variables; fails where it builds nothing there,
/// with the reason if it is not known.
fn remade_as<'b>(one: &Build, file: &'b BuildFile) -> Result<&'b Build, Option<String>> {
    budget::spend(file.builds.len() + file.unknown.len());
    let is_it = |new: &&Build| new.span == one.span && new.id() == one.id();
    let mut unknown = file.unknown.iter();
    let unknown = || {
        let unknown = unknown.find(|unknown| unknown.span == one.span)?;
        Some(format!(
            "its variables decide what is built: {}",
            unknown.why
        ))
    };
    file.builds.iter().find(is_it).ok_or_else(unknown)
}
