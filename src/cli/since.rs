//! `cachelane check --diff REF`: what is new since a git revision.
//!
//! Git says what a file was; both versions are checked, and a finding counts that was not there, or whose instruction
//! changed. Each file is asked about in the repository that it lies in; one that git does not know counts as new.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::lint::FileReport;
use crate::text::LineIndex;

use super::repository::{Past, Repositories};
use super::run::{Given, STDIN};
use super::settled::absolute;
use super::{args::Common, check};

/// The working trees, compared with the commits at which their branches left a revision.
pub(super) struct Since {
    repositories: Repositories,
    here: PathBuf,
    /// What standard input is called, where it is read.
    stdin: Option<PathBuf>,
}

/// The lines of a file that changed, and where the others were.
struct Lines {
    /// For each line its number in the old file, from 1; `None` where it changed.
    was: Vec<Option<usize>>,
    index: LineIndex,
}

impl Since {
    /// Asks git what `revision` is, where the paths of a run lie.
    ///
    /// # Errors
    /// Where there is no git, no repository, or no such revision, for people.
    pub(super) fn new(revision: &str, common: &Common, here: &Path) -> Result<Self, String> {
        if revision.starts_with('-') {
            return Err(format!("--diff: `{revision}` is no git revision"));
        }
        let mut repositories = Repositories::new(revision);
        // The folder of the run comes first: what lies below is asked about as it sees it.
        let of_here = repositories.of(here).map(|_| ());
        let named = common.paths.iter().filter(|path| path.as_os_str() != STDIN);
        for path in named.clone() {
            let path = real(here, path);
            let folder = if path.is_dir() {
                path.as_path()
            } else {
                path.parent().unwrap_or(&path)
            };
            // What is not there is told of in another place.
            if folder.is_dir() {
                repositories.of(folder)?;
            }
        }
        let reads_stdin = common.paths.iter().any(|path| path.as_os_str() == STDIN);
        if named.count() == 0 && common.stdin_filename.is_none() {
            of_here?;
        }
        let stdin = || {
            common
                .stdin_filename
                .clone()
                .unwrap_or_else(|| STDIN.into())
        };
        Ok(Self {
            repositories,
            here: here.to_path_buf(),
            stdin: reads_stdin.then(stdin),
        })
    }

    /// Keeps the findings that are new. `is_text` says which files are looked into as text that is no Dockerfile,
    /// `relate` compares files, and settles what is found in them.
    ///
    /// The other files count as they are now where they were not changed.
    ///
    /// # Errors
    /// What git had to say, for people.
    pub(super) fn keep(
        &mut self,
        reports: &mut [FileReport],
        is_text: impl Fn(&Path, &[u8]) -> bool,
        relate: impl FnOnce(&mut [FileReport]),
    ) -> Result<(), String> {
        if reports
            .iter()
            .all(|report| report.checked.findings.is_empty())
        {
            return Ok(());
        }
        let pasts = reports
            .iter()
            .map(|report| self.past(report))
            .collect::<Result<Vec<_>, String>>()?;
        let (mut indices, mut old) = (Vec::new(), Vec::new());
        for (index, (report, past)) in reports.iter().zip(&pasts).enumerate() {
            let source = match past {
                Past::New => continue,
                Past::Same => &report.source,
                Past::Was(source) => source,
            };
            let (path, kind) = (
                report.path.as_path(),
                report.wires.as_ref().map(|wires| wires.format),
            );
            let (text, settings) = (is_text(path, &report.source), &report.settings);
            // An old version that is too much to read says nothing of what is new.
            if let Ok(Some(was)) = check::look_aside(Given {
                path,
                stdin: false,
                kind,
                text,
                settings,
                source,
            }) {
                indices.push(index);
                old.push(was);
            }
        }
        relate(&mut old);
        let old: HashMap<usize, FileReport> = indices.into_iter().zip(old).collect();
        for (index, (report, past)) in reports.iter_mut().zip(pasts).enumerate() {
            let lines = match past {
                Past::New => continue,
                Past::Same => Lines::same(&report.source),
                Past::Was(source) => Lines::of(&source, &report.source),
            };
            let is_dockerfile = report.wires.is_none() && !is_text(&report.path, &report.source);
            keep_new(report, is_dockerfile, old.get(&index), &lines);
        }
        Ok(())
    }

    /// What the file of `report` was.
    fn past(&mut self, report: &FileReport) -> Result<Past, String> {
        let is_stdin = self.stdin.as_ref() == Some(&report.path);
        if is_stdin && report.path.as_os_str() == STDIN {
            return Ok(Past::New);
        }
        let path = real(&self.here, &report.path);
        self.repositories.past(&path, is_stdin)
    }
}

/// Keeps the findings of `report` that are not among those of `old`, that have become worse, or that lie in what changed.
fn keep_new(report: &mut FileReport, is_dockerfile: bool, old: Option<&FileReport>, lines: &Lines) {
    let text = |report: &FileReport, finding: &Finding| {
        finding.span.of(&report.source).replace("\r\n", "\n")
    };
    // How bad the old findings are that agree in a key.
    let mut places: HashMap<(RuleId, usize, Vec<u8>), Vec<Severity>> = HashMap::new();
    let mut texts: HashMap<(RuleId, Vec<u8>), Vec<Severity>> = HashMap::new();
    if let Some(old) = old {
        let index = LineIndex::new(&old.source);
        for finding in &old.checked.findings {
            let (line, text) = (index.line(finding.span.start), text(old, finding));
            places
                .entry((finding.rule, line, text.clone()))
                .or_default()
                .push(finding.severity);
            texts
                .entry((finding.rule, text))
                .or_default()
                .push(finding.severity);
        }
    }
    let file = if is_dockerfile {
        Dockerfile::read(&report.source).ok()
    } else {
        None
    };
    let is_new = |finding: &Finding| {
        let (start, end) = (
            finding.span.start,
            finding.span.end.saturating_sub(1).max(finding.span.start),
        );
        let around = file
            .as_ref()
            .and_then(|f| f.instruction_at(start).map(|at| f.instructions[at].lines));
        let (first, last) =
            around.unwrap_or_else(|| (lines.index.line(start), lines.index.line(end)));
        let Some(was) = lines.were(first, last) else {
            return true;
        };
        let text = text(report, finding);
        let line = was + lines.index.line(start).saturating_sub(first);
        // A rule that compares places names one of them: which, may have changed by itself.
        if finding.rule.compares() {
            return !take(texts.get_mut(&(finding.rule, text)), finding.severity);
        }
        !take(
            places.get_mut(&(finding.rule, line, text)),
            finding.severity,
        )
    };
    let kept: Vec<bool> = report.checked.findings.iter().map(is_new).collect();
    let mut kept = kept.into_iter();
    report
        .checked
        .findings
        .retain(|_| kept.next().unwrap_or(true));
}

/// Takes one out of `old` that was as bad as `severity`, or worse by as little as can be; whether there was one.
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

    /// Where the lines from `first` to `last` began, if none of them changed and nothing between them went.
    fn were(&self, first: usize, last: usize) -> Option<usize> {
        let start = (*self.was.get(first.checked_sub(1)?)?)?;
        let same =
            |line: usize| self.was.get(line - 1).copied().flatten() == Some(start + (line - first));
        (first..=last).all(same).then_some(start)
    }
}

/// `path` from the root of the file system on, links in its folders followed; it need not be there.
fn real(here: &Path, path: &Path) -> PathBuf {
    let path = absolute(here, path);
    if let Ok(real) = std::fs::canonicalize(&path) {
        return real;
    }
    let folder = path
        .parent()
        .and_then(|folder| std::fs::canonicalize(folder).ok());
    folder
        .zip(path.file_name())
        .map_or(path.clone(), |(folder, name)| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_keep_their_numbers() {
        let lines = Lines::of(b"a\nb\nc\nd\n", b"x\r\na\r\nb\r\nd\r\n");
        assert_eq!(lines.were(1, 1), None);
        assert_eq!(lines.were(2, 3), Some(1));
        assert_eq!(lines.were(3, 4), None, "a line between them went");
        assert_eq!(lines.were(4, 4), Some(4));
    }
}
