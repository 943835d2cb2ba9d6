//! A file's way through the tool: bytes, [`Dockerfile`], findings, and, where it is to be fixed, new bytes that are
//! proved before anyone may write them.
//!
//! The command line, the tests and other programs all come in here.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use crate::budget;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::{self, Applicability, Fix};
use crate::index::Site;
use crate::rules::lanes::Lanes;
use crate::rules::{Context, Settings, registry};
use crate::suppress::{self, Ignore};
use crate::text::{LineIndex, SourceMap};

mod adopt;
mod list;
mod loose;
mod outer;
mod prove;
mod relate;
mod settle;
pub mod wire;

pub use adopt::{Adopted, Left, adopt, adopt_wires};
pub use list::{ListedMount, list};
pub use loose::{check_text, may_hold_locks};
pub use outer::{check_wiring, fix_inline};
pub use relate::{Compared, relate, relate_reports};
pub use wire::Wires;

/// What was found in one file.
#[derive(Debug, Default)]
pub struct Checked {
    /// The findings, ordered by place.
    pub findings: Vec<Finding>,
    /// Its cache mounts: what [`relate`] compares.
    pub sites: Vec<Site>,
    /// What it asks of its builds, where it has lanes.
    pub lanes: Option<Box<Lanes>>,
    /// Its suppressions.
    pub ignores: Vec<Ignore>,
    /// How many findings they and the configuration's exemptions suppress.
    pub suppressed: usize,
}

/// A file of a run with what was found in it.
#[derive(Debug)]
pub struct FileReport {
    /// The file, as the user or the search named it.
    pub path: PathBuf,
    /// Its bytes. Empty where nothing was found, since then nothing needs to be shown.
    pub source: Vec<u8>,
    /// What is settled for it.
    pub settings: Arc<Settings>,
    /// What was found.
    pub checked: Checked,
    /// What it says about builds, where it is no Dockerfile but a workflow, a pipeline, a Compose or bake file.
    /// (Few files have it, and a large run has many reports: it takes no room where it is not.)
    pub wires: Option<Box<Wires>>,
}

/// Whether `source` can hold a mount: a file without `--mount` is not read any further.
#[must_use]
pub fn has_mount(source: &[u8]) -> bool {
    static MOUNT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("--mount"));
    MOUNT.find(source).is_some()
}

/// Whether `source` can hold anything to find: a mount, or a suppression.
#[must_use]
pub fn is_of_interest(source: &[u8]) -> bool {
    has_mount(source) || suppress::is_marked(source)
}

/// Looks at one file by itself. What is suppressed is still among the findings: [`relate`] sorts it out.
#[must_use]
pub fn check(source: &[u8], settings: &Settings) -> Checked {
    let (mounts, marked) = (has_mount(source), suppress::is_marked(source));
    if !mounts && !marked {
        return Checked::default();
    }
    let ignores = |file: Option<&Dockerfile<'_>>| {
        if marked {
            suppress::read(source, file)
        } else {
            Vec::new()
        }
    };
    let file = match Dockerfile::read(source) {
        Ok(file) => file,
        Err(_) if !mounts => return Checked::default(),
        Err(error) => {
            let rule = RuleId::SyntaxError;
            let mut findings = registry::check_error(&error);
            findings.retain(|finding| settings.is_on(finding.rule));
            // What other suppressions are for, nobody can say.
            let ignores = ignores(None).into_iter().find_map(|ignore| ignore.of(rule));
            return Checked {
                findings,
                ignores: ignores.into_iter().collect(),
                ..Checked::default()
            };
        }
    };
    let ignores = ignores(Some(&file));
    let cx = Context::new(&file, settings).with_ignores(&ignores);
    let lines = OnceCell::new();
    let lines = || lines.get_or_init(|| LineIndex::new(source));
    let sites = cx.caches().iter().map(|cache| cache.site(&file)).collect();
    let mut findings = registry::check_file(&cx);
    let all = findings.len();
    findings.retain(|finding| !cx.is_exempt(finding));
    let suppressed = all - findings.len();
    let lanes = Lanes::of(&cx, lines).map(Box::new);
    drop(cx);
    Checked {
        findings,
        sites,
        lanes,
        ignores,
        suppressed,
    }
}

/// Looks at one file as at a run of its own.
#[must_use]
pub fn check_alone(source: &[u8], settings: &Settings) -> Checked {
    let mut checked = check(source, settings);
    relate(
        &mut [Compared {
            checked: &mut checked,
            settings,
            source,
        }],
        |_| String::new(),
    );
    settle::settle(&mut checked, settings, false);
    checked
}

/// What was done to a file, and what was not.
#[derive(Debug)]
pub struct Fixed {
    /// The new bytes; the old ones where nothing was fixed.
    pub bytes: Vec<u8>,
    /// The fixes that were made, in order.
    pub made: Vec<Made>,
    /// What is left in the new bytes.
    pub left: Checked,
    /// Fixes that were dropped because the result would not have read as it should.
    pub dropped: Vec<Dropped>,
    /// Where the new bytes come from, round by round.
    pub origins: Vec<SourceMap>,
}

impl Fixed {
    /// A file that stays as it is, with `left` in it.
    #[must_use]
    pub fn nothing(source: &[u8], left: Checked) -> Self {
        Self {
            bytes: source.to_vec(),
            made: Vec::new(),
            left,
            dropped: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// The byte of the file as it was that byte `at` of the new one comes from.
    #[must_use]
    pub fn origin(&self, at: usize) -> usize {
        origin(&self.origins, at)
    }
}

fn origin(rounds: &[SourceMap], at: usize) -> usize {
    rounds.iter().rev().fold(at, |at, round| round.near(at))
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The rule whose finding it cured.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the file as it was before anything was fixed.
    pub line: usize,
    /// What it did.
    pub title: String,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The rule of the finding.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the file as it was before anything was fixed.
    pub line: usize,
    /// Why not.
    pub reason: String,
}

/// Fixes one file: every safe fix, and with `level` at [`Applicability::Unsafe`] the others too. `found` are findings
/// that came of comparing the file with others of its run.
///
/// Fixes that overlap wait for a further round, until nothing is left to do. Every round's result is read again and
/// proved; a fix after which the file does not read as intended is dropped, and said.
#[must_use]
pub fn fix(source: &[u8], settings: &Settings, level: Applicability, found: &[Finding]) -> Fixed {
    let mut bytes = source.to_vec();
    let mut made = Vec::new();
    let mut dropped: Vec<Dropped> = Vec::new();
    let mut found = found;
    let mut origins: Vec<SourceMap> = Vec::new();
    let first = LineIndex::new(source);
    // Kinds of fixes of which none can be made any more.
    let mut exhausted: Vec<Turn> = Vec::new();
    // What the file has been, and how often. A fix may take another one back, but not round after round.
    let mut seen = HashMap::from([(hash(source), 1)]);
    while budget::spend(1) {
        let checked = check_alone(&bytes, settings);
        let Some((turn, findings)) =
            chosen(checked.findings.iter().chain(found), level, &exhausted)
        else {
            break;
        };
        let round = round(&bytes, &findings, settings);
        let line = |index: usize| first.line(origin(&origins, findings[index].span.start));
        let drop = |(index, reason): (usize, String)| Dropped {
            rule: findings[index].rule,
            line: line(index),
            reason,
        };
        if round.made.is_empty() {
            dropped.extend(round.dropped.into_iter().map(drop));
            exhausted.push(turn);
            continue;
        }
        let times = seen.entry(hash(&round.bytes)).or_insert(0);
        *times += 1;
        if *times > 2 {
            let reason = || "another fix takes it back".to_owned();
            dropped.extend(round.made.into_iter().map(|index| drop((index, reason()))));
            exhausted.push(turn);
            continue;
        }
        made.extend(round.made.iter().map(|&index| {
            let title = findings[index].fix.as_ref().map_or("", Fix::title);
            Made {
                rule: findings[index].rule,
                line: line(index),
                title: title.into(),
            }
        }));
        origins.push(round.origins);
        bytes = round.bytes;
        // Their places are those of the file as it was.
        found = &[];
    }
    let left = check(&bytes, settings);
    Fixed {
        bytes,
        made,
        left,
        dropped,
        origins,
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// When a fix is made: those of an earlier turn come first, and only fixes of one turn in one round.
type Turn = (u8, Option<RuleId>);

/// The findings whose fixes are to be made in this round. What takes away the reason for another fix goes first, and
/// what is safe before what is not: so the outcome does not depend on the order of the rules.
fn chosen<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    level: Applicability,
    exhausted: &[Turn],
) -> Option<(Turn, Vec<&'f Finding>)> {
    let turn = |finding: &Finding| -> Option<Turn> {
        let fix = finding
            .fix
            .as_ref()
            .filter(|fix| fix.applicability() <= level)?;
        let turn = match fix.applicability() {
            _ if finding.rule.meta().goes_first => (0, Some(finding.rule)),
            Applicability::Safe => (1, None),
            Applicability::Unsafe => (2, Some(finding.rule)),
        };
        (!exhausted.contains(&turn)).then_some(turn)
    };
    let open: Vec<(Turn, &Finding)> = findings
        .filter_map(|finding| Some((turn(finding)?, finding)))
        .collect();
    let first = open.iter().map(|(turn, _)| *turn).min()?;
    let mut chosen: Vec<&Finding> = open
        .into_iter()
        .filter(|(turn, _)| *turn == first)
        .map(|(_, finding)| finding)
        .collect();
    chosen.sort_by_key(|finding| (finding.span, finding.rule));
    Some((first, chosen))
}

struct Round {
    bytes: Vec<u8>,
    origins: SourceMap,
    made: Vec<usize>,
    dropped: Vec<(usize, String)>,
}

/// Makes the fixes of `findings` that can be made together. Where the result is not what it should be, halves are tried,
/// and halves of these, so that a bad fix takes no good one with it.
fn round(source: &[u8], findings: &[&Finding], settings: &Settings) -> Round {
    let mut good: Vec<usize> = Vec::new();
    let mut best = Round {
        bytes: source.to_vec(),
        origins: SourceMap::default(),
        made: Vec::new(),
        dropped: Vec::new(),
    };
    let mut open = vec![(0, findings.len())];
    while let Some((start, end)) = open.pop().filter(|_| budget::spend(1)) {
        let range = start..end;
        let tried: Vec<usize> = good.iter().copied().chain(range.clone()).collect();
        let fixes: Vec<&Fix> = tried
            .iter()
            .filter_map(|index| findings[*index].fix.as_ref())
            .collect();
        let applied = fix::apply(source, &fixes);
        let made: Vec<usize> = applied.made.iter().map(|at| tried[*at]).collect();
        let cured: Vec<&Finding> = made.iter().map(|index| findings[*index]).collect();
        match prove::holds(source, &applied.bytes, &cured, settings) {
            Ok(()) => {
                good.clone_from(&tried);
                best = Round {
                    bytes: applied.bytes,
                    origins: applied.origins,
                    made,
                    dropped: best.dropped,
                };
            }
            Err(reason) if range.len() == 1 => best.dropped.push((start, reason)),
            Err(_) => {
                let middle = start + range.len() / 2;
                open.push((middle, end));
                open.push((start, middle));
            }
        }
    }
    best
}
