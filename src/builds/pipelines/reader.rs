//! Gathering the builds of a file by place, with all that run each.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::super::command::{self, BuildArg, Command};
use super::super::model::{Arg, Build, BuildFile, BuildTool, Runs, Unknown};
use super::super::shell::{self, Dialect, Need, PieceKind, Simple, Variable, Word};
use super::super::yaml::Node;
use super::script::Script;
use super::values::Scope;
use super::{Job, Language, Leg, valid, varying};
use crate::text::Span;

/// A build, and what it takes to pass it something.
pub(in super::super) struct Found<'y> {
    /// The build; its runs and jobs are filled in at the end.
    pub(in super::super) build: Build,
    /// The command.
    pub(super) command: Command,
    /// The simple command that it is.
    pub(super) simple: Simple,
    /// Its script.
    pub(super) script: Rc<Script<'y>>,
    /// Each job that runs it.
    by: Vec<By>,
}

/// A job that runs a build.
struct By {
    job: String,
    all: Rc<[Leg]>,
    legs: Vec<usize>,
    axes: Vec<String>,
}

impl By {
    /// The axes that vary among the legs which run the build.
    fn axes(&self) -> Vec<String> {
        let mut axes = varying(
            &self
                .legs
                .iter()
                .map(|&leg| &self.all[leg])
                .collect::<Vec<_>>(),
        );
        axes.extend(self.axes.iter().cloned());
        axes
    }
}

/// Gathers the builds of a file.
pub(in super::super) struct Reader<'y> {
    format: &'static Language,
    found: Vec<Found<'y>>,
    pub(in super::super) unknown: Vec<Unknown>,
    places: HashMap<Span, Vec<usize>>,
    doubts: HashSet<(Span, String)>,
}

impl<'y> Reader<'y> {
    pub(in super::super) fn new(format: &'static Language) -> Self {
        Self {
            format,
            found: Vec::new(),
            unknown: Vec::new(),
            places: HashMap::new(),
            doubts: HashSet::new(),
        }
    }

    /// Reads the script that `job` runs, of `nodes` one below the other.
    pub(in super::super) fn script(&mut self, nodes: &[Node<'y>], job: &Job<'_>) {
        let script = &Rc::new(Script::new(nodes, self.format));
        if !command::may_build(script.text()) {
            return;
        }
        let legs: Vec<&Leg> = job.legs.iter().collect();
        // Where the script names no value that differs, all legs run alike.
        let alike = !varying(&legs)
            .iter()
            .any(|name| script.text().contains(name.as_str()));
        let steps = if alike { 1 } else { legs.len().max(1) };
        for leg in 0..steps {
            let scope = Scope::new(self.format, job, legs.get(leg).copied());
            let values = |need: Need<'_>| scope.known(need);
            let commands = shell::read(script.text(), Some(""), Dialect::Posix, &values);
            let (commands, variables) = command::all(
                commands
                    .into_iter()
                    .map(|simple| self.expressions(simple, &values))
                    .collect(),
            );
            let runs: Vec<usize> = if alike {
                (0..legs.len()).collect()
            } else {
                vec![leg]
            };
            for found in commands {
                self.add(script, (job, &runs), &scope, (found, &variables));
            }
        }
    }

    fn add(
        &mut self,
        script: &Rc<Script<'y>>,
        (job, legs): (&Job<'_>, &[usize]),
        scope: &Scope<'_>,
        (found, variables): (command::Found, &[Variable]),
    ) {
        let command = &found.command;
        let span = script.in_file(command.span);
        let values = |need: Need<'_>| scope.known(need);
        let known = self.places.get(&span);
        let others = |at: &usize| self.found[*at].build.jobs != [job.name];
        if job.template
            && known.is_some_and(|places| places.is_empty() || places.iter().any(others))
        {
            return;
        }
        let subject = match command::what(command, found.simple.folder.as_deref(), &values) {
            Ok(subject) => subject,
            Err(why) => return self.doubt(span, script.unmasked(&why)),
        };
        let target = command.target.as_ref();
        let build = Build {
            target: target.and_then(|target| target.resolve(&values)),
            args: args(script, scope, command),
            args_known: command.args_known,
            env: env(script, job, scope, (&found, variables)),
            jobs: vec![job.name.to_owned()],
            ..Build::new(command.front, &job.title, span, subject)
        };
        let places = self.places.entry(span).or_default();
        let same = |at: &&usize| {
            let other = &self.found[**at].build;
            other.subject == build.subject
                && other.target == build.target
                && other.args == build.args
        };
        let at = places
            .iter()
            .find(same)
            .copied()
            .unwrap_or(self.found.len());
        if at == self.found.len() {
            places.push(at);
            let script = Rc::clone(script);
            let command::Found {
                simple, command, ..
            } = found;
            self.found.push(Found {
                build,
                command,
                simple,
                script,
                by: Vec::new(),
            });
        }
        self.found[at].run_by(job, legs);
    }

    /// Notes a build of which nothing can be said.
    pub(in super::super) fn doubt(&mut self, span: Span, why: String) {
        // Now the place is known, and no template has to be looked at for it.
        self.places.entry(span).or_default();
        if self.doubts.insert((span, why.clone())) {
            self.unknown.push(Unknown { span, why });
        }
    }

    /// Makes what the format replaces before any shell runs, and the lexer takes for a shell's, an expression; where it is
    /// known to be one word, a shell cannot split it.
    fn expressions(&self, mut simple: Simple, values: &shell::Values<'_>) -> Simple {
        for piece in simple
            .words
            .iter_mut()
            .flat_map(|word: &mut Word| word.pieces.iter_mut())
        {
            let need = Need::Expression(&piece.raw);
            if piece.kind == PieceKind::Unknown && (self.format.axis)(need).is_some() {
                piece.kind = PieceKind::Expression;
            }
            if piece.kind == PieceKind::Expression {
                piece.quoted |= values(Need::Expression(&piece.raw))
                    .is_some_and(|value| valid(&value.replace('/', "")));
            }
        }
        simple
    }

    /// The builds in order, with all that run them.
    pub(in super::super) fn finish(mut self) -> Vec<Found<'y>> {
        for found in &mut self.found {
            let jobs = found.by.iter().map(By::axes);
            if let Some(axes) = jobs.into_iter().find(|axes| !axes.is_empty()) {
                found.build.runs = Runs::Matrix(axes);
            }
            found.build.jobs = found.by.iter().map(|by| by.job.clone()).collect();
        }
        self.found.sort_by_key(|found| found.build.span);
        self.found
    }

    /// The wiring, without calls.
    pub(in super::super) fn wiring(mut self) -> BuildFile {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.sort_by_key(|unknown| unknown.span);
        let builds = self.finish().into_iter().map(|found| found.build).collect();
        BuildFile {
            builds,
            unknown,
            ..BuildFile::default()
        }
    }
}

impl Found<'_> {
    fn run_by(&mut self, job: &Job<'_>, legs: &[usize]) {
        match self.by.iter_mut().find(|by| by.job == job.name) {
            Some(by) => {
                by.legs.extend_from_slice(legs);
                by.legs.sort_unstable();
                by.legs.dedup();
            }
            None => self.by.push(By {
                job: job.name.to_owned(),
                all: Rc::clone(&job.legs),
                legs: legs.to_vec(),
                axes: job.axes.clone(),
            }),
        }
    }

    /// The legs of each job that runs it, by the job's name.
    pub(in super::super) fn legs(&self) -> impl Iterator<Item = (&str, Vec<&Leg>)> {
        self.by.iter().map(|by| {
            (
                by.job.as_str(),
                by.legs.iter().map(|&leg| &by.all[leg]).collect(),
            )
        })
    }

    /// Whether all runs are listed.
    pub(in super::super) fn all_listed(&self) -> bool {
        self.by.iter().all(|by| by.axes.is_empty())
    }
}

/// The build arguments that a command passes.
fn args(script: &Script<'_>, scope: &Scope<'_>, command: &Command) -> Vec<Arg> {
    let set = |need: Need<'_>| scope.set(need);
    let value = |arg: &BuildArg| match &arg.value {
        Some(word) => Some(script.unmasked(&word.value(&set))),
        // Taken from the environment.
        None => match command.sets.iter().find(|(name, _)| *name == arg.name) {
            Some((_, word)) => Some(script.unmasked(&word.value(&set))),
            None => set(Need::Variable(&arg.name)),
        },
    };
    let args = command.args.iter();
    args.map(|arg| Arg::new(&arg.name, value(arg), script.in_file(arg.span)))
        .collect()
}

/// The environment of a build that takes anything from there: its own assignments, the matrix's, then the job's.
fn env(
    script: &Script<'_>,
    job: &Job<'_>,
    scope: &Scope<'_>,
    it: (&command::Found, &[Variable]),
) -> Vec<Arg> {
    let (found, variables) = it;
    let command = &found.command;
    if !matches!(
        command.front,
        BuildTool::Compose | BuildTool::Bake | BuildTool::BakeAction
    ) {
        return Vec::new();
    }
    let own = found
        .environment(variables)
        .into_iter()
        .map(|(name, word)| {
            let value = word.map(|word| script.unmasked(&word.written()));
            let span = script.in_file(word.map_or(command.span, |word| word.span));
            Arg::new(name, value, span)
        });
    let axes = job
        .legs
        .first()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .chain(&job.axes);
    let axes = axes
        .filter(|name| scope.varies(name))
        .map(|name| Arg::new(name, None, script.in_file(command.span)));
    let mut seen = HashSet::new();
    own.chain(axes)
        .chain(job.env.iter().cloned())
        .filter(|arg| seen.insert(arg.name.clone()))
        .collect()
}
