//! A table of suppressions by the code that they cover.

use std::collections::HashMap;

use crate::budget;
use crate::finding::RuleId;
use crate::text::Span;

use super::model::{Covers, Ignore};

#[derive(Debug)]
pub struct Table<'i> {
    /// The suppressed instructions, ordered, each with the one around it.
    instructions: Vec<(Span, Option<usize>)>,
    /// The first suppression and list position, by the start of the instruction (`None` for the file) and the rule.
    names: HashMap<(Option<usize>, &'i str), (usize, usize)>,
}

impl<'i> Table<'i> {
    pub fn new(ignores: &'i [Ignore]) -> Self {
        let mut table = Self {
            instructions: Vec::new(),
            names: HashMap::new(),
        };
        for (index, ignore) in ignores.iter().enumerate() {
            let key = match ignore.covers {
                Covers::File => None,
                Covers::Instruction(span) => {
                    table.instructions.push((span, None));
                    Some(span.start)
                }
                Covers::Nothing => continue,
            };
            for (at, (name, _)) in ignore.names.iter().enumerate() {
                table.names.entry((key, name)).or_insert((index, at));
            }
        }
        table.nest();
        table
    }

    /// Sorts the instructions and finds the one around each: blocks of YAML nest.
    fn nest(&mut self) {
        self.instructions
            .sort_unstable_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        self.instructions.dedup_by_key(|(span, _)| span.start);
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.instructions.len() {
            let start = self.instructions[index].0.start;
            while open
                .last()
                .is_some_and(|outer| self.instructions[*outer].0.end <= start)
            {
                open.pop();
            }
            self.instructions[index].1 = open.last().copied();
            open.push(index);
        }
    }

    /// Returns the suppression of `rule` at `span`, and the position in its list.
    pub fn suppressing(&self, rule: RuleId, span: Span) -> Option<(usize, usize)> {
        let after = self
            .instructions
            .partition_point(|(instruction, _)| instruction.start <= span.start);
        let around =
            std::iter::successors(after.checked_sub(1), |index| self.instructions[*index].1);
        let around = around
            .take_while(|_| budget::spend(1))
            .map(|index| self.instructions[index].0);
        // Something missing at the end of an instruction is placed there, too.
        let holds = |around: &Span| {
            span.start < around.end.max(around.start + 1) || span == Span::at(around.end)
        };
        let mut here = around.filter(holds);
        let rule = rule.as_str();
        let near = here.find_map(|here| self.names.get(&(Some(here.start), rule)));
        near.or_else(|| self.names.get(&(None, rule))).copied()
    }
}
