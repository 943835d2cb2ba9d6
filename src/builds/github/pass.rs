//! Passing a lane to a build of a workflow.

use super::super::command::Pass;
use super::super::format::Insertion;
use super::super::lines::block_indent;
use super::super::model::{ANY_LANE, Lane, Runs};
use super::super::shell::{Dialect, is_name};
use super::super::yaml::{Node, Style, quoted};
use super::Site;
use super::expression::{is_plain, mentioned, shown};
use super::step::{Kind, Script};
use crate::fix::{Edit, Fix};
use crate::text::line_ending;

/// How many names of a matrix that nothing is known of are joined.
const MAX_UNKNOWN: usize = 3;

/// The fix for a build that passes no lane.
pub(super) fn pass(site: &Site<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
    if !is_name(lane.arg) {
        return Err(format!(
            "`{}` is no name that a variable can have",
            lane.arg
        ));
    }
    let passed = |name: &str| site.build.args.iter().any(|arg| arg.name == name);
    if passed(lane.arg) || passed("BUILDKIT_CACHE_MOUNT_NS") {
        return Err("it is passed already".into());
    }
    let mut around = std::iter::successors(Some(site.step), |node| node.parent());
    if site.step.is_alias() || around.any(is_elsewhere) {
        return Err("it is used in several places, by an alias".into());
    }
    let mut value = value(site, lane)?;
    let line = format!("{}={value}", lane.arg);
    let own = match &site.kind {
        Kind::Script(script) => own(site, script, lane, &value)?,
        _ => None,
    };
    if own.is_none() {
        writable(site, lane, &value)?;
    }
    let edits = match &site.kind {
        Kind::Push { old: true } => {
            return Err("this version of the action is too old for cache mounts".into());
        }
        Kind::Push { old: false } => vec![input(site, "build-args", &line)?],
        Kind::Bake => vec![input(site, "set", &format!("*.args.{line}"))?],
        Kind::Script(script) => {
            let edits = in_script(site, script, lane, (&value, own.is_some()))?;
            value = own.unwrap_or(value);
            edits
        }
    };
    let title = format!("pass `{}={value}`", lane.arg);
    let is_known =
        site.safe.is_some() && (site.windows.is_some() || !matches!(site.kind, Kind::Script(_)));
    // Where more may be passed, the lane may be among it.
    let is_safe = is_known && site.build.args_known;
    let fix = if is_safe {
        Fix::safe(title, edits)
    } else {
        Fix::needs_review(title, edits)
    };
    Ok(Insertion {
        fix,
        value: Some(value),
    })
}

/// Whether `value` is one to write: of all ways to an axis, the one behind a dot.
fn writable(site: &Site<'_>, lane: &Lane<'_>, value: &str) -> Result<(), String> {
    let odd = site.axes.iter().find(|name| !is_plain(name));
    odd.map_or(Ok(()), |name| {
        let name = shown(name);
        Err(format!(
            "`matrix.{name}` is no expression: pass `{}={value}` by hand, or rename `{name}`",
            lane.arg
        ))
    })
}

/// Whether a change to the value would change other places too.
fn is_elsewhere(node: Node<'_>) -> bool {
    node.is_alias() || node.is_anchored()
}

/// The expression that is a lane of its own for each job that runs the build.
fn value(site: &Site<'_>, lane: &Lane<'_>) -> Result<String, String> {
    let names = &site.axes;
    if names.is_empty() && site.build.runs != Runs::Once {
        return Err(format!(
            "only a run knows what is in this matrix: pass `{}=${{{{ matrix.NAME }}}}` by hand, with the names of it that tell \
             its jobs apart",
            lane.arg
        ));
    }
    if names.is_empty() {
        return match (site.build.jobs.first(), lane.shared) {
            (Some(_), true) => Ok("${{ github.job }}".into()),
            (Some(_), false) => Err("only one job builds this".into()),
            (None, _) => {
                Err("an action does not know the matrix: give it an input for the lane".into())
            }
        };
    }
    // Jobs with matrices of the same values part themselves by their names, too.
    let job = lane.shared.then(|| "${{ github.job }}".to_owned());
    let axes = names.iter().map(|name| match name.strip_prefix('[') {
        Some(_) => format!("${{{{ matrix{name} }}}}"),
        None => format!("${{{{ matrix.{name} }}}}"),
    });
    let value = job.into_iter().chain(axes).collect::<Vec<_>>().join("-");
    let joined = names
        .iter()
        .map(|name| format!("`matrix.{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if site.safe == Some(false) {
        return Err(format!(
            "the values of {joined} are empty or have signs that cannot be part of a cache id"
        ));
    }
    if site.safe.is_none() && names.len() > MAX_UNKNOWN {
        return Err(format!(
            "only a run knows which of {joined} tell its jobs apart"
        ));
    }
    Ok(value)
}

/// The value that the variable of the lane's name has in the script by now, where that can be handed on. `None` where it
/// has none.
fn own(
    site: &Site<'_>,
    script: &Script<'_>,
    lane: &Lane<'_>,
    value: &str,
) -> Result<Option<String>, String> {
    let in_script = script
        .sets
        .iter()
        .rfind(|(name, _)| name == lane.arg)
        .map(|(_, own)| own.as_str());
    let (own, everywhere) = match in_script {
        Some(own) => (own, false),
        None => match site
            .env
            .iter()
            .find_map(|env| Some((*env, env.get(lane.arg)?)))
        {
            // What the workflow sets, it sets for all jobs.
            Some((env, own)) => (
                own.text().unwrap_or_default(),
                env.parent().is_none_or(|map| map.parent().is_none()),
            ),
            None => return Ok(handed(site, lane)),
        },
    };
    if own == value || parts(own, everywhere, site, lane) {
        return Ok(Some(own.to_owned()));
    }
    Err(format!(
        "`{}` is `{own}` there by now, which several jobs have: make it `{value}`",
        lane.arg
    ))
}

/// The variable itself, where an earlier step has given it a value that is another one in each job. A value that is not is
/// none: the step's own counts before it.
fn handed(site: &Site<'_>, lane: &Lane<'_>) -> Option<String> {
    let set = site
        .build
        .env
        .iter()
        .find(|arg| arg.name == lane.arg || arg.name == ANY_LANE)?;
    let good = set.name == ANY_LANE
        || set
            .value
            .as_deref()
            .is_some_and(|own| parts(own, false, site, lane));
    good.then(|| format!("${}", lane.arg))
}

/// Whether `own` is another value in each job that runs the build; `everywhere` says whether it stands for all jobs.
fn parts(own: &str, everywhere: bool, site: &Site<'_>, lane: &Lane<'_>) -> bool {
    let has = |context: &str, name: &str| mentioned(own, context).iter().any(|own| own == name);
    let text = own
        .split("${{")
        .map(|part| part.split_once("}}").map_or(part, |(_, behind)| behind));
    // A name that a job has for itself, in words.
    let named = || {
        !everywhere
            && text
                .clone()
                .any(|part| part.contains(|ch: char| ch.is_ascii_alphanumeric()))
    };
    site.axes.iter().all(|axis| has("matrix", axis))
        && (!lane.shared || has("github", "job") || named())
}

/// Adds `line` to the list that is the input `name` of an action.
fn input(site: &Site<'_>, name: &str, line: &str) -> Result<Edit, String> {
    let step = site.step;
    let with = step.own_entry("with").map(|entry| entry.value);
    if with.is_some_and(is_elsewhere) {
        return Err("its inputs are used in several places, by an alias".into());
    }
    let Some(with) = with.filter(|with| !with.is_null()) else {
        if step.get("with").is_some() {
            return Err("its inputs stand elsewhere, or nowhere".into());
        }
        if step.is_flow() {
            return step.add_entry(&format!("with: {{{name}: {}}}", in_quotes(line)));
        }
        return step.add_entry(&format!("with:\n  {name}: |\n    {line}"));
    };
    let Some(entry) = with.own_entry(name) else {
        if with.get(name).is_some() {
            return Err(format!("its `{name}` stand elsewhere, by a merge key"));
        }
        if with.is_flow() {
            return with.add_entry(&format!("{name}: {}", in_quotes(line)));
        }
        return with.add_entry(&format!("{name}: |\n  {line}"));
    };
    if is_elsewhere(entry.value) {
        return Err(format!("its `{name}` stand elsewhere, behind an alias"));
    }
    extended(site.source, with, entry.value, line)
        .ok_or_else(|| format!("its `{name}` are written in an unusual way"))
}

/// Adds a line to a value that is a list of lines.
fn extended(source: &str, with: Node<'_>, value: Node<'_>, line: &str) -> Option<Edit> {
    let text = value.text()?;
    let newline = line_ending(source.as_bytes(), value.span().start);
    if value.style() == Some(Style::Literal) {
        let map = value.map();
        let lines = text.trim_end_matches('\n');
        let end = map.get(lines.len().checked_sub(1)?)? + 1;
        let rest = &source[end..];
        let end = end + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        return Some(Edit::insert(
            end,
            format!(
                "{newline}{}{line}",
                " ".repeat(block_indent(text, &map, source))
            ),
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
        return Some(Edit::replace(span, in_quotes(&all)));
    }
    let indent = " ".repeat(with.indent()? + 2);
    let rest = source.get(span.end..)?;
    let behind = rest.lines().next().unwrap_or_default();
    let fits = all
        .lines()
        .all(|line| !line.starts_with([' ', '\t']) && !line.is_empty());
    if !fits
        || all
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
    {
        return None;
    }
    // A comment behind the value stays behind the sign of the block.
    let lines: String = all
        .lines()
        .flat_map(|line| [newline, &indent, line])
        .collect();
    let blank = if own.is_empty() && !source[..span.start].ends_with(' ') {
        " "
    } else {
        ""
    };
    Some(Edit::replace(
        crate::text::Span::new(span.start, span.end + behind.len()),
        format!("{blank}|{behind}{lines}"),
    ))
}

/// The text in double quotes.
fn in_quotes(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{text}\"")
}

/// Gives the step the variable, and the command the argument.
fn in_script(
    site: &Site<'_>,
    script: &Script<'_>,
    lane: &Lane<'_>,
    (value, set): (&str, bool),
) -> Result<Vec<Edit>, String> {
    let text = script.run.text().unwrap_or_default();
    let powershell = ["$env:", "`\n", "& docker"]
        .iter()
        .any(|sign| text.contains(sign));
    if script.dialect == Dialect::Windows || site.windows.unwrap_or(powershell) {
        return Err("its shell may be one of Windows".into());
    }
    let mut edits = Vec::new();
    if !set {
        if refers(text, lane.arg) {
            return Err(format!(
                "the script uses `{}` already, and nothing here says what that is",
                lane.arg
            ));
        }
        edits.push(variable(site.step, lane.arg, value)?);
    }
    match script
        .command
        .insertion(lane.arg, &format!("${}", lane.arg))
    {
        Some(text) => {
            let at = script
                .at
                .filter(|_| script.open && !is_elsewhere(script.run));
            let at = at.ok_or("the command stands within quotes, or in another place")?;
            let text = if script.run.style() == Some(Style::Double) {
                text.replace('"', "\\\"")
            } else {
                text
            };
            // At the end of a line, both would go to one spot.
            let below = edits.pop_if(|edit| *edit == Edit::insert(at, edit.text()));
            edits.push(Edit::insert(
                at,
                text + below.as_ref().map_or("", Edit::text),
            ));
        }
        None if script.command.pass == Pass::Environment && !set => {}
        None => return Err("the command takes no build arguments".into()),
    }
    Ok(edits)
}

/// Whether `script` refers to the variable `name`: `$name` or `${name…`.
fn refers(script: &str, name: &str) -> bool {
    script.split('$').skip(1).any(|text| {
        let rest = text.strip_prefix('{').unwrap_or(text).strip_prefix(name);
        rest.is_some_and(|rest| {
            !rest.starts_with(|ch: char| ch.is_ascii_alphanumeric() || ch == '_')
        })
    })
}

/// Sets the variable `name` for the step.
fn variable(step: Node<'_>, name: &str, value: &str) -> Result<Edit, String> {
    match step.own_entry("env").map(|entry| entry.value) {
        Some(env) if env.is_map() && !is_elsewhere(env) => {
            let value = quoted(value, env.in_brackets());
            env.add_entry(&format!("{name}: {value}"))
        }
        None if step.get("env").is_none() && step.is_flow() => {
            step.add_entry(&format!("env: {{{name}: {}}}", in_quotes(value)))
        }
        None if step.get("env").is_none() => step.add_entry(&format!("env:\n  {name}: {value}")),
        _ => Err("its `env` stands elsewhere, or nowhere".into()),
    }
}
