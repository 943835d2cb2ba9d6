use super::actions;
use super::expression::{access, is_plain, mentioned};
use super::language::Github;
use super::matrix::are_safe;
use super::workflow::StepContext;
use crate::builds::command::InsertMethod;
use crate::builds::devcontainer;
use crate::builds::format::Insertion;
use crate::builds::jobs::{self, FoundBuild, InScript, Language, StepScope};
use crate::builds::lines::{block_indent, rest};
use crate::builds::model::{ArgName, AxisPath, BuildTool, Lane, NAMESPACE, Parts, Runs};
use crate::builds::shell::{Dialect, Word};
use crate::builds::yaml::{NewValue, Node, Style, quoted};
use crate::fix::{Edit, Fix};
use crate::text::{Span, line_ending};

/// The most names of an unknown matrix that are joined.
const MAX_UNKNOWN: usize = 3;

struct LaneInserter<'s, 'y> {
    found: &'s FoundBuild<'y>,
    around: StepContext<'y>,
    lane: &'s Lane<'s>,
    /// The axes that tell the runs of the build apart.
    axes: Vec<AxisPath>,
    /// True where the values of the axes can be part of an id; `None` where they are unknown.
    safe: Option<bool>,
}

pub fn insert(found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
    let passed = |name: &str| found.build.args.iter().any(|arg| arg.name.is(name));
    if passed(lane.arg) || (passed(NAMESPACE) && found.build.tool.takes_namespace()) {
        return Err("it is passed already".into());
    }
    let step = found.step.ok_or("it is not a step of a job")?;
    let mut above = std::iter::successors(Some(step), |node| node.parent());
    if step.is_alias() || above.any(is_elsewhere) {
        return Err("it is used in several places, by an alias".into());
    }
    let runs = &found.runs[0];
    let rows = if lane.parts.other_files {
        &found.all_rows
    } else {
        &runs.rows
    };
    let axes = (&Github as &dyn Language).job_axes(&runs.job, rows);
    let inserter = LaneInserter {
        found,
        around: StepContext::of(step).ok_or("it is not a step of a job")?,
        lane,
        safe: are_safe(&runs.job.matrix, &axes),
        axes,
    };
    let value = inserter.value()?;
    let made = match &found.command {
        Some(command) => inserter.in_script(command, value)?,
        None => Inserted {
            edits: vec![inserter.in_action(&value)?],
            value,
            is_shell_known: true,
        },
    };
    let title = match &found.command {
        Some(it) => it.found.command.title(lane.arg, &made.value),
        None => format!("pass `{}={}`", lane.arg, made.value),
    };
    let edits = made.edits;
    // Where more arguments may be passed, the lane may be one of them.
    let fix = if made.is_shell_known && inserter.safe.is_some() && found.build.args_known {
        Fix::safe(title, edits)
    } else {
        Fix::needs_review(title, edits)
    };
    Ok(Insertion {
        fix,
        value: Some(made.value),
    })
}

/// The edits that pass a lane.
struct Inserted {
    edits: Vec<Edit>,
    /// The value that the build then passes.
    value: String,
    is_shell_known: bool,
}

/// Returns whether a change to the value would change other places too.
fn is_elsewhere(node: Node<'_>) -> bool {
    node.is_alias() || node.is_anchored()
}

impl LaneInserter<'_, '_> {
    /// Fails unless `value` can be written: only axes behind dots can.
    fn writable(&self, value: &str) -> Result<(), String> {
        let odd = self.axes.iter().find(|name| !is_plain(name));
        odd.map_or(Ok(()), |name| {
            let arg = self.lane.arg;
            Err(format!(
                "`matrix.{name}` is not an expression: pass `{arg}={value}` by hand, or rename `{name}`"
            ))
        })
    }

    /// Returns the expression that gives each job of the build its own lane.
    fn value(&self) -> Result<String, String> {
        let (names, build) = (&self.axes, &self.found.build);
        if names.is_empty() && build.runs != Runs::Once {
            return Err(format!(
                "only a run knows what is in this matrix: pass `{}=${{{{ matrix.NAME }}}}` by hand, with the names of it that tell \
                 its jobs apart",
                self.lane.arg
            ));
        }
        let Parts {
            job,
            workflow,
            input,
            file,
            ..
        } = self.lane.parts;
        if names.is_empty() && build.jobs.is_empty() && input.is_none() {
            return Err("an action does not know the matrix: give it an input for the lane".into());
        }
        if names.is_empty() && !job && !workflow && input.is_none() && file.is_none() {
            return Err("only one job builds this".into());
        }
        let joined = names
            .iter()
            .map(|name| format!("`{}`", access("matrix", name)));
        let joined = joined.collect::<Vec<_>>().join(", ");
        if self.safe == Some(false) {
            return Err(format!(
                "the values of {joined} are empty or have signs that cannot be part of a cache id"
            ));
        }
        if self.safe.is_none() && names.len() > MAX_UNKNOWN {
            return Err(format!(
                "only a run knows which of {joined} tell its jobs apart"
            ));
        }
        // The name tells jobs with matrices of the same values apart.
        let shown = |name: String| format!("${{{{ {name} }}}}");
        let workflow = workflow.then(|| shown("github.workflow".to_owned()));
        let input = input
            .as_ref()
            .map(|name| shown(access("inputs", &name.into())));
        let job = job.then(|| shown("github.job".to_owned()));
        let around = [workflow, input, file.clone(), job].into_iter().flatten();
        let axes = names.iter().map(|name| shown(access("matrix", name)));
        let all: Vec<String> = around.chain(axes).collect();
        Ok(all.join(self.lane.parts.joint.as_str()))
    }

    /// Returns the value that the variable of the lane's name has in the script at the command, where that can be
    /// handed on; `None` where it has none.
    fn own(&self, command: &InScript<'_>, value: &str) -> Result<Option<String>, String> {
        let arg = self.lane.arg;
        let scope = StepScope {
            language: &Github,
            env: &self.found.env,
            handed: &self.found.handed,
            job: &self.found.runs[0].job,
            row: &Vec::new(),
            run: None,
            keeps_inputs: false,
        };
        let mut envs = self.around.env();
        let (own, everywhere) = match command.set_above(arg, &scope) {
            Some(own) => (own, false),
            None => match envs.find_map(|env| Some((env.get(arg)?, env))) {
                Some((own, env)) => {
                    // The workflow's own variables hold for all jobs.
                    let everywhere = env.parent().is_none_or(|map| map.parent().is_none());
                    (own.text().unwrap_or_default().to_owned(), everywhere)
                }
                None => return Ok(self.handed(command, &scope)),
            },
        };
        if own == value || self.differs(&own, everywhere) {
            return Ok(Some(own));
        }
        Err(format!(
            "`{arg}` is `{own}` there already, a value that several jobs have: write `{value}`"
        ))
    }

    /// Returns the variable itself, where an earlier step has given it a value that differs between jobs. Any other
    /// value is ignored: the step's own counts before it.
    fn handed(&self, command: &InScript<'_>, scope: &StepScope<'_>) -> Option<String> {
        let env = self.found.env.before(&self.found.handed);
        let env = env.with(command.sets(scope));
        let arg = self.lane.arg;
        let mut all = env.iter();
        let set = all.find(|set| set.name.is_lane(arg))?;
        let own = set.value.as_deref();
        let good = set.name == ArgName::Lane || own.is_some_and(|own| self.differs(own, false));
        good.then(|| format!("${arg}"))
    }

    /// Returns whether `own` differs between the jobs that run the build; `everywhere` tells that it is set for all
    /// jobs.
    fn differs(&self, own: &str, everywhere: bool) -> bool {
        let has = |context: &str, path: &AxisPath| mentioned(own, context).contains(path);
        let mut text = own
            .split("${{")
            .map(|part| part.split_once("}}").map_or(part, |(_, behind)| behind));
        // A name of the job's own, not mere punctuation.
        let is_word = |part: &str| part.contains(|ch: char| ch.is_ascii_alphanumeric());
        let mut named = || !everywhere && text.any(is_word);
        self.axes.iter().all(|axis| has("matrix", axis))
            && (!self.lane.parts.job || has("github", &"job".into()) || named())
    }

    fn in_action(&self, value: &str) -> Result<Edit, String> {
        self.writable(value)?;
        let line = format!("{}={value}", self.lane.arg);
        self.takes_arguments(value)?;
        let uses = self.around.step.get_text("uses").unwrap_or_default();
        if self.found.build.tool.is_bake() {
            return self.input("set", &format!("*.args.{line}"));
        }
        if actions::is_old(uses) {
            return Err("this version of the action is too old for cache mounts".into());
        }
        self.input("build-args", &line)
    }

    /// Fails where only devcontainer.json says what is passed.
    fn takes_arguments(&self, value: &str) -> Result<(), String> {
        if self.found.build.tool != BuildTool::Devcontainer {
            return Ok(());
        }
        let arg = self.lane.arg;
        let file = devcontainer::by_hand(arg, self.lane.default);
        Err(format!(
            "{file}, and `{arg}: {value}` into `env` of the step"
        ))
    }

    /// Gives the step the variable, and the command the argument.
    fn in_script(&self, it: &InScript<'_>, value: String) -> Result<Inserted, String> {
        let step = self.around.step;
        let command = &it.found.command;
        if command.tool == BuildTool::Rocker {
            self.writable(&value)?;
            let edits = vec![variable(step, command.variable(self.lane.arg)?, &value)?];
            return Ok(Inserted {
                edits,
                value,
                is_shell_known: true,
            });
        }
        self.takes_arguments(&value)?;
        let own = self.own(it, &value)?;
        if own.is_none() {
            self.writable(&value)?;
        }
        let run = step.get("run").ok_or("it is not a script")?;
        let text = run.text().unwrap_or_default();
        let arg = self.lane.arg;
        let windows = self.is_windows();
        let signs = ["$env:", "`\n", "& docker"];
        let powershell = || signs.iter().any(|sign| text.contains(sign));
        if it.dialect == Dialect::Windows || windows.unwrap_or_else(powershell) {
            return Err("its shell may be one of Windows".into());
        }
        let mut edits = Vec::new();
        if own.is_none() {
            if refers(text, arg) {
                return Err(format!(
                    "the script uses `{arg}` already, and nothing here says what that is"
                ));
            }
            edits.push(variable(step, arg, &value)?);
        }
        let handed = format!("${arg}");
        if command.insertion(arg, &handed).is_some() {
            let edit = jobs::in_command(it, arg, &handed)?;
            if is_elsewhere(run) {
                return Err("the script stands in several places".to_owned());
            }
            // At the end of a line, both would have the same place.
            let below = edits.pop_if(|below| below.span() == edit.span());
            let text = edit.text().to_owned() + below.as_ref().map_or("", Edit::text);
            edits.push(Edit::insert(edit.span().start, text));
        } else if it.found.taken(&it.variables).iter().any(|name| name == arg) {
            return Err(format!("the script takes `{arg}` out of the environment"));
        } else if !it.found.keeps_environment() {
            let words = &it.found.simple.words;
            let before: Vec<_> = words[..command.tool_at].iter().map(Word::written).collect();
            let (before, tool) = (before.join(" "), words[command.tool_at].written());
            return Err(format!(
                "`{before}` keeps no environment: write `{before} {arg}=\"${arg}\" {tool}`, and `{arg}: {value}` into the step's `env`"
            ));
        } else if command.method != InsertMethod::Environment {
            return Err("the command takes no build arguments".into());
        } else if own.is_some() {
            return Err(format!(
                "`{arg}` is in its environment already: what it runs has to pass it on"
            ));
        }
        Ok(Inserted {
            edits,
            value: own.unwrap_or(value),
            is_shell_known: windows.is_some(),
        })
    }

    /// Returns whether a job on Windows runs the script without naming a shell; `None` where only a run knows.
    fn is_windows(&self) -> Option<bool> {
        const OUTSIDE: [&str; 4] = ["inputs.", "needs.", "vars.", "fromJ"];
        if self.around.setting("shell").is_some() {
            return Some(false);
        }
        let runs_on = self.around.runs_on();
        let matrix = &self.found.runs[0].job.matrix;
        let has = |text: &str| text.to_ascii_lowercase().contains("windows");
        let names = mentioned(&runs_on, "matrix");
        let mut values = matrix.rows.iter().flatten();
        if has(&runs_on) || values.any(|(name, value)| names.contains(name) && has(value)) {
            return Some(true);
        }
        let is_open = runs_on.contains("${{") && OUTSIDE.iter().any(|name| runs_on.contains(name));
        let is_known = !is_open && (names.is_empty() || !matrix.open);
        is_known.then_some(false)
    }

    fn input(&self, name: &str, line: &str) -> Result<Edit, String> {
        let step = self.around.step;
        let with = step.own_entry("with").map(|entry| entry.value);
        if with.is_some_and(is_elsewhere) {
            return Err("its inputs are used in several places, by an alias".into());
        }
        let Some(with) = with.filter(|with| !with.is_null()) else {
            return match step.get("with") {
                Some(_) => Err("its inputs stand elsewhere, or nowhere".into()),
                None => step.put(&["with", name], NewValue::Line(line)),
            };
        };
        match with.own_entry(name).map(|entry| entry.value) {
            None if with.get(name).is_some() => {
                Err(format!("its `{name}` stand elsewhere, by a merge key"))
            }
            None => with.put(&[name], NewValue::Line(line)),
            Some(value) if is_elsewhere(value) => Err(format!(
                "its `{name}` stand elsewhere: an alias refers to them"
            )),
            Some(value) => extended(with, value, line)
                .ok_or_else(|| format!("its `{name}` are written in an unusual way")),
        }
    }
}

fn extended(with: Node<'_>, value: Node<'_>, line: &str) -> Option<Edit> {
    let (text, source) = (value.text()?, value.source());
    let newline = line_ending(source.as_bytes(), value.span().start);
    if value.style() == Some(Style::Literal) {
        let map = value.map();
        let lines = text.trim_end_matches('\n');
        let end = map.get(lines.len().checked_sub(1)?)? + 1;
        let blanks =
            rest(source, end).len() - rest(source, end).trim_start_matches([' ', '\t']).len();
        let indent = " ".repeat(block_indent(text, &map, source));
        return Some(Edit::insert(
            end + blanks,
            format!("{newline}{indent}{line}"),
        ));
    }
    let span = value.span();
    let own = source.get(span.start..span.end)?;
    if value.style() == Some(Style::Folded) || own.contains('\n') {
        return None;
    }
    let all = if value.is_null() || text.trim().is_empty() {
        line.to_owned()
    } else {
        format!("{text}\n{line}")
    };
    if with.is_flow() || with.in_brackets() {
        return Some(Edit::replace(span, quoted(&all, true)));
    }
    let indent = " ".repeat(with.indent()? + 2);
    let behind = rest(source, span.end);
    let mut lines = all.lines();
    let fits = lines.all(|line| !line.starts_with([' ', '\t']) && !line.is_empty());
    let is_odd = |letter: char| letter.is_control() && letter != '\n';
    if !fits || all.contains(is_odd) {
        return None;
    }
    // A comment behind the value stays behind the sign of the block.
    let lines = all.lines().flat_map(|line| [newline, &indent, line]);
    let torn = own.is_empty() && !source[..span.start].ends_with(' ');
    let blank = if torn { " " } else { "" };
    Some(Edit::replace(
        Span::new(span.start, span.end + behind.len()),
        format!("{blank}|{behind}{}", lines.collect::<String>()),
    ))
}

/// Returns whether `script` refers to the variable `name`: `$name` or `${name…`.
fn refers(script: &str, name: &str) -> bool {
    script.split('$').skip(1).any(|text| {
        let rest = text.strip_prefix('{').unwrap_or(text).strip_prefix(name);
        let goes_on = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
        rest.is_some_and(|rest| !rest.starts_with(goes_on))
    })
}

fn variable(step: Node<'_>, name: &str, value: &str) -> Result<Edit, String> {
    let value = NewValue::Scalar(value);
    match step.own_entry("env").map(|entry| entry.value) {
        Some(env) if env.is_map() && !is_elsewhere(env) => env.put(&[name], value),
        None if step.get("env").is_none() => step.put(&["env", name], value),
        _ => Err("its `env` stands elsewhere, or nowhere".into()),
    }
}
