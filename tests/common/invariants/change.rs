//! The changes that a fix may make, without the product's own proof.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};
use cachelane::dockerfile::{Dockerfile, Instruction, Keyword, Mount, MountKind};
use cachelane::rules::Settings;
use cachelane::text::BOM;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Safe,
    All,
}

/// Fails where more has changed than cache mounts' ids, with the lane behind them, and ARG lines, which have come,
/// moved or got a default; or where a value that an instruction refers to has changed.
pub fn only_lanes_and_args(source: &[u8], fixed: &[u8], settings: &Settings) {
    let Some((before, after)) = both(source, fixed) else {
        return;
    };
    let (old, new) = (others(&before), others(&after));
    assert_eq!(old.len(), new.len(), "another number of instructions");
    for (&was, &is) in old.iter().zip(&new) {
        let (was, is) = (&before.instructions[was], &after.instructions[is]);
        assert_eq!(
            BStr::new(&skeleton(&before, was)),
            BStr::new(&skeleton(&after, is))
        );
        for (was, is) in was.mounts.iter().zip(&is.mounts) {
            lane_at_most(was, is, settings);
        }
    }
    let directives = |file: &Dockerfile<'_>| -> Vec<BString> {
        file.directives
            .iter()
            .map(|directive| directive.value.of(file.source).into())
            .collect()
    };
    assert_eq!(directives(&before), directives(&after));
    assert_eq!(frontend(source), frontend(fixed));
    args_stay(&before, &after, settings);
    values_stay(&before, &after, (&old, &new));
}

/// Fails where more has changed than ids and sharing modes of cache mounts, ARG lines, and the directive `syntax`.
pub fn only_mounts_and_args(source: &[u8], fixed: &[u8], settings: &Settings) {
    let Some((before, after)) = both(source, fixed) else {
        return;
    };
    let essences = |file: &Dockerfile<'_>| -> Vec<Vec<BString>> {
        others(file)
            .iter()
            .map(|index| essence(file, &file.instructions[*index]))
            .collect()
    };
    assert_eq!(essences(&before), essences(&after));
    args_stay(&before, &after, settings);
    assert_eq!(before.escape, after.escape);
}

/// Returns the frontend that BuildKit starts for `source`: it looks below a line for the kernel, too, where its parser
/// does not.
fn frontend(source: &[u8]) -> Option<BString> {
    let text = source.strip_prefix(BOM).unwrap_or(source);
    for (number, line) in text.lines().enumerate() {
        if number == 0 && line.starts_with(b"#!") {
            continue;
        }
        let (key, value) = line.strip_prefix(b"#")?.split_once_str("=")?;
        match key.trim().to_ascii_lowercase().as_slice() {
            b"syntax" => return Some(value.trim().into()),
            b"escape" | b"check" => {}
            _ => return None,
        }
    }
    None
}

fn both<'s>(source: &'s [u8], fixed: &'s [u8]) -> Option<(Dockerfile<'s>, Dockerfile<'s>)> {
    let Ok(before) = Dockerfile::read(source) else {
        assert_eq!(
            BStr::new(fixed),
            BStr::new(source),
            "a file that cannot be read was changed"
        );
        return None;
    };
    Some((
        before,
        Dockerfile::read(fixed).expect("what is fixed can be read"),
    ))
}

/// Returns the indices of instructions other than ARG.
fn others(file: &Dockerfile<'_>) -> Vec<usize> {
    (0..file.instructions.len())
        .filter(|index| file.instructions[*index].keyword != Keyword::Arg)
        .collect()
}

/// Returns the bytes of an instruction without suppressions and the ids of its cache mounts.
fn skeleton(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Vec<u8> {
    let mut bytes = instruction.span.of(file.source).to_vec();
    for mount in instruction
        .mounts
        .iter()
        .rev()
        .filter(|mount| may_be_cache(mount))
    {
        if let Some(field) = mount.field("id") {
            let id = mount.text.span(field.start, field.end);
            let start = instruction.span.start;
            // An added id stands behind a comma of its own.
            let comma = usize::from(bytes[..id.start - start].ends_with(b","));
            bytes.drain(id.start - start - comma..id.end - start);
        }
    }
    let lines = bytes
        .split(|&b| b == b'\n')
        .filter(|line| !is_suppression(line));
    lines.collect::<Vec<_>>().join(&b'\n').trim_end().to_owned()
}

/// Returns whether it is a cache mount, or a variable names its type.
fn may_be_cache(mount: &Mount<'_>) -> bool {
    matches!(mount.kind, MountKind::Cache | MountKind::Unknown)
}

/// Returns the effect of an instruction, apart from its cache mounts' ids and sharing modes.
fn essence(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Vec<BString> {
    let mut essence: Vec<BString> =
        vec![format!("{:?} {}", instruction.keyword, instruction.onbuild).into()];
    essence.push(instruction.arguments().into());
    essence.extend(
        instruction
            .heredocs
            .iter()
            .map(|heredoc| heredoc.body.of(file.source).into()),
    );
    let mounts = instruction
        .flags
        .iter()
        .filter(|flag| flag.name() != b"mount");
    essence.extend(mounts.map(|flag| flag.text.bytes().into()));
    for mount in &instruction.mounts {
        let free =
            |name: Option<&str>| may_be_cache(mount) && matches!(name, Some("id" | "sharing"));
        let fields = mount.fields.iter().filter(|field| !free(field.option));
        essence.extend(fields.map(|field| mount.text.bytes()[field.start..field.end].into()));
        essence.push("end of the mount".into());
    }
    essence
}

/// Fails unless the id of `is` is that of `was`, with the lane behind it or not.
fn lane_at_most(was: &Mount<'_>, is: &Mount<'_>, settings: &Settings) {
    let (was, is, target) = (was.effective_id(), is.effective_id(), was.target());
    let arg = &settings.arg;
    let lane = if settings.keep_default {
        format!("${{{arg}:+-${{{arg}}}}}")
    } else {
        format!("-${{{arg}}}")
    };
    // A variable that may be empty keeps the target as its value.
    let or_target = [&was[..was.len() - usize::from(was.ends_with(b"}"))], b":-"].concat();
    let or_target = [&or_target[..], &target, b"}"].concat();
    let or_target = or_target.replacen("$", "${", usize::from(!was.starts_with(b"${")));
    let before = [was.to_vec(), or_target].into_iter().rev();
    let mut behind = before.filter_map(|before| is.strip_prefix(&before[..]));
    let behind = behind.next().map(BStr::new);
    let fits = behind.is_some_and(|behind| behind.is_empty() || *behind == lane);
    assert!(
        fits,
        "the id {:?} became {:?}",
        BStr::new(&was),
        BStr::new(&is)
    );
}

/// Fails unless every word of an ARG is still there, the lane's perhaps with a default, and each new one is the lane's,
/// or a bare name that an id refers to.
fn args_stay(before: &Dockerfile<'_>, after: &Dockerfile<'_>, settings: &Settings) {
    let (mut was, mut is) = (declared(before), declared(after));
    for (word, count) in &mut was {
        let now = is.entry(word.clone()).or_default();
        let same = (*count).min(*now);
        (*count, *now) = (*count - same, *now - same);
    }
    let lane = |word: &[u8]| {
        word.strip_prefix(settings.arg.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
    };
    let mut bare = 0;
    for ((_, word), count) in was.iter().filter(|(_, count)| **count > 0) {
        assert_eq!(word.as_bytes(), settings.arg.as_bytes(), "an ARG is gone");
        bare += count;
    }
    let ids: Vec<BString> = after
        .mounts()
        .map(|(_, mount)| mount.effective_id().as_bytes().into())
        .collect();
    for ((_, word), count) in is.iter().filter(|(_, count)| **count > 0) {
        let needed = word.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && ids.iter().any(|id| id.contains_str(word.as_bytes()));
        assert!(lane(word) || needed, "{word:?} has come");
        bare -= if lane(word) { bare.min(*count) } else { 0 };
    }
    assert_eq!(bare, 0, "an ARG is gone");
}

/// Returns the words of the ARG lines with their counts, triggers apart.
fn declared(file: &Dockerfile<'_>) -> BTreeMap<(bool, BString), usize> {
    let mut words = BTreeMap::new();
    for arg in file
        .instructions
        .iter()
        .filter(|i| i.keyword == Keyword::Arg)
    {
        for word in arg.words(file) {
            *words.entry((arg.onbuild, word.into())).or_default() += 1;
        }
    }
    words
}

/// Fails where a value that instructions refer to has changed in a build that passes nothing.
fn values_stay(before: &Dockerfile<'_>, after: &Dockerfile<'_>, (old, new): (&[usize], &[usize])) {
    let mut names: Vec<BString> = Vec::new();
    for (_, word) in declared(after).into_keys() {
        names.push(word.split(|&b| b == b'=').next().unwrap_or_default().into());
    }
    names.sort();
    names.dedup();
    for name in names
        .iter()
        .filter_map(|name| name.to_str().ok())
        .filter(|name| !name.is_empty())
    {
        for (&was, &is) in old.iter().zip(new) {
            let now = &after.instructions[is];
            if now.onbuild || !essence(after, now).iter().any(|part| mentions(part, name)) {
                continue;
            }
            let values = (
                before.default_value(name, was),
                after.default_value(name, is),
            );
            assert_eq!(
                values.0, values.1,
                "{name} has another value on line {}",
                now.lines.0
            );
        }
    }
}

/// Returns whether `name` stands in `text` as a word of its own.
fn mentions(text: &[u8], name: &str) -> bool {
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    text.find_iter(name)
        .any(|at| !part(text[..at].last()) && !part(text.get(at + name.len())))
}

/// Fails where a line that belongs to no ARG and to no RUN with a mount is gone, out of order or changed in its ending,
/// or such a line is new.
pub fn lines_stay(source: &[u8], fixed: &[u8], level: Level) {
    let (Ok(before), Ok(after)) = (Dockerfile::read(source), Dockerfile::read(fixed)) else {
        return;
    };
    let (old, new) = (fixed_lines(&before, level), fixed_lines(&after, level));
    assert_eq!(
        old,
        new,
        "a line is gone, has come, or has moved: {:?}",
        BStr::new(source)
    );
    let has = |text: &[u8], ending: &str| match ending {
        "\r\n" => text.contains_str("\r\n"),
        _ => text.find_iter("\n").any(|at| !text[..at].ends_with(b"\r")),
    };
    for (own, other) in [("\r\n", "\n"), ("\n", "\r\n")] {
        let only = has(source, own) && !has(source, other);
        assert!(
            !only || !has(fixed, other),
            "a line has another ending than all the others"
        );
    }
}

/// Returns the lines that a fix leaves alone.
fn fixed_lines<'s>(file: &Dockerfile<'s>, level: Level) -> Vec<&'s BStr> {
    let mut at = if file.source.starts_with(BOM) {
        BOM.len()
    } else {
        0
    };
    let mut lines = Vec::new();
    for line in file.source[at..].split_inclusive(|&b| b == b'\n') {
        let owner = file
            .instruction_at(at)
            .map(|index| &file.instructions[index]);
        let may_change = owner.is_some_and(|i| i.keyword == Keyword::Arg || !i.mounts.is_empty());
        // BuildKit looks for `# syntax` below a line for the kernel as well.
        let below_one = at > 0
            && file.source[..at]
                .lines()
                .all(|line| line.starts_with(b"#!"));
        let top = at < file.top || below_one;
        let names_one = || {
            line.trim_start_with(|ch| "# \t".contains(ch))
                .to_ascii_lowercase()
                .starts_with(b"syntax")
        };
        let directive = level == Level::All && top && names_one();
        if !may_change && !directive && !is_suppression(line) {
            lines.push(BStr::new(line));
        }
        at += line.len();
    }
    lines
}

/// Fails where another line differs than comments that suppress something.
#[allow(dead_code, reason = "not everyone asks for it")]
pub fn only_suppressions(source: &[u8], changed: &[u8]) {
    let lines = |text: &[u8]| -> Vec<BString> {
        let text = text.strip_prefix(BOM).unwrap_or(text);
        text.lines()
            .filter(|line| !is_suppression(line))
            .map(BString::from)
            .collect()
    };
    assert_eq!(lines(source), lines(changed));
}

/// Returns whether `line` is a comment that suppresses something, which a fix may change or remove.
fn is_suppression(line: &[u8]) -> bool {
    line.trim_start().starts_with(b"#") && line.contains_str("cachelane:")
}
