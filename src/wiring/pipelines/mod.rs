//! What the readers of pipelines share: scripts out of YAML values, the builds in them, and who runs each.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several legs of a
//! matrix. [`Reader`] gathers them by place: one build for each place and each thing that is built there.

mod pass;
mod script;

use std::collections::HashMap;
use std::rc::Rc;

use super::command::{self, Command};
use super::shell::{self, Dialect, Need, Piece, ROOT, Simple, Word, is_name};
use super::yaml::{Node, Yaml};
use super::{Arg, Build, Front, Runs, Unknown, What, Wiring, WiringError};
use crate::text::Span;

pub(super) use pass::{insert, joined, valid};
pub(super) use script::Script;

/// The most bytes of script that are read for one file, each job's and each leg's counted.
const MAX_BYTES: usize = 16 << 20;
/// The most legs of a matrix that are looked at one by one.
pub(super) const MAX_LEGS: usize = 256;
/// How deep variables within variables are looked up, and how long a value may become.
const MAX_NESTING: usize = 5;
const MAX_VALUE: usize = 4096;

/// Words without which nothing is built.
const WORDS: &[&[u8]] =
    &[b"docker", b"Docker", b"podman", b"buildah", b"nerdctl", b"buildx", b"bake", b"devcontainer", b"rocker"];

/// Whether `text` has a word that can start a build.
pub(super) fn may_build(text: &str) -> bool {
    WORDS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word).is_some())
}

/// The values that tell one run of a job from another, by their names.
pub(super) type Leg = Vec<(String, String)>;

/// What is special about a format's scripts.
pub(super) struct Format {
    /// The variables that hold the folder of the checkout.
    pub(super) roots: &'static [&'static str],
    /// Whether a variable's value may name others.
    pub(super) nested: bool,
    /// What a need asks for: the name of a matrix value or parameter, and the name of a variable of the file.
    pub(super) names: for<'n> fn(Need<'n>) -> (Option<&'n str>, Option<&'n str>),
}

/// A job, as far as its scripts need it.
pub(super) struct Job<'j> {
    /// Its name in the file.
    pub(super) name: &'j str,
    /// What to call the place: ``job `test`, step 3``.
    pub(super) title: String,
    /// The variables that the file sets for it.
    pub(super) env: Rc<[Arg]>,
    /// Its legs; none where it runs once or they are too many.
    pub(super) legs: Rc<[Leg]>,
    /// The axes whose values are not listed in the legs.
    pub(super) axes: Vec<String>,
    /// The folder that its scripts start in.
    pub(super) folder: Option<String>,
    /// The grammar of its scripts.
    pub(super) dialect: Dialect,
    /// Whether it is only a template: it counts where no job runs the place.
    pub(super) template: bool,
}

impl<'j> Job<'j> {
    /// A job that runs once, from the repository's root.
    pub(super) fn new(name: &'j str, title: String) -> Self {
        Self {
            name,
            title,
            env: Rc::new([]),
            legs: Rc::new([]),
            axes: Vec::new(),
            folder: Some(String::new()),
            dialect: Dialect::Posix,
            template: false,
        }
    }
}

/// A build, and what it takes to pass it something.
pub(super) struct Found<'y> {
    /// The build; its runs and jobs are filled in at the end.
    pub(super) build: Build,
    /// The command.
    pub(super) command: Command,
    /// The simple command that it is.
    pub(super) simple: Simple,
    /// Its script.
    pub(super) script: Rc<Script<'y>>,
    /// The grammar that it is read by.
    pub(super) dialect: Dialect,
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
        let mut axes = varying(&self.legs.iter().map(|&leg| &self.all[leg]).collect::<Vec<_>>());
        axes.extend(self.axes.iter().cloned());
        axes
    }
}

/// The names of values that are not the same in all `legs`.
pub(super) fn varying(legs: &[&Leg]) -> Vec<String> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in legs.iter().flat_map(|leg| leg.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let value = |leg: &Leg, name: &str| leg.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    let varies = |name: &&String| legs.iter().any(|leg| value(leg, name) != value(legs[0], name));
    names.into_iter().filter(varies).cloned().collect()
}

/// Gathers the builds of a file.
pub(super) struct Reader<'y> {
    format: &'static Format,
    pub(super) found: Vec<Found<'y>>,
    pub(super) unknown: Vec<Unknown>,
    places: HashMap<Span, Vec<usize>>,
    left: usize,
}

impl<'y> Reader<'y> {
    pub(super) fn new(format: &'static Format) -> Self {
        Self { format, found: Vec::new(), unknown: Vec::new(), places: HashMap::new(), left: MAX_BYTES }
    }

    /// Reads a script that `job` runs.
    pub(super) fn script(&mut self, script: &Rc<Script<'y>>, job: &Job<'_>) {
        if !may_build(script.text()) {
            return;
        }
        let legs: Vec<&Leg> = job.legs.iter().collect();
        // Where the script names no value that differs, all legs run alike.
        let alike = !varying(&legs).iter().any(|name| script.text().contains(name.as_str()));
        let steps = if alike { 1 } else { legs.len().max(1) };
        for leg in 0..steps {
            if self.left < script.text().len() {
                self.doubt(script.span(), "the file has more scripts than are read".to_owned());
                return;
            }
            self.left -= script.text().len();
            let values = |need: Need<'_>| self.known(need, job, legs.get(leg).copied());
            let commands = shell::read(script.text(), job.folder.as_deref(), job.dialect, &values);
            let commands = command::all(commands.into_iter().map(|simple| self.expressions(simple, &values)).collect());
            let runs: Vec<usize> = if alike { (0..legs.len()).collect() } else { vec![leg] };
            for (simple, command) in commands {
                self.add(script, job, &runs, simple, command);
            }
        }
    }

    fn add(&mut self, script: &Rc<Script<'y>>, job: &Job<'_>, legs: &[usize], simple: Simple, command: Command) {
        let span = script.in_file(command.span);
        let leg = legs.first().and_then(|&leg| job.legs.get(leg));
        let what = {
            let values = |need: Need<'_>| self.known(need, job, leg);
            let target = command.target.as_ref().and_then(|target| target.resolve(&values));
            command::what(&command, simple.folder.as_deref(), &values).map(|what| (what, target))
        };
        let (what, target) = match what {
            Ok(known) => known,
            Err(_) if job.template && self.places.contains_key(&span) => return,
            Err(why) => return self.doubt(span, script.unmasked(&why)),
        };
        let build = Build {
            id: None,
            front: command.front,
            name: job.title.clone(),
            span,
            what,
            target,
            args: self.args(script, job, &command),
            args_known: command.args_known,
            env: self.env(script, job, &simple, &command),
            runs: Runs::Once,
            job: Some(job.name.to_owned()),
            others: Vec::new(),
        };
        let places = self.places.entry(span).or_default();
        if job.template && !places.is_empty() {
            return;
        }
        let same = |at: &&usize| {
            let other = &self.found[**at].build;
            other.what == build.what && other.target == build.target && other.args == build.args
        };
        let at = places.iter().find(same).copied().unwrap_or(self.found.len());
        if at == self.found.len() {
            places.push(at);
            let (script, dialect) = (Rc::clone(script), job.dialect);
            self.found.push(Found { build, command, simple, script, dialect, by: Vec::new() });
        }
        self.found[at].run_by(job, legs);
    }

    /// Notes a build of which nothing can be said.
    pub(super) fn doubt(&mut self, span: Span, why: String) {
        // Template or not, a place that was in doubt once is not looked at again for templates.
        self.places.entry(span).or_default();
        if !self.unknown.iter().any(|known| known.span == span && known.why == why) {
            self.unknown.push(Unknown { span, why });
        }
    }

    /// What a need stands for, where the file says it.
    fn known(&self, need: Need<'_>, job: &Job<'_>, leg: Option<&Leg>) -> Option<String> {
        if let Need::Variable(name) = need
            && self.format.roots.contains(&name)
        {
            return Some(ROOT.to_owned());
        }
        self.lookup(need, job, leg, 0)
    }

    fn lookup(&self, need: Need<'_>, job: &Job<'_>, leg: Option<&Leg>, depth: usize) -> Option<String> {
        let (axis, variable) = (self.format.names)(need);
        if let Some(axis) = axis {
            if let Some((_, value)) = leg.and_then(|leg| leg.iter().find(|(name, _)| name == axis)) {
                return self.expand(value, job, leg, depth);
            }
            if job.axes.iter().chain(job.legs.iter().flatten().map(|(name, _)| name)).any(|name| name == axis) {
                return None;
            }
        }
        let value = job.env.iter().find(|arg| Some(arg.name.as_str()) == variable)?.value.as_deref()?;
        self.expand(value, job, leg, depth)
    }

    /// `value` with the variables in it, where the format allows any; `None` where one is not known.
    fn expand(&self, value: &str, job: &Job<'_>, leg: Option<&Leg>, depth: usize) -> Option<String> {
        let marks: &[&str] = &["$", "<<", "{{"];
        if !marks.iter().any(|mark| value.contains(mark)) {
            return Some(value.to_owned());
        }
        if !self.format.nested || depth >= MAX_NESTING {
            return None;
        }
        let mut text = String::new();
        let mut rest = value;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let (name, behind) = match rest.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => {
                    rest.split_at(rest.find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_').unwrap_or(rest.len()))
                }
            };
            if !is_name(name) {
                return None;
            }
            let need = Need::Variable(name);
            if self.format.roots.contains(&name) && text.is_empty() {
                text.push_str(ROOT);
            } else {
                text.push_str(&self.lookup(need, job, leg, depth + 1)?);
            }
            rest = behind;
            if text.len() > MAX_VALUE {
                return None;
            }
        }
        text.push_str(rest);
        Some(text)
    }

    fn args(&self, script: &Script<'_>, job: &Job<'_>, command: &Command) -> Vec<Arg> {
        // As it is set, not as it is expanded: `$CI_PIPELINE_ID` says more than nothing.
        let set = |need: Need<'_>| {
            let (axis, variable) = (self.format.names)(need);
            let varies = |name: &str| {
                job.axes.iter().chain(job.legs.iter().flatten().map(|(name, _)| name)).any(|own| own == name)
            };
            if axis.is_some_and(varies) {
                return None;
            }
            job.env.iter().find(|arg| Some(arg.name.as_str()) == variable)?.value.clone()
        };
        let value = |arg: &command::BuildArg| match &arg.value {
            Some(word) => Some(script.unmasked(&word.value(&set))),
            None => {
                let own = command.sets.iter().find(|(name, _)| *name == arg.name).map(|(_, word)| word.value(&set));
                own.or_else(|| set(Need::Variable(&arg.name)))
            }
        };
        let args = command.args.iter();
        args.map(|arg| Arg { name: arg.name.clone(), value: value(arg), span: script.in_file(arg.span) }).collect()
    }

    /// The environment of a build: its own assignments, then the job's.
    fn env(&self, script: &Script<'_>, job: &Job<'_>, simple: &Simple, command: &Command) -> Vec<Arg> {
        if !matches!(command.front, Front::Compose | Front::Bake | Front::BakeAction) {
            return Vec::new();
        }
        let own = simple.sets.iter().chain(&command.sets);
        let own = own.map(|(name, word)| Arg {
            name: name.clone(),
            value: Some(script.unmasked(&word.written())),
            span: script.in_file(word.span),
        });
        let mut env: Vec<Arg> = own.collect();
        let rest =
            job.env.iter().filter(|arg| !env.iter().any(|own| own.name == arg.name)).cloned().collect::<Vec<_>>();
        env.extend(rest);
        env
    }

    /// Makes what the format replaces before any shell runs, and the lexer takes for a shell's, an expression; where it is
    /// known to be one word, a shell cannot split it.
    fn expressions(&self, mut simple: Simple, values: &shell::Values<'_>) -> Simple {
        for piece in simple.words.iter_mut().flat_map(|word: &mut Word| word.pieces.iter_mut()) {
            if let Piece::Unknown { raw, quoted } = piece
                && (self.format.names)(Need::Expression(raw)) != (None, None)
            {
                *piece = Piece::Expression { raw: std::mem::take(raw), quoted: *quoted };
            }
            if let Piece::Expression { raw, quoted } = piece {
                *quoted |= values(Need::Expression(raw)).is_some_and(|value| valid(&value.replace('/', "")));
            }
        }
        simple
    }

    /// A build that is no command: a task.
    pub(super) fn task(
        &mut self,
        build: Result<(What, Vec<Arg>, bool), String>,
        span: Span,
        job: &Job<'_>,
        node: Rc<Script<'y>>,
    ) {
        let (what, args, args_known) = match build {
            Ok(known) => known,
            Err(why) => return self.doubt(span, why),
        };
        let words = command::words(&["docker".to_owned(), "build".to_owned()]);
        let Some(mut command) = command::read(&words) else { return };
        command.pass = command::Pass::Nothing;
        let build = Build {
            id: None,
            front: Front::Docker,
            name: job.title.clone(),
            span,
            what,
            target: None,
            args,
            args_known,
            env: Vec::new(),
            runs: Runs::Once,
            job: Some(job.name.to_owned()),
            others: Vec::new(),
        };
        let simple = Simple { words, sets: Vec::new(), folder: None, open: true };
        self.found.push(Found { build, command, simple, script: node, dialect: job.dialect, by: Vec::new() });
        let legs: Vec<usize> = (0..job.legs.len()).collect();
        if let Some(found) = self.found.last_mut() {
            found.run_by(job, &legs);
        }
    }

    /// The builds in order, with all that run them.
    pub(super) fn finish(mut self) -> Vec<Found<'y>> {
        for found in &mut self.found {
            let jobs = found.by.iter().map(By::axes);
            if let Some(axes) = jobs.into_iter().find(|axes| !axes.is_empty()) {
                found.build.runs = Runs::Matrix(axes);
            }
            found.build.others = found.by.iter().skip(1).map(|by| by.job.clone()).collect();
        }
        self.found.sort_by_key(|found| found.build.span);
        self.found
    }

    /// The wiring, without calls.
    pub(super) fn wiring(mut self) -> Wiring {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.sort_by_key(|unknown| unknown.span);
        let builds = self.finish().into_iter().map(|found| found.build).collect();
        Wiring { builds, unknown, inline: Vec::new(), calls: Vec::new() }
    }

    /// The build at the place of `build`.
    pub(super) fn at(self, build: &Build) -> Result<Found<'y>, String> {
        let found =
            self.finish().into_iter().find(|found| found.build.span == build.span && found.build.what == build.what);
        found.ok_or_else(|| "the file has changed since it was read".to_owned())
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
    pub(super) fn legs(&self) -> impl Iterator<Item = (&str, Vec<&Leg>)> {
        self.by.iter().map(|by| (by.job.as_str(), by.legs.iter().map(|&leg| &by.all[leg]).collect()))
    }

    /// Whether all runs are listed.
    pub(super) fn all_listed(&self) -> bool {
        self.by.iter().all(|by| by.axes.is_empty())
    }
}

/// What a file has at its top: nothing where it is empty.
pub(super) fn top<'y>(yaml: &'y Yaml<'y>) -> Result<Option<Node<'y>>, WiringError> {
    match yaml.root() {
        Some(root) if root.is_map() || root.is_list() => Ok(Some(root)),
        None => Ok(None),
        Some(root) if root.is_null() => Ok(None),
        Some(root) => Err(WiringError { span: root.span(), message: "it has no mapping at its top".to_owned() }),
    }
}
