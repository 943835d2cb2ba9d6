//! `cachelane check --diff REF`: findings that are new since a git revision.
//!
//! Both versions of a file are checked, and a finding counts that is new, or whose instruction changed. Each file is
//! compared in its own repository; one that git does not know counts as new.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::lint::FileReport;
use crate::project::input::{InputFile, check_within_budget};
use crate::report;
use crate::text::LineIndex;

use super::args::STDIN;
use super::repository::{GitError, OldVersion, Repositories};
use super::run::{Run, RunOutcome};

/// The work trees, compared with the commits at which their branches left a revision.
pub struct Since<'a> {
    run: &'a Run<'a>,
    repositories: Repositories,
    /// The name of standard input, where it is read.
    stdin: Option<PathBuf>,
}

struct Lines {
    /// For each line its number in the old file, from 1; `None` where it changed.
    was: Vec<Option<usize>>,
    index: LineIndex,
}

impl<'a> Since<'a> {
    /// Resolves `revision` in the repositories of a run's paths.
    ///
    /// # Errors
    /// Fails where there is no git, no repository, or no such revision.
    pub fn new(revision: &str, run: &'a Run<'a>) -> Result<Self, GitError> {
        if revision.starts_with('-') {
            let why = format!("`{revision}` is not a git revision");
            return Err(GitError::Answer(why));
        }
        let common = run.common;
        let mut repositories = Repositories::new(revision);
        // The folder of the run comes first, since submodules below are compared by its commit.
        let of_here = repositories.of(run.configs.here()).map(|_| ());
        let named = common.paths.iter().filter(|path| path.as_os_str() != STDIN);
        for path in named.clone() {
            let path = run.real(path);
            let is_folder = path.is_dir();
            let folder = if is_folder {
                Some(path.as_path())
            } else {
                path.parent()
            };
            // A missing path is warned of elsewhere.
            if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
                repositories.of(folder)?;
            }
        }
        if named.count() == 0 && common.stdin_filename.is_none() {
            of_here?;
        }
        Ok(Self {
            run,
            repositories,
            stdin: common.stdin(),
        })
    }

    /// Keeps the findings that are new. Old versions are compared with one another, unchanged files in the present one.
    pub fn keep(&mut self, checked: &mut RunOutcome<FileReport>) -> Result<(), GitError> {
        let (run, reports) = (self.run, &mut checked.results);
        let found = |report: &&FileReport| !report.checked.findings.is_empty();
        if !reports
            .iter()
            .any(|report| !report.is_context && found(&report))
        {
            return Ok(());
        }
        let pasts = reports.iter().map(|report| self.past(report));
        let pasts = pasts.collect::<Result<Vec<_>, GitError>>()?;
        let (mut indices, mut old) = (Vec::new(), Vec::new());
        for (index, (report, past)) in reports.iter().zip(&pasts).enumerate() {
            let source = match past {
                OldVersion::New => continue,
                OldVersion::Same => &report.source,
                OldVersion::Was(source) => source,
            };
            let input = InputFile {
                format: report.builds.as_ref().map(|builds| builds.format),
                text: report.is_text,
                ..InputFile::new(&report.path, Arc::clone(&report.settings), source)
            };
            // An old version beyond the budget says nothing about new findings.
            if let Ok(Some(mut was)) = check_within_budget(input) {
                was.is_context = report.is_context;
                indices.push(index);
                old.push(was);
            }
        }
        run.relate(&mut old, checked.whole);
        let old: HashMap<usize, FileReport> = indices.into_iter().zip(old).collect();
        for (index, (report, past)) in reports.iter_mut().zip(pasts).enumerate() {
            let lines = match past {
                OldVersion::New => continue,
                OldVersion::Same => Lines::same(&report.source),
                OldVersion::Was(source) => Lines::of(&source, &report.source),
            };
            keep_new(report, old.get(&index), &lines);
        }
        Ok(())
    }

    /// Returns the files that changed, as reports name them.
    pub fn changed(&mut self, reports: &[FileReport]) -> Result<BTreeSet<String>, GitError> {
        let mut changed = BTreeSet::new();
        for report in reports {
            if !matches!(self.past(report)?, OldVersion::Same) {
                changed.insert(report::path(&report.path));
            }
        }
        Ok(changed)
    }

    fn past(&mut self, report: &FileReport) -> Result<OldVersion, GitError> {
        let is_stdin = self.stdin.as_ref() == Some(&report.path);
        if is_stdin && report.path.as_os_str() == STDIN {
            return Ok(OldVersion::New);
        }
        let path = self.run.real(&report.path);
        self.repositories.past(&path, is_stdin)
    }
}

/// Keeps the findings of `report` that are not in `old`, are worse than there, or lie in changed lines.
fn keep_new(report: &mut FileReport, old: Option<&FileReport>, lines: &Lines) {
    let text = |report: &FileReport, finding: &Finding| {
        finding.span.of(&report.source).replace("\r\n", "\n")
    };
    // The severities of the old findings that agree in a key.
    let mut places: HashMap<(RuleId, usize, Vec<u8>), Vec<Severity>> = HashMap::new();
    let mut texts: HashMap<(RuleId, Vec<u8>), Vec<Severity>> = HashMap::new();
    if let Some(old) = old {
        let index = LineIndex::new(&old.source);
        for finding in &old.checked.findings {
            let (rule, severity) = (finding.rule, finding.severity);
            let (line, text) = (index.line(finding.span.start), text(old, finding));
            let place = (rule, line, text.clone());
            places.entry(place).or_default().push(severity);
            texts.entry((rule, text)).or_default().push(severity);
        }
    }
    let is_dockerfile = report.builds.is_none() && !report.is_text;
    let file = is_dockerfile.then(|| Dockerfile::read(&report.source).ok());
    let file = file.flatten();
    let is_new = |finding: &Finding| {
        let start = finding.span.start;
        let end = finding.span.end.saturating_sub(1).max(start);
        let instruction = |file: &Dockerfile<'_>| {
            let at = file.instruction_at(start)?;
            Some(file.instructions[at].lines)
        };
        let (first, last) = file
            .as_ref()
            .and_then(instruction)
            .unwrap_or_else(|| (lines.index.line(start), lines.index.line(end)));
        let Some(was) = lines.were(first, last) else {
            return true;
        };
        let text = text(report, finding);
        // A rule that compares places names one of them, and may name another by itself.
        let old = if finding.rule.compares() {
            texts.get_mut(&(finding.rule, text))
        } else {
            let line = was + lines.index.line(start).saturating_sub(first);
            places.get_mut(&(finding.rule, line, text))
        };
        !take(old, finding.severity)
    };
    let kept: Vec<bool> = report.checked.findings.iter().map(is_new).collect();
    let mut kept = kept.into_iter();
    let findings = &mut report.checked.findings;
    findings.retain(|_| kept.next().unwrap_or(true));
}

/// Takes a severity out of `old` that is at least as bad as `severity`, the mildest such; returns whether there was
/// one.
fn take(old: Option<&mut Vec<Severity>>, severity: Severity) -> bool {
    let Some(old) = old else { return false };
    let nearest = (0..old.len())
        .filter(|at| old[*at] >= severity)
        .min_by_key(|at| old[*at]);
    nearest.map(|at| old.swap_remove(at)).is_some()
}

impl Lines {
    fn same(source: &[u8]) -> Self {
        let count = source.lines().count() + 1;
        Self {
            was: (1..=count).map(Some).collect(),
            index: LineIndex::new(source),
        }
    }

    fn of(old: &[u8], new: &[u8]) -> Self {
        // `lines` takes CRLF for LF: git may change the one into the other.
        let (before, after): (Vec<&[u8]>, Vec<&[u8]>) =
            (old.lines().collect(), new.lines().collect());
        let mut was = vec![None; after.len() + 1];
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
        for op in similar::capture_diff_slices_deadline(
            similar::Algorithm::Myers,
            &before,
            &after,
            Some(deadline),
        ) {
            if let similar::DiffOp::Equal {
                old_index,
                new_index,
                len,
            } = op
            {
                (0..len).for_each(|at| was[new_index + at] = Some(old_index + at + 1));
            }
        }
        Self {
            was,
            index: LineIndex::new(new),
        }
    }

    /// Returns where the lines from `first` to `last` began, if none of them changed and none between them was removed.
    fn were(&self, first: usize, last: usize) -> Option<usize> {
        let start = (*self.was.get(first.checked_sub(1)?)?)?;
        let same =
            |line: usize| self.was.get(line - 1).copied().flatten() == Some(start + (line - first));
        (first..=last).all(same).then_some(start)
    }
}
