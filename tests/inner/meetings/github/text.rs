//! Workflows as text, and what their steps pass once fixes have changed it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};

use yaml_serde::Value as Yaml;

use super::{Job, Workflow};
use crate::ids::made::LANE;
use crate::meetings::world::{EVENTS, Part, Row, Step, Value};

/// Shows a value: within a script its lane is the shell's.
struct Shown<'v>(&'v Value, bool);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|part| match part {
            Part::Text(text) => write!(f, "{text}"),
            Part::Matrix(axis) => write!(f, "${{{{ matrix.{axis} }}}}"),
            Part::Or(axis, text) => write!(f, "${{{{ matrix.{axis} || '{text}' }}}}"),
            Part::Job => write!(f, "${{{{ github.job }}}}"),
            Part::Workflow => write!(f, "${{{{ github.workflow }}}}"),
            Part::Branch => write!(f, "${{{{ github.ref_name }}}}"),
            Part::Input => write!(f, "${{{{ inputs.lane }}}}"),
            Part::Env if self.1 => write!(f, "\"${LANE}\""),
            Part::Env => write!(f, "${{{{ env.{LANE} }}}}"),
        })
    }
}

/// Reads a value in either form.
fn value(text: &str) -> Value {
    let mut value = Value(Vec::new());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        let before = before.trim_end_matches('"');
        if !before.is_empty() {
            value.push(Part::Text(before.to_owned()));
        }
        rest = if let Some(inner) = behind.strip_prefix("{{ ") {
            let (name, behind) = inner.split_once(" }}").unwrap();
            value.push(match name.split_once('.').unwrap() {
                ("matrix", axis) => match axis.split_once(" || ") {
                    Some((axis, text)) => Part::Or(axis.into(), text.trim_matches('\'').into()),
                    None => Part::Matrix(axis.to_owned()),
                },
                ("github", "job") => Part::Job,
                ("github", "workflow") => Part::Workflow,
                ("github", "ref_name") => Part::Branch,
                ("inputs", "lane") => Part::Input,
                ("env", LANE) => Part::Env,
                _ => panic!("{text}"),
            });
            behind
        } else {
            value.push(Part::Env);
            behind.strip_prefix(LANE).unwrap().trim_start_matches('"')
        };
    }
    if !rest.is_empty() {
        value.push(Part::Text(rest.to_owned()));
    }
    value
}

impl Display for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.called {
            None => writeln!(f, "on: [{}]", EVENTS.join(", "))?,
            Some(called) => {
                writeln!(
                    f,
                    "on:\n  workflow_call:\n    inputs:\n      lane:\n        type: string"
                )?;
                if called.by_itself {
                    writeln!(
                        f,
                        "  workflow_dispatch:\n    inputs:\n      lane:\n        type: string"
                    )?;
                }
            }
        }
        if let Some(queue) = &self.queue {
            writeln!(f, "concurrency: \"{}\"", Shown(queue, false))?;
        }
        env(f, "", self.env.as_ref())?;
        writeln!(f, "jobs:")?;
        self.jobs.iter().enumerate().try_for_each(|(number, job)| {
            writeln!(f, "  j{number}:")?;
            write!(f, "{job}")
        })
    }
}

fn env(f: &mut fmt::Formatter<'_>, indent: &str, value: Option<&Value>) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    writeln!(
        f,
        "{indent}env:\n{indent}  {LANE}: \"{}\"",
        Shown(value, false)
    )
}

/// Lists combinations of a matrix.
fn rows(f: &mut fmt::Formatter<'_>, name: &str, rows: &[Row]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "        {name}:")?;
    rows.iter()
        .try_for_each(|row| writeln!(f, "          - {row:?}"))
}

impl Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.needs.is_empty() {
            let needs: Vec<String> = self.needs.iter().map(|job| format!("j{job}")).collect();
            writeln!(f, "    needs: {needs:?}")?;
        }
        if let Some((sign, event)) = self.condition {
            writeln!(f, "    if: github.event_name {sign} '{event}'")?;
        }
        if let Some(queue) = &self.queue {
            writeln!(
                f,
                "    concurrency:\n      group: \"{}\"",
                Shown(queue, false)
            )?;
        }
        if !self.axes.is_empty() || !self.include.is_empty() {
            writeln!(f, "    strategy:")?;
            if self.is_sequential {
                writeln!(f, "      max-parallel: 1")?;
            }
            writeln!(f, "      matrix:")?;
            self.axes
                .iter()
                .try_for_each(|(name, values)| writeln!(f, "        {name}: {values:?}"))?;
            rows(f, "exclude", &self.exclude)?;
            rows(f, "include", &self.include)?;
        }
        if let Some(call) = &self.call {
            let (number, input) = (call.workflow, Shown(&call.input, false));
            return writeln!(
                f,
                "    uses: ./.github/workflows/w{number}.yml\n    with:\n      lane: \"{input}\""
            );
        }
        writeln!(f, "    runs-on: {}", Shown(&self.machine, false))?;
        env(f, "    ", self.env.as_ref())?;
        writeln!(f, "    steps:")?;
        self.steps.iter().try_for_each(|step| show(f, step))
    }
}

fn show(f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
    let folder = Shown(&step.file, false);
    let target = step.target.as_ref();
    let target = target.map(|target| format!("s{}", Shown(target, false)));
    let args = step.args.iter();
    let args = args.map(|(name, value)| (name, Shown(value, !step.is_action)));
    if step.is_action {
        writeln!(
            f,
            "      - uses: docker/build-push-action@v6\n        with:\n          context: \"d{folder}\""
        )?;
        target
            .iter()
            .try_for_each(|target| writeln!(f, "          target: {target}"))?;
        if let Some(platforms) = &step.platforms {
            writeln!(f, "          platforms: {}", Shown(platforms, false))?;
        }
        let mut lines = String::new();
        for (name, value) in args {
            write!(lines, "\n            {name}={value}")?;
        }
        if !lines.is_empty() {
            writeln!(f, "          build-args: |{lines}")?;
        }
        return Ok(());
    }
    write!(f, "      - run: docker build")?;
    if let Some(platforms) = &step.platforms {
        write!(f, " --platform {}", Shown(platforms, false))?;
    }
    target
        .iter()
        .try_for_each(|target| write!(f, " --target {target}"))?;
    for (name, value) in args {
        write!(f, " --build-arg {name}={value}")?;
    }
    writeln!(f, " d{folder}")?;
    env(f, "        ", step.env.as_ref())
}

/// Returns `workflow` with what the steps of `text` pass.
pub fn read(workflow: &Workflow, text: &str) -> Workflow {
    let root: Yaml = yaml_serde::from_str(text).unwrap();
    let mut workflow = workflow.clone();
    for (number, job) in workflow.jobs.iter_mut().enumerate() {
        let steps = &root["jobs"][format!("j{number}").as_str()]["steps"];
        assert_eq!(steps.as_sequence().map_or(0, Vec::len), job.steps.len());
        for (number, step) in job.steps.iter_mut().enumerate() {
            let own = &steps[number];
            step.env = own["env"][LANE].as_str().map(value);
            let arg = |(name, text): (&str, &str)| (name.to_owned(), value(text));
            let given: BTreeMap<String, Value> = if step.is_action {
                let lines = own["with"]["build-args"].as_str().unwrap_or_default();
                lines
                    .lines()
                    .filter_map(|line| line.split_once('='))
                    .map(arg)
                    .collect()
            } else {
                let command = own["run"].as_str().unwrap();
                let all = command.split(" --build-arg ").skip(1);
                let all = all
                    .map(|rest| rest.split_once('=').unwrap())
                    .map(|(name, behind)| {
                        // An expression has blanks in it.
                        let joined = behind.replace("{{ ", "{{_").replace(" }}", "_}}");
                        let at = joined.replace(" || ", "_||_").find(' ');
                        (name, &behind[..at.unwrap_or(behind.len())])
                    });
                all.map(arg).collect()
            };
            step.args = given;
        }
    }
    workflow
}
