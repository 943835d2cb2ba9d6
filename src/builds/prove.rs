//! Proofs, by reading a changed file again, that it passes lanes to its builds and is otherwise the same.

use std::collections::BTreeSet;

use super::format::{Around, FormatRef};
use super::model::{ArgName, Build, BuildFile, Fill, Filled};
use super::yaml;

#[derive(Clone, Copy, Debug)]
pub struct PassedArg<'a> {
    /// The index of the build.
    pub build: usize,
    pub arg: &'a str,
    /// The value, as [`Insertion::value`](super::Insertion::value) has it.
    pub value: Option<&'a str>,
}

/// A format, and the files that one of it is read with.
#[derive(Clone, Copy, Debug)]
pub struct InFormat<'r> {
    pub format: FormatRef,
    pub around: &'r Around,
}

/// A cache that is filled by another id.
#[derive(Clone, Copy, Debug)]
pub struct RenamedFill<'a> {
    /// The index of the fill.
    pub fill: usize,
    pub id: &'a str,
}

/// Proves that the file `after` says the same as before, in its text and its meaning, except that these caches are
/// filled by their new ids.
pub fn prove_fills(
    format: FormatRef,
    text: &str,
    before: &BuildFile,
    after: &str,
    renamed: &[RenamedFill<'_>],
) -> Result<(), String> {
    let around = Around::NONE;
    let new = read_again(InFormat { format, around }, text, before, after, &[])?;
    let options = |fill: &Fill| {
        let texts = match &fill.caches {
            Filled::Mount(text) | Filled::Dockerfile(text) => std::slice::from_ref(text),
            Filled::Quoted(texts) => texts,
        };
        let options = texts.iter().flat_map(|text| text.split(','));
        options.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let is_right = |(number, (old, new)): (usize, (&Fill, &Fill))| {
        let mut expected = options(old);
        if let Some(renamed) = renamed.iter().find(|one| one.fill == number) {
            expected.retain(|option| !option.starts_with("id="));
            expected.insert(format!("id={}", renamed.id));
        }
        expected == options(new)
    };
    let pairs = before.fills.iter().zip(&new.fills);
    if before.fills.len() != new.fills.len() || !pairs.enumerate().all(is_right) {
        return Err("the file would fill other caches".into());
    }
    Ok(())
}

/// Proves that the file `after` says the same about its builds as before, in its text and its meaning, except that
/// these pass their lanes.
pub fn prove(
    reader: InFormat<'_>,
    text: &str,
    before: &BuildFile,
    after: &str,
    passed: &[PassedArg<'_>],
) -> Result<(), String> {
    let mut names: Vec<&str> = passed.iter().map(|passed| passed.arg).collect();
    names.dedup();
    let new = read_again(reader, text, before, after, &names)?;
    for one in passed {
        let build = new.builds.get(one.build);
        let mut args = build
            .into_iter()
            .flat_map(|build| build.args.iter().chain(build.env.iter()));
        let found = args.find(|arg| arg.name.is(one.arg));
        let value = &found.ok_or("the build would still pass no lane")?.value;
        if one.value.is_some() && one.value != value.as_deref() {
            let value = value.as_deref().unwrap_or_default();
            return Err(format!(
                "the build would pass `{value}`, which something else in the file says"
            ));
        }
    }
    Ok(())
}

/// Reads the file `after`, and proves that it says the same as before apart from the arguments `names`, and has all of its
/// text.
fn read_again(
    reader: InFormat<'_>,
    text: &str,
    before: &BuildFile,
    after: &str,
    names: &[&str],
) -> Result<BuildFile, String> {
    let new = reader
        .format
        .read_within(after, reader.around)
        .map_err(|error| format!("the file could not be read any more: {error}"))?;
    if !is_same(before, &new, names) {
        return Err("the file would say something else about its builds".into());
    }
    let more = reader.format.adds();
    if more.is_some_and(|more| !yaml::is_kept(text, after, more)) {
        return Err("its place within the file is not clear".into());
    }
    Ok(new)
}

/// Returns whether both have the same builds, apart from the arguments `names`, and the same Dockerfiles within.
pub fn is_same(before: &BuildFile, after: &BuildFile, names: &[&str]) -> bool {
    let args = |build: &Build| -> Vec<(ArgName, Option<String>)> {
        let args = build.args.iter();
        args.filter(|arg| !names.iter().any(|name| arg.name.is(name)))
            .map(|arg| (arg.name.clone(), arg.value.clone()))
            .collect()
    };
    let is_same = |(old, new): (&Build, &Build)| {
        old.tool == new.tool
            && (&old.name, &old.subject, &old.target) == (&new.name, &new.subject, &new.target)
            && old.args_known == new.args_known
            && args(old) == args(new)
    };
    let texts = |file: &BuildFile| -> Vec<String> {
        file.inline
            .iter()
            .map(|inline| inline.text.clone())
            .collect()
    };
    before.builds.len() == after.builds.len()
        && before.builds.iter().zip(&after.builds).all(is_same)
        && before.unknown.len() == after.unknown.len()
        && texts(before) == texts(after)
}
