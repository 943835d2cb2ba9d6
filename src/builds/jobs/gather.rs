//! Gathering the builds of a file by place, each with its jobs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::insert::is_plain_value;
use super::legs;
use super::matrix::{groups, varying};
use super::model::{FoundBuild, InScript, JobRuns, MatrixRow, Source, Step};
use super::scope::{Language, StepScope};
use super::script::{Piece, Script};
use crate::budget;
use crate::builds::builder::Builders;
use crate::builds::command;
use crate::builds::model::{
    AxisPath, Build, ByInputs, Call, Fill, Group, NoCache, Ordered, PathsFrom, Runs, Service,
    Source as FurtherFile, Subject, Triggers, Unknown,
};
use crate::builds::paths::Text;
use crate::builds::platforms::Platforms;
use crate::builds::shell::{self, Dialect, Lookup, PieceKind, Simple, Values};
use crate::builds::yaml::{Node, Yaml};
use crate::text::Span;
use crate::text::marks::SAME;

pub struct Gatherer<'y> {
    pub language: &'static dyn Language,
    pub found: Vec<FoundBuild<'y>>,
    pub unknown: Vec<Unknown>,
    pub calls: Vec<Call>,
    pub fills: Vec<Fill>,
    pub groups: Vec<Group>,
    pub sources: Vec<FurtherFile>,
    /// Where the paths of commands start that start not from the caller's folder, by the places of the commands.
    pub paths_from: HashMap<Span, PathsFrom>,
    pub order: Vec<(Ordered, Vec<Ordered>)>,
    pub triggers: Triggers,
    own: Option<&'y Yaml<'y>>,
    /// The other files of the whole, those that count before this one and those behind it.
    pub over: &'y [Yaml<'y>],
    pub under: &'y [Yaml<'y>],
    pub builders: Builders,
    places: HashMap<Span, Vec<usize>>,
    unknown_seen: HashSet<(Span, String)>,
}

/// The folder and grammar in which the scripts of a step start; `None` where no shell runs them.
type Start<'s> = &'s dyn Fn(&StepScope<'_>) -> Option<(Option<String>, Dialect)>;

impl<'y> Gatherer<'y> {
    /// Makes one of the file `own`, without builds yet; `over` and `under` are the files around it.
    pub fn new(
        language: &'static dyn Language,
        own: &'y Source<'y>,
        over: &'y [Yaml<'y>],
        under: &'y [Yaml<'y>],
    ) -> Self {
        Self {
            language,
            found: Vec::new(),
            unknown: Vec::new(),
            calls: Vec::new(),
            fills: Vec::new(),
            groups: Vec::new(),
            sources: Vec::new(),
            paths_from: HashMap::new(),
            order: Vec::new(),
            triggers: Triggers::default(),
            own: match own {
                Source::Yaml(yaml) => Some(yaml),
                Source::Text(_) => None,
            },
            over,
            under,
            builders: Builders::default(),
            places: HashMap::new(),
            unknown_seen: HashSet::new(),
        }
    }

    /// Reads a step once for each combination of the matrix that makes a difference to it: `read` gets the equivalent
    /// rows, and their scope.
    pub fn rows(
        &mut self,
        step: &Step<'_, 'y>,
        names: &[AxisPath],
        mut read: impl FnMut(&mut Self, &[usize], &StepScope<'_>),
    ) {
        let groups = groups(&step.job.matrix.rows, names).into_iter();
        let run = groups.filter_map(|mut rows| {
            rows.retain(|row| !step.skipped.contains(row));
            (!rows.is_empty()).then_some(rows)
        });
        for rows in run.flat_map(|rows| with_one_builder(step, rows)) {
            let scope = StepScope {
                language: self.language,
                env: &step.env,
                handed: &step.handed,
                job: step.job,
                row: &step.job.matrix.rows[rows[0]],
                run: None,
                keeps_inputs: false,
            };
            read(self, &rows, &scope);
        }
    }

    /// Reads the script that a step runs in the checkout, the concatenation of `nodes`.
    pub fn script(&mut self, nodes: &[Node<'y>], step: &Step<'_, 'y>) {
        let start = |_: &StepScope<'_>| Some((Some(String::new()), Dialect::Posix));
        self.script_from(nodes, step, &start, &Ok);
    }

    /// Reads the script that a step runs; `in_repository` turns its paths into those of the repository. Returns the
    /// builders that the steps behind it see.
    pub fn script_from(
        &mut self,
        nodes: &[Node<'y>],
        step: &Step<'_, 'y>,
        start: Start<'_>,
        in_repository: &dyn Fn(Subject) -> Result<Subject, String>,
    ) -> Builders {
        self.commands(Script::new(nodes), step, start, in_repository)
    }

    /// Reads a script of a file that is not YAML, which starts in `folder`. Returns the builders that the steps behind it see.
    pub fn piece(&mut self, piece: Piece, step: &Step<'_, 'y>, folder: Option<&str>) -> Builders {
        let start = |_: &StepScope<'_>| Some((folder.map(str::to_owned), Dialect::Posix));
        self.commands(Script::of(piece), step, &start, &Ok)
    }

    fn commands(
        &mut self,
        script: Script<'y>,
        step: &Step<'_, 'y>,
        start: Start<'_>,
        in_repository: &dyn Fn(Subject) -> Result<Subject, String>,
    ) -> Builders {
        let script = &Rc::new(script);
        let mut behind = HashMap::new();
        if !command::may_build(script.text()) {
            return step.builders.clone();
        }
        let named = || names(script.text(), step);
        let names = step.names.clone().unwrap_or_else(named);
        self.rows(step, &names, |gatherer, rows, scope| {
            let Some((folder, dialect)) = start(scope) else {
                return;
            };
            let known = |need: Lookup<'_>| scope.known(need);
            let by_caller = scope.with_inputs();
            // The caller of the file may know where a `cd` leads.
            let target = |need: Lookup<'_>| by_caller.known(need);
            let mut commands = shell::read(script.text(), folder.as_deref(), dialect, &target);
            for simple in &mut commands {
                join_values(simple, scope);
            }
            let commands = command::all(commands, &known);
            for (span, why) in commands.unknown {
                gatherer.unknown_tool(script, span, why);
            }
            let mut builders = step.builders.clone();
            let mut changes = commands.changes.iter();
            let mut done = 0;
            for found in commands.found {
                for change in changes.by_ref().take(found.changes - done) {
                    builders.apply(&change.resolved(&|text| scope.resolved(text)));
                }
                done = found.changes;
                let folder = found.simple.folder.as_deref();
                let subject = |folder: Option<&str>, values: &Values<'_>| {
                    command::subject(&found.command, folder, values).and_then(in_repository)
                };
                let fixed = folder.filter(|folder| !folder.contains(SAME));
                let subject = subject(fixed, &known).or_else(|why| {
                    let open = subject(folder, &|need| by_caller.known(need));
                    by_inputs(open.into_iter().collect(), why)
                });
                let command = InScript {
                    script: Rc::clone(script),
                    found,
                    variables: Rc::clone(&commands.variables),
                    dialect,
                };
                gatherer.command(command, subject, step, &builders, rows, scope);
            }
            if commands.changes.is_empty() {
                return;
            }
            let changes = changes.map(|change| change.resolved(&|text| scope.resolved(text)));
            changes.for_each(|change| builders.apply(&change));
            let rows = rows.iter().take_while(|_| budget::spend(64));
            behind.extend(rows.map(|row| (*row, builders.in_row(*row))));
        });
        if behind.is_empty() {
            return step.builders.clone();
        }
        let of_row = |row| {
            behind
                .remove(&row)
                .unwrap_or_else(|| step.builders.in_row(row))
        };
        let rows = 0..step.job.matrix.rows.len();
        Builders::of_rows(&rows.map(of_row).collect::<Vec<_>>())
    }

    fn command(
        &mut self,
        it: InScript<'y>,
        subject: Result<Subject, String>,
        step: &Step<'_, 'y>,
        builders: &Builders,
        rows: &[usize],
        scope: &StepScope<'_>,
    ) {
        let command = &it.found.command;
        let place = self.language.span(&it.found);
        // What stands in another file of the whole is that one's.
        let node = it.script.node(place.start);
        if node
            .zip(self.own)
            .is_some_and(|(node, own)| !node.is_of(own))
        {
            return;
        }
        let span = it.script.in_file(place);
        let is_other = |at: &usize| self.found[*at].runs[0].job.name != step.job.name;
        let is_run = |places: &Vec<usize>| places.is_empty() || places.iter().any(is_other);
        if step.job.template && self.places.get(&span).is_some_and(is_run) {
            return;
        }
        // A script's arguments choose, which differ for each call.
        let is_choice = it.found.simple.is_choice && self.language.is_called();
        let subject = subject.and_then(|subject| {
            if is_choice {
                Err("it is built by one part of a `case`: only a run knows which".to_owned())
            } else {
                Ok(subject)
            }
        });
        let subject = match subject {
            Ok(subject) => subject,
            // What is not there yet is seldom built, and nobody asked for it. Most of what scripts run builds nothing.
            Err(_) if command.only_missing || command.tool.runs_others() => return,
            Err(why) => return self.add_unknown(span, why),
        };
        let known = |need: Lookup<'_>| scope.known(need);
        let target = command.target.as_ref();
        let build = Build {
            target: target.and_then(|target| target.resolve(&known)?.plain()),
            platforms: command::platforms(command, &|word| {
                let value = word.resolve(&known).and_then(Text::plain);
                let text = || word.value(&|need| scope.written(need));
                let choices = std::iter::once_with(|| self.language.chosen(scope, &text()));
                Platforms::one_of(value, choices.flatten())
            }),
            args: it.args(step, scope),
            platform_texts: command::platform_texts(command, &|word| {
                word.value(&|need| scope.written(need))
            }),
            args_known: command.args_known,
            env: it.env(step, scope),
            keeps_env: it.found.keeps_environment(),
            builder: it.builder(builders, step, scope),
            no_cache: command.no_cache.clone().map(|no_cache| NoCache {
                span: it.script.in_file(no_cache.span),
                ..no_cache
            }),
            only_missing: command.only_missing,
            builders: command
                .tool
                .runs_others()
                .then(|| Arc::new(builders.clone())),
            given: command::given(command, &known),
            ..Build::new(command.tool, &step.title, span, subject)
        };
        self.add(build, Some(it), step, rows);
    }

    pub fn add(
        &mut self,
        mut build: Build,
        command: Option<InScript<'y>>,
        step: &Step<'_, 'y>,
        rows: &[usize],
    ) {
        build.builder = build.builder.in_row(rows[0]);
        if let Some(builders) = &mut build.builders {
            *builders = Arc::new(builders.in_row(rows[0]));
        }
        let places = self.places.entry(build.span).or_default();
        let is_same = |at: &&usize| self.language.is_same_build(&self.found[**at].build, &build);
        let new = JobRuns {
            job: Arc::clone(step.job),
            rows: rows.to_vec(),
        };
        let Some(&at) = places.iter().find(is_same) else {
            places.push(self.found.len());
            return self.found.push(FoundBuild {
                build,
                step: step.node,
                env: step.env.clone(),
                handed: step.handed.clone(),
                command,
                runs: vec![new],
                all_rows: Vec::new(),
            });
        };
        let found = &mut self.found[at];
        found.build.args_known &= build.args_known;
        for (name, value) in &mut found.build.given {
            let other = build.given.iter().find(|(other, _)| other == name);
            // The rows of a matrix give several.
            *value = value
                .take()
                .filter(|value| other.is_some_and(|(_, other)| other.as_ref() == Some(value)));
        }
        found.build.platforms.merge(build.platforms);
        if found.build.builder.own().is_some() && build.builder.own().is_none() {
            found.build.builder = build.builder;
        }
        match found
            .runs
            .iter_mut()
            .find(|runs| runs.job.name == new.job.name)
        {
            None => found.runs.push(new),
            Some(runs) => {
                runs.rows.extend(new.rows);
                runs.rows.sort_unstable();
                runs.rows.dedup();
            }
        }
    }

    /// Adds a build of which only a run knows the tool.
    fn unknown_tool(&mut self, script: &Script<'y>, span: Span, why: String) {
        let node = script.node(span.start);
        let is_other = |own: &Yaml<'_>| node.is_some_and(|node| !node.is_of(own));
        // What stands in another file of the whole is that one's.
        if !self.own.is_some_and(is_other) {
            self.add_unknown(script.in_file(span), why);
        }
    }

    pub fn add_unknown(&mut self, span: Span, why: String) {
        // Now the place is known, and needs no template.
        self.places.entry(span).or_default();
        if self.unknown_seen.insert((span, why.clone())) {
            self.unknown.push(Unknown { span, why });
        }
    }

    /// Sets the rows in which each place builds anything.
    fn add_rows(&mut self) {
        let mut all: HashMap<(Span, Option<String>), BTreeSet<usize>> = HashMap::new();
        let key = |found: &FoundBuild<'_>| (found.build.span, found.runs[0].job.name.clone());
        for found in &self.found {
            all.entry(key(found))
                .or_default()
                .extend(&found.runs[0].rows);
        }
        for found in &mut self.found {
            found.all_rows = all[&key(found)].iter().copied().collect();
        }
    }

    /// Sorts the builds, and sets the jobs and runs of each.
    pub fn finish(&mut self) {
        let language = self.language;
        self.add_rows();
        for found in &mut self.found {
            found.build.legs = legs::of_build(language, found);
        }
        language.together(&mut self.found);
        for found in &mut self.found {
            let axes = |one: &JobRuns| language.job_axes(&one.job, &one.rows);
            let mut runs = found
                .runs
                .iter()
                .map(|one| language.runs(&one.job, axes(one)));
            found.build.runs = runs.find(|runs| *runs != Runs::Once).unwrap_or(Runs::Once);
            let names = found.runs.iter().filter_map(|one| one.job.name.clone());
            found.build.jobs = names.collect();
            if language.is_called() {
                let name = std::mem::take(&mut found.build.jobs).pop();
                found.build.service = Some(Service {
                    paths_from: self
                        .paths_from
                        .get(&found.build.span)
                        .copied()
                        .unwrap_or_default(),
                    ..Service::of_script(name.unwrap_or_default())
                });
                found.build.legs.clear();
                found.build.runs = Runs::Once;
            }
        }
        self.found.sort_by_key(|found| found.build.span);
        self.calls.sort_by_key(|call| call.span);
    }
}

/// Splits equivalent rows of the matrix where the step's builders differ between them.
fn with_one_builder(step: &Step<'_, '_>, rows: Vec<usize>) -> Vec<Vec<usize>> {
    if !step.builders.differ() || !budget::spend(64 * rows.len()) {
        return vec![rows];
    }
    let mut split: Vec<(Builders, Vec<usize>)> = Vec::new();
    for row in rows {
        let own = step.builders.in_row(row);
        match split.iter_mut().find(|(builders, _)| *builders == own) {
            Some((_, rows)) => rows.push(row),
            None => split.push((own, vec![row])),
        }
    }
    split.into_iter().map(|(_, rows)| rows).collect()
}

/// Returns the Dockerfile that is named by inputs, where `open` has the paths with the inputs' names; fails with `why`
/// where these are not all that is unknown.
pub fn by_inputs(open: Vec<Subject>, why: String) -> Result<Subject, String> {
    let path = |subject| match subject {
        Subject::File(path) => Some(path),
        _ => None,
    };
    let paths: Vec<String> = open.into_iter().filter_map(path).collect();
    if paths.is_empty() {
        return Err(why);
    }
    Ok(Subject::ByInputs(ByInputs { paths, why }))
}

/// Returns the names of the matrix that occur in a script, its variables or values.
fn names(script: &str, step: &Step<'_, '_>) -> Vec<AxisPath> {
    let rows: Vec<&MatrixRow> = step.job.matrix.rows.iter().collect();
    let mut names = varying(&rows, &[]);
    let values = rows.iter().flat_map(|row| row.iter());
    let mut texts: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    texts.extend(step.env.iter().filter_map(|arg| arg.value.as_deref()));
    texts.push(script);
    names.retain(|name| texts.iter().any(|text| text.contains(&name.to_string())));
    names
}

/// Marks the matrix values among the pieces of a command that are known to be one word: those are never split.
fn join_values(simple: &mut Simple, scope: &StepScope<'_>) {
    for piece in simple.words.iter_mut().flat_map(|word| &mut word.pieces) {
        let need = Lookup::Expression(&piece.raw);
        if piece.kind == PieceKind::Expression && scope.language.axis(need).is_some() {
            let value = scope.known(need);
            piece.quoted |= value.is_some_and(|value| is_plain_value(&value.text.replace('/', "")));
        }
    }
}
