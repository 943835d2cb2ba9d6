//! The builds of a run, as the table of `cachelane builds` and as JSON.

use serde::Serialize;

use crate::lint::LaneStatus;
use crate::text::count;

use super::document::list_document;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedBuild {
    pub path: String,
    /// 1-based.
    pub line: usize,
    pub name: String,
    /// The tool that runs it, as typed.
    pub tool: &'static str,
    /// Null for one within the file, and where it is unknown.
    pub dockerfile: Option<String>,
    /// The stage, where one is named.
    pub target: Option<String>,
    /// The axes of the matrix around it; null without one.
    pub matrix: Option<Vec<String>>,
    pub lane: LaneStatus,
    /// The command to type where there is no lane yet.
    #[serde(skip)]
    pub next: Option<String>,
    /// The reason why it has a builder of its own, or why that is not known.
    pub builder: Option<String>,
    /// The value that it passes, as written.
    pub value: Option<String>,
    /// The reason why the build cannot be read.
    pub unknown: Option<String>,
}

fn shown(lane: LaneStatus) -> &'static str {
    match lane {
        LaneStatus::Passed => "passed",
        LaneStatus::HandedOn => "handed on",
        LaneStatus::Namespace => "namespace",
        LaneStatus::Default | LaneStatus::OwnMachine => "default",
        LaneStatus::NotNeeded => "not needed",
        LaneStatus::NotThere => "no such Dockerfile",
        LaneStatus::NotYet => "no lane yet",
        LaneStatus::OnlyMissing => "only where there is no image (`--build` builds it always)",
        LaneStatus::Unknown => "?",
    }
}

/// Returns `builds` as a table; `files` is the number of files checked.
pub fn table(builds: &[ListedBuild], files: usize, quiet: bool, width: Option<usize>) -> String {
    let files = count(files, "file");
    if builds.is_empty() {
        return format!(
            "{files}, no build in a workflow, pipeline, Compose or bake file, Makefile or script.\n"
        );
    }
    let head = ["PLACE", "BUILD", "DOCKERFILE", "STAGE", "MATRIX", "LANE"];
    let mut text = super::table::table(head, builds.iter().map(row), width);
    if quiet {
        return text;
    }
    let of = |lane| builds.iter().filter(|build| build.lane == lane).count();
    let in_default = of(LaneStatus::Default);
    let stay = if in_default == 1 { "stays" } else { "stay" };
    let some = |n, one: &str, several: &str| match n {
        0 => String::new(),
        1 => format!(", 1 {one}"),
        n => format!(", {n} {several}"),
    };
    let not_yet = some(
        of(LaneStatus::NotYet),
        "has no lane yet",
        "have no lane yet",
    );
    let handed = some(
        of(LaneStatus::HandedOn),
        "takes the lane that its caller sets",
        "take the lane that their callers set",
    );
    let unknown = builds
        .iter()
        .filter(|build| build.unknown.is_some())
        .count();
    let known = count(builds.len() - unknown, "build");
    let more = match unknown {
        0 => String::new(),
        unknown => format!("; nothing can be said of {unknown} more"),
    };
    text.push_str(&format!(
        "\n{known} in {files}: {in_default} {stay} in the default lane{not_yet}{handed}{more}.\n"
    ));
    text
}

fn row(build: &ListedBuild) -> [String; 6] {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let lane = match (build.lane, &build.value, &build.builder) {
        (LaneStatus::Passed | LaneStatus::HandedOn | LaneStatus::Namespace, Some(value), _) => {
            format!("{}: {value}", shown(build.lane))
        }
        (LaneStatus::OwnMachine | LaneStatus::NotYet | LaneStatus::Unknown, _, Some(why)) => {
            format!("{}: {why}", shown(build.lane))
        }
        _ => match &build.next {
            Some(next) => format!("{}: {next}", shown(build.lane)),
            None => shown(build.lane).into(),
        },
    };
    let dockerfile = match (&build.dockerfile, &build.unknown) {
        (Some(path), _) => path.clone(),
        (None, Some(why)) => format!("? ({why})"),
        (None, None) => "(within the file)".into(),
    };
    [
        format!("{}:{}", build.path, build.line),
        format!("{}, {}", build.name, build.tool),
        dockerfile,
        or(&build.target),
        build
            .matrix
            .as_ref()
            .map_or_else(|| "-".into(), |axes| axes.join(", ")),
        lane,
    ]
}

/// Returns `builds` as a JSON document that ends with a newline.
pub fn json(builds: &[ListedBuild]) -> String {
    list_document("builds", builds)
}
