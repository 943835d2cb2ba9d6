//! The known values of an id's variables: ids that read alike are one lock only where their variables have the same
//! values.
//!
//! The lane argument, `isolating-args` and the platform are compared by name, since a build passes the same value
//! everywhere. Other variables are compared by their declarations.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::budget;
use crate::dockerfile::{Base, DeclaredBy, Dockerfile, Mount, Part, Variable, Word, clean};
use crate::finding::LockKey;

use super::settings::Settings;
use super::variables::{PLATFORM_ARGS, value};

pub(super) struct Values<'a> {
    pub(super) file: &'a Dockerfile<'a>,
    pub(super) settings: &'a Settings,
    own: OnceCell<[u8; 8]>,
}

/// Returns the value of `option` in a build without arguments, or as written where it is empty or unknown then; `None`
/// where the option is absent.
pub(super) fn by_default(
    file: &Dockerfile<'_>,
    instruction: usize,
    mount: &Mount<'_>,
    option: &str,
) -> Option<Vec<u8>> {
    let written = mount.value(option)?;
    let word = Word::read(written, mount.escape).ok();
    let value =
        word.and_then(|word| word.expand(&mut |name| file.default_value(name, instruction)));
    let value = value.filter(|value| !value.is_empty());
    Some(value.unwrap_or_else(|| written.to_vec()))
}

/// Knowledge of a variable's value.
enum Known {
    /// The value of an ENV, which a build cannot change.
    Fixed(Vec<u8>),
    /// A key for a value that is the same wherever the key is.
    Like(Vec<u8>),
}

impl<'a> Values<'a> {
    pub(super) fn new(file: &'a Dockerfile<'a>, settings: &'a Settings) -> Self {
        Self {
            file,
            settings,
            own: OnceCell::new(),
        }
    }

    /// Returns the identity of `mount`, whose id is `word`: the id and the base of the cache.
    pub(super) fn key(&self, mount: &Mount<'_>, word: &Word, instruction: usize) -> LockKey {
        // Any of the three options makes a directory with all of them, the others at their defaults; with a `source`,
        // BuildKit uses that directory as it is.
        let owned = ["uid", "gid", "mode"].map(|option| mount.value(option).is_some());
        let owned = owned.contains(&true) && mount.value("source").is_none();
        let number = |option: &str, default: &str| {
            owned.then(|| {
                let value = by_default(self.file, instruction, mount, option);
                let value = value.unwrap_or_else(|| default.into());
                let end = value.len().saturating_sub(1);
                let zeros = value[..end].iter().take_while(|byte| **byte == b'0');
                value[zeros.count()..].to_vec()
            })
        };
        let (id, values) = if word.has_variable() {
            let (word, values) = self.of(word, instruction);
            let id = match word.text_alone() {
                Some(target) if mount.id().is_none() => clean(&target).into_owned(),
                Some(id) => id,
                None => word.canonical(),
            };
            (id, values)
        } else {
            let id = word.text_alone().filter(|id| !id.is_empty());
            let id = id.filter(|_| mount.id().is_some() && mount.id_word().is_some());
            (
                id.unwrap_or_else(|| mount.effective_id().into_owned()),
                Vec::new(),
            )
        };
        LockKey {
            id,
            values,
            base: [
                self.origin(mount, instruction),
                number("uid", "0"),
                number("gid", "0"),
                number("mode", "0755"),
            ],
        }
    }

    /// Returns the stage or image that the cache starts as; `None` for an empty directory, as without `from`.
    fn origin(&self, mount: &Mount<'_>, instruction: usize) -> Option<Vec<u8>> {
        let from = mount.value("from")?.to_ascii_lowercase();
        let stages = &self.file.stages;
        let end = self.file.stage_of(instruction).unwrap_or_default();
        let is_it = |index: &usize| {
            let name = stages[*index].name.as_ref();
            budget::spend(1) && name.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(&from))
        };
        let stage = (0..end).rev().find(is_it);
        let is_empty = matches!(from.as_slice(), b"" | b"scratch")
            || stage.is_some_and(|stage| self.file.is_empty(stage));
        (!is_empty).then_some(from)
    }

    /// Returns `word` at the instruction `index` with fixed values put in, and the keys of the other variables.
    fn of(&self, word: &Word, index: usize) -> (Word, Vec<u8>) {
        let word = self.fixed(word, index);
        let mut like: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for Variable { name, .. } in word.variables().filter(|v| !self.by_name(&v.name)) {
            let (Known::Fixed(what) | Known::Like(what)) = self.known(name, index);
            like.insert(name, what);
        }
        let like = like
            .into_iter()
            .flat_map(|(name, what)| [name.as_bytes(), b"=", &what, b"\0"].concat())
            .collect();
        (word, like)
    }

    /// Returns `word` at the instruction `index` with the values put in that no build changes.
    pub(super) fn fixed(&self, word: &Word, index: usize) -> Word {
        let value = |name: &str| match self.known(name, index) {
            Known::Fixed(value) if !self.by_name(name) => Some(value),
            _ => None,
        };
        let fixed = |part: &Part| {
            let part = Word {
                parts: vec![part.clone()],
            };
            let mut is_fixed = part.has_variable();
            let text = part.expand(&mut |name| {
                let value = value(name);
                is_fixed &= value.is_some();
                value
            });
            text.filter(|_| is_fixed).map(Part::Text)
        };
        let parts = word.parts.iter();
        Word {
            parts: parts
                .map(|part| fixed(part).unwrap_or_else(|| part.clone()))
                .collect(),
        }
    }

    /// Returns whether the variable `name` is compared by its name alone.
    pub(super) fn by_name(&self, name: &str) -> bool {
        name == self.settings.arg
            || self.settings.isolating().any(|own| own == name)
            || PLATFORM_ARGS.contains(&name)
    }

    fn known(&self, name: &str, index: usize) -> Known {
        let Some(seen) = self.file.valued(name, index) else {
            return Known::Like(match self.file.visible(name, index) {
                // A build passes the value, and may pass another to another file.
                Some(_) => self.own(),
                None => self.base(index),
            });
        };
        let literal = value(self.file, seen).and_then(|word| word.text_alone());
        match (seen.by, literal) {
            (DeclaredBy::Env, Some(value)) => Known::Fixed(value),
            // A build that passes a value passes it for all equal defaults.
            (DeclaredBy::Arg, Some(value)) => Known::Like([b"=", value.as_slice()].concat()),
            (_, None) => {
                Known::Like([self.own(), seen.instruction.to_string().into_bytes()].concat())
            }
        }
    }

    /// Returns a key for this file, which only copies share.
    pub(super) fn own(&self) -> Vec<u8> {
        let hash = self.own.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.file.source.hash(&mut hasher);
            hasher.finish().to_be_bytes()
        });
        hash.to_vec()
    }

    /// Returns the image that sets a variable not declared in the file; snippets share one image.
    pub(super) fn base(&self, index: usize) -> Vec<u8> {
        let root = self.file.ancestors(index).last();
        match root.map(|root| (root.index, &root.base)) {
            Some((root, Base::Image(image))) if image.contains('$') => {
                [self.own(), root.to_string().into()].concat()
            }
            Some((_, Base::Image(image))) => image.as_bytes().to_vec(),
            _ => Vec::new(),
        }
    }
}
