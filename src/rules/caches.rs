//! The cache mounts of a file, with what every rule asks about them.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::budget;
use crate::dockerfile::clean;
use crate::dockerfile::{
    Declaration, DeclaredBy, Dockerfile, Form, Mount, MountKind, Part, Sharing, Word,
};
use crate::finding::{LockKey, RuleId};
use crate::index::Site;
use crate::text::Span;

use super::settings::Settings;
use super::values::Values;

/// Tools whose own documentation says that several processes may use one cache, and how the folders that hold it end.
/// `needless-lock` says where each says so.
const CONCURRENT_TOOLS: &[(&str, &[&str])] = &[
    ("Go's build cache", &["/.cache/go-build", "/go-build"]),
    (
        "Go's module cache",
        &["/go/pkg/mod", "${GOPATH}/pkg/mod", "$GOPATH/pkg/mod"],
    ),
    ("uv's cache", &["/.cache/uv"]),
    ("npm's cache", &["/.npm", "/.npm/_cacache"]),
    ("ccache's cache", &["/.ccache", "/.cache/ccache"]),
];

/// A cache mount that BuildKit would accept.
#[derive(Debug)]
pub struct Cache<'f> {
    /// Its RUN, by its index in the file.
    pub instruction: usize,
    /// The mount.
    pub mount: &'f Mount<'f>,
    /// The id, cut into text and variables.
    pub word: Word,
    /// How builds share it, where that can be known.
    pub sharing: Option<Sharing>,
    /// What makes it one cache with other mounts.
    pub key: Arc<LockKey>,
    /// Whether the id refers to the lane argument or another variable that sets jobs apart.
    pub is_isolated: bool,
    /// The cleaned target, variables not expanded.
    pub target: Cow<'f, [u8]>,
    /// The rules that the configuration exempts it from.
    pub exempt: Vec<RuleId>,
    /// What it has in common with the other apt folders of its RUN, where it is one.
    apt: Option<Rc<Apt>>,
}

/// The apt folders that a RUN mounts.
#[derive(Debug, Default)]
struct Apt {
    /// Whether one is locked for all builds.
    locked: bool,
    /// Whether one is locked for the builds of a lane.
    locked_in_a_lane: bool,
    /// Those without a lock and a lane, by their places among the caches.
    open: Vec<usize>,
    /// Whether the RUN calls apt.
    called: OnceCell<bool>,
}

/// The cache mounts of `file`, in order; those that BuildKit refuses are left out.
#[must_use]
pub fn find<'f>(file: &'f Dockerfile<'_>, settings: &Settings) -> Vec<Cache<'f>> {
    let values = Values::new(file, settings);
    let caches = file.mounts().filter(|(_, mount)| mount.faults.is_empty());
    let read = |(instruction, mount): (usize, &'f Mount<'f>)| {
        let is_cache = match mount.kind {
            MountKind::Cache => true,
            MountKind::Unknown => {
                expanded(file, instruction, mount, "type")?.eq_ignore_ascii_case(b"cache")
            }
            _ => false,
        };
        let sharing = mount.sharing().filter(|_| names_mode(mount)).or_else(|| {
            let value = expanded(file, instruction, mount, "sharing")?.to_ascii_lowercase();
            [Sharing::Shared, Sharing::Private, Sharing::Locked]
                .into_iter()
                .find(|s| s.as_str().as_bytes() == value)
        });
        let word = mount.id_word().unwrap_or_default();
        is_cache.then(|| Cache {
            instruction,
            mount,
            is_isolated: is_isolated(file, settings, mount, &word, instruction),
            key: Arc::new(key(mount, &word, instruction, &values)),
            target: mount.target(),
            exempt: settings.exempt.of(&mount.effective_id()),
            word,
            sharing,
            apt: None,
        })
    };
    let mut caches: Vec<Cache<'f>> = caches.filter_map(read).collect();
    let mut at = 0;
    for run in caches.chunk_by_mut(|a, b| a.instruction == b.instruction) {
        share_apt(run, at);
        at += run.len();
    }
    caches
}

/// Tells the apt folders among `run`, the caches of a RUN, of each other; the first has the place `at` among all.
fn share_apt(run: &mut [Cache<'_>], at: usize) {
    let is_apt: Vec<usize> = (0..run.len())
        .filter(|&index| is_apt_folder(&run[index].target))
        .collect();
    if is_apt.is_empty() {
        return;
    }
    let mut apt = Apt::default();
    for &index in &is_apt {
        let cache = &run[index];
        match cache.sharing {
            Some(Sharing::Locked) if cache.is_isolated => apt.locked_in_a_lane = true,
            Some(Sharing::Locked) => apt.locked = true,
            Some(Sharing::Shared) if !cache.is_isolated && !is_readonly(cache.mount) => {
                apt.open.push(at + index);
            }
            _ => {}
        }
    }
    let apt = Rc::new(apt);
    for index in is_apt {
        run[index].apt = Some(Rc::clone(&apt));
    }
}

/// Whether the option list says what the sharing mode is, if only by leaving it out. An option that a template makes may
/// be it.
fn names_mode(mount: &Mount<'_>) -> bool {
    mount.field("sharing").is_some()
        || !(mount.torn || (mount.templated && mount.fields.iter().any(|f| f.option.is_none())))
}

/// What makes `mount`, whose id is `word`, one cache with other mounts, and decides which it waits for: the id, and what the
/// cache is based on.
pub(super) fn key(
    mount: &Mount<'_>,
    word: &Word,
    instruction: usize,
    values: &Values<'_>,
) -> LockKey {
    let [from, uid, gid, mode] = mount.base();
    // One of the three options makes a directory with all of them, the others at their defaults; with a `source`,
    // BuildKit takes that directory as it is.
    let owned =
        (uid.is_some() || gid.is_some() || mode.is_some()) && mount.value("source").is_none();
    let or =
        |value: Option<&[u8]>, default: &[u8]| owned.then(|| value.unwrap_or(default).to_vec());
    let mode = or(mode, b"0755").map(|mode| mode.trim_start_with(|ch| ch == '0').to_vec());
    let base = [
        from.map(<[u8]>::to_ascii_lowercase),
        or(uid, b"0"),
        or(gid, b"0"),
        mode,
    ];
    if !word.has_variable() {
        return LockKey {
            id: mount.effective_id().into_owned(),
            values: Vec::new(),
            base,
        };
    }
    let (word, values) = values.of(word, instruction);
    let id = match word.text_alone() {
        Some(target) if mount.id().is_none() => clean(&target).into_owned(),
        Some(id) => id,
        None => word.canonical(),
    };
    LockKey { id, values, base }
}

/// The value of `option` in a build that passes no argument.
fn expanded(
    file: &Dockerfile<'_>,
    instruction: usize,
    mount: &Mount<'_>,
    option: &str,
) -> Option<Vec<u8>> {
    let word = Word::read(mount.value(option)?, mount.escape).ok()?;
    word.expand(&mut |name| file.default_value(name, instruction))
}

impl Cache<'_> {
    /// The id for messages: as written, or the target in its place.
    #[must_use]
    pub fn id(&self) -> String {
        self.mount.effective_id().to_str_lossy().into_owned()
    }

    /// Whether the configuration exempts it from `rule`.
    #[must_use]
    pub fn is_exempt(&self, rule: RuleId) -> bool {
        self.exempt.contains(&rule)
    }

    /// What the id comes out as when the variables that `is_unset` names are unset; others stand as `${NAME}`. `None`
    /// where it holds a form that cannot be worked out.
    #[must_use]
    pub fn outcome(&self, mut is_unset: impl FnMut(&str) -> bool) -> Option<String> {
        let mut keep = |name: &str| (!is_unset(name)).then(|| format!("${{{name}}}").into_bytes());
        let expanded = self.word.expand(&mut keep)?;
        let id = match self.mount.id() {
            Some(_) if !expanded.is_empty() => expanded,
            Some(_) => self.mount.target().into_owned(),
            None => clean(&expanded).into_owned(),
        };
        Some(id.to_str_lossy().into_owned())
    }

    /// What other files need to know of it.
    #[must_use]
    pub fn site(&self, file: &Dockerfile<'_>) -> Site {
        let span = self.mount.id_span();
        let target = self.mount.value("target").unwrap_or_default();
        // Of mounts that are there now and then, nobody knows which come together.
        let always = !self.mount.templated && !self.mount.conditional;
        let known = target.starts_with(b"/") && !target.contains(&b'$') && always;
        let id = self
            .mount
            .field("id")
            .filter(|_| self.mount.id().is_some() && !self.mount.torn);
        Site {
            key: Arc::clone(&self.key),
            sharing: self.sharing.map(Sharing::as_str),
            target: known.then(|| (&*self.target).into()),
            named: self.mount.id().is_some(),
            instruction: self.instruction,
            line: file.instructions[self.instruction].lines.0,
            span,
            mode_edit: self.mode_edit(),
            exempt: self.exempt.clone(),
            id_end: id.map(|field| self.mount.value_span(field).end),
        }
    }

    /// Where a sharing mode is to be written, and what comes before it; `None` where a variable names the mode, or the
    /// flag ends within a template's expression.
    #[must_use]
    pub fn mode_edit(&self) -> Option<(Span, &'static str)> {
        match self.mount.field("sharing") {
            _ if self.mount.torn => None,
            Some(_) if self.mount.sharing().is_none() => None,
            Some(field) => Some((self.mount.value_span(field), "")),
            None => Some((Span::at(self.mount.fields.last()?.next), ",sharing=")),
        }
    }

    /// The tool whose cache it is, where that tool is made for several processes at once.
    #[must_use]
    pub fn concurrent_tool(&self) -> Option<&'static str> {
        let target = &self.target;
        let is_it = |(_, folders): &&(&str, &[&str])| {
            folders
                .iter()
                .any(|folder| target.ends_with(folder.as_bytes()))
        };
        CONCURRENT_TOOLS.iter().find(is_it).map(|(tool, _)| *tool)
    }

    /// Whether it is an apt cache that a RUN uses without a lock: parallel builds fail on apt's own. A lock on another apt
    /// folder of the RUN serves for both, but for builds with other lanes than that one's.
    #[must_use]
    pub fn is_unlocked_apt(&self, file: &Dockerfile<'_>) -> bool {
        self.apt.as_ref().is_some_and(|apt| {
            self.sharing == Some(Sharing::Shared)
                && !is_readonly(self.mount)
                && !(apt.locked || (apt.locked_in_a_lane && self.is_isolated))
                && self.calls_apt(file, apt)
        })
    }

    /// The mounts of its RUN that its lock serves, too, by their places among the caches: apt folders without a lock and a
    /// lane of their own.
    #[must_use]
    pub fn served(&self, file: &Dockerfile<'_>) -> &[usize] {
        match &self.apt {
            Some(apt)
                if self.sharing == Some(Sharing::Locked)
                    && !apt.open.is_empty()
                    && self.calls_apt(file, apt) =>
            {
                &apt.open
            }
            _ => &[],
        }
    }

    fn calls_apt(&self, file: &Dockerfile<'_>, apt: &Apt) -> bool {
        *apt.called.get_or_init(|| calls_apt(file, self.instruction))
    }
}

/// Whether the id `word` of `mount` refers to the lane argument or another variable that sets jobs apart.
fn is_isolated(
    file: &Dockerfile<'_>,
    settings: &Settings,
    mount: &Mount<'_>,
    word: &Word,
    instruction: usize,
) -> bool {
    let mut names = std::iter::once(&settings.arg).chain(&settings.isolating);
    // A template may name it in any case: `@(cache_id)`, say.
    let in_template = |name: &str| {
        mount.templated
            && mount
                .effective_id()
                .to_ascii_lowercase()
                .contains_str(name.to_ascii_lowercase())
    };
    names.any(|name| leads_to(file, word, instruction, name) || in_template(name))
}

/// Whether the value of `name` is part of what `word` comes out as at the instruction `index`: by itself, or in what an ARG
/// or ENV gives another variable. Each declaration is looked at once.
#[must_use]
pub fn leads_to(file: &Dockerfile<'_>, word: &Word, index: usize, name: &str) -> bool {
    if carries(word, name) {
        return true;
    }
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    let variables =
        |word: &Word| -> Vec<String> { word.variables().map(|v| v.name.clone()).collect() };
    // With each, the instruction that asks; `None` among the global ones.
    let mut open: Vec<(String, Option<usize>)> = variables(word)
        .into_iter()
        .map(|name| (name, Some(index)))
        .collect();
    while let Some((variable, at)) = open.pop().filter(|_| budget::spend(1)) {
        let declared = at.map_or_else(|| file.global(&variable), |at| file.valued(&variable, at));
        let Some(declared) =
            declared.filter(|declared| seen.insert((declared.instruction, declared.name_end)))
        else {
            continue;
        };
        let Some(Ok(word)) = declared
            .value
            .as_ref()
            .map(|value| Word::read(value, file.escape))
        else {
            continue;
        };
        let at = declared.stage.map(|_| declared.instruction);
        let is_there = || {
            at.map_or_else(|| file.global(name), |at| file.visible(name, at))
                .is_some()
        };
        if carries(&word, name) && is_there() {
            return true;
        }
        open.extend(variables(&word).into_iter().map(|name| (name, at)));
    }
    false
}

/// Whether `target` is one of apt's folders, or below one.
fn is_apt_folder(target: &[u8]) -> bool {
    let below = |root: &str| {
        target
            .strip_prefix(root.as_bytes())
            .is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
    };
    below("/var/cache/apt") || below("/var/lib/apt")
}

fn is_readonly(mount: &Mount<'_>) -> bool {
    mount
        .field("readonly")
        .is_some_and(|field| field.equals.is_none())
        || mount
            .value("readonly")
            .is_some_and(|value| matches!(value, b"true" | b"1"))
}

/// What follows `apt` where it is a command: a subcommand that takes locks.
const APT_COMMANDS: &[&[u8]] = &[
    b"update",
    b"install",
    b"upgrade",
    b"full-upgrade",
    b"dist-upgrade",
    b"remove",
    b"purge",
    b"autoremove",
    b"clean",
    b"autoclean",
    b"build-dep",
    b"satisfy",
    b"download",
    b"source",
    b"check",
    b"reinstall",
];

/// Whether the RUN `instruction` calls apt or apt-get, in its command or in a heredoc. (dpkg takes no lock in apt's folders.)
fn calls_apt(file: &Dockerfile<'_>, instruction: usize) -> bool {
    let run = &file.instructions[instruction];
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let calls = |line: &[u8]| {
        let mut words = line.split(|b| !part(*b)).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let command = word.strip_prefix(b"/usr/bin/").unwrap_or(word);
            let mut after = words.clone().filter(|word| !word.starts_with(b"-"));
            if matches!(command, b"apt" | b"apt-get")
                && after
                    .next()
                    .is_some_and(|word| APT_COMMANDS.contains(&word))
            {
                return true;
            }
        }
        false
    };
    let bodies = run
        .heredocs
        .iter()
        .map(|heredoc| heredoc.body.of(file.source));
    let mut texts = std::iter::once(run.arguments()).chain(bodies);
    texts.any(|text| {
        text.lines()
            .filter(|line| !line.trim_start().starts_with(b"#"))
            .any(calls)
    })
}

/// The ENV that decides `name` at instruction `index`, whatever a build passes. One whose value leads back to an ARG
/// hands on what is passed, and is none.
#[must_use]
pub fn shadowing_env<'f>(
    file: &'f Dockerfile<'_>,
    name: &str,
    index: usize,
) -> Option<&'f Declaration> {
    file.visible(name, index)
        .filter(|seen| seen.by == DeclaredBy::Env && !leads_to_arg(file, seen))
}

/// Whether the value of `env` refers to an ARG, through other ENVs perhaps. Each declaration is looked at once.
fn leads_to_arg(file: &Dockerfile<'_>, env: &Declaration) -> bool {
    let mut seen: HashSet<(String, usize)> = HashSet::new();
    let mut open = vec![env];
    while let Some(env) = open.pop().filter(|_| budget::spend(1)) {
        let Some(Ok(word)) = env
            .value
            .as_ref()
            .map(|value| Word::read(value, file.escape))
        else {
            continue;
        };
        for name in word.variables().map(|variable| &variable.name) {
            let Some(next) = file.visible(name, env.instruction) else {
                continue;
            };
            if next.by == DeclaredBy::Arg {
                return true;
            }
            if seen.insert((name.clone(), next.instruction)) {
                open.push(next);
            }
        }
    }
    false
}

/// Whether the value of the variable `name` is part of what `word` comes out as: in any form but `${NAME+word}`, whose
/// word has to name it too.
#[must_use]
pub fn carries(word: &Word, name: &str) -> bool {
    word.parts.iter().any(|part| {
        let Part::Variable(variable) = part else {
            return false;
        };
        let is_it = variable.name == name;
        match &variable.form {
            Form::Plain => is_it,
            Form::Alternative { word, .. } => carries(word, name),
            Form::Default { word, .. } | Form::Required(word) | Form::Other(word) => {
                is_it || carries(word, name)
            }
        }
    })
}

/// Whether `word` comes out shorter when the variable `name` is empty: it is referred to without `:-`, and not only
/// within its own `:+`.
#[must_use]
pub fn needs_value(word: &Word, name: &str) -> bool {
    word.parts.iter().any(|part| {
        let Part::Variable(variable) = part else {
            return false;
        };
        let is_it = variable.name == name;
        match &variable.form {
            Form::Plain => is_it,
            Form::Default { .. } | Form::Alternative { .. } | Form::Required(_) if is_it => false,
            Form::Default { word, .. } | Form::Alternative { word, .. } | Form::Required(word) => {
                needs_value(word, name)
            }
            Form::Other(word) => is_it || needs_value(word, name),
        }
    })
}
