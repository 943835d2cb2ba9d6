//! The runs of a build, each with the values that texts have in it.

use std::sync::Arc;

use super::model::{FoundBuild, Job, JobRuns, MatrixRow};
use super::scope::{Language, StepScope};
use crate::budget;
use crate::builds::command::MATRIX_LANE;
use crate::builds::model::{ArgName, Env, Leg, Values};
use crate::builds::paths::Text;
use crate::builds::shell::Lookup;
use crate::text::split_variable;

/// The command that prints a run's lane.
const LANE: &str = "cachelane id";

/// A combination of a job's matrix, with the environment of a step.
#[derive(Debug)]
struct Run {
    language: &'static dyn Language,
    env: Env,
    job: Arc<Job>,
    row: usize,
    number: usize,
}

/// Returns the runs of the jobs that build `found`.
pub(super) fn of_build(language: &'static dyn Language, found: &FoundBuild<'_>) -> Vec<Leg> {
    let mut env = found.env.before(&found.handed);
    if let (Some(command), Some(runs)) = (&found.command, found.runs.first()) {
        let scope = StepScope {
            language,
            env: &found.env,
            handed: &found.handed,
            job: &runs.job,
            row: &MatrixRow::new(),
            run: None,
            keeps_inputs: false,
        };
        env = env.with(command.sets(&scope));
    }
    let runs = found.runs.iter();
    let all = &found.all_rows;
    runs.enumerate()
        .flat_map(|(at, runs)| legs(language, runs, &env, if at == 0 { all } else { &runs.rows }))
        .collect()
}

/// Returns the runs of a whole job in these rows.
pub fn of_job(language: &'static dyn Language, job: &Arc<Job>, rows: Vec<usize>) -> Vec<Leg> {
    let runs = JobRuns {
        job: Arc::clone(job),
        rows,
    };
    legs(language, &runs, &job.env, &runs.rows)
}

/// Returns the runs of a job; `all` are the rows from which messages tell them.
fn legs(language: &'static dyn Language, runs: &JobRuns, env: &Env, all: &[usize]) -> Vec<Leg> {
    let JobRuns { job, rows } = runs;
    let names = language.job_axes(job, all);
    // Two stand for all runs of a matrix that only a run knows.
    let copies = if job.matrix.open && job.name.is_some() {
        2
    } else {
        1
    };
    if !budget::spend(copies * rows.len() * (size_of::<Leg>() + size_of::<Run>())) {
        return Vec::new();
    }
    let label = |row: &MatrixRow| {
        let named = row.iter().filter(|(name, _)| names.contains(name));
        let named: Vec<String> = named
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        named.join(", ")
    };
    let all = rows
        .iter()
        .flat_map(|row| (0..copies).map(move |copy| (*row, copy)));
    all.map(|(row, copy)| {
        let number = row * copies + copy;
        Leg {
            job: job.name.clone(),
            number,
            label: label(&job.matrix.rows[row]),
            sequential: job.matrix.sequential,
            queues: job.queues.clone(),
            labels: job.labels.clone(),
            condition: job.condition.clone(),
            values: Arc::new(Run {
                language,
                env: env.clone(),
                job: Arc::clone(job),
                row,
                number,
            }),
        }
    })
    .collect()
}

impl Run {
    fn scope(&self) -> StepScope<'_> {
        StepScope {
            language: self.language,
            env: &self.env,
            handed: &self.env,
            job: &self.job,
            row: &self.job.matrix.rows[self.row],
            run: Some(self.number),
            keeps_inputs: false,
        }
    }
}

impl Values for Run {
    fn value(&self, text: &str) -> Option<String> {
        let text = self.with_lanes(text)?;
        let scope = self.scope();
        with_variables(&scope, &scope.filled(&text)?.plain()?)
    }

    fn lane(&self) -> Option<String> {
        self.language.lane(&self.scope())
    }

    fn filled(&self, text: &str) -> Option<String> {
        self.scope().filled(text)?.plain()
    }
}

impl Run {
    /// Replaces the commands that print a lane, each once: what stands in its place is no command.
    fn with_lanes(&self, text: &str) -> Option<String> {
        let mut filled = text.to_owned();
        for (open, close) in [("$(", ')'), ("`", '`')] {
            let all = std::mem::take(&mut filled);
            let command = format!("{open}{LANE}");
            let mut parts = all.split(&command);
            filled.push_str(parts.next().unwrap_or_default());
            for part in parts {
                let (options, behind) = part.split_once(close)?;
                let lane = if options.contains("matrix") {
                    self.scope().own_name()
                } else if let Some((_, lane)) = options.split_once("--lane ") {
                    lane.trim().to_owned()
                } else {
                    self.lane()?
                };
                if !budget::spend(1 + lane.len() + behind.len()) {
                    return None;
                }
                filled.extend([&lane, behind]);
            }
        }
        Some(filled)
    }
}

/// Replaces a shell's variables; `None` where one is unknown, or a command's output.
fn with_variables(scope: &StepScope<'_>, text: &str) -> Option<String> {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, behind) = split_variable(part)?;
        // An earlier step may hand the lane on, by a name that only the configuration knows.
        let handed = || {
            let set = scope.env.iter().find(|set| set.name == ArgName::Lane)?;
            match set.value.as_deref() {
                Some(MATRIX_LANE) => Some(scope.own_name()),
                _ => scope.language.lane(scope),
            }
        };
        let value = scope.known(Lookup::Variable(name)).and_then(Text::plain);
        let value = value.or_else(handed)?;
        if !budget::spend(1 + value.len()) {
            return None;
        }
        filled.extend([&value, behind]);
    }
    (!filled.contains('`')).then_some(filled)
}
