//! The jobs of a pipeline, and what they get from templates, defaults and references.

use std::collections::HashSet;

use crate::budget;
use crate::builds::model::{Arg, Env};
use crate::builds::yaml::{Entry, Node, Yaml};
use crate::text::Span;

/// The keys at the top that are no jobs.
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
/// A pipeline's file.
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

    /// The jobs and templates.
    pub fn jobs(&self) -> Vec<(&'y str, Node<'y>)> {
        let entries = self
            .root
            .entries()
            .into_iter()
            .filter(|entry| entry.value.is_map());
        let named = entries.filter_map(|entry| Some((entry.key.text()?, entry.value)));
        named.filter(|(name, _)| !KEYWORDS.contains(name)).collect()
    }

    /// A job and what it extends, the one that wins first.
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
            // What comes again is behind itself, and gives nothing more.
            if seen.insert(name)
                && let Some(template) = self.root.get(name).filter(|node| node.is_map())
            {
                let _ = budget::nested(|| self.extend(template, seen, chain));
            }
        }
    }

    /// The value of a job for this key, what a reference stands for put in its place.
    pub fn own(&self, chain: &[Node<'y>], key: &str) -> Option<Node<'y>> {
        let found = chain
            .iter()
            .filter_map(|map| map.get(key))
            .filter_map(|node| self.followed(node));
        // `parallel: {matrix: …}` merges; all else that is asked for here is a list or a text.
        found.into_iter().next().filter(|node| !node.is_null())
    }

    /// What a reference stands for; other values stand for themselves.
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

    /// The lines of `script`, before them those of `before_script`.
    pub fn script(&self, chain: &[Node<'y>]) -> Vec<Node<'y>> {
        let mut lines = Vec::new();
        let before = self.with_default(chain, "before_script");
        for node in before.into_iter().chain(self.own(chain, "script")) {
            self.lines(node, &mut Vec::new(), &mut lines);
        }
        lines
    }

    /// The lines of `after_script`.
    pub fn after_script(&self, chain: &[Node<'y>]) -> Vec<Node<'y>> {
        let mut lines = Vec::new();
        if let Some(node) = self.with_default(chain, "after_script") {
            self.lines(node, &mut Vec::new(), &mut lines);
        }
        lines
    }

    /// What a job says for a key, or the file for all jobs; what is there but empty counts.
    fn with_default(&self, chain: &[Node<'y>], key: &str) -> Option<Node<'y>> {
        if chain.iter().any(|map| map.get(key).is_some()) {
            return self.own(chain, key);
        }
        let inherits = self
            .own(chain, "inherit")
            .and_then(|inherit| inherit.get("default"));
        let taken = match inherits {
            Some(list) if list.is_list() => {
                list.scalars().iter().any(|name| name.text() == Some(key))
            }
            Some(switch) => switch.text() != Some("false"),
            None => true,
        };
        let default = self
            .root
            .get("default")
            .and_then(|default| default.get(key))
            .or_else(|| self.root.get(key));
        default
            .filter(|_| taken)
            .and_then(|node| self.followed(node))
    }

    /// The lines of `node`; those of the lists in `open` are being gone through. A list within itself, which GitLab refuses,
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

    /// Returns the variables that the file sets for a job, its own before the file's.
    pub fn variables(&self, chain: &[Node<'y>]) -> Env {
        let inherits = self.own(chain, "inherit");
        let inherits = inherits.and_then(|inherit| inherit.get("variables"));
        let names = inherits.filter(|inherits| inherits.is_list());
        let names = names.map(Node::scalars);
        let none = inherits.and_then(Node::text) == Some("false");
        let mut all = self
            .root
            .get("variables")
            .map(|node| self.set(node))
            .unwrap_or_default();
        all.retain(|arg| match &names {
            Some(names) => names.iter().any(|name| name.text() == Some(&arg.name)),
            None => !none,
        });
        let own = chain.iter().rev().filter_map(|map| map.get("variables"));
        own.fold(Env::default().with(all), |env, node| {
            env.with(self.set(node))
        })
    }

    /// Returns the variables that a mapping sets.
    fn set(&self, node: Node<'y>) -> Vec<Arg> {
        let entries = self.followed(node).map(Node::entries).unwrap_or_default();
        let entries = entries.into_iter().take_while(|_| Arg::pay(1));
        let variable = |entry: Entry<'y>| {
            // `value:` and `description:`, for a form.
            let value = if entry.value.is_map() {
                entry.value.get("value")
            } else {
                Some(entry.value)
            };
            let text = value.and_then(|value| self.followed(value)?.text());
            Some(Arg::new(
                entry.key.text()?,
                text.map(str::to_owned),
                entry.value.span(),
            ))
        };
        entries.filter_map(variable).collect()
    }

    /// The entry of `parallel` for `matrix`, references followed.
    pub fn matrix(&self, parallel: Node<'y>) -> Option<Vec<Node<'y>>> {
        let matrix = self.followed(parallel.get("matrix")?)?;
        let mut entries = Vec::new();
        for item in matrix.items() {
            let item = self.followed(item)?;
            if item.is_list() {
                entries.extend(item.items());
            } else {
                entries.push(item);
            }
        }
        Some(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing, as a file of 500 bytes that took seconds: each level went through the list once more for each of
    /// its references to itself.
    #[test]
    fn a_script_that_refers_to_itself_is_gone_through_once() {
        let source = format!(
            ".t:\n  script:\n{}    - make\n",
            "    - !reference [.t, script]\n".repeat(9)
        );
        let yaml = Yaml::read(&source).unwrap();
        let file = File::new(&yaml).unwrap();
        let lines = file.script(&file.chain(file.root().get(".t").unwrap()));
        assert_eq!(
            lines
                .iter()
                .filter_map(|line| line.text())
                .collect::<Vec<_>>(),
            ["make"]
        );
    }
}
