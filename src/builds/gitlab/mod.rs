//! GitLab CI: `.gitlab-ci.yml` and the files that it includes.
//!
//! What GitLab's reference says and this relies on: `before_script` and `script` are one script for one shell;
//! `after_script` is another; `extends` merges mappings and replaces lists, the later of several templates wins, and the
//! job itself over all; `!reference` takes a part of another job after its `extends`; values of `parallel:matrix` are
//! variables of the job and part of its name; `CI_JOB_NAME_SLUG` is that name in lower case with all but letters and
//! digits made `-`, cut to 63 bytes, without `-` at its ends.

mod file;
mod matrix;

use std::collections::HashSet;
use std::rc::Rc;

use super::command;
use super::format::{FilePath, Format, Inserter, Open, OpenYaml};
use super::jobs::{self, Found, Gatherer, Job, Language, Looked, Scope, Step};
use super::model::{BuildFile, Call, Env, Ordered, ReadError, Runs, Unknown};
use super::shell::{Dialect, Lookup, ROOT, is_name};
use super::yaml::{More, Node, Yaml};
use crate::budget;
use crate::text::Span;
use file::File;

/// What holds the lane of a job.
const SLUG: &str = "CI_JOB_NAME_SLUG";
/// How long GitLab lets it become.
const SLUG_LEN: usize = 63;

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
        OpenYaml::read(source, inserter)
    }
}

impl Language for Gitlab {
    fn root(&self) -> &'static str {
        "CI_PROJECT_DIR"
    }

    /// Matrix values are variables.
    fn axis<'n>(&self, need: Lookup<'n>) -> Option<&'n str> {
        match need {
            Lookup::Variable(name) => Some(name),
            Lookup::Expression(_) => None,
        }
    }

    /// Puts variables in: a value may name others.
    fn filled(&self, scope: &Scope<'_>, text: &str, looked: Option<&Looked<'_>>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let plain = rest.find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_');
            let (name, behind) = match rest.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => rest.split_at(plain.unwrap_or(rest.len())),
            };
            if !is_name(name) {
                return None;
            }
            let value = scope.lookup(Lookup::Variable(name), looked)?;
            // The root is one only at the beginning.
            if !budget::spend(1 + value.len()) || (value.starts_with(ROOT) && !filled.is_empty()) {
                return None;
            }
            filled.push_str(&value);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// An input, `$[[ inputs.name ]]`: GitLab puts it in before anything else is read.
    fn mask(&self, text: &str) -> Option<(Span, String)> {
        let start = memchr::memmem::find(text.as_bytes(), b"$[[")?;
        let len = text[start..].lines().next()?.find("]]")? + 2;
        let inner = text.get(start + 3..start + len - 2)?;
        Some((Span::new(start, start + len), format!("${{{{{inner}}}}}")))
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
    let file = File::new(&yaml).ok_or_else(|| jobs::unlike(root))?;
    let mut gatherer = gather(&file);
    let calls = calls(&file, &mut gatherer.unknown);
    Ok(BuildFile {
        calls,
        order: order(&file),
        ..gatherer.file()
    })
}

/// Makes what passes lanes: `--build-arg CACHE_ID="$CI_JOB_NAME_SLUG"` behind `build`.
fn inserter<'d>(yaml: &'d Yaml<'d>) -> Result<Inserter<'d>, String> {
    let file = File::new(yaml).ok_or("it is no pipeline")?;
    let found = gather(&file).finish();
    Ok(jobs::inserter(found, |found, wanted| {
        jobs::insertion(found, wanted, lane(found)?)
    }))
}

/// What holds the lane for all jobs that run a build.
fn lane(found: &Found<'_>) -> Result<String, String> {
    let mut seen = HashSet::new();
    for runs in &found.runs {
        let job = runs.job.name.as_deref().unwrap_or_default();
        let names: HashSet<String> = runs.rows().map(|row| matrix::name(job, row)).collect();
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

/// Gathers the builds of all jobs, then those of templates that no job uses.
fn gather<'y>(file: &File<'y>) -> Gatherer<'y> {
    let mut gatherer = Gatherer::new(&Gitlab);
    let (templates, jobs): (Vec<_>, Vec<_>) = file
        .jobs()
        .into_iter()
        .partition(|(name, _)| name.starts_with('.'));
    for (name, node) in jobs.into_iter().chain(templates) {
        let chain = file.chain(node);
        if file.own(&chain, "trigger").is_some() {
            continue;
        }
        let template = name.starts_with('.');
        let word = if template { "template" } else { "job" };
        let job = Rc::new(Job {
            name: Some(name.to_owned()),
            env: file.variables(&chain),
            matrix: matrix::read(file, &chain),
            template,
            own_machine: false,
        });
        let step = Step {
            job: &job,
            title: format!("{word} `{name}`"),
            node,
            env: job.env.clone(),
            handed: Env::default(),
            names: None,
            shell: &|_| Some((Some(String::new()), Dialect::Posix)),
            placed: &Ok,
        };
        for lines in [file.script(&chain), file.after_script(&chain)] {
            gatherer.script(&lines, &step);
        }
        for run in file.own(&chain, "run").into_iter().flat_map(Node::items) {
            let lines = run.get("script").map(Node::scalars).unwrap_or_default();
            gatherer.script(&lines, &step);
        }
    }
    gatherer
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
        let job = Job {
            matrix: matrix::read(file, &chain),
            ..Job::default()
        };
        let runs = job.runs(&Gitlab);
        for node in listed(include) {
            call(node, Some(name), runs.clone(), &mut calls, unknown);
        }
    }
    calls.sort_by_key(|call| call.span);
    calls
}

/// Returns which jobs wait for which: those that `needs` names, or else all of the stages before their own.
fn order(file: &File<'_>) -> Vec<(Ordered, Vec<Ordered>)> {
    let listed = file.root().get("stages").map(Node::scalars);
    let mut stages: Vec<&str> = listed
        .into_iter()
        .flatten()
        .filter_map(Node::text)
        .collect();
    if stages.is_empty() {
        stages.extend(["build", "test", "deploy"]);
    }
    stages.insert(0, ".pre");
    stages.push(".post");
    let before = |at: usize| at.checked_sub(1).map(Ordered::Stage);
    let mut members: Vec<Vec<Ordered>> = vec![Vec::new(); stages.len()];
    let mut order = Vec::new();
    for (name, node) in file.jobs() {
        if name.starts_with('.') {
            continue;
        }
        let chain = file.chain(node);
        let own = file.own(&chain, "stage").and_then(Node::text);
        let own = own.unwrap_or("test");
        let at = stages.iter().position(|stage| *stage == own);
        if let Some(at) = at {
            members[at].push(Ordered::Job(name.to_owned()));
        }
        let after = if chain.iter().any(|map| map.get("needs").is_some()) {
            let needs = file
                .own(&chain, "needs")
                .map(Node::items)
                .unwrap_or_default();
            let needs = needs
                .iter()
                .filter_map(|need| need.text().or_else(|| need.get_text("job")));
            needs.map(|need| Ordered::Job(need.to_owned())).collect()
        } else {
            at.and_then(before).into_iter().collect()
        };
        order.push((Ordered::Job(name.to_owned()), after));
    }
    for (at, mut members) in members.into_iter().enumerate() {
        members.extend(before(at));
        order.push((Ordered::Stage(at), members));
    }
    order
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
        let (span, with) = Gitlab.mask("docker build $[[ inputs.dir ]]/x").unwrap();
        assert_eq!(
            (with.as_str(), span.end - span.start),
            ("${{ inputs.dir }}", with.len())
        );
        assert!(Gitlab.mask("$[[ open\n]]").is_none());
    }
}
