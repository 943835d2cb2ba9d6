//! A command that builds, in its script: its arguments, its environment, its builder.

use super::model::{InScript, Step};
use super::scope::StepScope;
use crate::budget;
use crate::builds::builder::{Builder, Builders};
use crate::builds::command;
use crate::builds::compose;
use crate::builds::model::{Arg, ArgName, AxisPath, BuildTool, Env, ValueSource};
use crate::builds::shell::{Assigned, Lookup, PieceKind, Word};

impl InScript<'_> {
    pub(super) fn args(&self, step: &Step<'_, '_>, scope: &StepScope<'_>) -> Vec<Arg> {
        let command = &self.found.command;
        if command.tool == BuildTool::Rocker && command.args.is_empty() {
            return self.rocker_lane(step, scope).into_iter().collect();
        }
        let written = |need: Lookup<'_>| scope.written(need);
        let arg = |arg: &command::BuildArg| {
            // An argument without a value takes it from the environment.
            let own = || {
                let environment = self.found.environment(&self.variables);
                let mut set = environment.into_iter();
                set.find(|(name, _)| *name == arg.name)?.1
            };
            let word = arg.value.as_ref().or_else(own);
            let mut value = match word {
                Some(word) => Some(word.value(&written)),
                None => arg
                    .name
                    .as_str()
                    .and_then(|name| written(Lookup::Variable(name))),
            };
            if let Some(lane) = value.as_deref().filter(|value| is_own_lane(value)) {
                value = self.set_lane(scope).or_else(|| Some(lane.to_owned()));
            }
            let from = match (word, arg.name.as_str()) {
                _ if !scope.language.is_called() => ValueSource::Variables(Vec::new()),
                (Some(word), _) => sources(word, scope),
                (None, Some(name)) if value.is_none() => {
                    ValueSource::Variables(vec![name.to_owned()])
                }
                _ if value.as_ref().is_some_and(|value| value.contains("$(")) => ValueSource::Run,
                (None, Some(name)) if scope.is_default(name) => {
                    value = value.map(|value| format!("${{{name}:-{value}}}"));
                    ValueSource::Variables(vec![name.to_owned()])
                }
                _ => ValueSource::Variables(Vec::new()),
            };
            Arg {
                from,
                ..Arg::new(arg.name.clone(), value, self.script.in_file(arg.span))
            }
        };
        // Without a value and an environment, nothing is passed.
        let keeps = self.found.keeps_environment();
        let taken = self.found.taken(&self.variables);
        let is_taken = |name: &str| {
            taken.iter().any(|taken| taken == name)
                || scope
                    .env
                    .get(name)
                    .is_some_and(|set| set.from == ValueSource::Nowhere)
        };
        let has_value = |own: &&command::BuildArg| {
            let is_kept = keeps && !own.name.as_str().is_some_and(is_taken);
            let mut environment = self.found.environment(&self.variables).into_iter();
            is_kept || own.value.is_some() || environment.any(|(name, _)| name == own.name)
        };
        command.args.iter().filter(has_value).map(arg).collect()
    }

    /// Returns the lane that `cachelane` finds in the environment of the command, where that sets one.
    fn set_lane(&self, scope: &StepScope<'_>) -> Option<String> {
        let written = |need: Lookup<'_>| scope.written(need);
        let own = self.found.environment(&self.variables);
        let mut names = command::ROCKER_VARIABLES.into_iter().rev();
        names.find_map(|name| match own.iter().find(|(own, _)| own.is(name)) {
            Some((_, word)) => Some((*word)?.value(&written)),
            None => written(Lookup::Variable(name)),
        })
    }

    /// Returns the lane that rocker's extension takes from the environment, or makes of the CI's names for the job.
    fn rocker_lane(&self, step: &Step<'_, '_>, scope: &StepScope<'_>) -> Option<Arg> {
        let env = self.environment(step, scope);
        let named = |name: &str| env.iter().find(|set| set.name.is_lane(name));
        let set = command::ROCKER_VARIABLES
            .iter()
            .find_map(|name| named(name));
        if let Some(set) = set {
            let name = match &set.name {
                ArgName::Lane => ArgName::Lane,
                ArgName::Is(_) => command::ROCKER_ARG.into(),
            };
            return Some(Arg {
                name,
                ..set.clone()
            });
        }
        let is_installed = self.script.text().contains("rocker-cachelane");
        let place = self.script.in_file(self.found.command.span);
        is_installed.then(|| Arg::new(ArgName::Lane, Some(command::OWN_LANE.to_owned()), place))
    }

    /// Returns the environment of a command that hands it to its files.
    pub(super) fn env(&self, step: &Step<'_, '_>, scope: &StepScope<'_>) -> Env {
        let tool = self.found.command.tool;
        if tool.has_files() || tool.runs_others() {
            self.environment(step, scope)
        } else {
            Env::default()
        }
    }

    /// Returns the environment of the command: its own assignments, the matrix's, then the step's.
    fn environment(&self, step: &Step<'_, '_>, scope: &StepScope<'_>) -> Env {
        let command = &self.found.command;
        let place = self.script.in_file(command.span);
        let matrix = &step.job.matrix;
        let values = matrix.rows[0].iter().map(|(name, _)| name);
        let axes = values.chain(&matrix.names).map(AxisPath::to_string);
        let axes = axes.filter(|name| scope.is_axis(name));
        let axes = axes.map(|name| Arg::new(&name, None, place)).collect();
        let env = if self.found.keeps_environment() {
            step.env.before(&step.handed)
        } else {
            Env::default()
        };
        let taken = self.found.taken(&self.variables);
        let taken = taken.iter().map(|name| Arg::taken(name, place)).collect();
        env.with(axes).with(taken).with(self.sets(scope))
    }

    /// Returns the builder that the command uses, of those that are there.
    pub(super) fn builder(
        &self,
        builders: &Builders,
        step: &Step<'_, '_>,
        scope: &StepScope<'_>,
    ) -> Builder {
        let own = self.sets(scope);
        let env = |name: &str| {
            let own = own.iter().find(|set| set.name.is(name));
            let set = own.or_else(|| step.variable(name))?;
            Some(scope.resolved(set.value.as_deref()?))
        };
        let command = &self.found.command;
        let named = command.builder.as_ref();
        let named = named.map(|named| named.resolved(&|text| scope.resolved(text)));
        builders.used(command.tool, named.as_ref(), &env)
    }

    /// Returns the variables that the script itself puts into the environment of the command.
    pub fn sets(&self, scope: &StepScope<'_>) -> Vec<Arg> {
        let place = self.script.in_file(self.found.command.span);
        let value = |word: &Word| word.value(&|need| scope.written(need));
        let own = self.found.environment(&self.variables).into_iter();
        own.map(|(name, word)| Arg::new(name, word.map(value), place))
            .collect()
    }

    /// Returns the value that the script gives the variable `name` above the command, as written.
    pub fn set_above(&self, name: &str, scope: &StepScope<'_>) -> Option<String> {
        let above = self.variables[..self.found.above].iter().rev();
        let mut values = above
            .filter(|set| set.name == name)
            .filter_map(|set| set.value.as_ref());
        Some(values.next()?.value(&|need| scope.written(need)))
    }
}

/// Returns whether a value is what `cachelane id` prints where nobody types a lane.
fn is_own_lane(value: &str) -> bool {
    let inner = value
        .strip_prefix("$(")
        .and_then(|inner| inner.strip_suffix(')'));
    let inner = inner.or_else(|| value.strip_prefix('`')?.strip_suffix('`'));
    inner.is_some_and(|inner| inner.trim() == "cachelane id")
}

/// Returns where a script that others call has the value of a word from.
fn sources(word: &Word, scope: &StepScope<'_>) -> ValueSource {
    let mut names = Vec::new();
    if add_names(word, scope, &mut names) {
        ValueSource::Variables(names)
    } else {
        ValueSource::Run
    }
}

/// Adds the variables of the environment that a word is made of; returns false where only a run knows a part of it.
fn add_names(word: &Word, scope: &StepScope<'_>, names: &mut Vec<String>) -> bool {
    word.pieces.iter().all(|piece| match &piece.kind {
        PieceKind::Text => true,
        PieceKind::Variable(name, Assigned::Not) => {
            if scope.env.get(name).is_none() {
                names.push(name.clone());
            }
            true
        }
        PieceKind::Variable(_, Assigned::To(word)) => {
            budget::nested(|| add_names(word, scope, names)).unwrap_or_default()
        }
        PieceKind::Unknown if piece.raw.starts_with("${") => {
            let used = compose::variables(&piece.raw);
            let is_known = !used.is_empty();
            names.extend(used);
            is_known
        }
        PieceKind::Variable(_, Assigned::Unclear) | PieceKind::Expression | PieceKind::Unknown => {
            false
        }
    })
}
