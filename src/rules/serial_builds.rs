//! `serial-stages`: builds of one call that wait for each other.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::budget;
use crate::builds::{BuildTool, NAMESPACE};
use crate::dockerfile::{Dockerfile, Instruction, Keyword, Seen};
use crate::finding::{Finding, Location, Place, RuleId};
use crate::text::marks::{in_namespace, marked};
use crate::text::{LineIndex, Span};

use super::becomes::expand;
use super::caches::Cache;
use super::context::Context;
use super::side_by_side::{LockingStage, base, is_same_step, needs, parallel, steps};
use super::variables::{PLATFORM_ARGS, depends_on};

/// A build of a call: of a service, a target, or a leg of a target's matrix.
pub struct CalledBuild<'c, 'a> {
    pub name: String,
    pub tool: BuildTool,
    /// The name of its service or target, whose arguments are written in one place.
    pub written: &'c str,
    /// The names of the matrix that it is a leg of.
    pub axes: &'c [String],
    /// The place of the service or target.
    pub span: Span,
    pub cx: &'c Context<'a>,
    /// The path of the Dockerfile as reports print it.
    pub dockerfile: &'c str,
    pub target: Option<&'c str>,
    pub args: HashMap<&'c str, String>,
    /// The names of all that are built before it.
    pub after: HashSet<&'c str>,
}

/// A lock that a build takes.
struct StageLock<'c, 'a> {
    id: Vec<u8>,
    stage: usize,
    cache: &'c Cache<'a>,
    /// The way to its RUN, found once for all builds that it is compared with.
    way: OnceCell<Option<Way>>,
}

/// A build with what it needs.
struct Reach<'c, 'a> {
    build: &'c CalledBuild<'c, 'a>,
    locks: Vec<StageLock<'c, 'a>>,
}

/// Those who take a lock in one step, which runs once: the index of each build, and the number of its lock.
type Step = Vec<(usize, usize)>;

/// Returns the findings about builds that one call runs at once, each at the second of those that wait for one lock.
pub fn check_call(builds: &[CalledBuild<'_, '_>]) -> Vec<(usize, Finding)> {
    let reaches: Vec<Option<Reach<'_, '_>>> = builds.iter().map(Reach::of).collect();
    let call = Call(&reaches);
    let mut found: Vec<(usize, Finding)> = Vec::new();
    let mut told: Vec<BTreeSet<usize>> = Vec::new();
    for steps in call.locks() {
        for group in call.groups(&steps) {
            let all: BTreeSet<usize> = group.iter().map(|step| step[0].0).collect();
            let is_new = told.iter().all(|told| !all.is_subset(told));
            if let (Some(second), Some(lock), true) =
                (all.iter().nth(1), call.lock(group[0][0]), is_new)
            {
                found.push((*second, finding(builds, &group, lock)));
                told.push(all);
            }
        }
    }
    found.sort_by_key(|(second, _)| *second);
    found
}

/// The builds of a call.
struct Call<'r, 'c, 'a>(&'r [Option<Reach<'c, 'a>>]);

impl<'r, 'c, 'a> Call<'r, 'c, 'a> {
    fn lock(&self, (build, number): (usize, usize)) -> Option<&'r StageLock<'c, 'a>> {
        self.0[build].as_ref()?.locks.get(number)
    }

    /// Returns the steps that take each lock, in order.
    fn locks(&self) -> Vec<Vec<Step>> {
        let mut locks: Vec<Vec<Step>> = Vec::new();
        let mut places = HashMap::new();
        for (build, reach) in self.0.iter().enumerate() {
            for (number, lock) in reach
                .iter()
                .flat_map(|reach| reach.locks.iter().enumerate())
            {
                let place = *places
                    .entry((&lock.id, &lock.cache.key.base))
                    .or_insert_with(|| {
                        locks.push(Vec::new());
                        locks.len() - 1
                    });
                let own = (build, number);
                let mut steps = locks[place].iter_mut().take_while(|_| budget::spend(16));
                match steps.find(|step| self.is_same_step(step[0], own)) {
                    Some(step) => step.push(own),
                    None => locks[place].push(vec![own]),
                }
            }
        }
        locks
    }

    /// Returns the steps of a lock that wait for each other, those together between which one waits for both.
    fn groups(&self, steps: &[Step]) -> Vec<Vec<Step>> {
        let mut group_of: Vec<usize> = (0..steps.len()).collect();
        for (second, b) in steps.iter().enumerate() {
            let firsts = steps[..second].iter().enumerate();
            for (first, a) in firsts.take_while(|_| budget::spend(16)) {
                let (from, to) = (group_of[second], group_of[first]);
                if from != to && self.waits(a, b) {
                    let all = group_of.iter_mut().filter(|group| **group == from);
                    all.for_each(|group| *group = to);
                }
            }
        }
        let mut groups: BTreeMap<usize, Vec<Step>> = BTreeMap::new();
        for (step, group) in steps.iter().zip(group_of) {
            groups.entry(group).or_default().push(step.clone());
        }
        groups.into_values().collect()
    }

    /// Returns whether two steps of one lock can run at once, in different builds.
    fn waits(&self, a: &Step, b: &Step) -> bool {
        let is_after = |(own, _): &(usize, usize), (other, _): &(usize, usize)| {
            let (Some(own), Some(other)) = (&self.0[*own], &self.0[*other]) else {
                return false;
            };
            budget::spend(16) && own.build.comes_after(other.build)
        };
        // The first build that gets to a step runs it.
        let all_after = |own: &Step, other: &Step| {
            own.iter()
                .all(|own| other.iter().any(|it| is_after(own, it)))
        };
        let is_within_one = || {
            a.iter()
                .any(|(own, _)| b.iter().any(|(other, _)| own == other))
        };
        if is_within_one() || all_after(a, b) || all_after(b, a) {
            return false;
        }
        let (Some(own), Some(theirs)) = (self.lock(a[0]), self.lock(b[0])) else {
            return false;
        };
        let is_run_of = |lock: &StageLock<'c, 'a>| lock.cache.instruction;
        match self.common_file(a[0], b[0]) {
            Some(file) if is_run_of(own) != is_run_of(theirs) => {
                let needs = needs(&file.stages);
                let is_parallel = || parallel(file, &needs, &own.taker(), &theirs.taker());
                own.stage != theirs.stage && !needs.is_empty() && is_parallel().is_some()
            }
            _ => true,
        }
    }

    /// Returns the Dockerfile of two builds, where it is one.
    fn common_file(&self, a: (usize, usize), b: (usize, usize)) -> Option<&'c Dockerfile<'a>> {
        let file = |(build, _): (usize, usize)| Some(self.0[build].as_ref()?.build.cx.file);
        file(a).filter(|own| file(b).is_some_and(|other| std::ptr::eq(*own, other)))
    }

    /// Returns whether the RUNs of two locks are one step, which runs once.
    fn is_same_step(&self, a: (usize, usize), b: (usize, usize)) -> bool {
        let (Some(first), Some(second)) = (&self.0[a.0], &self.0[b.0]) else {
            return false;
        };
        let (Some(own), Some(theirs)) = (self.lock(a), self.lock(b)) else {
            return false;
        };
        let is_one_file = self.common_file(a, b).is_some();
        if is_one_file && own.cache.instruction != theirs.cache.instruction {
            return false;
        }
        let (ours, others) = (own.way_of(first.build), theirs.way_of(second.build));
        let Some((ours, others)) = ours.zip(others) else {
            return false;
        };
        if !budget::spend(ours.base.len() + 8 * ours.values.len()) {
            return false;
        }
        if is_one_file {
            return ours == others;
        }
        let (file, other) = (first.build.cx.file, second.build.cx.file);
        let is_alike = ours.base == others.base && ours.steps.len() == others.steps.len();
        let mut pairs = ours.steps.iter().zip(&others.steps);
        is_alike
            && pairs.all(|(a, b)| is_same_step(file, *a, other, *b))
            && ours.values == others.values
    }
}

impl<'c> StageLock<'c, '_> {
    fn way_of(&self, build: &CalledBuild<'_, '_>) -> Option<&Way> {
        let way = self.way.get_or_init(|| build.way(self.cache.instruction));
        way.as_ref()
    }

    fn taker(&self) -> LockingStage<'c> {
        LockingStage {
            stage: self.stage,
            runs: vec![self.cache],
        }
    }
}

impl CalledBuild<'_, '_> {
    fn value(&self, name: &str, index: usize) -> Option<Vec<u8>> {
        let given = |name: &str, seen: Seen<'_>| match seen {
            Seen::Declared(_) | Seen::UndeclaredGlobal if PLATFORM_ARGS.contains(&name) => {
                Some(marked(name, b""))
            }
            Seen::Declared(_) => self.args.get(name).map(|value| value.as_bytes().to_vec()),
            Seen::Undeclared if !PLATFORM_ARGS.contains(&name) => {
                Some(marked(name, &self.cx.values().base(index)))
            }
            Seen::Undeclared | Seen::UndeclaredGlobal => None,
        };
        self.cx.file.value_in(name, index, &given)
    }

    /// Returns the value of a global ARG, which a FROM may use.
    fn global(&self, name: &str) -> Option<Vec<u8>> {
        let global = self.cx.file.global(name)?;
        let own = self.args.get(name).map(|value| value.as_bytes().to_vec());
        own.or_else(|| global.value.clone())
    }

    /// Returns what the build does from the base image to the instruction `index`.
    fn way(&self, index: usize) -> Option<Way> {
        let file = self.cx.file;
        let stage = file.stage_of(index)?;
        let mut steps = steps(file, stage);
        steps.retain(|at| *at <= index);
        let args = steps.iter().map(|at| &file.instructions[*at]);
        let args = args.filter(|arg| arg.keyword == Keyword::Arg && !arg.onbuild);
        let names = args.flat_map(|arg| names(file, arg));
        let names = names.take_while(|_| budget::spend(16));
        Some(Way {
            base: base(file, stage, &|name| self.global(name)),
            values: names.map(|name| self.value(&name, index)).collect(),
            steps,
        })
    }
}

/// The way from a base image to a RUN, as a build goes it.
#[derive(PartialEq)]
struct Way {
    base: Vec<u8>,
    /// The indices of the instructions.
    steps: Vec<usize>,
    /// The values of their ARGs, in order.
    values: Vec<Option<Vec<u8>>>,
}

/// Returns the names that an ARG declares.
fn names(file: &Dockerfile<'_>, arg: &Instruction<'_>) -> Vec<String> {
    let words = arg.words(file).into_iter();
    let name = |word: &[u8]| {
        let text = String::from_utf8_lossy(word);
        text.split('=').next().unwrap_or_default().to_owned()
    };
    words.map(name).collect()
}

impl<'c, 'a> Reach<'c, 'a> {
    fn of(build: &'c CalledBuild<'c, 'a>) -> Option<Self> {
        let cx = build.cx;
        let needed = cx.file.needed_by(build.target)?;
        let locked = cx.caches().iter().filter(|cache| {
            let onbuild = cx.file.instructions[cache.instruction].onbuild;
            cache.is_locked() && !onbuild && !cx.is_suppressed(RuleId::SerialStages, cache)
        });
        let locks = locked.filter_map(|cache| {
            let stage = cx.file.stage_of(cache.instruction)?;
            let own = |name: &str| build.value(name, cache.instruction);
            let mut id = expand(cache.mount, &cache.word, &mut |name| own(name));
            if let Some(namespace) = build.args.get(NAMESPACE) {
                id = in_namespace(namespace, &id);
            }
            needed[stage].then_some(StageLock {
                id,
                stage,
                cache,
                way: OnceCell::new(),
            })
        });
        let locks = locks.collect();
        Some(Self { build, locks })
    }
}

/// Returns the finding about steps of `builds` that wait for one lock, of each of which the first build is named.
fn finding(builds: &[CalledBuild<'_, '_>], steps: &[Step], lock: &StageLock<'_, '_>) -> Finding {
    let of_step = |step: &Step| -> Vec<&CalledBuild<'_, '_>> {
        step.iter().map(|(build, _)| &builds[*build]).collect()
    };
    let mut steps: Vec<Vec<&CalledBuild<'_, '_>>> = steps.iter().map(of_step).collect();
    steps.dedup_by(|a, b| std::ptr::eq(a[0], b[0]));
    let (first, second) = (steps[0][0], steps[1][0]);
    let cx = first.cx;
    let mut names: Vec<String> = steps
        .iter()
        .map(|one| format!("`{}`", one[0].name))
        .collect();
    if names.len() > 4 {
        let more = names.len() - 3;
        names.truncate(3);
        names.push(format!("{more} others"));
    }
    let last = names.pop().unwrap_or_default();
    let both = if steps.len() == 2 { "both" } else { "all" };
    let message = format!(
        "one call builds {} and {last} at once, and they wait for each other: {both} lock `{}`",
        names.join(", "),
        lock.cache.id()
    );
    let arg = lock.lane_variable(first.cx);
    let first_step = if arg.is_some() {
        String::new()
    } else {
        let arg = &cx.settings.arg;
        format!("put `${{{arg}}}` into the id, with an `ARG {arg}` above its RUN, and ")
    };
    // A step of several builds runs once as long as they have one lane: the largest keeps that which it has.
    let largest = (0..steps.len())
        .rev()
        .max_by_key(|at| written(&steps[*at]).len());
    let is_shared = |step: &[&CalledBuild<'_, '_>]| written(step).len() > 1;
    if let Some(largest) = largest.filter(|at| is_shared(&steps[*at])) {
        steps.remove(largest);
    }
    let writer = steps[0][0];
    let mut others: Vec<String> = Vec::new();
    for other in steps.iter().filter(|one| one[0].written != writer.written) {
        let name = format!("`{}`", other[0].written);
        if others.len() < 3 && !others.contains(&name) {
            others.push(name);
        }
    }
    let mut help = format!(
        "{first_step}write `{}` in the `args` of {}",
        writer.lane(arg.unwrap_or(&cx.settings.arg)),
        written(&steps[0]).join(" and "),
    );
    if !others.is_empty() {
        help += &format!(", and likewise for {}", others.join(", "));
    }
    if steps.iter().skip(1).any(|step| is_shared(step)) {
        help += " (one value for builds that are the same)";
    }
    help += ": a lane for each job does not help";
    let span = lock.cache.mount.id_span();
    let range = LineIndex::new(cx.file.source).range(cx.file.source, span);
    Finding::new(RuleId::SerialStages, second.span, message)
        .help(help)
        .point(Location {
            place: Place::There {
                path: first.dockerfile.to_owned(),
                range,
            },
            message: "takes the lock".to_owned(),
        })
}

/// Returns the names of `builds` in the file, each once.
fn written(builds: &[&CalledBuild<'_, '_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in builds.iter().map(|one| format!("`{}`", one.written)) {
        if budget::spend(names.len()) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl StageLock<'_, '_> {
    /// Returns the variable by which builds get lanes of this lock.
    fn lane_variable<'s>(&self, cx: &Context<'s>) -> Option<&'s str> {
        let settings = cx.settings;
        if settings.namespace {
            return Some(NAMESPACE);
        }
        let cache = self.cache;
        let is_in_id =
            |name: &&String| depends_on(cx.file, &cache.word, cache.instruction, name.as_str());
        let mut names = std::iter::once(&settings.arg).chain(settings.isolating());
        let own = names.find(is_in_id).map(String::as_str);
        own.or_else(|| cache.is_isolated.then_some(settings.arg.as_str()))
    }
}

impl CalledBuild<'_, '_> {
    /// Returns whether this build takes the result of `other`.
    fn comes_after(&self, other: &Self) -> bool {
        self.after.contains(other.written) || self.after.contains(other.name.as_str())
    }

    /// Returns the argument `arg` as the file writes it, with a lane of the build's own.
    fn lane(&self, arg: &str) -> String {
        let default = &self.cx.settings.default;
        match self.tool {
            BuildTool::Compose => format!("{arg}: ${{{arg}:-{default}}}-{}", self.written),
            _ if self.axes.is_empty() => format!("{arg} = \"${{{arg}}}-{}\"", self.written),
            _ => {
                let axes: Vec<String> = self
                    .axes
                    .iter()
                    .map(|axis| format!("${{{axis}}}"))
                    .collect();
                format!("{arg} = \"${{{arg}}}-{}\"", axes.join("-"))
            }
        }
    }
}
