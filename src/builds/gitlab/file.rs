//! The jobs of a pipeline, with their templates, defaults and references.

use std::collections::HashSet;

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

/// Returns the items of a list; any other node as one item.
pub fn listed(node: Node<'_>) -> Vec<Node<'_>> {
    if node.is_list() {
        node.items()
    } else {
        vec![node]
    }
}

pub struct File<'y> {
    root: Node<'y>,
}

impl<'y> File<'y> {
    pub fn new(yaml: &'y Yaml<'y>) -> Option<Self> {
        let mut roots = yaml.roots();
        // A header of inputs is a document of its own.
        let root = roots.next().and_then(|first| match first.get("spec") {
            Some(_) => roots.next().or(Some(first)),
            None => Some(first),
        })?;
        (root.is_map() || root.is_null()).then_some(Self { root })
    }

    pub const fn root(&self) -> Node<'y> {
        self.root
    }

    pub fn jobs(&self) -> Vec<(&'y str, Node<'y>)> {
        let entries = self.root.entries().into_iter();
        let named = entries.filter_map(|entry| Some((entry.key.text()?, entry.value)));
        named
            .filter(|(name, node)| node.is_map() && !KEYWORDS.contains(name))
            .collect()
    }

    /// Returns a job and what it extends, the one that wins first.
    pub fn chain(&self, job: Node<'y>) -> Vec<Node<'y>> {
        let mut chain = Vec::new();
        self.extend(job, &mut HashSet::new(), &mut chain);
        chain
    }

    fn extend(&self, job: Node<'y>, seen: &mut HashSet<&'y str>, chain: &mut Vec<Node<'y>>) {
        chain.push(job);
        let Some(extends) = job.get("extends") else {
            return;
        };
        for name in extends.scalars().into_iter().rev().filter_map(Node::text) {
            // A repeated template is behind itself, and gives nothing more.
            if seen.insert(name)
                && let Some(template) = self.root.get(name).filter(|node| node.is_map())
            {
                let _ = budget::nested(|| self.extend(template, seen, chain));
            }
        }
    }

    /// Returns the value of a job for this key, with references replaced.
    pub fn own(&self, chain: &[Node<'y>], key: &str) -> Option<Node<'y>> {
        let mut set = chain.iter().filter_map(|map| map.get(key));
        // `parallel: {matrix: …}` merges; the other keys that are read here are lists or texts.
        let found = set.find_map(|node| self.followed(node));
        found.filter(|node| !node.is_null())
    }

    /// Returns the target of a reference; any other value as it is.
    fn followed(&self, node: Node<'y>) -> Option<Node<'y>> {
        if node.tag() != Some("!reference") {
            return Some(node);
        }
        let path = node.items();
        let mut keys = path.iter().filter_map(|key| key.text());
        let job = self.root.get(keys.next()?)?;
        let mut target = match keys.next() {
            Some(key) => self.chain(job).iter().find_map(|map| map.get(key))?,
            None => job,
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
        let default = self.root.get("default").and_then(|all| all.get(key));
        let default = default.or_else(|| self.root.get(key))?;
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
    fn lines(&self, node: Node<'y>, open: &mut Vec<Span>, lines: &mut Vec<Node<'y>>) {
        let Some(node) = self.followed(node).filter(|_| budget::spend(256)) else {
            return;
        };
        if node.is_list() {
            if open.contains(&node.span()) {
                return;
            }
            open.push(node.span());
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
        let all = self.root.get("variables").map(|node| self.set(node));
        let mut all = all.unwrap_or_default();
        let is_taken = self.inherits(chain, "variables");
        all.retain(|arg| arg.name.as_str().is_some_and(&is_taken));
        let own = chain.iter().rev().filter_map(|map| map.get("variables"));
        let add = |env: Env, node| env.with(self.set(node));
        own.fold(Env::default().with(all), add)
    }

    fn set(&self, node: Node<'y>) -> Vec<Arg> {
        let entries = self.followed(node).map(Node::entries).unwrap_or_default();
        let entries = entries.into_iter().take_while(|_| Arg::pay(1));
        let variable = |entry: Entry<'y>| {
            let of_form = entry.value.is_map().then(|| entry.value.get("value"));
            let text = of_form.unwrap_or(Some(entry.value));
            let text = text.and_then(|value| self.followed(value)?.text());
            let span = entry.value.span();
            Some(Arg::new(entry.key.text()?, text.map(str::to_owned), span))
        };
        entries.filter_map(variable).collect()
    }

    pub fn matrix(&self, parallel: Node<'y>) -> Option<Vec<Node<'y>>> {
        let items = self.followed(parallel.get("matrix")?)?.items().into_iter();
        let entries = items.map(|item| Some(listed(self.followed(item)?)));
        Some(entries.collect::<Option<Vec<_>>>()?.concat())
    }
}
