//! One build that is made to pass a lane by itself.

use cachelane::builds::{Around, Build, FormatRef, InFormat, Lane, PassedArg, prove};
use cachelane::fix::{self, Fix};

/// Returns the proved fix that makes `build`, which stands in `source`, pass the lane.
pub fn pass(
    format: FormatRef,
    source: &str,
    build: &Build,
    lane: &Lane<'_>,
) -> Result<Fix, String> {
    let mut insertion = Err(String::new());
    format
        .inserter(source, Around::NONE, &mut |insert| {
            insertion = insert(build, lane);
        })
        .map_err(|error| error.message)?;
    let insertion = insertion?;
    let before = format.read(source).map_err(|error| error.message)?;
    let mut builds = before.builds.iter();
    let at = builds.position(|found| found == build);
    let passed = PassedArg {
        build: at.ok_or("it is not in this file")?,
        arg: lane.arg,
        value: insertion.value.as_deref(),
    };
    let after = fix::apply(source.as_bytes(), &[&insertion.fix]).bytes;
    let after = String::from_utf8_lossy(&after);
    let around = Around::NONE;
    prove(
        InFormat { format, around },
        source,
        &before,
        &after,
        &[passed],
    )?;
    Ok(insertion.fix)
}
