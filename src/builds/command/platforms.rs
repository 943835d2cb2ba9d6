//! The platforms that a command names.

use super::super::model::{BuildTool, Subject};
use super::super::platforms::Platforms;
use super::super::shell::{Values, Word};
use super::model::{Command, InsertMethod};

/// Returns the platforms that `command` names for one build of `subject`, with the values that `values` knows.
pub fn platforms(command: &Command, subject: &Subject, values: &Values<'_>) -> Platforms {
    let is_one_job = |jobs: &Word| jobs.text() == Some("1");
    let in_turn = match command.tool {
        // Of a service's platforms, it builds the one that it runs.
        BuildTool::Compose => command.method == InsertMethod::Environment,
        // Stages of all platforms run one after the other, unless `--jobs` says otherwise.
        tool => tool.is_buildah() && command.jobs.as_ref().is_none_or(is_one_job),
    };
    let names = match subject {
        Subject::Files(files) => files.names.as_slice(),
        _ => &[],
    };
    let is_for_all = |only: &Option<String>| match only {
        Some(only) => names == std::slice::from_ref(only),
        None => true,
    };
    let mut named = command.platforms.iter();
    if in_turn || !named.all(|named| is_for_all(&named.only)) {
        return Platforms::Unknown;
    }
    let named = command.platforms.iter();
    Platforms::of(named.map(|named| named.value.resolve(values)?.plain()))
}
