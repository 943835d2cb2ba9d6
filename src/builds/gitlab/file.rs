//! The jobs of a pipeline, with their templates, defaults and references.

use std::collections::HashSet;

use super::number;
use crate::budget;
use crate::builds::model::{Arg, Env};
use crate::builds::yaml::{Entry, Node, Yaml};
use crate::text::Span;

const KEYWORDS: &[&str] = &[
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
];

/// The tag of a part of another job.
const REFERENCE: &str = "!reference";

/// Returns the templates that a job names, which the files may say in parts.
fn extended<'y>(job: &[Node<'y>]) -> Vec<&'y str> {
    let extends = job.iter().find_map(|node| node.get("extends"));
    let names = extends.map(Node::scalars).unwrap_or_default().into_iter();
    names.filter_map(Node::text).collect()
}

/// A pipeline: a file, and the others of which it is made.
pub struct File<'y> {
    own: &'y Yaml<'y>,
    /// The mappings of all files, those first whose values count before others'.
    roots: Vec<Node<'y>>,
}

/// Returns the mapping of a file.
fn root<'y>(yaml: &'y Yaml<'y>) -> Option<Node<'y>> {
    let mut roots = yaml.roots();
    // A header of inputs is a document of its own.
    let root = roots.next().and_then(|first| match first.get("spec") {
        Some(_) => roots.next().or(Some(first)),
        None => Some(first),
    })?;
    (root.is_map() || root.is_null()).then_some(root)
}

impl<'y> File<'y> {
    /// Makes the pipeline that the file `own` is a part of, with those `over` it and `under` it.
    pub fn new(own: &'y Yaml<'y>, over: &'y [Yaml<'y>], under: &'y [Yaml<'y>]) -> Option<Self> {
        root(own)?;
        let all = over.iter().chain([own]).chain(under);
        Some(Self {
            own,
            roots: all.filter_map(root).collect(),
        })
    }

    /// Returns whether `node` stands in the file itself.
    pub fn is_own(&self, node: Node<'_>) -> bool {
        node.is_of(self.own)
    }

    /// Returns the files that the file itself includes.
    pub fn includes(&self) -> Vec<Node<'y>> {
        let include = root(self.own).and_then(|root| root.get("include"));
        include.map(Node::listed).unwrap_or_default()
    }

    /// Returns the value of the pipeline's key.
    pub fn get(&self, key: &str) -> Option<Node<'y>> {
        self.roots.iter().find_map(|root| root.get(key))
    }

    /// Returns what the files say of the job or template `name`, which is merged.
    pub fn named(&self, name: &str) -> Vec<Node<'y>> {
        let all = self.roots.iter().filter_map(|root| root.get(name));
        all.filter(|node| node.is_map()).collect()
    }

    pub fn jobs(&self) -> Vec<(&'y str, Vec<Node<'y>>)> {
        let entries = self.roots.iter().flat_map(|root| root.entries());
        let named = entries.filter_map(|entry| Some((entry.key.text()?, entry.value)));
        let jobs = named.filter(|(name, node)| node.is_map() && !KEYWORDS.contains(name));
        let mut seen = HashSet::new();
        jobs.filter(|(name, _)| seen.insert(*name))
            .map(|(name, _)| (name, self.named(name)))
            .collect()
    }

    /// Returns a job and what it extends, the one that wins first.
    pub fn chain(&self, job: &[Node<'y>]) -> Vec<Node<'y>> {
        let mut chain = Vec::new();
        self.extend(job, &mut HashSet::new(), &mut chain);
        chain
    }

    fn extend(&self, job: &[Node<'y>], seen: &mut HashSet<&'y str>, chain: &mut Vec<Node<'y>>) {
        chain.extend(job);
        for name in extended(job).into_iter().rev() {
            // A repeated template is behind itself, and gives nothing more.
            if seen.insert(name) {
                let _ = budget::nested(|| self.extend(&self.named(name), seen, chain));
            }
        }
    }

    /// Returns whether a part of a job stands in none of the files: only GitLab knows it.
    pub fn is_open(&self, chain: &[Node<'y>]) -> bool {
        let mut templates = chain.iter().flat_map(|node| extended(&[*node]));
        let mut set = ["image", "services", "tags"].iter();
        let is_lost = |node: Node<'_>| {
            let first = node.items().first().and_then(|key| key.text());
            node.tag() == Some(REFERENCE) && first.is_none_or(|name| self.get(name).is_none())
        };
        templates.any(|name| self.named(name).is_empty())
            || set.any(|key| {
                chain
                    .iter()
                    .find_map(|map| map.get(key))
                    .is_some_and(is_lost)
            })
    }

    /// Returns the value of a job for this key, with references replaced.
    pub fn own(&self, chain: &[Node<'y>], key: &str) -> Option<Node<'y>> {
        let mut set = chain.iter().filter_map(|map| map.get(key));
        // `parallel: {matrix: …}` merges; the other keys that are read here are lists or texts.
        let found = set.find_map(|node| self.followed(node));
        found.filter(|node| !node.is_null())
    }

    /// Returns the target of a reference; any other value as it is.
    pub fn followed(&self, node: Node<'y>) -> Option<Node<'y>> {
        if node.tag() != Some(REFERENCE) {
            return Some(node);
        }
        let path = node.items();
        let mut keys = path.iter().filter_map(|key| key.text());
        let name = keys.next()?;
        let mut target = match keys.next() {
            Some(key) => {
                let chain = self.chain(&self.named(name));
                chain.iter().find_map(|map| map.get(key))?
            }
            None => self.get(name)?,
        };
        for key in keys {
            target = budget::nested(|| self.followed(target))??.get(key)?;
        }
        budget::nested(|| self.followed(target))?
    }

    /// Returns the lines of the two scripts that a job runs: `before_script` with `script`, and `after_script`.
    pub fn scripts(&self, chain: &[Node<'y>]) -> [Vec<Node<'y>>; 2] {
        let before = self.with_default(chain, "before_script");
        let after = self.with_default(chain, "after_script");
        let lines = |nodes: &[Option<Node<'y>>]| {
            let mut lines = Vec::new();
            for node in nodes.iter().flatten() {
                self.lines(*node, &mut Vec::new(), &mut lines);
            }
            lines
        };
        [lines(&[before, self.own(chain, "script")]), lines(&[after])]
    }

    /// Returns a job's value for a key, or the file's default; an empty value counts.
    pub fn with_default(&self, chain: &[Node<'y>], key: &str) -> Option<Node<'y>> {
        if chain.iter().any(|map| map.get(key).is_some()) {
            return self.own(chain, key);
        }
        let mut defaults = self.roots.iter().filter_map(|root| root.get("default"));
        let default = defaults.find_map(|all| all.get(key));
        let default = default.or_else(|| self.get(key))?;
        let is_taken = self.inherits(chain, "default");
        is_taken(key).then(|| self.followed(default))?
    }

    /// Returns a test by name: whether a job takes what the file sets for all jobs under `kind`.
    fn inherits(&self, chain: &[Node<'y>], kind: &str) -> impl Fn(&str) -> bool + use<'y> {
        let inherits = self.own(chain, "inherit");
        let inherits = inherits.and_then(|inherit| inherit.get(kind));
        move |name| match inherits {
            Some(list) if list.is_list() => {
                let mut taken = list.scalars().into_iter();
                taken.any(|taken| taken.text() == Some(name))
            }
            switch => switch.and_then(Node::text) != Some("false"),
        }
    }

    /// Adds the lines of `node`; the lists in `open` are being walked. GitLab refuses a list within itself, and here it
    /// gives nothing more: its lines would double with every level.
    fn lines(&self, node: Node<'y>, open: &mut Vec<Node<'y>>, lines: &mut Vec<Node<'y>>) {
        let Some(node) = self.followed(node).filter(|_| budget::spend(256)) else {
            return;
        };
        if node.is_list() {
            let is_open = |other: &Node<'_>| other.is(node);
            if open.iter().any(is_open) {
                return;
            }
            open.push(node);
            for item in node.items() {
                let _ = budget::nested(|| self.lines(item, open, lines));
            }
            open.pop();
        } else if node.text().is_some() {
            lines.push(node);
        }
    }

    /// Returns the variables that the file sets for a job, the job's own first.
    pub fn variables(&self, chain: &[Node<'y>]) -> Env {
        let is_taken = self.inherits(chain, "variables");
        let all = self
            .roots
            .iter()
            .rev()
            .filter_map(|map| map.get("variables"));
        let all = all.fold(Env::default(), |env, node| {
            let mut set = self.set(node);
            set.retain(|arg| arg.name.as_str().is_some_and(&is_taken));
            env.with(set)
        });
        let own = chain.iter().rev().filter_map(|map| map.get("variables"));
        own.fold(all, |env, node| env.with(self.set(node)))
    }

    fn set(&self, node: Node<'y>) -> Vec<Arg> {
        let entries = self.followed(node).map(Node::entries).unwrap_or_default();
        let entries = entries.into_iter().take_while(|_| Arg::pay(1));
        let variable = |entry: Entry<'y>| {
            let of_form = entry.value.is_map().then(|| entry.value.get("value"));
            let text = of_form.unwrap_or(Some(entry.value));
            let text = text.and_then(|value| number::text(self.followed(value)?));
            let span = if self.is_own(entry.value) {
                entry.value.span()
            } else {
                Span::at(0)
            };
            Some(Arg::new(entry.key.text()?, text, span))
        };
        entries.filter_map(variable).collect()
    }

    pub fn matrix(&self, parallel: Node<'y>) -> Option<Vec<Node<'y>>> {
        let items = self.followed(parallel.get("matrix")?)?.items().into_iter();
        let entries = items.map(|item| Some(self.followed(item)?.listed()));
        Some(entries.collect::<Option<Vec<_>>>()?.concat())
    }
}
