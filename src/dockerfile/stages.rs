//! Build stages, their bases, and the stages they copy or mount from.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use crate::budget;

use super::assignments::{Assignment, assignments};
use super::ast::{
    Base, Dockerfile, Fault, FaultKind, Instruction, Keyword, Mount, MountKind, Stage,
};
use super::lines::trim_start;
use super::mount_options::clean;
use super::words::Word;
use super::{expression, template};

impl Stage {
    /// Returns the stage that this one is built from; `None` for an image.
    pub const fn parent(&self) -> Option<usize> {
        match self.base {
            Base::Stage(base) => Some(base),
            Base::Image(_) | Base::Unknown => None,
        }
    }

    /// Returns the stages that this one is built from or takes files from; BuildKit allows only earlier ones.
    pub fn needs(&self) -> impl Iterator<Item = usize> {
        let used = self.uses.iter().map(|(_, used)| *used);
        let all = self.parent().into_iter().chain(used);
        all.filter(|needed| *needed < self.index)
    }

    /// Returns the name, or the number of an unnamed stage; `None` for a snippet.
    pub fn label(&self) -> Option<String> {
        self.from?;
        Some(self.name.clone().unwrap_or_else(|| self.index.to_string()))
    }
}

impl Dockerfile<'_> {
    /// Returns the stage of the instruction `index`, its base stage, and so on.
    pub fn ancestors(&self, index: usize) -> impl Iterator<Item = &Stage> {
        let stage = self.stage_of(index).into_iter();
        stage.flat_map(|stage| self.chain(stage))
    }

    /// Returns the stage `index`, its base stage, and so on.
    pub fn chain(&self, index: usize) -> impl Iterator<Item = &Stage> {
        let stage = self.stages.get(index);
        std::iter::successors(stage, |stage| Some(&self.stages[stage.parent()?]))
    }

    /// Returns the stage that a build up to `target` ends with, the last one by default; `None` for an unknown target.
    pub fn target(&self, target: Option<&str>) -> Option<usize> {
        let names = self.stages.iter().map(|stage| stage.name.as_deref());
        target_of(names, target)
    }

    /// Returns for each stage whether a build up to `target` needs it; `None` for an unknown target.
    pub fn needed_by(&self, target: Option<&str>) -> Option<Vec<bool>> {
        let mut needed = vec![false; self.stages.len()];
        if let Some(last) = needed.get_mut(self.target(target)?) {
            *last = true;
        }
        for stage in self.stages.iter().rev() {
            if needed[stage.index] {
                stage.needs().for_each(|other| needed[other] = true);
            }
        }
        budget::spend(needed.len()).then_some(needed)
    }

    /// Returns the last instruction above `index` in its stage that may begin another.
    pub fn boundary_above(&self, index: usize) -> Option<usize> {
        let after = self.boundaries.partition_point(|at| *at < index);
        let boundary = self.boundaries[after.checked_sub(1)?];
        (self.stage_of(boundary) == self.stage_of(index)).then_some(boundary)
    }
}

/// Returns which of the stages of these names a build up to `target` ends with: the last one by default, else the last one
/// of that name, else the one of that number; `None` for an unknown target.
pub fn target_of<'n>(
    mut names: impl ExactSizeIterator<Item = Option<&'n str>> + DoubleEndedIterator,
    target: Option<&str>,
) -> Option<usize> {
    let count = names.len();
    let Some(target) = target else {
        return count.checked_sub(1);
    };
    let is_it = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(target));
    let found = names.rposition(is_it).or_else(|| target.parse().ok());
    found.filter(|at| *at < count)
}

/// Finds the stages; other instructions than ARGs before the first FROM make a stage of their own: a snippet that
/// another tool puts below a FROM.
pub(super) fn find(file: &Dockerfile<'_>) -> Vec<Stage> {
    let instructions = &file.instructions;
    let is_from = |i: &Instruction<'_>| i.keyword == Keyword::From && !i.onbuild;
    let all = 0..instructions.len();
    let froms: Vec<usize> = all.filter(|at| is_from(&instructions[*at])).collect();
    let first = froms.first().copied().unwrap_or(instructions.len());
    let mut stages: Vec<Stage> = Vec::with_capacity(froms.len() + 1);
    let mut names: HashMap<String, usize> = HashMap::new();
    let known = |i: &Instruction<'_>| !matches!(i.keyword, Keyword::Arg | Keyword::Opaque);
    if instructions[..first].iter().any(known) || froms.is_empty() {
        stages.push(Stage {
            index: 0,
            from: None,
            name: None,
            base: Base::Unknown,
            instructions: 0..first,
            uses: Vec::new(),
        });
    }
    let shift = stages.len();
    let globals = globals(file, first);
    for (number, &from) in froms.iter().enumerate() {
        let end = froms.get(number + 1).copied().unwrap_or(instructions.len());
        let index = stages.len();
        let (base, name) = read_from(&instructions[from], &globals, file.escape, &names);
        if let Some(name) = &name {
            names.insert(name.to_ascii_lowercase(), index);
        }
        stages.push(Stage {
            index,
            from: Some(from),
            name,
            base,
            instructions: from + 1..end,
            uses: Vec::new(),
        });
    }
    let text = |value: &[u8]| value.to_str_lossy().into_owned();
    for index in 0..stages.len() {
        let named = |source: &str| names.get(&source.to_ascii_lowercase()).copied();
        let numbered = |source: &str| source.parse::<usize>().ok()?.checked_add(shift);
        let all = stages[index].instructions.clone();
        let used = all.flat_map(|at| {
            let instruction = &instructions[at];
            let mounts = instruction.mounts.iter();
            let of_mounts = mounts.filter_map(|mount| named(&text(mount.value("from")?)));
            let flags = instruction.flags.iter();
            let flags = flags.filter(|flag| flag.name() == b"from");
            let of_flags = flags.filter_map(|flag| {
                let source = text(flag.value()?.bytes());
                named(&source).or_else(|| numbered(&source))
            });
            let used: Vec<usize> = of_flags.chain(of_mounts).collect();
            used.into_iter().map(move |used| (at, used))
        });
        let there = used.filter(|(_, used)| *used != index && *used < stages.len());
        stages[index].uses = there.collect();
    }
    stages
}

/// Returns the instructions of a template that may become a FROM.
pub(super) fn boundaries(file: &Dockerfile<'_>) -> Vec<usize> {
    if !file.template {
        return Vec::new();
    }
    let may_be = |at: &usize| {
        let instruction = &file.instructions[*at];
        let opaque = instruction.keyword == Keyword::Opaque;
        opaque && template::may_be_from(instruction.text.bytes())
    };
    (0..file.instructions.len()).filter(may_be).collect()
}

/// Official images that set a WORKDIR, as their own Dockerfiles say.
const IMAGES_WITH_WORKDIR: &[&str] = &[
    "golang",
    "php",
    "composer",
    "gradle",
    "tomcat",
    "wordpress",
    "drupal",
];

/// Returns whether `image` sets a WORKDIR, by its name.
fn is_with_workdir(image: &str) -> bool {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    IMAGES_WITH_WORKDIR.contains(&name)
}

/// The folder in which an instruction runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workdir {
    /// This one, cleaned.
    At(Vec<u8>),
    /// One that an official image sets, or a variable gives.
    Unknown,
    /// The base image's, which is `/` where it sets none.
    OfImage,
}

impl Workdir {
    /// Returns the relative `path` seen from it, where it is known.
    pub fn join(&self, path: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::At(folder) => Some(clean(&[folder, b"/".as_slice(), path].concat()).into()),
            Self::Unknown | Self::OfImage => None,
        }
    }
}

/// A part of a stage's instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Those that run in stages built from it.
    Triggers,
    /// All others.
    Own,
}

impl Dockerfile<'_> {
    /// Returns the folder in which the instruction `index` runs in a build without arguments. A trigger runs behind its
    /// stage, and those before it.
    pub fn workdir(&self, index: usize) -> Workdir {
        let mut workdir = Workdir::OfImage;
        let is_trigger = self.instructions[index].onbuild;
        let until = if is_trigger {
            self.instructions.len()
        } else {
            index
        };
        let chain: Vec<&Stage> = self
            .ancestors(index)
            .take_while(|_| budget::spend(1))
            .collect();
        for stage in chain.into_iter().rev() {
            match &stage.base {
                Base::Image(image) if image == "scratch" => workdir = Workdir::At(b"/".into()),
                Base::Image(image) if self.may_set_workdir(image, stage) => {
                    workdir = Workdir::Unknown;
                }
                _ => {}
            }
            if let Some(base) = stage.parent() {
                workdir = self.go(workdir, &self.stages[base], Part::Triggers, until);
            }
            workdir = self.go(workdir, stage, Part::Own, until);
        }
        match self.stage_of(index) {
            Some(own) if is_trigger => self.go(workdir, &self.stages[own], Part::Triggers, index),
            _ => workdir,
        }
    }

    /// Returns the folder behind the WORKDIRs of a part of `stage` above the instruction `until`, which start from
    /// `workdir`.
    fn go(&self, workdir: Workdir, stage: &Stage, part: Part, until: usize) -> Workdir {
        let all = stage.instructions.clone();
        let all = all.take_while(|at| *at < until && budget::spend(1));
        let is_one = |at: &usize| {
            let instruction = &self.instructions[*at];
            instruction.keyword == Keyword::Workdir
                && instruction.onbuild == (part == Part::Triggers)
        };
        let own = all.filter(is_one);
        own.fold(workdir, |workdir, at| self.entered(&workdir, at))
    }

    /// Returns whether `image`, the base of `stage`, may set a WORKDIR, by its name without build arguments.
    fn may_set_workdir(&self, image: &str, stage: &Stage) -> bool {
        let image = self.image(image, stage);
        image.is_none_or(|image| is_with_workdir(&image.to_str_lossy()))
    }

    /// Returns `image`, the base of `stage`, in a build without arguments; `None` where it is unknown.
    fn image(&self, image: &str, stage: &Stage) -> Option<Vec<u8>> {
        let word = Word::read(image.as_bytes(), self.escape).ok()?;
        let from = stage.from?;
        let mut is_known = true;
        let image = word.expand(&mut |name| {
            let value = self.default_value(name, from);
            is_known &= value.is_some();
            value
        });
        image.filter(|_| is_known)
    }

    /// Returns the folder behind the WORKDIR `index`, which starts from `workdir`.
    fn entered(&self, workdir: &Workdir, index: usize) -> Workdir {
        let mut known = true;
        let word = Word::read(self.instructions[index].arguments(), self.escape).ok();
        let path = word.and_then(|word| {
            word.expand(&mut |name| {
                let value = self.default_value(name, index);
                known &= value.is_some();
                value
            })
        });
        match (path.filter(|_| known), workdir) {
            (None, _) => Workdir::Unknown,
            (Some(path), _) if path.starts_with(b"/") => Workdir::At(clean(&path).into()),
            (Some(path), Workdir::OfImage) if *clean(&path) == *b"." => Workdir::OfImage,
            (Some(path), _) => workdir.join(&path).map_or(Workdir::Unknown, Workdir::At),
        }
    }

    /// Returns whether nothing is in the stage `index` in a build without arguments: it comes from `scratch`, and no
    /// instruction adds a file.
    pub fn is_empty(&self, index: usize) -> bool {
        let is_idle = |instruction: &Instruction<'_>| {
            let idle = matches!(
                instruction.keyword,
                Keyword::Arg | Keyword::Env | Keyword::Other
            );
            budget::spend(1) && (idle || instruction.onbuild)
        };
        let mut last = None;
        for stage in self.chain(index) {
            let mut instructions = self.instructions[stage.instructions.clone()].iter();
            if !instructions.all(is_idle) {
                return false;
            }
            last = Some(stage);
        }
        let Some((Base::Image(image), stage)) = last.map(|stage| (&stage.base, stage)) else {
            return false;
        };
        self.image(image, stage)
            .is_some_and(|image| image == b"scratch")
    }
}

/// Returns whether the target of `mount` leads out of the WORKDIR.
fn leads_up(mount: &Mount<'_>) -> bool {
    let is_one = matches!(
        mount.kind,
        MountKind::Bind | MountKind::Cache | MountKind::Tmpfs
    );
    let target = mount
        .value("target")
        .filter(|_| is_one && mount.faults.is_empty());
    target.is_some_and(|target| !target.contains(&b'$') && clean(target).starts_with(b".."))
}

/// Takes back the faults of mounts without a target where a WORKDIR serves as one, and adds those of targets that lead
/// from it to `/`: BuildKit mounts over the WORKDIR, and refuses only `/`.
///
/// Where only the base image may set one, a bind mount is given the benefit of the doubt; a cache over an unnamed
/// directory is a slip, and the build fails unless the image sets one.
pub(super) fn resolve_targets(file: &mut Dockerfile<'_>) {
    let lacks = |mount: &Mount<'_>| {
        leads_up(mount) || mount.faults.iter().any(|f| f.kind == FaultKind::NoTarget)
    };
    let all = file.instructions.iter().enumerate();
    let lacking = all.filter(|(_, instruction)| instruction.mounts.iter().any(lacks));
    let workdirs: Vec<(usize, Workdir)> = lacking.map(|(at, _)| (at, file.workdir(at))).collect();
    for (at, workdir) in workdirs {
        // The WORKDIR of most images is `/`.
        let root = Workdir::At(b"/".into());
        let from = if workdir == Workdir::OfImage {
            &root
        } else {
            &workdir
        };
        for mount in &mut file.instructions[at].mounts {
            if leads_up(mount) {
                let field = mount.field("target");
                let target = mount.value("target").and_then(|target| from.join(target));
                let is_root = target.is_some_and(|target| target == b"/");
                let kind = match &workdir {
                    Workdir::OfImage => FaultKind::RootTargetNoWorkdir,
                    _ => FaultKind::RootTarget,
                };
                let is_doubtful = workdir == Workdir::OfImage && mount.kind != MountKind::Cache;
                let field = field.filter(|_| is_root && !is_doubtful);
                mount.faults.extend(field.map(|field| Fault {
                    span: mount.value_span(field),
                    kind,
                }));
                continue;
            }
            let lacks = |fault: &Fault| fault.kind == FaultKind::NoTarget;
            match &workdir {
                Workdir::At(path) if path == b"/" => {}
                Workdir::OfImage if mount.kind == MountKind::Cache => {
                    for fault in mount.faults.iter_mut().filter(|fault| lacks(fault)) {
                        fault.kind = FaultKind::NoTargetNoWorkdir;
                    }
                }
                _ => mount.faults.retain(|fault| !lacks(fault)),
            }
        }
    }
}

/// Adds the faults of mounts `from` the stage itself or a later one, which BuildKit looks for by its name alone. A trigger
/// runs in another stage, and of a template's stages not all need be there.
pub(super) fn refuse_sources(file: &mut Dockerfile<'_>) {
    if file.template {
        return;
    }
    let names = file.stages.iter().filter_map(|stage| {
        let name = stage.name.as_ref()?;
        Some((name.to_ascii_lowercase(), stage.index))
    });
    // The last stage of a name counts.
    let names: HashMap<String, usize> = names.collect();
    for stage in &file.stages {
        let own = &mut file.instructions[stage.instructions.clone()];
        for instruction in own.iter_mut().filter(|instruction| !instruction.onbuild) {
            for mount in &mut instruction.mounts {
                let Some(field) = mount.field("from") else {
                    continue;
                };
                let name = mount.value_of(field).unwrap_or_default().to_str_lossy();
                let kind = match names.get(&name.to_ascii_lowercase()) {
                    Some(source) if *source == stage.index => FaultKind::OwnStage,
                    Some(source) if *source > stage.index => FaultKind::LaterStage(name.into()),
                    _ => continue,
                };
                let span = mount.value_span(field);
                mount.faults.push(Fault { span, kind });
            }
        }
    }
}

/// Returns the defaults of the ARGs before the first FROM, which is instruction `first`, and whose line may use them.
fn globals(file: &Dockerfile<'_>, first: usize) -> HashMap<String, Vec<u8>> {
    let mut values: HashMap<String, Vec<u8>> = HashMap::new();
    let before = file.instructions[..first].iter();
    for arg in before.filter(|i| i.keyword == Keyword::Arg) {
        for Assignment { name, value, .. } in assignments(file, arg) {
            let word = value.and_then(|value| Word::read(value, file.escape).ok());
            let value = word.and_then(|word| word.expand(&mut |name| values.get(name).cloned()));
            values.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    values
}

/// Returns the value that the platform gives a variable of a FROM: Linux nearly everywhere. One that is made for Windows as
/// well has a stage for each (`FROM tool-${TARGETOS}`).
fn by_platform(name: &str) -> Option<Vec<u8>> {
    matches!(name, "TARGETOS" | "BUILDOS").then(|| b"linux".to_vec())
}

/// Returns what a FROM builds from, and the name of its stage.
fn read_from(
    from: &Instruction<'_>,
    globals: &HashMap<String, Vec<u8>>,
    escape: u8,
    names: &HashMap<String, usize>,
) -> (Base, Option<String>) {
    let text = from.text.bytes();
    if expression::at(text, text.len() - trim_start(text).len()).is_some() {
        return (Base::Unknown, None);
    }
    let words: Vec<&[u8]> = from.arguments().fields_with(char::is_whitespace).collect();
    let name = match words.as_slice() {
        [_, keyword, name] if keyword.eq_ignore_ascii_case(b"as") => {
            Some(name.to_str_lossy().into_owned())
        }
        _ => None,
    };
    let Some(image) = words.first() else {
        return (Base::Unknown, name);
    };
    let word = Word::read(image, escape).ok();
    let value = |name: &str| globals.get(name).cloned().or_else(|| by_platform(name));
    let base = word.and_then(|word| word.expand(&mut |name| value(name)));
    let lower = base.map(|base| base.to_str_lossy().to_ascii_lowercase());
    let stage = lower.and_then(|base| names.get(&base));
    let image = || Base::Image(image.to_str_lossy().into_owned());
    (stage.map_or_else(image, |stage| Base::Stage(*stage)), name)
}
