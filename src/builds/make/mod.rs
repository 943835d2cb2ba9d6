//! Makefiles: `Makefile`, `makefile`, `GNUmakefile`, `*.mk`.
//!
//! By GNU make's manual: each line of a recipe is a script of its own, in the folder of the Makefile; before that, make
//! puts its own variables in, and `$$` is a `$`. A variable that the file does not set comes from the environment or from
//! make's command line, which goes before all that the file sets, as the environment does before `?=`.

mod expand;
mod file;
mod functions;
mod out;

use std::sync::Arc;

use super::command;
use super::format::{Contents, FilePath, Format, Insertion};
use super::jobs::{self, FoundBuild, Gatherer, Job, Language, Matrix, Pipeline, Source, Step};
use super::model::{BuildFile, Env, Group, Lane};
use super::yaml::Addition;
use crate::text::name_prefix;
use file::{Makefile, Recipe};
use out::Out;

/// The names that make looks for, in order.
pub const NAMES: &[&str] = &["GNUmakefile", "makefile", "Makefile"];

/// The word that leads to another Makefile.
const INCLUDE: &str = "include ";

#[derive(Debug)]
pub struct Make;

impl Format for Make {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let end = path.name.rsplit_once('.').map(|(_, end)| end);
        NAMES.contains(&path.name) || end == Some("mk")
    }

    fn may_build(&self, source: &[u8]) -> bool {
        let includes = || memchr::memmem::find(source, INCLUDE.as_bytes()).is_some();
        command::names_builder(source) || command::names_script(source) || includes()
    }

    fn adds(&self) -> Option<Addition> {
        None
    }

    #[cfg(feature = "cli")]
    fn takes_comments(&self) -> bool {
        false
    }
}

impl Language for Make {
    fn root(&self) -> &'static str {
        "CURDIR"
    }

    fn is_called(&self) -> bool {
        true
    }
}

impl Pipeline for Make {
    fn words(&self) -> &'static [&'static str] {
        &[INCLUDE]
    }

    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        let Source::Text(source) = source else {
            return;
        };
        let file = Makefile::read(source);
        let env = Env::default().with(file.exported());
        for recipe in &file.recipes {
            for target in &recipe.targets {
                run(&file, recipe, target, &env, gatherer);
            }
        }
        uncalled(&file, gatherer);
        gatherer.sources.extend(file.included());
        gatherer.groups.extend(groups(&file));
        for unknown in &mut gatherer.unknown {
            unknown.why = as_written(source, &unknown.why);
        }
    }

    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        jobs::from_environment(found, lane)
    }

    fn hands_on(&self, source: &Source<'_>, name: &str) -> bool {
        match source {
            Source::Text(source) => !Makefile::read(source).sets(name),
            Source::Yaml(_) => true,
        }
    }
}

/// Returns what the recipes of a Makefile build where make's command line gives these variables, which go before those of
/// the file; the places stay. One without a value has that of the environment, where make puts it. `None` where the file
/// sets none of them.
pub fn given(source: &str, variables: &[(String, Option<String>)]) -> Option<BuildFile> {
    let file = Makefile::read(source);
    let own = variables.iter().filter(|(name, _)| file.has(name));
    let mut given = String::new();
    for (name, value) in own {
        let plain = value
            .as_deref()
            .filter(|value| !value.contains(['\n', '#', '\\']));
        given += &match plain {
            Some(value) => format!("\noverride {name} := {}", value.replace('$', "$$")),
            None => format!("\noverride undefine {name}"),
        };
    }
    let source = (!given.is_empty()).then(|| source.to_owned() + &given)?;
    Make.read(&source).ok()
}

/// Names the builds in the lines of a `define` that no recipe is seen to call.
fn uncalled(file: &Makefile<'_>, gatherer: &mut Gatherer<'_>) {
    // Reading one may be what uses another.
    let used = file.used.borrow().clone();
    let all = file.defines.iter();
    for (name, body) in all.filter(|(name, _)| !used.contains(*name)) {
        for line in file.lines_of(*body) {
            if file.builds(file.text(line), None, &Out::default()) {
                let why = format!("it stands in `define {name}`, and what calls that is not known");
                gatherer.add_unknown(line, why);
            }
        }
    }
}

/// Returns a reason with `$(NAME)` in place of `${NAME}`, where the file has only that.
fn as_written(source: &str, why: &str) -> String {
    // `$(*)` is what the shell must not take for its own `$*`.
    let automatic =
        |why: String, mark: &&str| why.replace(&format!("$({mark})"), &format!("${mark}"));
    let why = ["*", "<", "^", "@", "?", "+"]
        .iter()
        .fold(why.to_owned(), automatic);
    let Some((before, behind)) = why.split_once("${") else {
        return why;
    };
    let name = name_prefix(behind);
    let made = format!("$({name})");
    match behind[name.len()..].strip_prefix('}') {
        Some(rest) if source.contains(&made) && !source.contains(&format!("${{{name}}}")) => {
            format!("{before}{made}{rest}")
        }
        _ => why,
    }
}

/// Reads the commands of a recipe, as they run for one of its targets.
fn run<'y>(
    file: &Makefile<'y>,
    recipe: &Recipe,
    target: &str,
    env: &Env,
    gatherer: &mut Gatherer<'y>,
) {
    let job = Arc::new(Job {
        name: Some(target.to_owned()),
        env: env.clone(),
        matrix: Matrix::none(),
        ..Job::default()
    });
    let mut step = Step::new(&job, format!("target `{target}`"), None);
    let scripts = file.scripts(recipe, target);
    for (span, why) in scripts.unseen {
        gatherer.add_unknown(span, why);
    }
    for piece in scripts.pieces {
        gatherer.paths_from.extend(jobs::paths_from(&piece));
        step.builders = gatherer.piece(piece, &step, Some(""));
    }
}

/// Returns the targets, each with those that make builds before it; the one without a name is what make builds where none
/// is named.
fn groups(file: &Makefile<'_>) -> Vec<Group> {
    let group = |name: &str, members: Vec<String>| Group {
        name: name.to_owned(),
        members,
    };
    let first = file.default.iter();
    let first = first.map(|name| group("", vec![name.clone()]));
    let all = file.rules.iter();
    all.map(|(target, before)| group(target, before.clone()))
        .chain(first)
        .collect()
}
