//! Gathering the builds of a file by place, each with its jobs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::insert::is_plain_value;
use super::legs;
use super::matrix::{groups, varying};
use super::model::{Found, InScript, JobRuns, MatrixRow, Step};
use super::scope::{Language, Scope};
use super::script::Script;
use crate::budget;
use crate::builds::builder::Builders;
use crate::builds::command;
use crate::builds::format::{Around, Inserter, Insertion};
use crate::builds::model::{
    AxisPath, Build, BuildFile, Call, Fill, Lane, NoCache, Ordered, ReadError, Runs, Subject,
    Triggers, Unknown,
};
use crate::builds::paths::Text;
use crate::builds::platforms::Platforms;
use crate::builds::shell::{self, Dialect, Lookup, PieceKind, Simple, is_name};
use crate::builds::yaml::{Node, Yaml};
use crate::text::Span;

/// A format whose files hold jobs.
pub trait Pipeline: Language {
    /// Returns the words of which a relevant file has one, besides those of commands that build.
    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    /// Hands the jobs and steps of a file to `gatherer`. Fails when the file is none of the format.
    fn gather<'y>(&self, yaml: &'y Yaml<'y>, gatherer: &mut Gatherer<'y>);

    /// Returns the insertion that makes a build pass the lane; the error is why a person has to do it.
    fn insert(&self, found: &Found<'_>, lane: &Lane<'_>) -> Result<Insertion, String>;
}

/// Reads the builds of a file; one without a word of a build is not parsed.
pub fn read(
    format: &'static dyn Pipeline,
    source: &str,
    around: &Around,
) -> Result<BuildFile, ReadError> {
    let has = |word: &&str| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some();
    if !command::may_build(source) && !format.words().iter().any(has) {
        return Ok(BuildFile::default());
    }
    let whole = Whole::read(source, around)?;
    let gatherer = Gatherer::of(format, &whole);
    let mut unknown = gatherer.unknown;
    unknown.sort_by_key(|unknown| unknown.span);
    Ok(BuildFile {
        builds: gatherer
            .found
            .into_iter()
            .map(|found| found.build)
            .collect(),
        unknown,
        calls: gatherer.calls,
        fills: gatherer.fills,
        order: gatherer.order,
        triggers: gatherer.triggers,
        builders: gatherer.builders,
        ..BuildFile::default()
    })
}

/// Hands the inserter of a file to `then`.
pub fn inserter(
    format: &'static dyn Pipeline,
    source: &str,
    around: &Around,
    then: &mut dyn FnMut(Inserter<'_>),
) -> Result<(), ReadError> {
    let whole = Whole::read(source, around)?;
    let mut places: HashMap<Span, Vec<Found<'_>>> = HashMap::new();
    for found in Gatherer::of(format, &whole).found {
        places.entry(found.build.span).or_default().push(found);
    }
    then(&|build, lane| {
        let mut here = places.get(&build.span).into_iter().flatten();
        let found = here.find(|found| found.build == *build);
        let found = found.ok_or("it is not in this file")?;
        if !is_name(lane.arg) {
            return Err(format!(
                "`{}` is no name that a variable can have",
                lane.arg
            ));
        }
        format.insert(found, lane)
    });
    Ok(())
}

/// A file with those around it.
struct Whole<'s> {
    own: Yaml<'s>,
    over: Vec<Yaml<'s>>,
    under: Vec<Yaml<'s>>,
}

impl<'s> Whole<'s> {
    /// Reads the files; one of the others that cannot be read says nothing.
    fn read(source: &'s str, around: &'s Around) -> Result<Self, ReadError> {
        let all = |texts: &'s [Arc<str>]| {
            texts
                .iter()
                .filter_map(|text| Yaml::read(text).ok())
                .collect()
        };
        Ok(Self {
            own: Yaml::read(source)?,
            over: all(&around.over),
            under: all(&around.under),
        })
    }
}

pub struct Gatherer<'y> {
    pub language: &'static dyn Language,
    pub found: Vec<Found<'y>>,
    pub unknown: Vec<Unknown>,
    pub calls: Vec<Call>,
    pub fills: Vec<Fill>,
    pub order: Vec<(Ordered, Vec<Ordered>)>,
    pub triggers: Triggers,
    own: &'y Yaml<'y>,
    /// The other files of the whole, those that count before this one and those behind it.
    pub over: &'y [Yaml<'y>],
    pub under: &'y [Yaml<'y>],
    pub builders: Builders,
    places: HashMap<Span, Vec<usize>>,
    unknown_seen: HashSet<(Span, String)>,
}

/// The folder and grammar in which the scripts of a step start; `None` where no shell runs them.
type Start<'s> = &'s dyn Fn(&Scope<'_>) -> Option<(Option<String>, Dialect)>;

impl<'y> Gatherer<'y> {
    fn of(format: &'static dyn Pipeline, whole: &'y Whole<'y>) -> Self {
        let mut gatherer = Self {
            language: format,
            found: Vec::new(),
            unknown: Vec::new(),
            calls: Vec::new(),
            fills: Vec::new(),
            order: Vec::new(),
            triggers: Triggers::default(),
            own: &whole.own,
            over: &whole.over,
            under: &whole.under,
            builders: Builders::default(),
            places: HashMap::new(),
            unknown_seen: HashSet::new(),
        };
        format.gather(&whole.own, &mut gatherer);
        gatherer.finish();
        gatherer
    }

    /// Reads a step once for each combination of the matrix that makes a difference to it: `read` gets the equivalent
    /// rows, and their scope.
    pub fn rows(
        &mut self,
        step: &Step<'_, 'y>,
        names: &[AxisPath],
        mut read: impl FnMut(&mut Self, &[usize], &Scope<'_>),
    ) {
        let groups = groups(&step.job.matrix.rows, names).into_iter();
        for rows in groups.flat_map(|rows| with_one_builder(step, rows)) {
            let scope = Scope {
                language: self.language,
                env: &step.env,
                handed: &step.handed,
                job: step.job,
                row: &step.job.matrix.rows[rows[0]],
                run: None,
            };
            read(self, &rows, &scope);
        }
    }

    /// Reads the script that a step runs in the checkout, the concatenation of `nodes`.
    pub fn script(&mut self, nodes: &[Node<'y>], step: &Step<'_, 'y>) {
        let start = |_: &Scope<'_>| Some((Some(String::new()), Dialect::Posix));
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
        let script = &Rc::new(Script::new(nodes));
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
            let mut commands = shell::read(script.text(), folder.as_deref(), dialect, &known);
            for simple in &mut commands {
                join_values(simple, scope);
            }
            let commands = command::all(commands);
            let mut builders = step.builders.clone();
            let mut changes = commands.changes.iter();
            let mut done = 0;
            for found in commands.found {
                for change in changes.by_ref().take(found.changes - done) {
                    builders.apply(&change.resolved(&|text| scope.resolved(text)));
                }
                done = found.changes;
                let folder = found.simple.folder.as_deref();
                let subject =
                    command::subject(&found.command, folder, &known).and_then(in_repository);
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
        scope: &Scope<'_>,
    ) {
        let command = &it.found.command;
        let place = self.language.span(&it.found);
        // What stands in another file of the whole is that one's.
        let node = it.script.node(place.start);
        if node.is_some_and(|node| !node.is_of(self.own)) {
            return;
        }
        let span = it.script.in_file(place);
        let is_other = |at: &usize| self.found[*at].runs[0].job.name != step.job.name;
        let is_run = |places: &Vec<usize>| places.is_empty() || places.iter().any(is_other);
        if step.job.template && self.places.get(&span).is_some_and(is_run) {
            return;
        }
        let subject = match subject {
            Ok(subject) => subject,
            // What is not there yet is seldom built, and nobody asked for it.
            Err(_) if command.only_missing => return,
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
            builder: it.builder(builders, step, scope),
            no_cache: command.no_cache.clone().map(|no_cache| NoCache {
                span: it.script.in_file(no_cache.span),
                ..no_cache
            }),
            only_missing: command.only_missing,
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
        let places = self.places.entry(build.span).or_default();
        let is_same = |at: &&usize| self.language.is_same_build(&self.found[**at].build, &build);
        let new = JobRuns {
            job: Arc::clone(step.job),
            rows: rows.to_vec(),
        };
        let Some(&at) = places.iter().find(is_same) else {
            places.push(self.found.len());
            return self.found.push(Found {
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
        let key = |found: &Found<'_>| (found.build.span, found.runs[0].job.name.clone());
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
    fn finish(&mut self) {
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
fn join_values(simple: &mut Simple, scope: &Scope<'_>) {
    for piece in simple.words.iter_mut().flat_map(|word| &mut word.pieces) {
        let need = Lookup::Expression(&piece.raw);
        if piece.kind == PieceKind::Expression && scope.language.axis(need).is_some() {
            let value = scope.known(need);
            piece.quoted |= value.is_some_and(|value| is_plain_value(&value.text.replace('/', "")));
        }
    }
}
