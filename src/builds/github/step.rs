//! A step: an action that builds, or a script.

use super::super::command::{self, Command};
use super::super::model::{Arg, BuildTool, Subject, Unknown};
use super::super::shell::{self, Dialect, Need, Simple};
use super::super::yaml::Node;
use super::expression::Scope;
use super::{Job, inputs, paths};
use crate::text::{SourceMap, Span};

/// What a step does, for one combination of the matrix.
pub(super) enum Drafted<'y> {
    /// A build.
    Build(Draft<'y>),
    /// A build of which nothing can be said.
    Unknown(Unknown),
}

/// A build that is not yet known to be the same for other combinations.
pub(super) struct Draft<'y> {
    pub(super) tool: BuildTool,
    pub(super) span: Span,
    pub(super) subject: Subject,
    pub(super) target: Option<String>,
    pub(super) args: Vec<Arg>,
    pub(super) args_known: bool,
    /// What the script itself puts into its environment.
    pub(super) env: Vec<Arg>,
    pub(super) kind: Kind<'y>,
}

/// Where arguments are added.
pub(super) enum Kind<'y> {
    /// The inputs of a `build-push-action`, or of an old one that has other names.
    Push {
        /// Whether it is that of version 1.
        old: bool,
    },
    /// The inputs of a `bake-action`.
    Bake,
    /// A script.
    Script(Box<Script<'y>>),
}

/// A command in a script.
pub(super) struct Script<'y> {
    /// The script.
    pub(super) run: Node<'y>,
    /// The command.
    pub(super) command: Command,
    /// Where arguments can be put, in bytes of the file.
    pub(super) at: Option<usize>,
    /// Whether what is put there reaches the shell as it is.
    pub(super) open: bool,
    /// The shell's grammar.
    pub(super) dialect: Dialect,
    /// The variables that the script sets above the command, with their values as written.
    pub(super) sets: Vec<(String, String)>,
}

impl Draft<'_> {
    /// Whether both are the same build in different combinations.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.span == other.span && self.subject == other.subject
    }

    /// Takes what another combination says: what differs is not known.
    pub(super) fn take(&mut self, other: &Self) {
        if self.target != other.target {
            self.target = None;
        }
        self.args_known &= other.args_known;
    }
}

/// Whether the step can be one that builds: the cheap way out.
pub(super) fn may_build(step: Node<'_>) -> bool {
    step.get("run").is_some()
        || step
            .get_text("uses")
            .is_some_and(|uses| inputs::action(uses).is_some())
}

/// What the step builds.
pub(super) fn drafts<'y>(step: Node<'y>, job: &Job<'y>, scope: &Scope<'_, 'y>) -> Vec<Drafted<'y>> {
    if let Some(uses) = step.get("uses") {
        return inputs::draft(step, uses, job, scope).into_iter().collect();
    }
    match step.get("run") {
        Some(run) => scripts(step, run, job, scope),
        None => Vec::new(),
    }
}

/// The `shell` that the step, the job or the workflow names.
pub(super) fn shell<'y>(step: Node<'y>, job: &Job<'y>) -> Option<&'y str> {
    let defaults = job
        .defaults
        .iter()
        .find_map(|defaults| defaults.get_text("shell"));
    step.get_text("shell").or(defaults)
}

/// The grammar of the step's script; `None` where it is no shell's.
fn dialect(step: Node<'_>, job: &Job<'_>, scope: &Scope<'_, '_>) -> Option<Dialect> {
    let Some(shell) = shell(step, job) else {
        let labels = scope.known(&job.runs_on).unwrap_or_default();
        let windows = labels.to_ascii_lowercase().contains("windows");
        return Some(if windows {
            Dialect::Windows
        } else {
            Dialect::Posix
        });
    };
    let words = shell.split_whitespace();
    // `shell: ${{ matrix.shell }}` is most often a Posix one; `python` is none.
    words
        .filter_map(Dialect::of)
        .next_back()
        .or_else(|| shell.contains("${{").then_some(Dialect::Posix))
}

fn scripts<'y>(
    step: Node<'y>,
    run: Node<'y>,
    job: &Job<'y>,
    scope: &Scope<'_, 'y>,
) -> Vec<Drafted<'y>> {
    let (Some(text), Some(dialect)) = (run.text(), dialect(step, job, scope)) else {
        return Vec::new();
    };
    if !command::may_build(text) {
        return Vec::new();
    }
    let known = |need: Need<'_>| match need {
        Need::Variable(name) => scope.known_variable(name),
        Need::Expression(raw) => scope.known(raw),
    };
    let folder = folder(step, job, scope);
    let (commands, variables) = command::all(shell::read(text, folder.as_deref(), dialect, &known));
    let map = if commands.is_empty() {
        SourceMap::default()
    } else {
        run.map()
    };
    let written = |need: Need<'_>| match need {
        Need::Variable(name) => scope.variable(name).map(str::to_owned),
        Need::Expression(raw) => Some(scope.written(raw)),
    };
    let drafted = |found: command::Found| {
        let env = found
            .environment(&variables)
            .into_iter()
            .map(|(name, word)| Arg::new(name, word.map(|word| word.value(&written)), run.span()));
        let env = env.collect();
        let set = variables[..found.above].iter();
        let set = set.take_while(|_| Arg::pay(1));
        let set =
            set.filter_map(|set| Some((set.name.clone(), set.value.as_ref()?.value(&written))));
        let sets = set.collect();
        let command::Found {
            simple, command, ..
        } = found;
        let place = |span: Span| map.exact(span).unwrap_or_else(|| run.span());
        let words = &simple.words;
        let span = place(Span::new(
            words[command.tool].span.start,
            words[command.behind].span.end,
        ));
        let subject = command::what(&command, simple.folder.as_deref(), &known);
        let subject = match subject.and_then(|subject| paths::placed(subject, &job.checkouts)) {
            Ok(subject) => subject,
            Err(why) => return Drafted::Unknown(Unknown { span, why }),
        };
        let target = command
            .target
            .as_ref()
            .and_then(|target| target.resolve(&known));
        let args = command
            .args
            .iter()
            .map(|arg| arg_of(arg, &simple, &command, scope, place))
            .collect();
        let behind = words[command.behind].span.end;
        let at = behind
            .checked_sub(1)
            .and_then(|last| Some(map.get(last)? + 1));
        let (tool, args_known, open) = (command.front, command.args_known, simple.open);
        let kind = Kind::Script(Box::new(Script {
            run,
            command,
            at,
            open,
            dialect,
            sets,
        }));
        Drafted::Build(Draft {
            tool,
            span,
            subject,
            target,
            args,
            args_known,
            env,
            kind,
        })
    };
    commands.into_iter().map(drafted).collect()
}

fn arg_of(
    arg: &command::BuildArg,
    simple: &Simple,
    command: &Command,
    scope: &Scope<'_, '_>,
    place: impl Fn(Span) -> Span,
) -> Arg {
    let written = |need: Need<'_>| match need {
        Need::Variable(name) => scope.variable(name).map(str::to_owned),
        Need::Expression(raw) => Some(scope.written(raw)),
    };
    let from_outside = || {
        let mut own = simple
            .sets
            .iter()
            .chain(&command.sets)
            .rev()
            .filter(|(name, _)| *name == arg.name);
        let own = own.next().map(|(_, value)| value.value(&written));
        own.or_else(|| written(Need::Variable(&arg.name)))
    };
    let value = arg
        .value
        .as_ref()
        .map(|value| value.value(&written))
        .or_else(from_outside);
    Arg::new(&arg.name, value, place(arg.span))
}

/// The folder that the step's script starts in.
fn folder(step: Node<'_>, job: &Job<'_>, scope: &Scope<'_, '_>) -> Option<String> {
    let defaults = job
        .defaults
        .iter()
        .find_map(|defaults| defaults.get_text("working-directory"));
    match step.get_text("working-directory").or(defaults) {
        Some(folder) => shell::join("", &scope.known(folder)?),
        None => Some(String::new()),
    }
}
