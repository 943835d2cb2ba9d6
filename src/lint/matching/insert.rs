//! Makes the fixes of a file's builds together, with one proof; where that fails, tries halves.

use std::collections::HashSet;

use crate::budget;
use crate::builds::{
    self, Around, BuildFile, FormatRef, InFormat, Inserter, Insertion, Lane, PassedArg,
};
use crate::finding::RuleId;
use crate::fix::{Applicability, Fix};
use crate::lint::apply::apply_proved;
use crate::lint::model::{Dropped, FileReport, Fixed, Made, MissingArg};
use crate::text::{LineIndex, Span};

#[derive(Clone, Copy)]
struct Wanted<'a> {
    arg: &'a MissingArg,
    /// The 1-based line in the original file.
    line: usize,
}

/// Makes the fixes of a build file's builds up to `level`; the result's `made` are the builds that pass the lane now.
pub fn insert_args(report: &FileReport, level: Applicability) -> Option<Fixed> {
    let builds = report.builds.as_ref()?;
    let lines = LineIndex::new(&report.source);
    let may_fix = |fix: &Fix| fix.applicability() <= level;
    let findings = report.checked.findings.iter();
    let open: HashSet<Span> = findings
        .filter(|finding| finding.rule == RuleId::UnpassedArg)
        .filter(|finding| finding.fix.as_ref().is_some_and(may_fix))
        .map(|finding| finding.span)
        .collect();
    let place = |arg: &MissingArg| builds.file.builds[arg.build].span;
    let mut seen = HashSet::new();
    let missing = builds.missing.iter();
    let mut left: Vec<Wanted<'_>> = missing
        .filter(|arg| open.contains(&place(arg)) && seen.insert((arg.build, &arg.arg)))
        .map(|arg| Wanted {
            arg,
            line: lines.line(place(arg).start),
        })
        .collect();
    left.sort_by_key(|wanted| place(wanted.arg));
    let mut work = Work {
        format: builds.format,
        around: builds.around(),
        level,
        done: Fixed::nothing(&report.source),
    };
    while !left.is_empty() && budget::spend(1) {
        left = work.round(&left);
    }
    Some(work.done)
}

struct Work<'w> {
    format: FormatRef,
    around: &'w Around,
    level: Applicability,
    done: Fixed,
}

impl Work<'_> {
    fn drop(&mut self, wanted: Wanted<'_>, reason: impl Into<String>) {
        self.done.dropped.push(Dropped {
            rule: RuleId::UnpassedArg,
            line: wanted.line,
            reason: reason.into(),
        });
    }

    /// Makes all `wanted` fixes that are possible together; returns those for the next round.
    fn round<'a>(&mut self, wanted: &[Wanted<'a>]) -> Vec<Wanted<'a>> {
        let source = std::mem::take(&mut self.done.bytes);
        match self.together(&source, wanted) {
            Ok((bytes, waiting)) => {
                self.done.bytes = bytes;
                waiting
            }
            Err(reason) => {
                for wanted in wanted {
                    self.drop(*wanted, reason.as_str());
                }
                self.done.bytes = source;
                Vec::new()
            }
        }
    }

    /// Makes as many of the fixes as can be proved; returns the new bytes, and the waiting ones.
    fn together<'a>(
        &mut self,
        source: &[u8],
        wanted: &[Wanted<'a>],
    ) -> Result<(Vec<u8>, Vec<Wanted<'a>>), String> {
        let text = std::str::from_utf8(source).map_err(|error| error.to_string())?;
        let format = self.format;
        let around = self.around;
        let file = format.read_within(text, around);
        let file = file.map_err(|error| error.message)?;
        let mut plan = Default::default();
        format
            .inserter(text, around, &mut |insert| {
                plan = self.plan(&file, insert, wanted);
            })
            .map_err(|error| error.message)?;
        let (planned, mut waiting) = plan;
        let fixes: Vec<&Fix> = planned
            .iter()
            .map(|(_, insertion)| &insertion.fix)
            .collect();
        let reader = InFormat {
            format: self.format,
            around: self.around,
        };
        let proved = apply_proved(source, &fixes, |new, made| {
            let passed = made.iter().map(|index| {
                let (wanted, insertion) = &planned[*index];
                PassedArg {
                    build: wanted.arg.build,
                    arg: &wanted.arg.arg,
                    value: insertion.value.as_deref(),
                }
            });
            let passed: Vec<PassedArg<'_>> = passed.collect();
            let new = String::from_utf8_lossy(new);
            builds::prove(reader, text, &file, &new, &passed)
        });
        for (index, reason) in proved.refused {
            self.drop(planned[index].0, reason);
        }
        let made = proved.made.iter().map(|index| &planned[*index]);
        self.done.made.extend(made.map(|(wanted, insertion)| Made {
            rule: RuleId::UnpassedArg,
            line: wanted.line,
            title: insertion.fix.title().to_owned(),
            passes: Some(wanted.arg.arg.clone()),
        }));
        waiting.extend(proved.deferred.iter().map(|index| planned[*index].0));
        // A fix that nothing else prevented was refused for good.
        if proved.made.is_empty() {
            for wanted in std::mem::take(&mut waiting) {
                self.drop(wanted, "it overlaps with another fix: run cachelane again");
            }
        }
        Ok((proved.bytes, waiting))
    }

    /// Finds the fixes for `wanted`, and those that have to wait. The first of several fixes with the same edits stands
    /// for all: the next round finds that the others pass the lane.
    fn plan<'a>(
        &mut self,
        file: &BuildFile,
        inserter: Inserter<'_>,
        wanted: &[Wanted<'a>],
    ) -> (Vec<(Wanted<'a>, Insertion)>, Vec<Wanted<'a>>) {
        let (mut planned, mut waiting) = (Vec::new(), Vec::new());
        let mut edits = HashSet::new();
        for &wanted in wanted {
            let MissingArg { arg, default, .. } = wanted.arg;
            let Some(build) = file.builds.get(wanted.arg.build) else {
                self.drop(
                    wanted,
                    "an earlier fix changed the builds of the file: run cachelane again",
                );
                continue;
            };
            if build.args.iter().any(|own| own.name.is(arg)) {
                continue;
            }
            let lane = Lane {
                arg,
                default,
                parts: &wanted.arg.parts,
            };
            match inserter(build, &lane) {
                Err(reason) => self.drop(wanted, reason),
                Ok(insertion) if insertion.fix.applicability() > self.level => {
                    self.drop(
                        wanted,
                        "with the other fixes in place, it needs review: `fix --unsafe` makes it",
                    );
                }
                Ok(insertion) if !edits.insert(insertion.fix.edits().to_vec()) => {
                    waiting.push(wanted);
                }
                Ok(insertion) => planned.push((wanted, insertion)),
            }
        }
        (planned, waiting)
    }
}
