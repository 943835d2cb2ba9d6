//! The uses of a value: in its own place, and in those of aliases of it or of a value around it.

use std::collections::HashMap;

use super::node::{Data, Entry, Node, Yaml};
use crate::budget;

pub struct AliasPaths<'y> {
    yaml: &'y Yaml<'y>,
    /// The aliases of each value that has any.
    aliases: HashMap<usize, Vec<usize>>,
}

impl<'y> AliasPaths<'y> {
    pub fn of(yaml: &'y Yaml<'y>) -> Self {
        let mut aliases: HashMap<usize, Vec<usize>> = HashMap::new();
        for (id, item) in yaml.items.iter().enumerate() {
            if let Data::Alias(target) = item.data {
                aliases.entry(target).or_default().push(id);
            }
        }
        Self { yaml, aliases }
    }

    /// Returns the paths of keys from a document's root to each place of `node`; list items and merge keys add nothing,
    /// since merged values are in their mapping's place. None for a value that no alias puts elsewhere.
    pub fn places(&self, node: Node<'y>) -> Option<Vec<Vec<&'y str>>> {
        if self.aliases.is_empty() {
            return Some(Vec::new());
        }
        let mut found = Vec::new();
        let mut open = vec![(node.resolved().id, Vec::new())];
        while let Some((id, way)) = open.pop() {
            if !budget::spend(32 * (1 + way.len())) {
                return None;
            }
            for alias in self.aliases.get(&id).into_iter().flatten() {
                open.push((*alias, way.clone()));
            }
            match self.yaml.items[id].parent {
                Some(parent) => open.push((parent, self.step(id, way))),
                None => found.push(way.into_iter().rev().collect()),
            }
        }
        Some(if found.len() > 1 { found } else { Vec::new() })
    }

    /// Adds the step from the parent to the value `id` behind `way`, whose last step comes first.
    fn step(&self, id: usize, mut way: Vec<&'y str>) -> Vec<&'y str> {
        let Some(key) = self.yaml.items[id].key else {
            way.push("");
            return way;
        };
        let entry = Entry {
            key: self.yaml.node(key),
            value: self.yaml.node(id),
        };
        if entry.is_merge() {
            // `<<: [*a, *b]`
            way.pop_if(|_| entry.value.is_list());
        } else {
            way.push(entry.key.text().unwrap_or_default());
        }
        way
    }
}
