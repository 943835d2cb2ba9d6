//! `lock-order`: RUNs that take the same locks in opposite orders.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use crate::budget;
use crate::dockerfile::Sharing;
use crate::finding::{Finding, LockKey, RuleId};
use crate::index::{CacheMount, Index};

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    for mut circle in Graph::new(index).circles() {
        let named = circle.iter().position(|edge| !index.is_context(edge.held));
        circle.rotate_left(named.unwrap_or_default());
        if let Some(first) = circle.first() {
            findings[first.held.file].push(report(index, first, &circle));
        }
    }
}

/// Returns the locks of each circle in which builds can wait for each other for ever, in order.
#[cfg(feature = "cli")]
pub fn circles(index: &Index<'_>) -> Vec<Vec<LockKey>> {
    let key = |edge: Edge<'_>| LockKey::clone(&edge.held.key);
    let circles = Graph::new(index).circles().into_iter();
    circles
        .map(|circle| circle.into_iter().map(key).collect())
        .collect()
}

/// The limit for the RUNs of a circle that a finding points at.
const MAX_POINTS: usize = 16;

/// A RUN that takes a lock while it has another, or uses that without a lock: a lock waits for any holder.
#[derive(Clone)]
struct Edge<'s> {
    held: &'s CacheMount,
    taken: &'s CacheMount,
    /// The numbers of the locks that the RUN has by then.
    gates: Rc<BTreeSet<usize>>,
}

/// The locks, and the first RUN for each pair of locks taken one after the other.
struct Graph<'s> {
    next: Vec<BTreeMap<usize, Edge<'s>>>,
}

impl<'s> Graph<'s> {
    fn new(index: &Index<'s>) -> Self {
        // Podman and buildah have caches of their own.
        let mut numbers: HashMap<(bool, &'s LockKey), usize> = HashMap::new();
        let mut next: Vec<BTreeMap<usize, Edge<'s>>> = Vec::new();
        for mounts in index.files() {
            let by_buildah = mounts.first().is_some_and(|one| index.is_by_buildah(one));
            for mut held in ordered(mounts, by_buildah) {
                if held.len() < 2 || !held.iter().any(|mount| mount.is_locked()) {
                    continue;
                }
                // A cache that the RUN has already is not taken again.
                let mut seen: HashSet<&LockKey> = HashSet::new();
                held.retain(|mount| seen.insert(&mount.key));
                let mut number = |mount: &'s CacheMount| {
                    *numbers.entry((by_buildah, &mount.key)).or_insert_with(|| {
                        next.push(BTreeMap::new());
                        next.len() - 1
                    })
                };
                let all: Vec<(usize, &'s CacheMount)> = held
                    .into_iter()
                    .map(|mount| (number(mount), mount))
                    .collect();
                for (before, &(from, held)) in all.iter().enumerate() {
                    let gates = all[..before].iter().filter(|(_, mount)| mount.is_locked());
                    let gates: Rc<BTreeSet<usize>> =
                        Rc::new(gates.map(|(lock, _)| *lock).collect());
                    let taken = all[before + 1..]
                        .iter()
                        .filter(|(_, mount)| mount.is_locked());
                    for &(to, taken) in taken {
                        // It stays in memory, which is dearer than a step.
                        if !budget::spend(8 * size_of::<Edge<'_>>()) {
                            return Self { next };
                        }
                        // The RUN with the fewest other locks stands for all: RUNs behind a common lock cannot meet. Of two
                        // such, the one that is reported.
                        let rank = |gates: usize, held| (gates, index.is_context(held));
                        let edge = next[from].get(&to);
                        let edge = edge.map(|edge| rank(edge.gates.len(), edge.held));
                        if edge.is_none_or(|edge| rank(gates.len(), held) < edge) {
                            let edge = Edge {
                                held,
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

    /// Returns a circle for each group of locks that lead back to one another. Where a circle cannot close, others are
    /// tried: the shortest through each lock, then the shortest through each edge from it.
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

    /// Returns, by group number, the locks that all RUNs of the group have before they take any of its own: no circle
    /// within it can close. `None` without a RUN.
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

    /// Returns the shortest circle through `start` within its group, by way of `first` if given.
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

    /// Returns the group of each lock (Kosaraju's algorithm).
    fn groups(&self) -> Vec<usize> {
        let count = self.next.len();
        let forth: Vec<Vec<usize>> = self
            .next
            .iter()
            .map(|next| next.keys().copied().collect())
            .collect();
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (from, next) in forth.iter().enumerate() {
            for to in next {
                back[*to].push(from);
            }
        }
        let (mut seen, mut order) = (vec![false; count], Vec::with_capacity(count));
        for root in 0..count {
            reach(root, &forth, &mut seen, |node| order.push(node));
        }
        let (mut seen, mut group) = (vec![false; count], vec![0; count]);
        for root in order.into_iter().rev() {
            reach(root, &back, &mut seen, |node| group[node] = root);
        }
        group
    }
}

/// Returns the mounts of each RUN of a file in the order in which it takes their locks, those together between which it is
/// known: by their targets, or as they are written for podman and buildah, where only a lock waits for a lock.
fn ordered(mounts: &[CacheMount], by_buildah: bool) -> Vec<Vec<&CacheMount>> {
    let is_known = |mount: &&CacheMount| {
        let exempt = mount.exempt.contains(&RuleId::LockOrder);
        mount.sharing.is_some() && mount.at.is_some() && !exempt
    };
    let mut all = Vec::new();
    for run in mounts.chunk_by(|a, b| a.instruction == b.instruction) {
        let mut held: Vec<&CacheMount> = run.iter().filter(is_known).collect();
        if by_buildah {
            held.retain(|mount| mount.is_locked());
            all.push(held);
            continue;
        }
        held.sort_by_key(|mount| &mount.at);
        let together = held.chunk_by(|a, b| match (&a.at, &b.at) {
            (Some(a), Some(b)) => a.below == b.below,
            _ => false,
        });
        all.extend(together.map(<[_]>::to_vec));
    }
    all
}

/// Calls `out` with everything reachable from `root` and not yet `seen`, in postorder.
fn reach(root: usize, edges: &[Vec<usize>], seen: &mut [bool], mut out: impl FnMut(usize)) {
    let mut open = vec![(root, 0)];
    if std::mem::replace(&mut seen[root], true) {
        return;
    }
    while let Some((node, at)) = open.last_mut() {
        if let Some(&to) = edges[*node].get(*at) {
            *at += 1;
            if !std::mem::replace(&mut seen[to], true) {
                open.push((to, 0));
            }
        } else {
            out(*node);
            open.pop();
        }
    }
}

/// Returns whether a lock that all of them have already lets one in at a time.
fn is_gated(circle: &[Edge<'_>]) -> bool {
    let holds_all = |gate: &usize| {
        budget::spend(circle.len()) && circle.iter().all(|edge| edge.gates.contains(gate))
    };
    circle.iter().flat_map(|edge| &*edge.gates).any(holds_all)
}

/// Returns the finding for a circle: at its first RUN, pointing at every other.
fn report(index: &Index<'_>, first: &Edge<'_>, circle: &[Edge<'_>]) -> Finding {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let take = |mount: &CacheMount| {
        let at = mount.at.iter().flat_map(|at| [&*at.below, &*at.path]);
        let at = text(&at.collect::<Vec<_>>().concat());
        let mode = match mount.sharing {
            Some(mode) if mode != Sharing::Locked => format!(", {}", mode.as_str()),
            _ => String::new(),
        };
        format!("`{}` (at {at}{mode})", text(&mount.key.id))
    };
    let order = |edge: &Edge<'_>| format!("takes {}, then {}", take(edge.held), take(edge.taken));
    let mut runs: Vec<(usize, usize)> = circle
        .iter()
        .map(|edge| (edge.held.file, edge.held.instruction))
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
    let help = if index.is_by_buildah(first.held) {
        "podman and buildah take the locks of a RUN in the order in which it names them: name them in one order everywhere"
    } else {
        "a RUN takes its locks in the order of their targets: mount each id at the same target everywhere"
    };
    let mut finding = Finding::new(RuleId::LockOrder, first.held.span, message).help(help);
    for edge in circle[1..].iter().take(MAX_POINTS) {
        finding.relate(index.location(first.held.file, edge.held, order(edge)));
    }
    finding
}
