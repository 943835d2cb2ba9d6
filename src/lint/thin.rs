//! What a report keeps of a file when nobody but people will read it: for a hundred thousand files, that decides how much
//! memory a run takes.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::finding::LockKey;
use crate::fix::{Applicability, Fix};
use crate::text::{LineIndex, Span};

use super::{Checked, FileReport};

/// How many lines are shown around one that a finding is about.
const AROUND: usize = 1;

/// How many bytes of sources a run keeps as they are: as long as there are no more, making them thinner takes time and saves
/// nothing that shows.
const ROOM: usize = 512 * 1024;

/// Makes an empty line of each line of `report`'s source that no report for people can show, and drops what fixes do,
/// which it does not show either. The other lines keep their numbers; what points into the text points there still.
///
/// Files that say what is built stay as they are: their builds point into them, too. So do those with suppressions, and the
/// first of a run.
///
/// `shared` is the run's.
pub fn thin(report: &mut FileReport, shared: &Shared) {
    if report.wires.is_some()
        || !report.checked.ignores.is_empty()
        || shared.has_room(report.source.len())
    {
        return;
    }
    let lines = LineIndex::new(&report.source);
    let mut kept = vec![false; lines.lines() + 1];
    let findings = report.checked.findings.iter();
    let own = findings.flat_map(|finding| {
        finding
            .labels
            .iter()
            .map(|label| label.span)
            .chain([finding.span])
    });
    let sites = report.checked.sites.iter().map(|site| site.span);
    let lanes = report.checked.lanes.iter().map(|lanes| lanes.span);
    for span in own.chain(sites).chain(lanes) {
        let first = lines.line(span.start).saturating_sub(AROUND).max(1);
        let last = (lines.line(span.end) + AROUND).min(lines.lines());
        kept[first..=last].fill(true);
    }
    let thinned = Thinned::new(&report.source, lines, &kept);
    let checked = &mut report.checked;
    for finding in &mut checked.findings {
        finding.span = thinned.span(finding.span);
        finding
            .labels
            .iter_mut()
            .for_each(|label| label.span = thinned.span(label.span));
        finding.message.shrink_to_fit();
        finding.help.iter_mut().for_each(String::shrink_to_fit);
        finding.fix = finding.fix.take().map(|fix| match fix.applicability() {
            Applicability::Safe => Fix::safe("", Vec::new()),
            Applicability::Unsafe => Fix::needs_review("", Vec::new()),
        });
    }
    for site in &mut checked.sites {
        site.span = thinned.span(site.span);
        site.mode_edit = site
            .mode_edit
            .map(|(span, before)| (thinned.span(span), before));
        site.id_end = site.id_end.map(|at| thinned.offset(at));
    }
    if let Some(lanes) = &mut checked.lanes {
        lanes.span = thinned.span(lanes.span);
    }
    shared.take(checked);
    checked.findings.shrink_to_fit();
    checked.sites.shrink_to_fit();
    report.source = thinned.text;
}

/// What the caches of a run have in common, each once: most locks are named, and most targets used, in many files.
#[derive(Debug, Default)]
pub struct Shared {
    known: Mutex<Known>,
    /// How many bytes of sources there were.
    seen: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    locks: HashSet<Arc<LockKey>>,
    targets: HashSet<Arc<[u8]>>,
}

impl Shared {
    /// Whether a report on a source of `len` bytes can stay as it is.
    fn has_room(&self, len: usize) -> bool {
        self.seen.fetch_add(len, Ordering::Relaxed) < ROOM && len < ROOM
    }

    /// Puts what the run has already in the place of what is the same in `checked`.
    fn take(&self, checked: &mut Checked) {
        let Ok(mut known) = self.known.lock() else {
            return;
        };
        let locks = checked
            .findings
            .iter_mut()
            .filter_map(|finding| finding.lock.as_mut());
        locks
            .chain(checked.sites.iter_mut().map(|site| &mut site.key))
            .for_each(|lock| share(&mut known.locks, lock));
        let targets = checked
            .sites
            .iter_mut()
            .filter_map(|site| site.target.as_mut());
        targets.for_each(|target| share(&mut known.targets, target));
    }
}

/// Puts the one among `known` in the place of `own`, or `own` among them.
fn share<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, own: &mut Arc<T>) {
    match known.get(own) {
        Some(known) => *own = Arc::clone(known),
        None => {
            known.insert(Arc::clone(own));
        }
    }
}

/// A text with some lines made empty, and the way from the old offsets to the new.
struct Thinned {
    text: Vec<u8>,
    old: LineIndex,
    /// For each line, from 1, where it starts in the new text, and whether it is there.
    new: Vec<(usize, bool)>,
}

impl Thinned {
    /// `source`, whose lines are `old`, with those lines that are `kept`, by number.
    fn new(source: &[u8], old: LineIndex, kept: &[bool]) -> Self {
        let (mut text, mut new) = (Vec::new(), vec![(0, false)]);
        new.reserve(old.lines());
        for number in 1..=old.lines() {
            new.push((text.len(), kept[number]));
            let is_last = number == old.lines();
            let end = if is_last {
                source.len()
            } else {
                old.start_of(number + 1)
            };
            if kept[number] {
                text.extend_from_slice(&source[old.start_of(number)..end]);
            } else if !is_last {
                text.push(b'\n');
            }
        }
        text.shrink_to_fit();
        Self { text, old, new }
    }

    fn span(&self, span: Span) -> Span {
        Span::new(self.offset(span.start), self.offset(span.end))
    }

    /// Where the byte that was at `offset` is now; for one that is gone, where its line is.
    fn offset(&self, offset: usize) -> usize {
        let line = self.old.line(offset);
        let (start, kept) = self.new[line];
        if kept {
            start + (offset - self.old.start_of(line))
        } else {
            start
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint;
    use crate::rules::Settings;

    #[test]
    fn what_points_into_the_text_points_there_still() {
        let plain = "RUN make all\n".repeat(20);
        let mount = "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n    apt-get install -y gcc\n";
        for end in ["", "CMD grün", "CMD x\n", "\n\n"] {
            let source =
                format!("\u{FEFF}FROM debian\n{plain}{mount}{plain}# Ä\n{mount}{plain}{end}");
            let settings = Arc::new(Settings::default());
            let checked = lint::check(source.as_bytes(), &settings);
            let text = |report: &FileReport, span: Span| {
                String::from_utf8_lossy(span.of(&report.source)).into_owned()
            };
            let seen = |report: &FileReport| -> Vec<(usize, String, String)> {
                let lines = LineIndex::new(&report.source);
                let findings = report.checked.findings.iter();
                let findings = findings.map(|f| {
                    (
                        lines.line(f.span.start),
                        text(report, f.span),
                        f.message.clone(),
                    )
                });
                let sites = report.checked.sites.iter();
                let sites = sites.map(|s| {
                    (
                        lines.line(s.span.start),
                        text(report, s.span),
                        format!("{:?}", s.key),
                    )
                });
                findings.chain(sites).collect()
            };
            let source = source.into_bytes();
            let mut report = FileReport {
                path: "Dockerfile".into(),
                source,
                settings,
                checked,
                wires: None,
            };
            let (before, len) = (seen(&report), report.source.len());
            thin(
                &mut report,
                &Shared {
                    seen: AtomicUsize::new(ROOM),
                    ..Shared::default()
                },
            );
            assert!(!before.is_empty());
            assert_eq!(seen(&report), before);
            assert!(report.source.len() < len / 2);
        }
    }
}
