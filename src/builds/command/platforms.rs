//! The platforms that a command names.

use super::super::model::BuildTool;
use super::super::platforms::{OfTargets, PlatformText, Platforms};
use super::super::shell::Word;
use super::model::{Command, InsertMethod};

/// Returns the platforms that `command` names for one build; `value` returns those of a word.
pub fn platforms(command: &Command, value: &dyn Fn(&Word) -> Platforms) -> Platforms {
    let is_one_job = |jobs: &Word| jobs.text() == Some("1");
    let in_turn = match command.tool {
        // Of a service's platforms, it builds the one that it runs.
        BuildTool::Compose => command.method == InsertMethod::Environment,
        // Stages of all platforms run one after the other, unless `--jobs` says otherwise.
        tool => tool.is_buildah() && command.jobs.as_ref().is_none_or(is_one_job),
    };
    if in_turn {
        return Platforms::Unknown;
    }
    if command.of_targets.is_empty() {
        return Platforms::all(command.platforms.iter().map(value));
    }
    let of_targets = command.of_targets.iter().map(|set| OfTargets {
        pattern: set.pattern.clone(),
        adds: set.adds,
        platforms: value(&set.value),
    });
    Platforms::OfTargets(of_targets.collect())
}

/// Returns the platforms that `command` names, as written; `text` returns that of a word.
pub fn platform_texts(command: &Command, text: &dyn Fn(&Word) -> String) -> Vec<PlatformText> {
    let all: Vec<String> = command.platforms.iter().map(text).collect();
    let all = (!all.is_empty()).then(|| PlatformText::of_all(all.join(",")));
    let of_targets = command.of_targets.iter().map(|set| PlatformText {
        pattern: set.pattern.clone(),
        adds: set.adds,
        text: text(&set.value),
    });
    all.into_iter().chain(of_targets).collect()
}
