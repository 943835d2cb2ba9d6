//! `serial-stages`: builds of one call that wait for each other.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

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
use super::variables::PLATFORM_ARGS;

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
    needed: Vec<bool>,
    locks: Vec<StageLock<'c, 'a>>,
}

/// Returns the findings about builds that one call runs at once, each at the second of those that wait for one lock.
pub fn check_call(builds: &[CalledBuild<'_, '_>]) -> Vec<(usize, Finding)> {
    let reaches: Vec<Option<Reach<'_, '_>>> = builds.iter().map(Reach::of).collect();
    // The builds that wait for each other, by the first of them and its lock.
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (second, b) in reaches.iter().enumerate() {
        let firsts = reaches[..second].iter().enumerate();
        for (first, a) in firsts.take_while(|_| budget::spend(16)) {
            if let (Some(a), Some(b)) = (a, b)
                && let Some(number) = a.shared_lock(b)
            {
                groups.entry((first, number)).or_default().push(second);
                break;
            }
        }
    }
    let groups = groups.into_iter().filter_map(|((first, number), others)| {
        let lock = &reaches[first].as_ref()?.locks[number];
        let second = *others.first()?;
        let all: Vec<&CalledBuild<'_, '_>> = std::iter::once(first)
            .chain(others)
            .map(|index| &builds[index])
            .collect();
        Some((second, finding(&all, lock)))
    });
    groups.collect()
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
        Some(Self {
            build,
            needed,
            locks,
        })
    }

    /// Returns the number of the first lock of this build that it and `other` wait for.
    fn shared_lock(&self, other: &Self) -> Option<usize> {
        let is_ordered = |a: &CalledBuild<'_, '_>, b: &CalledBuild<'_, '_>| {
            a.after.contains(b.written) || a.after.contains(b.name.as_str())
        };
        if is_ordered(self.build, other.build) || is_ordered(other.build, self.build) {
            return None;
        }
        let theirs = |lock: &StageLock<'c, 'a>| {
            let own = lock;
            let is_it = |theirs: &&StageLock<'c, 'a>| {
                budget::spend(16)
                    && (&theirs.id, &theirs.cache.key.base) == (&own.id, &own.cache.key.base)
                    && self.waits(own, other, theirs)
            };
            other.locks.iter().find(is_it).is_some()
        };
        self.locks.iter().position(theirs)
    }

    /// Returns whether the RUNs of two mounts are one step, which runs once.
    fn is_same_step(
        &self,
        own: &StageLock<'c, 'a>,
        other: &Self,
        theirs: &StageLock<'c, 'a>,
    ) -> bool {
        let way =
            |reach: &Self, lock: &'_ StageLock<'c, 'a>| reach.build.way(lock.cache.instruction);
        let ours = own.way.get_or_init(|| way(self, own));
        let others = theirs.way.get_or_init(|| way(other, theirs));
        let Some((ours, others)) = ours.as_ref().zip(others.as_ref()) else {
            return false;
        };
        let (file, other_file) = (self.build.cx.file, other.build.cx.file);
        if !budget::spend(ours.base.len() + 8 * ours.values.len()) {
            return false;
        }
        if std::ptr::eq(file, other_file) {
            return ours == others;
        }
        let is_alike = ours.base == others.base && ours.steps.len() == others.steps.len();
        let mut pairs = ours.steps.iter().zip(&others.steps);
        is_alike
            && pairs.all(|(a, b)| is_same_step(file, *a, other_file, *b))
            && ours.values == others.values
    }

    /// Returns whether the RUNs of two mounts of one lock run at once.
    fn waits(&self, own: &StageLock<'c, 'a>, other: &Self, theirs: &StageLock<'c, 'a>) -> bool {
        let (a, b) = (own.cache.instruction, theirs.cache.instruction);
        let file = self.build.cx.file;
        let is_one_file = std::ptr::eq(file, other.build.cx.file);
        if !is_one_file || a == b {
            return !self.is_same_step(own, other, theirs);
        }
        // Within one of the builds, that is told of its stages.
        let needs_both = |reach: &Self| reach.needed[own.stage] && reach.needed[theirs.stage];
        if own.stage == theirs.stage || needs_both(self) || needs_both(other) {
            return false;
        }
        let taker = |lock: &StageLock<'c, 'a>| LockingStage {
            stage: lock.stage,
            runs: vec![lock.cache],
        };
        let needs = needs(&file.stages);
        !needs.is_empty() && parallel(file, &needs, &taker(own), &taker(theirs)).is_some()
    }
}

fn finding(builds: &[&CalledBuild<'_, '_>], lock: &StageLock<'_, '_>) -> Finding {
    let (first, second) = (builds[0], builds[1]);
    let cx = first.cx;
    let mut names: Vec<String> = builds.iter().map(|one| format!("`{}`", one.name)).collect();
    if names.len() > 4 {
        let more = names.len() - 3;
        names.truncate(3);
        names.push(format!("{more} others"));
    }
    let last = names.pop().unwrap_or_default();
    let both = if builds.len() == 2 { "both" } else { "all" };
    let message = format!(
        "one call builds {} and {last} at once, and they wait for each other: {both} lock `{}`",
        names.join(", "),
        lock.cache.id()
    );
    let arg = if cx.settings.namespace {
        NAMESPACE
    } else {
        &cx.settings.arg
    };
    let has_lane = cx.settings.namespace || lock.cache.is_isolated;
    let first_step = if has_lane {
        ""
    } else {
        "put a lane into the id, as `cachelane fix` does, and "
    };
    let mut others: Vec<String> = Vec::new();
    for other in builds.iter().filter(|one| one.written != first.written) {
        let name = format!("`{}`", other.written);
        if others.len() < 3 && !others.contains(&name) {
            others.push(name);
        }
    }
    let likewise = if others.is_empty() {
        String::new()
    } else {
        format!(", and likewise for {}", others.join(", "))
    };
    let help = format!(
        "{first_step}write `{}` in the `args` of `{}`{likewise}: a lane for each job does not help",
        first.lane(arg),
        first.written
    );
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

impl CalledBuild<'_, '_> {
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
