//! Proving that a file passes lanes to its builds and says all else as before, by reading it again before anyone may write
//! it.

use std::collections::HashSet;

use super::format::Format;
use super::model::{Build, BuildFile, Lane};
use super::yaml::{self, More};
use crate::fix::{self, Fix};

/// The fix that makes `build`, which stands in `source`, pass the lane; proved.
///
/// # Errors
/// Why a person has to do it.
pub fn pass(
    format: &dyn Format,
    source: &str,
    build: &Build,
    lane: &Lane<'_>,
) -> Result<Fix, String> {
    let opened = format.open(source).map_err(|error| error.message)?;
    let passing = opened.inserter()?(build, lane)?;
    let before = format.read(source).map_err(|error| error.message)?;
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
    prove(format, (source, &before), &after, &[passed])?;
    Ok(passing.fix)
}

/// Proves that comments are all that the file `after` has more.
///
/// # Errors
/// What is not as it should be.
pub fn prove_comments(format: &dyn Format, before: &str, after: &str) -> Result<(), String> {
    let read = |source| {
        format
            .read(source)
            .map_err(|error| format!("the file could not be read any more: {error}"))
    };
    if !is_same(&read(before)?, &read(after)?, &HashSet::new())
        || (format.adds().is_some() && !yaml::is_kept(before, after, More::Comments))
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
    /// Its value, as [`Insertion::value`](super::Insertion::value) has it.
    pub value: Option<&'a str>,
}

/// Proves that the file `after` says the same about its builds as it did before (its text, and what that says), but that
/// these pass their lanes.
///
/// # Errors
/// What is not as it should be.
pub fn prove(
    format: &dyn Format,
    before: (&str, &BuildFile),
    after: &str,
    passed: &[Passed<'_>],
) -> Result<(), String> {
    let new = format
        .read(after)
        .map_err(|error| format!("the file could not be read any more: {error}"))?;
    let names: HashSet<&str> = passed.iter().map(|passed| passed.arg).collect();
    if !is_same(before.1, &new, &names) {
        return Err("the file would say something else about its builds".into());
    }
    for one in passed {
        let found = new.builds.get(one.build).and_then(|build| {
            let mut all = build.args.iter().chain(build.env.iter());
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
    let more = format.adds();
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
