//! Checks a single Dockerfile.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::dockerfile::{Dockerfile, Instruction, SyntaxError, template};
use crate::finding::RuleId;
use crate::index::CacheMount;
use crate::rules::frontend::has_no_syntax_line;
use crate::rules::lane_requirements::LaneRequirements;
use crate::rules::{Context, Settings, caches, registry};
use crate::suppress;

use super::generated;
use super::model::{Checked, Withheld};

/// Returns whether `source` can hold a mount; otherwise the file is not read further.
pub fn has_mount(source: &[u8]) -> bool {
    static MOUNT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("--mount"));
    MOUNT.find(source).is_some()
}

/// Returns whether `source` can hold a mount, also one that a template makes, or a suppression.
pub fn is_of_interest(source: &[u8]) -> bool {
    has_mount(source) || suppress::is_marked(source) || may_make_mounts(source)
}

/// Returns whether `source` is a template that speaks of mounts, caches or flags, or calls something with a path.
pub(super) fn may_make_mounts(source: &[u8]) -> bool {
    let speaks = |word: &str| memchr::memmem::find(source, word.as_bytes()).is_some();
    let words = [
        "ount", "OUNT", "ache", "ACHE", "lags", "LAGS", "opts", "OPTS", "(\"/", "('/",
    ];
    (template::is_template(source) || speaks("RUN @")) && words.into_iter().any(speaks)
}

/// Checks one file alone. Suppressed findings are included: [`relate`] removes them.
pub fn check(source: &[u8], settings: &Settings) -> Checked {
    check_numbered(source, settings, None)
}

/// Checks one file alone as [`check`] does; `number` returns the number of each of its lines in the file around it.
pub(super) fn check_numbered(
    source: &[u8],
    settings: &Settings,
    number: Option<&dyn Fn(usize) -> usize>,
) -> Checked {
    if !is_of_interest(source) {
        return Checked::default();
    }
    let mut file = Dockerfile::read_past_faults(source);
    if !file.is_read() && !has_mount(source) {
        return Checked::default();
    }
    if let Some(error) = file.fault() {
        return refused(&file, &error, settings);
    }
    let ignores = suppress::read(source, Some(&file));
    if let Some(number) = number {
        for Instruction { lines, .. } in &mut file.instructions {
            *lines = (number(lines.0), number(lines.1));
        }
    }
    let cx = Context::new(&file, settings).with_ignores(&ignores);
    let mounts = cx.caches().iter().map(|cache| CacheMount {
        is_silent: cx.is_silent(cache),
        ..cache.indexed(&file)
    });
    let mounts = mounts.collect();
    let mut findings = registry::check_file(&cx);
    let all = findings.len();
    findings.retain(|finding| !cx.is_exempt(finding));
    let suppressed = all - findings.len();
    let lanes = LaneRequirements::of(&cx);
    drop(cx);
    let mut checked = Checked {
        findings,
        mounts,
        lanes,
        ignores,
        suppressed,
        has_no_syntax_line: has_no_syntax_line(&file),
        by_buildah: None,
        withheld: generated::withheld(source, settings),
    };
    checked.withhold_fixes();
    checked
}

/// Returns the findings for a file that BuildKit refuses.
fn refused(file: &Dockerfile<'_>, error: &SyntaxError, settings: &Settings) -> Checked {
    let rule = RuleId::SyntaxError;
    let caches = caches::find(file, settings);
    let mut findings = registry::check_error(error);
    findings.retain(|finding| settings.is_on(finding.rule));
    // What other suppressions would silence is unknown.
    let known = file.is_read().then_some(file);
    let mut ignores = suppress::read(file.source, known).into_iter();
    let ignore = ignores.find_map(|ignore| ignore.of(rule, error.span));
    Checked {
        findings,
        ignores: ignore.into_iter().collect(),
        // Fixes of other files must not give the same caches other ids.
        mounts: caches.iter().map(|cache| cache.indexed(file)).collect(),
        withheld: Some(Withheld::Refused),
        ..Checked::default()
    }
}
