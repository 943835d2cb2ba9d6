//! Invariants of every Dockerfile, for `properties.rs` and `small_worlds.rs` of `tests/inner` and for `fuzz/`.

mod change;

#[allow(unused_imports, reason = "not everyone asks for it")]
pub use change::only_suppressions;

use bstr::BStr;
use cachelane::finding::Place;
use cachelane::fix::{Applicability, Edit, Fix};
use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::text::Span;

/// Fails unless a safe fix is small, is the same when made again, leaves nothing to fix, and names the places of its
/// findings.
pub fn safe_fix(source: &[u8], settings: &Settings) {
    let fixed = lint::fix(None, source, settings, Applicability::Safe);
    assert!(fixed.dropped.is_empty(), "{:?}", fixed.dropped);
    if fixed.bytes != source {
        let again = lint::fix(None, &fixed.bytes, settings, Applicability::Safe);
        assert_eq!(
            BStr::new(&again.bytes),
            BStr::new(&fixed.bytes),
            "fixing again changes more"
        );
    }
    let left = lint::check_alone(&fixed.bytes, settings).findings;
    assert!(left.iter().all(|finding| !finding.is_fixable()), "{left:?}");
    if fixed.bytes != source {
        change::only_lanes_and_args(source, &fixed.bytes, settings);
        change::lines_stay(source, &fixed.bytes, change::Level::Safe);
    }
    places(source, settings);
}

/// Fails unless all fixes together come to an end, and leave what they report.
pub fn all_fixes(source: &[u8], settings: &Settings) {
    let fixed = lint::fix(None, source, settings, Applicability::Unsafe);
    // A lock that would close a circle of waiting builds is not made, and that is reported.
    let refused = |dropped: &lint::Dropped| dropped.reason.contains("opposite orders");
    assert!(fixed.dropped.iter().all(refused), "{:?}", fixed.dropped);
    let again = lint::fix(None, &fixed.bytes, settings, Applicability::Unsafe);
    assert_eq!(
        BStr::new(&again.bytes),
        BStr::new(&fixed.bytes),
        "fixing again changes more"
    );
    let left = lint::check_alone(&fixed.bytes, settings).findings;
    let open = left.iter().filter(|finding| finding.fix.is_some()).count();
    assert!(open <= fixed.dropped.len(), "{left:?}");
    if fixed.bytes != source {
        change::only_mounts_and_args(source, &fixed.bytes, settings);
        change::lines_stay(source, &fixed.bytes, change::Level::All);
    }
}

/// Fails unless findings and edits lie in the file, the edits in order.
pub fn places(source: &[u8], settings: &Settings) {
    for finding in lint::check(source, settings).findings {
        assert!(finding.span.end <= source.len());
        assert!(finding.related.iter().all(
            |location| matches!(location.place, Place::Here(span) if span.end <= source.len())
        ));
        let spans: Vec<Span> = finding
            .fix
            .iter()
            .flat_map(Fix::edits)
            .map(Edit::span)
            .collect();
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(spans.iter().all(|span| span.end <= source.len()));
    }
}
