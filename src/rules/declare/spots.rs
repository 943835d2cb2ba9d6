//! Places for a line above several instructions, among the blocks of a template.

use crate::budget;
use crate::dockerfile::{BranchId, Dockerfile};
use crate::fix::Edit;
use crate::text::{indentation, line_ending};

pub struct Spot {
    /// The byte at the start of a line before which it goes.
    pub at: usize,
    /// The first byte of the line that gives indentation and line ending.
    pub beside: usize,
    /// The template branch around it.
    pub branch: BranchId,
}

impl Spot {
    /// Returns the edit that inserts `line`.
    pub fn insert(&self, source: &[u8], line: &str) -> Edit {
        let indent = indentation(source, self.beside);
        let ending = line_ending(source, self.at);
        Edit::insert(self.at, format!("{indent}{line}{ending}"))
    }
}

/// Returns places for a line above each of `uses`; several only where a template block opens before the stage, whose
/// first instruction is `start`, does.
pub fn spots(file: &Dockerfile<'_>, start: usize, uses: &[usize]) -> Vec<(Spot, Vec<usize>)> {
    let branch_of = |index: &usize| file.instructions[*index].branch;
    let mut done = Vec::new();
    let mut todo = vec![uses.to_vec()];
    while let Some(uses) = todo.pop().filter(|uses| budget::spend(16 * uses.len())) {
        let first = &file.instructions[uses[0]];
        let branch = uses
            .iter()
            .map(branch_of)
            .fold(first.branch, |a, b| file.blocks.common(a, b));
        let mut spot = Spot {
            at: first.lead,
            beside: first.span.start,
            branch,
        };
        if first.branch != branch {
            // The branch directly below `branch` around the first use: the line goes above its block.
            let below = file
                .blocks
                .outwards(first.branch)
                .take_while(|outer| *outer != branch)
                .last()
                .unwrap_or(branch);
            let block = file.blocks.block(below);
            let opener = block.map_or(first.lead, |block| block.span.start);
            let earliest = start
                .checked_sub(1)
                .map_or(file.top, |from| file.instructions[from].span.end);
            if opener < earliest {
                let (inside, outside): (Vec<usize>, Vec<usize>) = uses
                    .iter()
                    .partition(|index| file.blocks.encloses(below, branch_of(index)));
                todo.push(outside);
                todo.push(inside);
                continue;
            }
            // A tag can stand inside of a continued instruction: then the line goes above that one.
            let anchor = file.instruction_at(opener).map(|at| &file.instructions[at]);
            spot.at = anchor.map_or(opener, |anchor| anchor.lead);
            spot.beside = anchor.map_or(opener, |anchor| anchor.span.start);
        }
        spot.at = spot.at.max(file.top);
        done.push((spot, uses));
    }
    done
}
