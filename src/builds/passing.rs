//! Passing lanes to the builds of one file: it is read once for all of them, and what comes of the edits is proved by
//! reading it again before anyone may write it.

use std::collections::HashSet;

use super::model::{Build, BuildFile, Kind, Lane};
use super::read;
use super::yaml::{self, More, Yaml};
use super::{bake, buildkite, compose, github, gitlab};
use crate::fix::{self, Fix};
use crate::text::Span;

/// How a build can be made to pass a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passing {
    /// The fix.
    pub fix: Fix,
    /// The value that the build passes then, as its file's reader gives it; `None` where that goes through a variable of
    /// the file that may have been there.
    pub value: Option<String>,
}

/// Finds the way for a build of the file that it was made from.
///
/// # Errors
/// Why a person has to do it.
pub type Passer<'d> = Box<dyn Fn(&Build, &Lane<'_>) -> Result<Passing, String> + 'd>;

/// A file that is open for lanes to be passed in it.
pub struct Opened<'s> {
    kind: Kind,
    source: &'s str,
    file: File<'s>,
}

enum File<'s> {
    Yaml(Yaml<'s>),
    Bake(bake::File),
}

impl<'s> Opened<'s> {
    /// Reads a file.
    ///
    /// # Errors
    /// What makes it none of its kind.
    pub fn new(kind: Kind, source: &'s str) -> Result<Self, String> {
        let file = match kind {
            Kind::BakeHcl | Kind::BakeJson => bake::File::read(source).map(File::Bake),
            _ => Yaml::read(source).map(File::Yaml),
        };
        Ok(Self {
            kind,
            source,
            file: file.map_err(|error| error.message)?,
        })
    }

    /// What finds the fixes: each is for this text alone, and not proved yet.
    ///
    /// # Errors
    /// What makes the file none of its kind.
    pub fn passer(&self) -> Result<Passer<'_>, String> {
        let yaml = match &self.file {
            File::Yaml(yaml) => yaml,
            File::Bake(file) => return Ok(bake::passer(self.source, file)),
        };
        match self.kind {
            Kind::Github => Ok(github::passer(yaml)),
            Kind::Compose => Ok(compose::passer(yaml)),
            Kind::Gitlab => gitlab::passer(yaml),
            Kind::Buildkite => buildkite::passer(yaml),
            Kind::BakeHcl | Kind::BakeJson => Err("it is no YAML".to_owned()),
        }
    }
}

/// The fix that makes `build`, which stands in `source`, pass the lane; proved.
///
/// # Errors
/// Why a person has to do it.
pub fn pass(kind: Kind, source: &str, build: &Build, lane: &Lane<'_>) -> Result<Fix, String> {
    let opened = Opened::new(kind, source)?;
    let passing = opened.passer()?(build, lane)?;
    let before = read(kind, source).map_err(|error| error.message)?;
    let at = before
        .builds
        .iter()
        .position(|found| found == build)
        .ok_or("it is not in this file")?;
    let after =
        String::from_utf8(fix::apply(source.as_bytes(), &[&passing.fix]).bytes).unwrap_or_default();
    let passed = Passed {
        build: at,
        arg: lane.arg,
        value: passing.value.as_deref(),
    };
    prove(kind, (source, &before), &after, &[passed])?;
    Ok(passing.fix)
}

/// Where a file's texts of several lines stand: no comment can stand between their lines. `None` for a kind of file that has
/// no comments.
///
/// # Errors
/// What makes the file none of its kind.
pub fn long_texts(kind: Kind, source: &str) -> Result<Option<Vec<Span>>, String> {
    let is_long = |span: &Span| span.of(source.as_bytes()).contains(&b'\n');
    Ok(match kind {
        Kind::BakeJson => None,
        Kind::BakeHcl => {
            let inline = read(kind, source).map_err(|error| error.message)?.inline;
            Some(
                inline
                    .iter()
                    .map(|inline| inline.span)
                    .filter(is_long)
                    .collect(),
            )
        }
        _ => Some(
            Yaml::read(source)
                .map_err(|error| error.message)?
                .texts()
                .filter(is_long)
                .collect(),
        ),
    })
}

/// Proves that comments are all that the file `after` has more.
///
/// # Errors
/// What is not as it should be.
pub fn prove_comments(kind: Kind, before: &str, after: &str) -> Result<(), String> {
    let read = |source| {
        read(kind, source).map_err(|error| format!("the file could not be read any more: {error}"))
    };
    if !is_same(&read(before)?, &read(after)?, &HashSet::new())
        || (kind != Kind::BakeHcl && !yaml::is_kept(before, after, More::Comments))
    {
        return Err("the file would say something else".into());
    }
    Ok(())
}

/// What a build is to pass in a changed file.
#[derive(Clone, Copy, Debug)]
pub struct Passed<'a> {
    /// The build, by its index.
    pub build: usize,
    /// The argument.
    pub arg: &'a str,
    /// Its value, as [`Passing::value`] has it.
    pub value: Option<&'a str>,
}

/// Proves that the file `after` says the same about its builds as it did before (its text, and what that says), but that
/// these pass their lanes.
///
/// # Errors
/// What is not as it should be.
pub fn prove(
    kind: Kind,
    before: (&str, &BuildFile),
    after: &str,
    passed: &[Passed<'_>],
) -> Result<(), String> {
    let new = read(kind, after)
        .map_err(|error| format!("the file could not be read any more: {error}"))?;
    let names: HashSet<&str> = passed.iter().map(|passed| passed.arg).collect();
    if !is_same(before.1, &new, &names) {
        return Err("the file would say something else about its builds".into());
    }
    for one in passed {
        let found = new.builds.get(one.build).and_then(|build| {
            let mut all = build.args.iter().chain(&build.env);
            all.find(|arg| arg.name == one.arg)
        });
        let found = found.ok_or("the build would still pass no lane")?;
        if one
            .value
            .is_some_and(|value| found.value.as_deref() != Some(value))
        {
            let value = found.value.as_deref().unwrap_or_default();
            return Err(format!(
                "the build would pass `{value}`, which something else in the file says"
            ));
        }
    }
    let more = match kind {
        Kind::Gitlab | Kind::Buildkite => Some(More::Text),
        Kind::Github | Kind::Compose => Some(More::Entries),
        Kind::BakeHcl | Kind::BakeJson => None,
    };
    if more.is_some_and(|more| !yaml::is_kept(before.0, after, more)) {
        return Err("its place within the YAML text is not clear".into());
    }
    Ok(())
}

/// Whether both say the same about builds, whatever is said of the arguments `names`.
fn is_same(before: &BuildFile, after: &BuildFile, names: &HashSet<&str>) -> bool {
    let args = |build: &Build| -> Vec<(String, Option<String>)> {
        let others = build
            .args
            .iter()
            .filter(|arg| !names.contains(arg.name.as_str()));
        others
            .map(|arg| (arg.name.clone(), arg.value.clone()))
            .collect()
    };
    let same = |(old, new): (&Build, &Build)| {
        (
            old.tool,
            &old.name,
            &old.subject,
            &old.target,
            old.args_known,
        ) == (
            new.tool,
            &new.name,
            &new.subject,
            &new.target,
            new.args_known,
        ) && args(old) == args(new)
    };
    let texts = |wiring: &BuildFile| {
        wiring
            .inline
            .iter()
            .map(|inline| inline.text.clone())
            .collect::<Vec<_>>()
    };
    before.builds.len() == after.builds.len()
        && before.builds.iter().zip(&after.builds).all(same)
        && before.unknown.len() == after.unknown.len()
        && texts(before) == texts(after)
}
