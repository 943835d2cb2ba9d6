//! GitLab CI: `.gitlab-ci.yml` and the files that it includes.
//!
//! What GitLab's reference says and this relies on: `before_script` and `script` are one script for one shell;
//! `after_script` is another; `extends` merges mappings and replaces lists, the later of several templates wins, and the
//! job itself over all; `!reference` takes a part of another job after its `extends`; values of `parallel:matrix` are
//! variables of the job and part of its name; `CI_JOB_NAME_SLUG` is that name in lower case with all but letters and
//! digits made `-`, cut to 63 bytes, without `-` at its ends.

mod jobs;
mod legs;

use std::collections::HashSet;

use super::command;
use super::format::{FilePath, Format, Inserter, Open, OpenYaml};
use super::model::{BuildFile, Call, ReadError, Runs, Unknown};
use super::pipelines::{self, Found, Job, Language, Reader};
use super::shell::Need;
use super::yaml::{More, Node, Yaml};
use crate::text::Span;
use jobs::File;

/// What holds the lane of a job.
const SLUG: &str = "CI_JOB_NAME_SLUG";
/// How long GitLab lets it become.
const SLUG_LEN: usize = 63;

const LANGUAGE: Language = Language {
    root: "CI_PROJECT_DIR",
    nested: true,
    axis,
    mask,
};

/// Matrix values are variables.
fn axis(need: Need<'_>) -> Option<&str> {
    match need {
        Need::Variable(name) => Some(name),
        Need::Expression(_) => None,
    }
}

/// GitLab CI.
#[derive(Debug)]
pub struct Gitlab;

impl Format for Gitlab {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let by_name = |stem: &str| stem == ".gitlab-ci" || stem.ends_with(".gitlab-ci");
        path.stem.is_some_and(by_name) || path.is_yaml_in(".gitlab/ci")
    }

    fn folder(&self) -> Option<&'static str> {
        Some(".gitlab")
    }

    fn adds(&self) -> Option<More> {
        Some(More::Text)
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        read(source)
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        OpenYaml::read(source, passer)
    }
}

/// Reads a pipeline. Templates that no job of the file uses count as jobs, for those of another file may use them.
fn read(source: &str) -> Result<BuildFile, ReadError> {
    if !command::may_build(source) && memchr::memmem::find(source.as_bytes(), b"include").is_none()
    {
        return Ok(BuildFile::default());
    }
    let yaml = Yaml::read(source)?;
    let Some(root) = yaml.root() else {
        return Ok(BuildFile::default());
    };
    let file = File::new(&yaml).ok_or_else(|| pipelines::unlike(root))?;
    let mut reader = gather(&file);
    let calls = calls(&file, &mut reader.unknown);
    Ok(BuildFile {
        calls,
        order: order(&file),
        ..reader.wiring()
    })
}

/// What passes lanes: `--build-arg CACHE_ID="$CI_JOB_NAME_SLUG"` behind `build`.
///
/// # Errors
/// Why it is none.
fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Inserter<'d>, String> {
    let file = File::new(yaml).ok_or("it is no pipeline")?;
    Ok(pipelines::passer(gather(&file).finish(), |found, _| {
        lane(found)
    }))
}

/// What holds the lane for all jobs that run a build.
fn lane(found: &Found<'_>) -> Result<String, String> {
    let mut seen = HashSet::new();
    for (job, legs) in found.legs() {
        let names: HashSet<String> = match legs.as_slice() {
            [] => HashSet::from([job.to_owned()]),
            legs => legs.iter().map(|leg| legs::name(job, leg)).collect(),
        };
        for name in names {
            if !seen.insert(slug(&name)) {
                return Err(format!(
                    "${SLUG} is cut to {SLUG_LEN} characters, and would be the same for several jobs"
                ));
            }
        }
    }
    if !found.all_listed() {
        return Err(format!(
            "whether ${SLUG} differs for each job cannot be seen here"
        ));
    }
    Ok(format!("${SLUG}"))
}

/// What GitLab makes of a job's name.
fn slug(name: &str) -> String {
    let all = name.to_lowercase();
    let clean = |ch: char| {
        if ch.is_ascii_lowercase() || ch.is_ascii_digit() {
            ch
        } else {
            '-'
        }
    };
    let cut: String = all.chars().map(clean).take(SLUG_LEN).collect();
    cut.trim_matches('-').to_owned()
}

/// The builds of all jobs, then those of templates that no job uses.
fn gather<'y>(file: &File<'y>) -> Reader<'y> {
    let mut reader = Reader::new(&LANGUAGE);
    let jobs = file.jobs();
    let (templates, jobs): (Vec<_>, Vec<_>) = jobs
        .into_iter()
        .partition(|(name, _)| name.starts_with('.'));
    for (name, node) in jobs.into_iter().chain(templates) {
        let chain = file.chain(node);
        if file.own(&chain, "trigger").is_some() {
            continue;
        }
        let (legs, axes) = file
            .own(&chain, "parallel")
            .map(|node| legs::legs(file, node))
            .unwrap_or_default();
        let title = format!(
            "{} `{name}`",
            if name.starts_with('.') {
                "template"
            } else {
                "job"
            }
        );
        let job = Job {
            name,
            title,
            env: file.variables(&chain),
            legs: legs.into(),
            axes,
            template: name.starts_with('.'),
        };
        for lines in [file.script(&chain), file.after_script(&chain)] {
            reader.script(&lines, &job);
        }
        for step in file.own(&chain, "run").into_iter().flat_map(Node::items) {
            let lines = step.get("script").map(Node::scalars).unwrap_or_default();
            reader.script(&lines, &job);
        }
    }
    reader
}

/// An input, `$[[ inputs.name ]]`: GitLab puts it in before anything else is read. Made an expression of the same length.
fn mask(text: &str) -> Option<(Span, String)> {
    let start = memchr::memmem::find(text.as_bytes(), b"$[[")?;
    let len = text[start..].lines().next()?.find("]]")? + 2;
    let inner = text.get(start + 3..start + len - 2)?;
    Some((Span::new(start, start + len), format!("${{{{{inner}}}}}")))
}

/// The files of the repository that this one includes, and those that a job starts as a pipeline of its own.
fn calls(file: &File<'_>, unknown: &mut Vec<Unknown>) -> Vec<Call> {
    let mut calls = Vec::new();
    for node in file.root().get("include").map(listed).unwrap_or_default() {
        call(node, None, Runs::Once, &mut calls, unknown);
    }
    for (name, node) in file.jobs() {
        let chain = file.chain(node);
        let Some(include) = file
            .own(&chain, "trigger")
            .and_then(|trigger| trigger.get("include"))
        else {
            continue;
        };
        let (legs, axes) = file
            .own(&chain, "parallel")
            .map(|node| legs::legs(file, node))
            .unwrap_or_default();
        let axes = if legs.is_empty() {
            axes
        } else {
            pipelines::varying(&legs.iter().collect::<Vec<_>>())
        };
        let runs = Runs::of(axes);
        for node in listed(include) {
            call(node, Some(name), runs.clone(), &mut calls, unknown);
        }
    }
    calls.sort_by_key(|call| call.span);
    calls
}

/// Which jobs wait for which: those that `needs` names, or else all of the stages before their own. A stage stands in the
/// list as [`stage`] names it.
fn order(file: &File<'_>) -> Vec<(String, Vec<String>)> {
    let listed = file
        .root()
        .get("stages")
        .map(Node::scalars)
        .unwrap_or_default();
    let mut stages: Vec<&str> = listed.into_iter().filter_map(Node::text).collect();
    if stages.is_empty() {
        stages.extend(["build", "test", "deploy"]);
    }
    stages.insert(0, ".pre");
    stages.push(".post");
    let mut members: Vec<Vec<String>> = vec![Vec::new(); stages.len()];
    let mut order = Vec::new();
    for (name, node) in file
        .jobs()
        .into_iter()
        .filter(|(name, _)| !name.starts_with('.'))
    {
        let chain = file.chain(node);
        let own = file
            .own(&chain, "stage")
            .and_then(Node::text)
            .unwrap_or("test");
        let at = stages.iter().position(|stage| *stage == own);
        if let Some(at) = at {
            members[at].push(name.to_owned());
        }
        let needs = chain
            .iter()
            .any(|map| map.get("needs").is_some())
            .then(|| file.own(&chain, "needs"));
        let after = match needs {
            Some(needs) => {
                let needs = needs.map(Node::items).unwrap_or_default();
                needs
                    .iter()
                    .filter_map(|need| need.text().or_else(|| need.get_text("job")))
                    .map(str::to_owned)
                    .collect()
            }
            None => at
                .and_then(|at| at.checked_sub(1))
                .map(stage)
                .into_iter()
                .collect(),
        };
        order.push((name.to_owned(), after));
    }
    for (at, mut members) in members.into_iter().enumerate() {
        members.extend(at.checked_sub(1).map(stage));
        order.push((stage(at), members));
    }
    order
}

/// The name that the stage `at` has among jobs: none that a job can have.
fn stage(at: usize) -> String {
    format!("\0{at}")
}

fn listed(node: Node<'_>) -> Vec<Node<'_>> {
    if node.is_list() {
        node.items()
    } else {
        vec![node]
    }
}

fn call(
    node: Node<'_>,
    job: Option<&str>,
    runs: Runs,
    calls: &mut Vec<Call>,
    unknown: &mut Vec<Unknown>,
) {
    let local = if node.is_map() {
        node.get("local")
    } else {
        Some(node)
    };
    let Some((place, path)) = local.and_then(|local| Some((local, local.text()?))) else {
        return;
    };
    if path.is_empty() || path.contains("://") {
        return;
    }
    if path.contains(['*', '$']) {
        unknown.push(Unknown {
            span: place.span(),
            why: format!("which files `{path}` includes depends"),
        });
        return;
    }
    let path = path.trim_start_matches('/').to_owned();
    calls.push(Call {
        span: place.span(),
        job: job.map(str::to_owned),
        path,
        runs,
        own_machine: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_gitlabs() {
        assert_eq!(slug("Build: [3.10, Ubuntu/22]"), "build---3-10--ubuntu-22");
        assert_eq!(slug(&"x".repeat(80)).len(), SLUG_LEN);
    }

    #[test]
    fn inputs_are_masked_at_their_length() {
        let (span, with) = mask("docker build $[[ inputs.dir ]]/x").unwrap();
        assert_eq!(
            (with.as_str(), span.end - span.start),
            ("${{ inputs.dir }}", with.len())
        );
        assert!(mask("$[[ open\n]]").is_none());
    }
}
