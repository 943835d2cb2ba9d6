//! Expands cache ids: they are compared by what builds make of them, whatever their spelling.

use std::sync::Arc;

use crate::budget;
use crate::dockerfile::{Declaration, Form, Mount, Seen, Word, clean};
use crate::index::{BUILDS, Became};
use crate::text::marks::{LANE, marked};

use super::values::Values;
use super::variables::{PLATFORM_ARGS, has_optional, may_be_empty, needs_default, value};

/// A kind of build.
#[derive(Clone, Copy)]
struct Build {
    /// True where it passes a lane.
    lane: bool,
    others: Others,
}

/// The arguments that a build passes beside the lane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Nothing,
    /// The arguments without a default; the base image sets what the file does not declare.
    Missing,
    /// All arguments; the base image sets what the file does not declare, and the platform has a variant.
    All,
}

impl Build {
    /// Returns the value of BuildKit's own argument `name`.
    fn platform(self, name: &str) -> Vec<u8> {
        if self.others != Others::Nothing || !may_be_empty(name) {
            marked(name, b"")
        } else {
            Vec::new()
        }
    }
}

/// The steps that the expansion of an id may take: values made of values can grow without end.
const STEPS: u64 = 1 << 16;

impl Values<'_> {
    /// Returns what the id of `mount`, as `word`, becomes at the instruction `index`.
    pub(super) fn became(&self, mount: &Mount<'_>, word: &Word, index: usize) -> Became {
        let expanded = || self.expanded(mount, word, index);
        budget::up_to(STEPS, expanded).unwrap_or_else(|| {
            let id: Arc<[u8]> = marked("", &[self.own(), word.canonical()].concat()).into();
            Became {
                ids: std::array::from_fn(|_| Arc::clone(&id)),
                ..Became::default()
            }
        })
    }

    fn expanded(&self, mount: &Mount<'_>, word: &Word, index: usize) -> Became {
        let builds: [Build; BUILDS] = std::array::from_fn(|kind| Build {
            lane: kind % 2 == 1,
            others: if kind < BUILDS / 2 {
                Others::Nothing
            } else {
                Others::All
            },
        });
        let arg = self.settings.arg.as_str();
        let id = |build| expand(mount, word, &mut |name| self.value(name, index, build));
        let lane = |build| self.value(arg, index, build).unwrap_or_default();
        let lanes = [lane(builds[0]), lane(builds[1])];
        let is_empty = |build| {
            let mut lookup = |name: &str| self.value(name, index, build);
            let mut is_empty = || word.expand(&mut lookup).is_some_and(|id| id.is_empty());
            mount.id().is_some() && mount.id_word().is_some() && is_empty()
        };
        let target = mount.value("target").unwrap_or_default();
        if !word.has_variable() && (mount.id().is_none() || !target.contains(&b'$')) {
            let id: Arc<[u8]> = id(builds[0]).into();
            return Became {
                ids: std::array::from_fn(|_| Arc::clone(&id)),
                lane: lanes,
                filled: Vec::new(),
                stops: false,
                is_empty: is_empty(builds[0]),
                is_known: true,
            };
        }
        let platforms = word.variables().any(|variable| {
            let name = &*variable.name;
            PLATFORM_ARGS.contains(&name) && self.file.visible(name, index).is_none()
        });
        let is_known = || {
            let missing = |build| Build {
                others: Others::Missing,
                ..build
            };
            builds[..BUILDS / 2]
                .iter()
                .all(|build| id(*build) == id(missing(*build)))
        };
        // A default would bring `${ARG:+text}` its text as well: another id, and not this one filled.
        let short = lanes[0].is_empty() && needs_default(word, arg) && !has_optional(word, arg);
        let filled = |lane: bool, platforms: bool| {
            expand(mount, word, &mut |name| match name {
                _ if name == arg && lane => Some(LANE.to_vec()),
                _ if PLATFORM_ARGS.contains(&name) && platforms => Some(builds[0].platform(name)),
                _ => self.value(name, index, builds[0]),
            })
        };
        let both = platforms && (short || !lanes[0].is_empty());
        let fills = [(short, false), (false, platforms), (both, both)];
        let fills = fills.into_iter().filter(|fills| *fills != (false, false));
        Became {
            is_known: is_known(),
            ids: builds.map(|build| id(build).into()),
            filled: fills
                .map(|(lane, platforms)| filled(lane, platforms))
                .collect(),
            lane: lanes,
            stops: word.variables().any(|variable| {
                let value = self.value(&variable.name, index, builds[0]);
                matches!(variable.form, Form::Required(_)) && value.is_none_or(|it| it.is_empty())
            }),
            is_empty: builds.into_iter().any(is_empty),
        }
    }

    fn value(&self, name: &str, index: usize, build: Build) -> Option<Vec<u8>> {
        let given = |name: &str, seen: Seen<'_>| {
            let is_platform = PLATFORM_ARGS.contains(&name);
            match seen {
                Seen::Undeclared if is_platform => None,
                _ if is_platform => Some(build.platform(name)),
                Seen::Declared(_) if name == self.settings.arg => build.lane.then(|| LANE.to_vec()),
                Seen::Declared(seen) => match build.others {
                    Others::Nothing => None,
                    Others::Missing if !self.is_bare(name, seen) => None,
                    _ if self.by_name(name) => Some(marked(name, b"")),
                    _ => Some(marked(name, &self.passed(name, seen))),
                },
                Seen::Undeclared if name != self.settings.arg => {
                    let base = || marked(name, &self.base(index));
                    (build.others != Others::Nothing).then(base)
                }
                Seen::Undeclared | Seen::UndeclaredGlobal => None,
            }
        };
        self.file.value_in(name, index, &given)
    }

    /// Returns whether the ARG `seen` has no default.
    fn is_bare(&self, name: &str, seen: &Declaration) -> bool {
        let global = self.file.global(name);
        seen.value.is_none() && global.is_none_or(|global| global.value.is_none())
    }

    /// Returns a key for what builds pass for the ARG `seen`: the same for all equal defaults.
    fn passed(&self, name: &str, seen: &Declaration) -> Vec<u8> {
        let global = self.file.global(name);
        let given = if seen.value.is_some() {
            Some(seen)
        } else {
            global
        };
        let literal = given.and_then(|given| value(self.file, given)?.text_alone());
        match literal {
            Some(value) => [b"=", value.as_slice()].concat(),
            None if self.is_bare(name, seen) => self.own(),
            None => [self.own(), seen.instruction.to_string().into_bytes()].concat(),
        }
    }
}

/// Returns the id of `mount`: what `word` expands to, or else the target.
pub(super) fn expand(
    mount: &Mount<'_>,
    word: &Word,
    lookup: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut lookup = |name: &str| lookup(name);
    if mount.id_word().is_none() {
        return mount.effective_id().into_owned();
    }
    let Some(id) = word.expand(&mut lookup) else {
        // What cannot be worked out differs from all else.
        let values = word.variables().map(|variable| &variable.name);
        let values = values.flat_map(|name| marked(name, &lookup(name).unwrap_or_default()));
        return values.chain(word.canonical()).collect();
    };
    if mount.id().is_none() {
        return clean(&id).into_owned();
    }
    if !id.is_empty() {
        return id;
    }
    let target = mount.value("target").unwrap_or_default();
    let word = Word::read(target, mount.escape).ok();
    let target = word.and_then(|word| word.expand(&mut lookup));
    clean(&target.unwrap_or_default()).into_owned()
}
