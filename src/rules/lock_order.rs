//! `lock-order`: RUNs that take the same locks in opposite orders.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use crate::budget;
use crate::finding::{Finding, LockKey, RuleId};
use crate::index::{Index, Located, Site};

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    for circle in Graph::new(index).circles() {
        if let Some(first) = circle.first() {
            findings[first.held.0].push(report(index, first, &circle));
        }
    }
}

/// How many RUNs of a circle are pointed at: nobody reads more.
const MAX_POINTS: usize = 16;

/// One RUN that takes a lock while it holds another.
#[derive(Clone)]
struct Edge<'s> {
    held: Located<'s>,
    taken: &'s Site,
    /// What the RUN holds by then, by number.
    gates: Rc<BTreeSet<usize>>,
}

/// Locks, and which is taken while which is held. The first RUN that does so stands for all.
struct Graph<'s> {
    next: Vec<BTreeMap<usize, Edge<'s>>>,
}

impl<'s> Graph<'s> {
    fn new(index: &Index<'s>) -> Self {
        let mut numbers: HashMap<&'s LockKey, usize> = HashMap::new();
        let mut next: Vec<BTreeMap<usize, Edge<'s>>> = Vec::new();
        for (file, sites) in index.files().enumerate() {
            for run in sites.chunk_by(|a, b| a.instruction == b.instruction) {
                // Where a target is not known, neither is the order.
                let mut locked: Vec<(&[u8], &'s Site)> = run
                    .iter()
                    .filter(|s| s.is_locked() && !s.exempt.contains(&RuleId::LockOrder))
                    .filter_map(|s| Some((s.target.as_deref()?, s)))
                    .collect();
                if locked.len() < 2 {
                    continue;
                }
                locked.sort_by_key(|(target, _)| *target);
                // A lock that the RUN holds already is not taken again.
                let mut seen: HashSet<&LockKey> = HashSet::new();
                locked.retain(|(_, site)| seen.insert(&site.key));
                let mut number = |site: &'s Site| {
                    *numbers.entry(&site.key).or_insert_with(|| {
                        next.push(BTreeMap::new());
                        next.len() - 1
                    })
                };
                let locked: Vec<(usize, &'s Site)> = locked
                    .into_iter()
                    .map(|(_, site)| (number(site), site))
                    .collect();
                for (before, &(from, held)) in locked.iter().enumerate() {
                    let gates = Rc::new(locked[..before].iter().map(|(lock, _)| *lock).collect());
                    for &(to, taken) in &locked[before + 1..] {
                        // It stays in memory, which is dearer than a step.
                        if !budget::spend(8 * size_of::<Edge<'_>>()) {
                            return Self { next };
                        }
                        // The RUN that holds the least besides stands for all: what is behind a common lock cannot meet.
                        let edge = next[from].get(&to);
                        if edge.is_none_or(|edge| before < edge.gates.len()) {
                            let edge = Edge {
                                held: (file, held),
                                taken,
                                gates: Rc::clone(&gates),
                            };
                            next[from].insert(to, edge);
                        }
                    }
                }
            }
        }
        Self { next }
    }

    /// A circle for each group of locks that lead back to one another. Where one circle cannot close, another of the group
    /// may: for each lock the shortest through it is looked at, and then the shortest through each way on from it.
    fn circles(&self) -> Vec<Vec<Edge<'s>>> {
        let group = self.groups();
        let common = self.common_gates(&group);
        let mut found = vec![false; self.next.len()];
        let mut circles = Vec::new();
        for start in 0..self.next.len() {
            let here = group[start];
            let gated = common[here].as_ref().is_some_and(|gates| !gates.is_empty());
            if gated || found[here] {
                continue;
            }
            let ways = self.next[start].keys().filter(|to| group[**to] == here);
            for first in std::iter::once(None).chain(ways.map(|to| Some(*to))) {
                let circle = self.circle(start, first, &group);
                if let Some(circle) = circle.filter(|circle| !is_gated(circle)) {
                    found[here] = true;
                    circles.push(circle);
                    break;
                }
            }
        }
        circles
    }

    /// What the RUNs of each group all hold before they take any of its locks: no circle within it can close. By the
    /// group's number; `None` where there is no RUN.
    fn common_gates(&self, group: &[usize]) -> Vec<Option<BTreeSet<usize>>> {
        let mut common: Vec<Option<BTreeSet<usize>>> = vec![None; self.next.len()];
        for (from, next) in self.next.iter().enumerate() {
            for (_, edge) in next.iter().filter(|(to, _)| group[**to] == group[from]) {
                match &mut common[group[from]] {
                    Some(gates) => gates.retain(|gate| edge.gates.contains(gate)),
                    none => *none = Some((*edge.gates).clone()),
                }
            }
        }
        common
    }

    /// The shortest way from `start` back to it, within its group, by way of `first` where that is given.
    fn circle(&self, start: usize, first: Option<usize>, group: &[usize]) -> Option<Vec<Edge<'s>>> {
        let mut from: HashMap<usize, usize> = HashMap::new();
        from.extend(first.map(|first| (first, start)));
        let mut queue = VecDeque::from([first.unwrap_or(start)]);
        while let Some(here) = queue.pop_front() {
            for &to in self.next[here]
                .keys()
                .filter(|to| group[**to] == group[start])
            {
                if !budget::spend(1) {
                    return None;
                }
                if to == start {
                    let mut way = vec![self.next[here][&start].clone()];
                    let mut at = here;
                    while at != start {
                        let before = from[&at];
                        way.push(self.next[before][&at].clone());
                        at = before;
                    }
                    way.reverse();
                    return Some(way);
                }
                if let Entry::Vacant(entry) = from.entry(to) {
                    entry.insert(here);
                    queue.push_back(to);
                }
            }
        }
        None
    }

    /// The strongly connected component of each lock (Tarjan's algorithm, without recursion).
    fn groups(&self) -> Vec<usize> {
        let count = self.next.len();
        let (mut order, mut low, mut group) = (
            vec![usize::MAX; count],
            vec![0; count],
            vec![usize::MAX; count],
        );
        let (mut stack, mut on_stack, mut clock) = (Vec::new(), vec![false; count], 0);
        for root in 0..count {
            if order[root] != usize::MAX {
                continue;
            }
            let mut calls: Vec<(usize, Vec<usize>)> = Vec::new();
            let mut enter = Some(root);
            loop {
                if let Some(node) = enter.take() {
                    (order[node], low[node]) = (clock, clock);
                    clock += 1;
                    stack.push(node);
                    on_stack[node] = true;
                    calls.push((node, self.next[node].keys().rev().copied().collect()));
                }
                let Some((node, rest)) = calls.last_mut() else {
                    break;
                };
                let node = *node;
                if let Some(to) = rest.pop() {
                    if order[to] == usize::MAX {
                        enter = Some(to);
                    } else if on_stack[to] {
                        low[node] = low[node].min(order[to]);
                    }
                    continue;
                }
                calls.pop();
                if let Some((parent, _)) = calls.last() {
                    low[*parent] = low[*parent].min(low[node]);
                }
                if low[node] == order[node] {
                    while let Some(member) = stack.pop() {
                        on_stack[member] = false;
                        group[member] = node;
                        if member == node {
                            break;
                        }
                    }
                }
            }
        }
        group
    }
}

/// Whether a lock that all of them hold already lets one in at a time.
fn is_gated(circle: &[Edge<'_>]) -> bool {
    let holds_all = |gate: &usize| {
        budget::spend(circle.len()) && circle.iter().all(|edge| edge.gates.contains(gate))
    };
    circle.iter().flat_map(|edge| &*edge.gates).any(holds_all)
}

/// The finding for one circle: at its first RUN, pointing at every other.
fn report(index: &Index<'_>, first: &Edge<'_>, circle: &[Edge<'_>]) -> Finding {
    let id = |site: &Site| String::from_utf8_lossy(&site.key.id).into_owned();
    let target = |site: &Site| {
        String::from_utf8_lossy(site.target.as_deref().unwrap_or_default()).into_owned()
    };
    let order = |edge: &Edge<'_>| {
        let (held, taken) = (edge.held.1, edge.taken);
        format!(
            "takes `{}` (at {}), then `{}` (at {})",
            id(held),
            target(held),
            id(taken),
            target(taken)
        )
    };
    let mut runs: Vec<(usize, usize)> = circle
        .iter()
        .map(|edge| (edge.held.0, edge.held.1.instruction))
        .collect();
    runs.dedup();
    let others = match runs.len() {
        2 => "another one takes them the other way round".to_owned(),
        count => format!("{} others close the circle", count - 1),
    };
    let message = format!(
        "{} builds can wait for each other for ever: this RUN {}; {others}",
        runs.len(),
        order(first)
    );
    let help = "a RUN takes its locks in the order of their targets: mount each id at the same target everywhere";
    let mut finding = Finding::new(RuleId::LockOrder, first.held.1.span, message).help(help);
    for edge in circle[1..].iter().take(MAX_POINTS) {
        finding.relate(index.location(first.held.0, edge.held, order(edge)));
    }
    finding
}
