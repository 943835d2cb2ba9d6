//! Azure Pipelines: `azure-pipelines.yml` and its templates.
//!
//! Each `script`, `bash`, `pwsh` is a script of its own. What Microsoft's reference says and this relies on: `$(name)` is
//! put in before a step runs, where there is such a variable; variables are in the environment of scripts in upper case,
//! with `_` for `.`; a `matrix` names legs, each a set of variables; `Docker@2` builds with `**/Dockerfile` unless told
//! otherwise, and `buildAndPush` takes no `arguments`.

mod task;

use std::rc::Rc;

use super::pipelines::{self, Format, Job, Leg, MAX_LEGS, Reader, Script};
use super::shell::{Dialect, Need, join};
use super::yaml::{Node, Yaml};
use super::{Arg, Passer, Wiring, WiringError};
use crate::text::Span;

const FORMAT: Format = Format {
    roots: &[
        "BUILD_SOURCESDIRECTORY",
        "SYSTEM_DEFAULTWORKINGDIRECTORY",
        "BUILD_REPOSITORY_LOCALPATH",
    ],
    nested: false,
    names,
};

/// How deep stages, jobs and conditions may nest.
const MAX_DEPTH: usize = 16;

fn names(need: Need<'_>) -> (Option<&str>, Option<&str>) {
    match need {
        Need::Variable(name) => (Some(name), Some(name)),
        Need::Expression(_) => (None, None),
    }
}

/// Reads a pipeline or a template of one.
///
/// # Errors
/// Why it is no YAML that could be one.
pub fn read(source: &str) -> Result<Wiring, WiringError> {
    pipelines::read(source, |root| gather(root).wiring())
}

/// What passes lanes: the job's name and the variables of its matrix.
///
/// # Errors
/// Why it is none.
pub(super) fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Passer<'d>, String> {
    let Walk {
        reader,
        axes: written,
    } = gather(yaml.root().ok_or("it is no pipeline")?);
    Ok(pipelines::passer(reader.finish(), move |found, lane| {
        if !found.build.others.is_empty() {
            return Err("several jobs run it".to_owned());
        }
        if !found.all_listed() {
            return Err("how its jobs differ is not known".to_owned());
        }
        let job = found.build.job.as_deref().unwrap_or_default();
        let own = if pipelines::valid(job) {
            Ok(job)
        } else {
            Err("the job has no name".to_owned())
        };
        let axis = |name: &str| {
            let written = written.iter().find(|own| environment(own) == name);
            format!("$({})", written.map_or(name, String::as_str))
        };
        pipelines::joined(found, lane.shared, own, axis)
    }))
}

/// A variable's name in the environment.
fn environment(name: &str) -> String {
    name.to_ascii_uppercase().replace('.', "_")
}

struct Walk<'y> {
    reader: Reader<'y>,
    /// The names of matrix variables as they are written.
    axes: Vec<String>,
}

impl Walk<'_> {
    fn wiring(self) -> Wiring {
        self.reader.wiring()
    }
}

/// Where steps stand.
#[derive(Clone)]
struct At {
    /// The stage and the job.
    job: String,
    env: Rc<[Arg]>,
    legs: Rc<[Leg]>,
    axes: Vec<String>,
    windows: bool,
    /// Whether the checkout is where scripts start.
    one_checkout: bool,
    depth: usize,
}

fn gather(root: Node<'_>) -> Walk<'_> {
    let mut walk = Walk {
        reader: Reader::new(&FORMAT),
        axes: Vec::new(),
    };
    let at = At {
        job: String::new(),
        env: variables(root.get("variables"), &[]),
        legs: Rc::from([]),
        axes: Vec::new(),
        windows: false,
        one_checkout: true,
        depth: 0,
    };
    walk.part(root, &at);
    walk
}

impl<'y> Walk<'y> {
    /// A pipeline, a stage, a job, or what stands below a condition.
    fn part(&mut self, node: Node<'y>, outer: &At) {
        if outer.depth > MAX_DEPTH {
            return;
        }
        let mut at = At {
            depth: outer.depth + 1,
            ..outer.clone()
        };
        if node.get("variables").is_some() && outer.depth > 0 {
            at.env = variables(node.get("variables"), &outer.env);
        }
        if let Some(image) = node.get("pool").and_then(|pool| pool.get_text("vmImage")) {
            at.windows = image.to_ascii_lowercase().contains("windows") || image.starts_with("vs");
        }
        if let Some(name) = ["stage", "job", "deployment"]
            .iter()
            .find_map(|key| node.get_text(key))
        {
            at.job = if at.job.is_empty() {
                name.to_owned()
            } else {
                format!("{}.{name}", at.job)
            };
        }
        self.strategy(node.get("strategy"), &mut at);
        for list in ["stages", "jobs"].iter().filter_map(|key| node.get(key)) {
            self.list(list, &at);
        }
        if let Some(steps) = node.get("steps") {
            let checkouts = steps
                .items()
                .iter()
                .filter(|step| step.get("checkout").is_some())
                .count();
            at.one_checkout &= checkouts < 2;
            self.steps(steps, &at, &mut 0);
        }
    }

    /// Stages or jobs, some of them below conditions: `${{ if … }}:`.
    fn list(&mut self, list: Node<'y>, at: &At) {
        let at = At {
            depth: at.depth + 1,
            ..at.clone()
        };
        for item in list.items().into_iter().filter(|_| at.depth < MAX_DEPTH) {
            for entry in item
                .entries()
                .into_iter()
                .filter(|entry| is_condition(entry.key))
            {
                self.list(entry.value, &at);
            }
            self.part(item, &at);
        }
    }

    fn strategy(&mut self, strategy: Option<Node<'y>>, at: &mut At) {
        let Some(strategy) = strategy else { return };
        if let Some(matrix) = strategy.get("matrix") {
            let mut legs: Vec<Leg> = Vec::new();
            let entries = matrix.entries();
            let known = entries
                .iter()
                .all(|leg| leg.value.is_map() && !is_condition(leg.key));
            for leg in &entries {
                let mut values = Leg::new();
                for entry in leg.value.entries() {
                    let name = entry.key.text().unwrap_or_default();
                    values.push((
                        environment(name),
                        entry.value.text().unwrap_or_default().to_owned(),
                    ));
                    self.axes.push(name.to_owned());
                }
                legs.push(values);
            }
            let tell_apart = !pipelines::varying(&legs.iter().collect::<Vec<_>>()).is_empty();
            if known && tell_apart && legs.len() <= MAX_LEGS {
                at.legs = legs.into();
            } else if legs.len() != 1 {
                at.axes.push("matrix".to_owned());
            }
        }
        if strategy
            .get_text("parallel")
            .is_some_and(|count| count != "1")
        {
            at.axes.push("parallel".to_owned());
        }
        // A deployment's steps stand below its hooks.
        for kind in ["runOnce", "rolling", "canary"]
            .iter()
            .filter_map(|key| strategy.get(key))
        {
            for hook in kind.entries() {
                if let Some(steps) = hook.value.get("steps") {
                    self.steps(steps, at, &mut 0);
                }
            }
        }
    }

    fn steps(&mut self, list: Node<'y>, at: &At, count: &mut usize) {
        let at = At {
            depth: at.depth + 1,
            ..at.clone()
        };
        for step in list.items().into_iter().filter(|_| at.depth < MAX_DEPTH) {
            for entry in step
                .entries()
                .into_iter()
                .filter(|entry| is_condition(entry.key))
            {
                self.steps(entry.value, &at, count);
            }
            *count += 1;
            self.step(step, &at, *count);
        }
    }

    fn step(&mut self, step: Node<'y>, at: &At, number: usize) {
        let title = if at.job.is_empty() {
            format!("step {number}")
        } else {
            format!("job `{}`, step {number}", at.job)
        };
        let known = |name: &str| {
            at.env.iter().any(|arg| arg.name == name)
                || at.legs.iter().flatten().any(|(own, _)| own == name)
        };
        let mask = |text: &str| mask(text, &known);
        for (key, windows) in [
            ("script", at.windows),
            ("bash", false),
            ("pwsh", true),
            ("powershell", true),
        ] {
            let Some(script) = step.get(key) else {
                continue;
            };
            let mut job = job(at, &title, step);
            job.dialect = if windows {
                Dialect::Windows
            } else {
                Dialect::Posix
            };
            job.folder = folder(step.get_text("workingDirectory"), at.one_checkout);
            self.reader
                .script(&Rc::new(Script::new(&[script], Some(&mask))), &job);
        }
        let Some(task) = step.get_text("task") else {
            return;
        };
        let job = job(at, &title, step);
        if let Some(inputs) = step.get("inputs") {
            task::read(&mut self.reader, (task, step), inputs, &job);
        }
    }
}

fn job<'j>(at: &'j At, title: &str, step: Node<'_>) -> Job<'j> {
    let env = match step.get("env") {
        Some(own) => variables(Some(own), &at.env),
        None => Rc::clone(&at.env),
    };
    Job {
        env,
        legs: Rc::clone(&at.legs),
        axes: at.axes.clone(),
        ..Job::new(&at.job, title.to_owned())
    }
}

/// Whether a key is an expression of a template: `${{ if … }}`, `${{ each … }}`.
fn is_condition(key: Node<'_>) -> bool {
    key.text().is_some_and(|key| key.starts_with("${{"))
}

/// The folder that `workingDirectory` names.
fn folder(path: Option<&str>, one_checkout: bool) -> Option<String> {
    let Some(path) = path else {
        return one_checkout.then(String::new);
    };
    let roots = [
        "$(Build.SourcesDirectory)",
        "$(System.DefaultWorkingDirectory)",
        "$(Build.Repository.LocalPath)",
    ];
    let within = roots
        .iter()
        .find_map(|root| path.strip_prefix(root))
        .map(|path| path.trim_start_matches('/'));
    let path = within.unwrap_or(path);
    join("", path).filter(|_| one_checkout && !path.contains('$'))
}

/// Variables, as a mapping or as a list of names and values, before those of outside.
fn variables(own: Option<Node<'_>>, outer: &[Arg]) -> Rc<[Arg]> {
    let mut all: Vec<Arg> = Vec::new();
    let mut put = |name: &str, value: Node<'_>| {
        all.push(Arg {
            name: environment(name),
            value: value.text().map(str::to_owned),
            span: value.span(),
            from: Vec::new(),
        });
    };
    if let Some(own) = own {
        for item in own.items() {
            if let (Some(name), Some(value)) = (item.get_text("name"), item.get("value")) {
                put(name, value);
            }
        }
        for entry in own.entries() {
            if let Some(name) = entry.key.text() {
                put(name, entry.value);
            }
        }
    }
    let rest: Vec<Arg> = outer
        .iter()
        .filter(|arg| !all.iter().any(|own| own.name == arg.name))
        .cloned()
        .collect();
    all.extend(rest);
    all.into()
}

/// `$(Build.SourcesDirectory)` as `${BUILD_SOURCESDIRECTORY}`, which is the same and as long; a name without a dot only where
/// the file sets it, for else it is a command to a shell.
fn mask(text: &str, known: &dyn Fn(&str) -> bool) -> Option<(Span, String)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("$(") {
        let start = from + at;
        from = start + 2;
        let rest = &text[from..];
        let len = rest
            .find(|ch: char| !ch.is_ascii_alphanumeric() && !matches!(ch, '.' | '_'))
            .unwrap_or(rest.len());
        let name = &rest[..len];
        let is_name =
            name.starts_with(|ch: char| ch.is_ascii_alphabetic()) && rest[len..].starts_with(')');
        let upper = environment(name);
        if is_name && (name.contains('.') || known(&upper)) {
            return Some((Span::new(start, from + len + 1), format!("${{{upper}}}")));
        }
    }
    None
}
