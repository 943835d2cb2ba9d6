//! Making the fixes of a file's builds: many at once, proved once; where that fails, halves of them.

use std::collections::HashSet;

use crate::budget;
use crate::builds::{self, BuildFile, FormatRef, Insertion, Lane, Open, Passed};
use crate::finding::RuleId;
use crate::fix::{Applicability, Fix};
use crate::lint::apply::apply_proved;
use crate::lint::model::{Asked, Dropped, FileReport, Made};
use crate::text::{LineIndex, Span};

/// A wiring file with its fixes made.
#[derive(Debug)]
pub struct Rewired {
    /// The new bytes.
    pub bytes: Vec<u8>,
    /// The builds that pass the lane now: the 1-based line of each in the file as it was, and what was done.
    pub made: Vec<Made>,
    /// Fixes that were dropped, since the file would not have read as it should.
    pub dropped: Vec<Dropped>,
}

/// A fix that is to be made.
struct Planned<'a> {
    asked: &'a Asked,
    /// 1-based, in the file as it was.
    line: usize,
    passing: Insertion,
}

/// Makes the fixes of a wiring file's builds up to `level`.
#[must_use]
pub fn fix_wires(report: &FileReport, level: Applicability) -> Option<Rewired> {
    let wires = report.wires.as_ref()?;
    let lines = LineIndex::new(&report.source);
    let may_fix = |fix: &Fix| fix.applicability() <= level;
    let findings = report
        .checked
        .findings
        .iter()
        .filter(|finding| finding.rule == RuleId::UnpassedArg);
    let open: HashSet<Span> = findings
        .filter(|finding| finding.fix.as_ref().is_some_and(may_fix))
        .map(|finding| finding.span)
        .collect();
    let place = |asked: &Asked| wires.wiring.builds[asked.build].span;
    let mut seen = HashSet::new();
    let asked = wires
        .asked
        .iter()
        .filter(|asked| open.contains(&place(asked)) && seen.insert((asked.build, &asked.arg)));
    let mut left: Vec<(&Asked, usize)> = asked
        .map(|asked| (asked, lines.line(place(asked).start)))
        .collect();
    left.sort_by_key(|(asked, _)| place(asked));
    let mut work = Work {
        format: wires.format,
        level,
        source: report.source.clone(),
        made: Vec::new(),
        dropped: Vec::new(),
    };
    while !left.is_empty() && budget::spend(1) {
        left = work.round(left);
    }
    Some(Rewired {
        bytes: work.source,
        made: work.made,
        dropped: work.dropped,
    })
}

/// A file on its way.
struct Work {
    format: FormatRef,
    level: Applicability,
    source: Vec<u8>,
    made: Vec<Made>,
    dropped: Vec<Dropped>,
}

impl Work {
    fn drop_all(&mut self, asked: &[(&Asked, usize)], reason: &str) {
        for (_, line) in asked {
            self.drop(*line, reason.to_owned());
        }
    }

    fn drop(&mut self, line: usize, reason: String) {
        self.dropped.push(Dropped {
            rule: RuleId::UnpassedArg,
            line,
            reason,
        });
    }

    /// Makes what can be made together of what is `asked`; gives what has to wait for the next round.
    fn round<'a>(&mut self, asked: Vec<(&'a Asked, usize)>) -> Vec<(&'a Asked, usize)> {
        let source = std::mem::take(&mut self.source);
        let read = std::str::from_utf8(&source)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                Ok((
                    text,
                    self.format.read(text).map_err(|error| error.message)?,
                    self.format.open(text).map_err(|error| error.message)?,
                ))
            });
        let mut waiting = Vec::new();
        match &read {
            Ok((text, wiring, opened)) => {
                let planned = self.plan(wiring, &**opened, asked, &mut waiting);
                let (bytes, made) = self.together((text, wiring), &planned, &mut waiting);
                // What nothing else is in the way of, and still was not made, never will be.
                if made == 0 {
                    self.drop_all(
                        &std::mem::take(&mut waiting),
                        "it overlaps with another fix: run cachelane again",
                    );
                }
                self.source = bytes;
            }
            Err(reason) => {
                self.drop_all(&asked, reason);
                self.source.clone_from(&source);
            }
        }
        waiting
    }

    /// The fixes for what is `asked`. Of several that make the same edits the first stands for all: the next round finds
    /// that the others pass the lane by now.
    fn plan<'a>(
        &mut self,
        wiring: &BuildFile,
        opened: &dyn Open,
        asked: Vec<(&'a Asked, usize)>,
        waiting: &mut Vec<(&'a Asked, usize)>,
    ) -> Vec<Planned<'a>> {
        let inserter = match opened.inserter() {
            Ok(inserter) => inserter,
            Err(reason) => {
                self.drop_all(&asked, &reason);
                return Vec::new();
            }
        };
        let mut planned: Vec<Planned<'_>> = Vec::new();
        let mut edits = HashSet::new();
        for (one, line) in asked {
            let Some(build) = wiring.builds.get(one.build) else {
                self.drop(line, "the file has other builds by now".into());
                continue;
            };
            if build.args.iter().any(|arg| arg.name == one.arg) {
                continue;
            }
            let lane = Lane {
                arg: &one.arg,
                default: &one.default,
                shared: one.shared,
            };
            match inserter(build, &lane) {
                Ok(passing) if passing.fix.applicability() > self.level => {
                    self.drop(
                        line,
                        "it needs a person's look by now: `--unsafe` makes it".into(),
                    );
                }
                Ok(passing) if !edits.insert(passing.fix.edits().to_vec()) => {
                    waiting.push((one, line));
                }
                Ok(passing) => planned.push(Planned {
                    asked: one,
                    line,
                    passing,
                }),
                Err(reason) => self.drop(line, reason),
            }
        }
        planned
    }

    /// Makes as many of the fixes as can be proved; gives the new bytes, and how many that were.
    fn together<'a>(
        &mut self,
        before: (&str, &BuildFile),
        planned: &[Planned<'a>],
        waiting: &mut Vec<(&'a Asked, usize)>,
    ) -> (Vec<u8>, usize) {
        let fixes: Vec<&Fix> = planned.iter().map(|one| &one.passing.fix).collect();
        let proved = apply_proved(before.0.as_bytes(), &fixes, |new, made| {
            let passed: Vec<Passed<'_>> =
                made.iter().map(|index| planned[*index].passed()).collect();
            builds::prove(self.format, before, &String::from_utf8_lossy(new), &passed)
        });
        for (index, reason) in proved.refused {
            self.drop(planned[index].line, reason);
        }
        self.made.extend(proved.made.iter().map(|&index| Made {
            rule: RuleId::UnpassedArg,
            line: planned[index].line,
            title: planned[index].passing.fix.title().to_owned(),
        }));
        let left = proved.waiting.iter().map(|&index| &planned[index]);
        waiting.extend(left.map(|one| (one.asked, one.line)));
        (proved.bytes, proved.made.len())
    }
}

impl Planned<'_> {
    fn passed(&self) -> Passed<'_> {
        Passed {
            build: self.asked.build,
            arg: &self.asked.arg,
            value: self.passing.value.as_deref(),
        }
    }
}
