//! `cachelane check --diff REF`: what changed since a git revision, by git's own word.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dockerfile::Dockerfile;
use crate::finding::Finding;
use crate::lint::FileReport;
use crate::text::LineIndex;

/// The working tree, compared with the commit at which the branch left a revision.
pub(super) struct Since {
    root: PathBuf,
    /// The commit.
    base: String,
    /// Changed files, absolute.
    changed: HashSet<PathBuf>,
    /// Files that git does not know yet, absolute: all of their lines are new.
    new: HashSet<PathBuf>,
}

impl Since {
    /// Asks git what changed since HEAD's branch left `revision`.
    ///
    /// # Errors
    /// Where there is no git, no repository, or no such revision, for people.
    pub(super) fn new(revision: &str) -> Result<Self, String> {
        if revision.starts_with('-') {
            return Err(format!("--diff: `{revision}` is no git revision"));
        }
        let here = Path::new(".");
        let root = git(here, ["rev-parse", "--show-toplevel"])?;
        let root = PathBuf::from(os(root.strip_suffix(b"\n").unwrap_or(&root)));
        git(&root, ["rev-parse", "--quiet", "--verify", &format!("{revision}^{{commit}}")]).map_err(|_| {
            format!("--diff: git knows no revision `{revision}`; a workflow may have to fetch it first")
        })?;
        let base = git(&root, ["merge-base", revision, "HEAD"]).map_err(|_| {
            format!("--diff: no commit that `{revision}` and HEAD have in common is here: fetch more history")
        })?;
        let base = String::from_utf8_lossy(&base).trim().to_owned();
        let names = |args: &[&str]| -> Result<HashSet<PathBuf>, String> {
            let out = git(&root, args)?;
            let names = out.split(|b| *b == 0).filter(|name| !name.is_empty());
            Ok(names.map(|name| root.join(os(name))).collect())
        };
        let changed = names(&["diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", &base, "--"])?;
        let new = names(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(Self { root, base, changed, new })
    }

    /// Keeps the findings of instructions that hold a changed line.
    ///
    /// # Errors
    /// What git had to say, for people.
    pub(super) fn keep(&self, reports: &mut [FileReport]) -> Result<(), String> {
        for report in reports.iter_mut().filter(|report| !report.checked.findings.is_empty()) {
            let path = std::fs::canonicalize(&report.path).unwrap_or_else(|_| report.path.clone());
            if self.new.contains(&path) {
                continue;
            }
            let hunks = if self.changed.contains(&path) { self.hunks(&path)? } else { Vec::new() };
            let file = Dockerfile::read(&report.source).ok();
            let index = LineIndex::new(&report.source);
            let is_changed = |finding: &Finding| {
                let (start, end) = (finding.span.start, finding.span.end.saturating_sub(1).max(finding.span.start));
                let around = file.as_ref().and_then(|f| f.instruction_at(start).map(|at| f.instructions[at].lines));
                let (first, last) = around.unwrap_or_else(|| (index.line(start), index.line(end)));
                hunks.iter().any(|(from, to)| *from <= last && first <= *to)
            };
            report.checked.findings.retain(is_changed);
        }
        Ok(())
    }

    /// The changed lines of `path`, 1-based and inclusive.
    fn hunks(&self, path: &Path) -> Result<Vec<(usize, usize)>, String> {
        let options = ["diff", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", &self.base, "--"];
        let args = options.iter().map(OsStr::new).chain([path.as_os_str()]);
        let out = git(&self.root, args)?;
        Ok(out.split(|b| *b == b'\n').filter_map(hunk).collect())
    }
}

/// The new lines that `@@ -a,b +c,d @@` names; none where lines only went.
fn hunk(line: &[u8]) -> Option<(usize, usize)> {
    let line = std::str::from_utf8(line.get(..line.len().min(80))?).ok()?;
    let new = line.strip_prefix("@@ -")?.split(' ').find_map(|word| word.strip_prefix('+'))?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
    (count > 0).then(|| (start, start + count - 1))
}

/// What git prints. A file monitor or a pager that the repository names is not started.
fn git<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Result<Vec<u8>, String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["--literal-pathspecs", "--no-pager", "-c", "core.fsmonitor=false"]).args(args);
    let output = command.output().map_err(|error| format!("--diff needs git: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("--diff: git says: {}", said.lines().next().unwrap_or("nothing, but fails")))
}

#[cfg(unix)]
fn os(bytes: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

#[cfg(not(unix))]
fn os(bytes: &[u8]) -> &OsStr {
    OsStr::new(std::str::from_utf8(bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::hunk;

    #[test]
    fn hunks() {
        assert_eq!(hunk(b"@@ -1,2 +3,4 @@ RUN"), Some((3, 6)));
        assert_eq!(hunk(b"@@ -1 +3 @@"), Some((3, 3)));
        assert_eq!(hunk(b"@@ -1,2 +0,0 @@"), None);
        assert_eq!(hunk(b"+@@ -1 +3 @@"), None);
    }
}
