//! Chains of stages, `FROM` one another, in files with so many that going along a chain for each RUN would take for ever.

use super::stages::{Base, Stage};

/// The tree of stages, each below the one that it is built from, numbered so that what is below a stage follows it.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// For each stage its number.
    number: Vec<usize>,
    /// For each number its stage.
    stage: Vec<usize>,
    /// For each stage the largest number of those below it, itself included.
    last: Vec<usize>,
    /// For each stage those built from it, in the order of their numbers.
    built: Vec<Vec<usize>>,
}

impl Tree {
    pub(super) fn new(stages: &[Stage]) -> Self {
        let count = stages.len();
        let mut tree = Self {
            number: vec![0; count],
            stage: Vec::new(),
            last: vec![0; count],
            built: vec![Vec::new(); count],
        };
        let mut left = Vec::new();
        for stage in stages.iter().rev() {
            match stage.base {
                // BuildKit knows only stages above.
                Base::Stage(base) if base < stage.index => tree.built[base].push(stage.index),
                _ => left.push(stage.index),
            }
        }
        while let Some(stage) = left.pop() {
            tree.number[stage] = tree.stage.len();
            tree.stage.push(stage);
            left.extend(&tree.built[stage]);
        }
        for stage in (0..count).rev() {
            // The last of them is numbered first.
            tree.built[stage].reverse();
            let below = tree.built[stage].last().map(|built| tree.last[*built]);
            tree.last[stage] = below.unwrap_or(tree.number[stage]);
        }
        tree
    }

    fn is_below(&self, stage: usize, base: usize) -> bool {
        (self.number[base]..=self.last[base]).contains(&self.number[stage])
    }

    /// The stage built from `base` that `stage` is, or is below.
    fn way(&self, base: usize, stage: usize) -> Option<usize> {
        let built = &self.built[base];
        let after = built.partition_point(|built| self.number[*built] <= self.number[stage]);
        after.checked_sub(1).map(|at| built[at])
    }
}

/// Some stages of a [`Tree`], each with the nearest of them that it is built from.
#[derive(Clone, Debug)]
pub(super) struct Lineage {
    /// By number.
    stages: Vec<usize>,
    above: Vec<Option<usize>>,
}

impl Lineage {
    pub(super) fn new(tree: &Tree, stages: impl Iterator<Item = usize>) -> Self {
        let mut stages: Vec<usize> = stages.collect();
        stages.sort_unstable_by_key(|stage| tree.number[*stage]);
        stages.dedup();
        let mut above: Vec<Option<usize>> = Vec::with_capacity(stages.len());
        for (at, stage) in stages.iter().enumerate() {
            let mut around = at.checked_sub(1);
            while let Some(other) = around.filter(|other| !tree.is_below(*stage, stages[*other])) {
                around = above[other];
            }
            above.push(around);
        }
        Self { stages, above }
    }

    /// Those that `stage` is built from, the nearest first, each with the stage between that is built from it at once.
    pub(super) fn above<'t>(
        &'t self,
        tree: &'t Tree,
        stage: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 't {
        let before = self
            .stages
            .partition_point(|other| tree.number[*other] < tree.number[stage]);
        let chain = std::iter::successors(before.checked_sub(1), |at| self.above[*at])
            .map(|at| self.stages[at]);
        let bases = chain.filter(move |base| tree.is_below(stage, *base));
        bases.filter_map(move |base| Some((base, tree.way(base, stage)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Dockerfile;

    #[test]
    fn a_tree_says_what_its_chains_say() {
        let mut source = String::from("FROM a AS s0\n");
        for n in 1..200_usize {
            // Chains, forks and fresh starts.
            let base = if n % 17 == 0 {
                "a".to_owned()
            } else {
                format!("s{}", n - 1 - (n * 7919) % n.min(5))
            };
            source.push_str(&format!("FROM {base} AS s{n}\n"));
        }
        let file = Dockerfile::read(source.as_bytes()).unwrap();
        let tree = Tree::new(&file.stages);
        let lineage = Lineage::new(&tree, (0..200).filter(|stage| stage % 3 == 0));
        for stage in 0..200 {
            let mut chain = Vec::new();
            let mut here = stage;
            while let Base::Stage(base) = file.stages[here].base {
                chain.extend((base % 3 == 0).then_some((base, here)));
                here = base;
            }
            assert_eq!(
                lineage.above(&tree, stage).collect::<Vec<_>>(),
                chain,
                "{stage}"
            );
        }
    }
}
