//! What holds for every Dockerfile, whoever makes it up: `tests/properties.rs`, `tests/small_worlds.rs` and `fuzz/` ask.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice as _};
use cachelane::dockerfile::{Dockerfile, Instruction, Keyword};
use cachelane::fix::{Applicability, Edit, Fix};
use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::text::{BOM, Span};

/// A safe fix is small, the same when made again, leaves nothing that could be fixed, and says what it found where.
///
/// # Panics
/// Where one of these does not hold.
pub fn safe_fix(source: &[u8], settings: &Settings) {
    let fixed = lint::fix(source, settings, Applicability::Safe, &[]);
    assert!(fixed.dropped.is_empty(), "{:?}", fixed.dropped);
    if fixed.bytes != source {
        let again = lint::fix(&fixed.bytes, settings, Applicability::Safe, &[]);
        assert_eq!(BStr::new(&again.bytes), BStr::new(&fixed.bytes), "fixing again changes more");
    }
    let left = lint::check_alone(&fixed.bytes, settings).findings;
    assert!(left.iter().all(|finding| !finding.is_fixable()), "{left:?}");
    if fixed.bytes != source {
        only_ids_and_args(source, &fixed.bytes);
        every_other_line_is_there(source, &fixed.bytes);
    }
    places(source, settings);
}

/// All fixes together come to an end, and leave what they say they leave.
///
/// # Panics
/// Where they do not.
pub fn all_fixes(source: &[u8], settings: &Settings) {
    let fixed = lint::fix(source, settings, Applicability::Unsafe, &[]);
    // A lock that would close a circle of waiting builds is not made, and that is said.
    let refused = |dropped: &lint::Dropped| dropped.reason.contains("opposite orders");
    assert!(fixed.dropped.iter().all(refused), "{:?}", fixed.dropped);
    let again = lint::fix(&fixed.bytes, settings, Applicability::Unsafe, &[]);
    assert_eq!(BStr::new(&again.bytes), BStr::new(&fixed.bytes), "fixing again changes more");
    let left = lint::check_alone(&fixed.bytes, settings).findings;
    let open = left.iter().filter(|finding| finding.fix.is_some()).count();
    assert!(open <= fixed.dropped.len(), "{left:?}");
}

/// Between `source` and `fixed`, nothing but ids of mounts and ARG lines differs, and no ARG is gone.
///
/// # Panics
/// Where anything else does.
pub fn only_ids_and_args(source: &[u8], fixed: &[u8]) {
    let Ok(before) = Dockerfile::read(source) else {
        assert_eq!(BStr::new(fixed), BStr::new(source), "a file that cannot be read was changed");
        return;
    };
    let after = Dockerfile::read(fixed).expect("what is fixed can be read");
    assert_eq!(skeleton(&before), skeleton(&after));
    let (was, is) = (declared(&before), declared(&after));
    assert!(was.iter().all(|(name, count)| is.get(name).is_some_and(|now| now >= count)), "{was:?} {is:?}");
}

/// Every line that belongs to no ARG and to no RUN with a mount is still there, in order.
///
/// # Panics
/// Where one is not.
pub fn every_other_line_is_there(source: &[u8], fixed: &[u8]) {
    let Ok(file) = Dockerfile::read(source) else { return };
    let behind_mark = |bytes: &[u8]| if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let mut rest = fixed[behind_mark(fixed)..].split_inclusive(|&b| b == b'\n');
    let mut at = behind_mark(source);
    for line in source[at..].split_inclusive(|&b| b == b'\n') {
        let owner = file.instruction_at(at).map(|index| &file.instructions[index]);
        let may_change = owner.is_some_and(|i| i.keyword == Keyword::Arg || !i.mounts.is_empty());
        let may_change = may_change || is_suppression(line);
        assert!(may_change || rest.any(|now| now == line), "{:?} is gone or has moved", BStr::new(line));
        at += line.len();
    }
}

/// What is found lies in the file, and so do the edits, in order.
///
/// # Panics
/// Where it does not.
pub fn places(source: &[u8], settings: &Settings) {
    for finding in lint::check(source, settings).findings {
        assert!(finding.span.end <= source.len());
        let spans: Vec<Span> = finding.fix.iter().flat_map(Fix::edits).map(Edit::span).collect();
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(spans.iter().all(|span| span.end <= source.len()));
    }
}

/// The instructions of a file other than ARG, as text, with the ids of cache mounts taken out.
pub fn skeleton(file: &Dockerfile<'_>) -> Vec<String> {
    let kept = file.instructions.iter().filter(|i| i.keyword != Keyword::Arg);
    kept.map(|instruction| {
        let mut bytes = instruction.span.of(file.source).to_vec();
        for mount in instruction.mounts.iter().rev() {
            if let Some(field) = mount.field("id") {
                let id = mount.text.span(field.start, field.end);
                let start = instruction.span.start;
                // An id that was added stands behind a comma of its own.
                let comma = usize::from(bytes[..id.start - start].ends_with(b","));
                bytes.drain(id.start - start - comma..id.end - start);
            }
        }
        let lines = bytes.split(|&b| b == b'\n').filter(|line| !is_suppression(line));
        lines.map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    })
    .collect()
}

/// Whether `line` is a comment that suppresses something: a fix may change it, or take it away.
pub fn is_suppression(line: &[u8]) -> bool {
    line.trim_start().starts_with(b"#") && line.contains_str("cachelane:")
}

/// The names that the ARG lines declare, with how often.
pub fn declared(file: &Dockerfile<'_>) -> HashMap<String, usize> {
    let mut names = HashMap::new();
    let args = file.instructions.iter().filter(|i| i.keyword == Keyword::Arg);
    let words = |i: &Instruction<'_>| String::from_utf8_lossy(i.arguments()).into_owned();
    for word in args.map(words).collect::<Vec<_>>().iter().flat_map(|words| words.split_whitespace()) {
        *names.entry(word.split('=').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    names
}
