//! Gathering the builds of a file by place, with all that run each.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::insert::is_plain_value;
use super::matrix::{groups, varying};
use super::model::{Found, InScript, Language, MatrixRow, Step};
use super::scope::Scope;
use super::script::Script;
use crate::builds::command;
use crate::builds::model::{Arg, Build, BuildFile, BuildTool, Env, Unknown};
use crate::builds::shell::{self, Lookup, PieceKind, Simple, Word};
use crate::builds::yaml::Node;
use crate::text::Span;

/// Gathers the builds of a file.
pub struct Gatherer<'y> {
    language: &'static dyn Language,
    pub found: Vec<Found<'y>>,
    pub unknown: Vec<Unknown>,
    places: HashMap<Span, Vec<usize>>,
    doubts: HashSet<(Span, String)>,
}

impl<'y> Gatherer<'y> {
    pub fn new(language: &'static dyn Language) -> Self {
        Self {
            language,
            found: Vec::new(),
            unknown: Vec::new(),
            places: HashMap::new(),
            doubts: HashSet::new(),
        }
    }

    /// Looks at a step once for each combination of the matrix that makes a difference to it: `read` gets the rows that are
    /// alike, and what they see.
    pub fn rows(
        &mut self,
        step: &Step<'_, 'y>,
        names: &[String],
        mut read: impl FnMut(&mut Self, &[usize], &Scope<'_>),
    ) {
        for rows in groups(&step.job.matrix.rows, names) {
            let scope = Scope {
                language: self.language,
                env: &step.env,
                job: step.job,
                row: &step.job.matrix.rows[rows[0]],
            };
            read(self, &rows, &scope);
        }
    }

    /// Reads the script that a step runs, of `nodes` one below the other.
    pub fn script(&mut self, nodes: &[Node<'y>], step: &Step<'_, 'y>) {
        let script = &Rc::new(Script::new(nodes, self.language));
        if !command::may_build(script.text()) {
            return;
        }
        let named = || names(script.text(), step);
        let names = step.names.clone().unwrap_or_else(named);
        self.rows(step, &names, |gatherer, rows, scope| {
            let Some((folder, dialect)) = (step.shell)(scope) else {
                return;
            };
            let known = |need: Lookup<'_>| scope.known(need);
            let commands = shell::read(script.text(), folder.as_deref(), dialect, &known);
            let commands = commands
                .into_iter()
                .map(|simple| expressions(script, simple, scope));
            let (commands, variables) = command::all(commands.collect());
            for found in commands {
                let command = InScript {
                    script: Rc::clone(script),
                    found,
                    variables: Rc::clone(&variables),
                    dialect,
                };
                gatherer.command(command, step, rows, scope);
            }
        });
    }

    fn command(
        &mut self,
        it: InScript<'y>,
        step: &Step<'_, 'y>,
        rows: &[usize],
        scope: &Scope<'_>,
    ) {
        let command = &it.found.command;
        let span = it.script.in_file(self.language.span(&it.found));
        let known = |need: Lookup<'_>| scope.known(need);
        let places = self.places.get(&span);
        let is_other = |at: &usize| self.found[*at].runs[0].job.name != step.job.name;
        let is_run = |places: &Vec<usize>| places.is_empty() || places.iter().any(is_other);
        if step.job.template && places.is_some_and(is_run) {
            return;
        }
        let subject = command::subject(command, it.found.simple.folder.as_deref(), &known);
        let subject = match subject.and_then(|subject| (step.placed)(subject)) {
            Ok(subject) => subject,
            Err(why) => return self.doubt(span, it.script.unmasked(&why)),
        };
        let target = command.target.as_ref();
        let build = Build {
            target: target.and_then(|target| target.resolve(&known)),
            args: it.args(scope),
            args_known: command.args_known,
            env: it.env(scope).before(&step.handed),
            own_machine: step.job.own_machine,
            ..Build::new(command.front, &step.title, span, subject)
        };
        self.add(build, Some(it), step, rows);
    }

    /// Adds a build that a step runs in these rows of its job's matrix.
    pub fn add(
        &mut self,
        build: Build,
        command: Option<InScript<'y>>,
        step: &Step<'_, 'y>,
        rows: &[usize],
    ) {
        let places = self.places.entry(build.span).or_default();
        let is_one = |at: &&usize| self.language.is_one(&self.found[**at].build, &build);
        let at = if let Some(&at) = places.iter().find(is_one) {
            let known = &mut self.found[at].build;
            if known.target != build.target {
                known.target = None;
            }
            known.args_known &= build.args_known;
            at
        } else {
            places.push(self.found.len());
            self.found.push(Found {
                build,
                step: step.node,
                env: step.env.clone(),
                handed: step.handed.clone(),
                command,
                runs: Vec::new(),
            });
            self.found.len() - 1
        };
        self.found[at].run_by(step.job, rows);
    }

    /// Notes a build of which nothing can be said.
    pub fn doubt(&mut self, span: Span, why: String) {
        // Now the place is known, and no template has to be looked at for it.
        self.places.entry(span).or_default();
        if self.doubts.insert((span, why.clone())) {
            self.unknown.push(Unknown { span, why });
        }
    }

    /// Returns the builds in order, with all that run them.
    pub fn finish(mut self) -> Vec<Found<'y>> {
        for found in &mut self.found {
            found.finish(self.language);
        }
        self.found.sort_by_key(|found| found.build.span);
        self.found
    }

    /// Returns what the file says, without calls.
    pub fn file(mut self) -> BuildFile {
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

/// Returns the names of the matrix that a script may use: those that stand in it, in its variables or in values.
fn names(script: &str, step: &Step<'_, '_>) -> Vec<String> {
    let rows: Vec<&MatrixRow> = step.job.matrix.rows.iter().collect();
    let mut names = varying(&rows, &[]);
    if !names.is_empty() {
        let values = rows
            .iter()
            .flat_map(|row| row.iter().map(|(_, value)| value.as_str()));
        let variables = step.env.iter().filter_map(|arg| arg.value.as_deref());
        let texts: Vec<&str> = variables.chain(values).chain([script]).collect();
        names.retain(|name| texts.iter().any(|text| text.contains(name.as_str())));
    }
    names
}

/// Makes what the format replaces before any shell runs, and the lexer takes for a shell's, an expression; where it is
/// known to be one word, a shell cannot split it.
fn expressions(script: &Script<'_>, mut simple: Simple, scope: &Scope<'_>) -> Simple {
    let words = simple.words.iter_mut();
    for piece in words.flat_map(|word: &mut Word| word.pieces.iter_mut()) {
        if script.is_masked(&piece.raw) {
            piece.kind = PieceKind::Expression;
            let value = scope.known(Lookup::Expression(&piece.raw));
            piece.quoted |= value.is_some_and(|value| is_plain_value(&value.replace('/', "")));
        }
    }
    simple
}

impl InScript<'_> {
    /// Returns the build arguments that the command passes.
    fn args(&self, scope: &Scope<'_>) -> Vec<Arg> {
        let command = &self.found.command;
        let written = |need: Lookup<'_>| scope.written(need);
        let value = |arg: &command::BuildArg| {
            // One without a value takes it from the environment.
            let mut sets = self.found.simple.sets.iter().chain(&command.sets).rev();
            let own = || Some(&sets.find(|(name, _)| *name == arg.name)?.1);
            match arg.value.as_ref().or_else(own) {
                Some(word) => Some(self.script.unmasked(&word.value(&written))),
                None => written(Lookup::Variable(&arg.name)),
            }
        };
        let arg = |arg| (value(arg), arg);
        let args = command.args.iter().map(arg);
        args.map(|(value, arg)| Arg::new(&arg.name, value, self.script.in_file(arg.span)))
            .collect()
    }

    /// Returns the environment of a command that makes something of it: its own assignments, the matrix's, then the job's.
    fn env(&self, scope: &Scope<'_>) -> Env {
        let command = &self.found.command;
        if command.front != BuildTool::Compose && !command.front.is_bake() {
            return Env::default();
        }
        let place = self.script.in_file(command.span);
        let values = scope.job.matrix.rows[0].iter().map(|(name, _)| name);
        let axes = values.chain(&scope.job.matrix.names);
        let axes = axes.filter(|name| scope.is_axis(name));
        let axes = axes.map(|name| Arg::new(name, None, place));
        scope.env.with(axes.collect()).with(self.sets(scope.env))
    }

    /// Returns what the script itself puts into the environment of the command.
    pub fn sets(&self, env: &Env) -> Vec<Arg> {
        let place = self.script.in_file(self.found.command.span);
        let written = |need: Lookup<'_>| match need {
            Lookup::Variable(name) => env.get(name)?.value.clone(),
            Lookup::Expression(_) => None,
        };
        let value = |word: &Word| self.script.unmasked(&word.value(&written));
        let own = self.found.environment(&self.variables).into_iter();
        own.map(|(name, word)| Arg::new(name, word.map(value), place))
            .collect()
    }

    /// Returns what the script sets the variable `name` to above the command, as written.
    pub fn set_above(&self, name: &str, scope: &Scope<'_>) -> Option<String> {
        let above = self.variables[..self.found.above].iter();
        let mut values = above
            .rev()
            .filter(|set| set.name == name && set.value.is_some());
        Some(
            values
                .next()?
                .value
                .as_ref()?
                .value(&|need| scope.written(need)),
        )
    }
}
