//! The cache mounts of a file, and their properties that rules ask for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::budget;
use crate::dockerfile::{Dockerfile, Mount, MountKind, Seen, Sharing, Word, clean};
use crate::finding::{LockKey, RuleId};
use crate::index::{At, BUILDS, Base, Became, CacheMount};
use crate::text::Span;

use super::settings::Settings;
use super::tools;
use super::values::{Values, by_default};
use super::variables::{PLATFORM_ARGS, depends_on};

/// A cache mount that a builder accepts.
#[derive(Debug)]
pub struct Cache<'f> {
    /// The index of its RUN in the file.
    pub instruction: usize,
    pub mount: &'f Mount<'f>,
    /// The id as text and variables.
    pub word: Word,
    /// The sharing mode, where it is known.
    pub sharing: Option<Sharing>,
    /// Its identity: mounts with the same key are one cache.
    pub key: Arc<LockKey>,
    /// Its number in the file.
    pub number: usize,
    /// The id in builds.
    pub became: Arc<Became>,
    /// The number of its cache: the same for mounts that are one cache in some builds.
    pub group: usize,
    /// True where the id refers to the lane argument or another variable that isolates jobs.
    pub is_isolated: bool,
    /// The cleaned target, variables not expanded.
    pub target: Cow<'f, [u8]>,
    /// The cleaned `source`, the folder of the cache that is mounted; `None` for all of it.
    source: Option<Arc<[u8]>>,
    /// The rules that the configuration exempts it from.
    pub exempt: Vec<RuleId>,
}

/// Returns the cache mounts of `file` that a builder accepts, in order.
pub fn find<'f>(file: &'f Dockerfile<'_>, settings: &Settings) -> Vec<Cache<'f>> {
    let values = Values::new(file, settings);
    let mounts = file.mounts().filter(|(_, mount)| mount.is_accepted());
    let read = |(instruction, mount): (usize, &'f Mount<'f>)| {
        let is_cache = match mount.kind {
            MountKind::Cache => true,
            MountKind::Unknown => {
                by_default(file, instruction, mount, "type")?.eq_ignore_ascii_case(b"cache")
            }
            _ => false,
        };
        let word = mount.id_word().unwrap_or_default();
        is_cache.then(|| Cache {
            instruction,
            mount,
            is_isolated: is_isolated(file, settings, mount, &word, instruction),
            key: Arc::new(values.key(mount, &word, instruction)),
            became: Arc::new(values.became(mount, &word, instruction)),
            group: 0,
            number: 0,
            target: mount.target(),
            source: source(file, instruction, mount),
            exempt: settings.exempt.of(&mount.effective_id()),
            sharing: sharing(file, instruction, mount),
            word,
        })
    };
    let mut caches: Vec<Cache<'f>> = mounts.filter_map(read).collect();
    group(&mut caches);
    caches
}

/// Numbers the caches: mounts that are one cache in some kind of build have one number.
fn group(caches: &mut [Cache<'_>]) {
    let mut first: HashMap<(usize, &[u8], &Base), usize> = HashMap::new();
    let mut groups = Groups((0..caches.len()).collect());
    for (at, cache) in caches.iter().enumerate() {
        for build in 0..BUILDS {
            let id = (build, &*cache.became.ids[build], &cache.key.base);
            groups.join(at, *first.entry(id).or_insert(at));
        }
    }
    drop(first);
    for (at, cache) in caches.iter_mut().enumerate() {
        (cache.group, cache.number) = (groups.of(at), at);
    }
}

/// For each of several things another one of its group, with a lower number, or itself.
struct Groups(Vec<usize>);

impl Groups {
    /// Returns the number of the group of `at`.
    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at && budget::spend(1) {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Returns the sharing mode of `mount` in a build without arguments; a template may make that option.
fn sharing(file: &Dockerfile<'_>, instruction: usize, mount: &Mount<'_>) -> Option<Sharing> {
    if mount.field("sharing").is_some() || !mount.hides("sharing") {
        let mode = mount.sharing();
        if mode.is_some() {
            return mode;
        }
    }
    Sharing::by_name(&by_default(file, instruction, mount, "sharing")?)
}

/// Returns the target by which BuildKit sorts `mount` among those of the RUN `instruction`.
fn at(file: &Dockerfile<'_>, instruction: usize, mount: &Mount<'_>) -> Option<At> {
    const SIGN: &str = "\0";
    let given = |name: &str, seen: Seen<'_>| {
        let is_given = matches!(seen, Seen::Undeclared) || PLATFORM_ARGS.contains(&name);
        is_given.then(|| format!("${{{name}}}{SIGN}").into_bytes())
    };
    let word = Word::read(mount.value("target").unwrap_or_default(), mount.escape).ok()?;
    let path = word.expand(&mut |name| file.value_in(name, instruction, &given))?;
    if let Some(end) = path.rfind(SIGN) {
        // A relative one is cleaned.
        let (below, path) = (path[..end].replace(SIGN, ""), &path[end + SIGN.len()..]);
        let is_sorted = below.starts_with(b"/")
            || path.is_empty()
            || (path.starts_with(b"/") && *clean(path) == *path);
        return is_sorted.then(|| At {
            below,
            path: path.into(),
        });
    }
    if path.starts_with(b"/") {
        return Some(At {
            below: Vec::new(),
            path: path.into(),
        });
    }
    if file.template {
        return None;
    }
    let known = file.workdir(instruction).join(&path);
    let (below, path) = match known {
        Some(path) => (Vec::new(), path),
        None => (b"./".to_vec(), clean(&path).into_owned()),
    };
    let leads_up = path == b"." || path.split_str("/").next() == Some(b"..");
    (!leads_up).then(|| At {
        below,
        path: path.into(),
    })
}

/// Returns the folder of the cache that `mount` mounts in a build without arguments; `None` for all of it.
fn source(file: &Dockerfile<'_>, instruction: usize, mount: &Mount<'_>) -> Option<Arc<[u8]>> {
    let source = by_default(file, instruction, mount, "source")?;
    let path = clean(&[b"/", source.as_slice()].concat()).into_owned();
    (path != b"/").then(|| path.into())
}

/// Returns whether the id `word` of `mount` refers to the lane argument or another variable that isolates jobs.
fn is_isolated(
    file: &Dockerfile<'_>,
    settings: &Settings,
    mount: &Mount<'_>,
    word: &Word,
    instruction: usize,
) -> bool {
    let id = mount
        .templated
        .then(|| mount.effective_id().to_ascii_lowercase());
    // A template may name it in any case, for example `@(cache_id)`.
    let in_template = |name: &str| {
        id.as_ref()
            .is_some_and(|id| id.contains_str(name.to_ascii_lowercase()))
    };
    let mut names = std::iter::once(&settings.arg).chain(settings.isolating());
    names.any(|name| depends_on(file, word, instruction, name) || in_template(name))
}

impl Cache<'_> {
    /// Returns the id as written, or else the target.
    pub fn id(&self) -> String {
        self.mount.effective_id().to_str_lossy().into_owned()
    }

    /// Returns the id as BuildKit reads it, only variables expanded that no build of `file` changes; of a template, as
    /// written.
    #[cfg(feature = "cli")]
    pub fn used_id(&self, file: &Dockerfile<'_>, settings: &Settings) -> Vec<u8> {
        let (mount, id) = (self.mount, self.mount.effective_id());
        let is_quoted = id
            .iter()
            .any(|b| matches!(b, b'\'' | b'"') || *b == mount.escape);
        let word = Values::new(file, settings).fixed(&self.word, self.instruction);
        if mount.templated || (!is_quoted && word == self.word) {
            return id.into_owned();
        }
        let id = word.spelled("$");
        match mount.id() {
            Some(_) if id.is_empty() => mount.target().into_owned(),
            None if !word.has_variable() => clean(&id).into_owned(),
            _ => id,
        }
    }

    pub fn is_locked(&self) -> bool {
        self.sharing == Some(Sharing::Locked)
    }

    pub(super) fn is_readonly(&self) -> bool {
        let field = self.mount.field("readonly");
        let is_switch = field.is_some_and(|field| field.equals.is_none());
        is_switch || matches!(self.mount.value("readonly"), Some(b"true" | b"1"))
    }

    /// Returns whether the configuration exempts it from `rule`.
    pub fn is_exempt(&self, rule: RuleId) -> bool {
        self.exempt.contains(&rule)
    }

    /// Returns the place of the option, or else of the mount.
    pub fn option_span(&self, option: &str) -> Span {
        let field = self.mount.field(option);
        field.map_or(self.mount.span, |field| self.mount.value_span(field))
    }

    /// Returns the id with the variables that `is_unset` names unset and others as `${NAME}`; `None` for a form that
    /// cannot be worked out.
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

    /// Returns the data for comparing files; `file` is its own.
    pub fn indexed(&self, file: &Dockerfile<'_>) -> CacheMount {
        let written = self.mount.value("target").unwrap_or_default();
        // Of conditional mounts, it is unknown which occur together.
        let known = !self.mount.templated && !self.mount.conditional;
        let absolute =
            known && Word::is_text(written, self.mount.escape) && written.starts_with(b"/");
        let target: Option<Arc<[u8]>> = absolute.then(|| (&*self.target).into());
        let at = match &target {
            Some(target) if **target == *written => Some(At {
                below: Vec::new(),
                path: Arc::clone(target),
            }),
            _ if known => at(file, self.instruction, self.mount),
            _ => None,
        };
        let named = self.mount.id().is_some();
        let id = self.mount.field("id").filter(|_| named && !self.mount.torn);
        CacheMount {
            file: 0,
            key: Arc::clone(&self.key),
            became: Arc::clone(&self.became),
            sharing: self.sharing,
            target,
            at,
            source: self.source.clone(),
            named,
            instruction: self.instruction,
            span: self.mount.id_span(),
            mount_span: self.mount.span,
            mode_edit: self.mode_edit(),
            exempt: self.exempt.clone(),
            id_end: id.map(|field| self.mount.value_span(field).end),
            is_silent: false,
        }
    }

    /// Returns the place for a sharing mode and the text before it; `None` where a variable gives the mode, or the flag
    /// ends within a template expression.
    pub fn mode_edit(&self) -> Option<(Span, &'static str)> {
        match self.mount.field("sharing") {
            _ if self.mount.torn => None,
            Some(_) if self.mount.sharing().is_none() => None,
            Some(field) => Some((self.mount.value_span(field), "")),
            None => Some((Span::at(self.mount.fields.last()?.next), ",sharing=")),
        }
    }

    /// Returns its tool, where that supports concurrent processes.
    pub fn concurrent_tool(&self) -> Option<&'static str> {
        tools::concurrent(&self.target)
    }
}
