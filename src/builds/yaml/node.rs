use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::budget;
use crate::text::Span;

/// The most keys of a mapping for which a linear search is the fastest.
const FEW: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a b`
    Plain,
    /// `'a b'`
    Single,
    /// `"a b"`
    Double,
    /// A block whose lines stay: `|`
    Literal,
    /// A block whose lines are joined: `>`
    Folded,
}

#[derive(Clone, Debug)]
pub struct Yaml<'a> {
    pub(super) source: &'a str,
    pub(super) items: Vec<Item>,
    pub(super) roots: Vec<usize>,
    /// The keys of mappings with more than [`FEW`], by mapping, each with its index.
    pub(super) keys: OnceLock<HashMap<usize, HashMap<String, usize>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) data: Data,
    /// The start and, for scalars, aliases and collections in brackets, the end.
    pub(super) span: Span,
    pub(super) parent: Option<usize>,
    /// The key of a value in a mapping.
    pub(super) key: Option<usize>,
    pub(super) tag: Option<String>,
    pub(super) anchored: bool,
    /// The number of values with aliases expanded; 0 while it is being read.
    pub(super) size: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar(String, Style),
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
    Alias(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Node<'y> {
    pub(super) yaml: &'y Yaml<'y>,
    pub(super) id: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Entry<'y> {
    pub key: Node<'y>,
    pub value: Node<'y>,
}

impl Yaml<'_> {
    /// Finds the keys of large mappings; the first of equal keys counts.
    fn index(&self) -> HashMap<usize, HashMap<String, usize>> {
        let mut index: HashMap<usize, HashMap<String, usize>> = HashMap::new();
        for (id, item) in self.items.iter().enumerate() {
            let Data::Map(pairs) = &item.data else {
                continue;
            };
            for (at, (key, _)) in pairs.iter().enumerate().filter(|_| pairs.len() > FEW) {
                if let Some(text) = self.node(*key).text() {
                    let keys = index.entry(id).or_default();
                    keys.entry(text.to_owned()).or_insert(at);
                }
            }
        }
        index
    }

    pub(super) fn node(&self, id: usize) -> Node<'_> {
        Node { yaml: self, id }
    }

    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|&id| self.node(id))
    }

    pub fn root(&self) -> Option<Node<'_>> {
        self.roots().next()
    }

    /// Returns the places of all texts, empty values included.
    #[cfg(feature = "cli")]
    pub fn texts(&self) -> impl Iterator<Item = Span> {
        self.items
            .iter()
            .filter(|item| matches!(item.data, Data::Scalar(..)))
            .map(|item| item.span)
    }

    pub const fn source(&self) -> &str {
        self.source
    }
}

impl PartialEq for Node<'_> {
    /// Compares the places of two values of one file.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.yaml, other.yaml)
    }
}

impl<'y> Node<'y> {
    pub(super) fn item(self) -> &'y Item {
        &self.yaml.items[self.id]
    }

    pub(super) fn with(self, id: usize) -> Self {
        self.yaml.node(id)
    }

    fn pair(self, &(key, value): &(usize, usize)) -> Entry<'y> {
        Entry {
            key: self.with(key),
            value: self.with(value),
        }
    }

    pub fn is_of(self, yaml: &Yaml<'_>) -> bool {
        std::ptr::addr_eq(self.yaml, yaml)
    }

    /// Returns whether `other` is the same place of the same file.
    pub fn is(self, other: Self) -> bool {
        self.is_of(other.yaml) && self.id == other.id
    }

    pub fn is_alias(self) -> bool {
        matches!(self.item().data, Data::Alias(_))
    }

    pub fn is_anchored(self) -> bool {
        self.item().anchored
    }

    /// Returns the target of an alias; any other value itself.
    #[must_use]
    pub fn resolved(self) -> Self {
        match self.item().data {
            Data::Alias(id) => self.with(id),
            _ => self,
        }
    }

    /// Returns the list or mapping around it; for a key as for its value, their mapping.
    pub fn parent(self) -> Option<Self> {
        self.item().parent.map(|id| self.with(id))
    }

    /// Returns its own bytes: for an alias, those of `*name`; for a scalar, quotes, but no tag or anchor; a block's
    /// from `|` on.
    pub fn span(self) -> Span {
        Span::new(self.item().span.start, self.end())
    }

    /// Returns its source text; for an alias, its target's.
    #[must_use]
    pub fn raw(self) -> &'y str {
        let span = self.resolved().span();
        self.source().get(span.start..span.end).unwrap_or_default()
    }

    #[must_use]
    pub const fn source(self) -> &'y str {
        self.yaml.source()
    }

    /// Returns its tag, like `!reference`, `!!str` as `tag:yaml.org,2002:str`.
    pub fn tag(self) -> Option<&'y str> {
        self.resolved().item().tag.as_deref()
    }

    /// Returns the text of a scalar: `null` and numbers as written.
    pub fn text(self) -> Option<&'y str> {
        match &self.resolved().item().data {
            Data::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    pub fn style(self) -> Option<Style> {
        match self.resolved().item().data {
            Data::Scalar(_, style) => Some(style),
            _ => None,
        }
    }

    /// Returns whether it is an empty plain scalar, `~` or `null`.
    pub fn is_null(self) -> bool {
        self.style() == Some(Style::Plain)
            && matches!(self.text(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    pub fn is_list(self) -> bool {
        matches!(self.resolved().item().data, Data::List(_))
    }

    pub fn is_map(self) -> bool {
        matches!(self.resolved().item().data, Data::Map(_))
    }

    /// Returns whether it is a list or mapping in brackets.
    pub fn is_flow(self) -> bool {
        let node = self.resolved();
        let open = self.yaml.source.as_bytes().get(node.item().span.start);
        (node.is_list() && open == Some(&b'[')) || (node.is_map() && open == Some(&b'{'))
    }

    pub fn items(self) -> Vec<Self> {
        match &self.resolved().item().data {
            Data::List(ids) => ids.iter().map(|&id| self.with(id)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the items of a list; any other node as one item.
    pub fn listed(self) -> Vec<Self> {
        if self.is_list() {
            self.items()
        } else {
            vec![self]
        }
    }

    /// Returns the scalars of a list, nested lists included; a scalar alone is a list of one.
    pub fn scalars(self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(node) = left.pop() {
            match &node.resolved().item().data {
                Data::Scalar(..) => found.push(node),
                Data::List(ids) => left.extend(ids.iter().rev().map(|&id| node.with(id))),
                Data::Map(_) | Data::Alias(_) => {}
            }
        }
        found
    }

    /// Returns the mapping's own entries, `<<` among them.
    pub fn own_entries(self) -> Vec<Entry<'y>> {
        match &self.resolved().item().data {
            Data::Map(pairs) => pairs.iter().map(|pair| self.pair(pair)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the mapping's entries, then those merged by `<<`; the first of a name counts.
    pub fn entries(self) -> Vec<Entry<'y>> {
        let mut found: Vec<Entry<'y>> = Vec::new();
        let mut seen = HashSet::new();
        let mut left = vec![self];
        while let Some(map) = left.pop() {
            let mut sources = Vec::new();
            for entry in map.own_entries() {
                // A file can have the same large mapping read for each of its parts.
                if !budget::spend(16) {
                    return found;
                }
                if !entry.is_merge() {
                    if seen.insert(entry.key.text().unwrap_or_default()) {
                        found.push(entry);
                    }
                } else if entry.value.is_list() {
                    sources.extend(entry.value.items());
                } else {
                    sources.push(entry.value);
                }
            }
            left.extend(sources.into_iter().rev());
        }
        found
    }

    pub fn entry(self, key: &str) -> Option<Entry<'y>> {
        let own = self.own_entry(key);
        if own.is_some() || self.own_entry("<<").is_none() {
            return own;
        }
        let mut entries = self.entries().into_iter();
        entries.find(|entry| entry.key.text() == Some(key))
    }

    pub fn own_entry(self, key: &str) -> Option<Entry<'y>> {
        let map = self.resolved();
        let Data::Map(pairs) = &map.item().data else {
            return None;
        };
        if pairs.len() <= FEW {
            let mut entries = pairs.iter().map(|pair| self.pair(pair));
            return entries.find(|entry| entry.key.text() == Some(key));
        }
        let keys = self.yaml.keys.get_or_init(|| self.yaml.index());
        let at = keys.get(&map.id)?.get(key)?;
        Some(self.pair(&pairs[*at]))
    }

    pub fn get(self, key: &str) -> Option<Self> {
        self.entry(key).map(|entry| entry.value)
    }

    /// Returns the mapping's text for this key, where that is a scalar and not null.
    pub fn get_text(self, key: &str) -> Option<&'y str> {
        self.get(key)
            .filter(|value| !value.is_null())
            .and_then(Self::text)
    }
}

impl Entry<'_> {
    pub fn is_merge(&self) -> bool {
        self.key.text() == Some("<<") && self.key.style() == Some(Style::Plain)
    }
}
