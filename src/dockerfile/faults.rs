//! Finds what BuildKit refuses in a mount, in its order (`parseMount` in
//! `frontend/dockerfile/instructions/commands_runmount.go`, and the mounts of `dockerfile2llb`).

use bstr::ByteSlice as _;

use crate::text::Span;

use super::ast::{Behind, Fault, FaultKind, Flag, Mount, MountKind};
use super::mount_options::{MOUNT_OPTIONS, clean, is_of_buildah, kind_of};
use super::words::{Unreadable, Word};

const TYPES: &[&str] = &["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARINGS: &[&str] = &["shared", "private", "locked"];
const BOOLEANS: &[&str] = &[
    "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
];

/// Returns the faults of `mount`. A bad quote hides all others.
pub(super) fn find(
    mount: &Mount<'_>,
    flag: &Flag<'_>,
    bad_quote: Option<Span>,
    behind: Option<Behind<'_>>,
) -> Vec<Fault> {
    let one = |span, kind| vec![Fault { span, kind }];
    if let Some(span) = bad_quote {
        return one(span, FaultKind::Quote);
    }
    let mut faults = of_fields(mount, behind);
    faults.extend(of_types(mount));
    if faults.is_empty() {
        faults.extend(of_secret(mount).or_else(|| of_target(mount)));
    }
    if flag.open_quote && !faults.is_empty() {
        return one(mount.span, FaultKind::OpenQuote);
    }
    faults
}

/// Checks the fields with the type given so far, as BuildKit does.
fn of_fields(mount: &Mount<'_>, behind: Option<Behind<'_>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut kind = MountKind::Bind;
    for (index, &field) in mount.fields.iter().enumerate() {
        let name = &mount.text.bytes()[field.start..field.equals.unwrap_or(field.end)];
        let fault = match (field.option, mount.value_of(field)) {
            (None, None) if name.is_empty() => {
                let is_last = index + 1 == mount.fields.len();
                let cut = behind.filter(|behind| is_last && starts_like_options(behind.text));
                Some(cut.map_or(FaultKind::EmptyField, |cut| {
                    FaultKind::SpaceAfterComma(cut.on_next_line)
                }))
            }
            (Some("readonly" | "readwrite"), None) => None,
            (Some("required"), None) => not_for(kind, "required"),
            (None, value) if is_of_buildah(mount.kind, name, value) => {
                Some(FaultKind::BuildahOption(name.to_str_lossy().into_owned()))
            }
            (_, None) => Some(FaultKind::BareOption(name.to_str_lossy().into_owned())),
            (None, Some(_)) => {
                let name = name.to_str_lossy().to_ascii_lowercase();
                let known = MOUNT_OPTIONS.iter().flat_map(|(_, names)| *names);
                let nearest = nearest(&name, known.copied());
                Some(FaultKind::UnknownOption(name, nearest))
            }
            (Some(option), Some(value)) => {
                if option == "type" {
                    kind = kind_of(value);
                }
                of_value(option, value, kind, mount.escape)
            }
        };
        let span = mount.text.span(field.start, field.end);
        faults.extend(fault.map(|kind| Fault { span, kind }));
    }
    faults
}

fn of_types(mount: &Mount<'_>) -> impl Iterator<Item = Fault> {
    let kind = mount.kind;
    let fits = move |option: &str| match option {
        "sharing" => matches!(kind, MountKind::Cache | MountKind::Unknown),
        "from" => kind != MountKind::Secret,
        _ => !matches!(kind, MountKind::Bind | MountKind::Tmpfs),
    };
    let options = ["sharing", "mode", "uid", "gid", "from"].into_iter();
    let wrong = options.filter(move |option| !fits(option));
    wrong.filter_map(move |option| {
        let field = mount.field(option)?;
        Some(Fault {
            span: mount.text.span(field.start, field.end),
            kind: FaultKind::NotForType(option.into(), kind),
        })
    })
}

fn of_secret(mount: &Mount<'_>) -> Option<Fault> {
    let has = |option: &str| mount.value(option).is_some_and(|value| !value.is_empty());
    let kind = match (has("source"), has("id"), has("target")) {
        _ if mount.kind != MountKind::Secret => return None,
        (false, false, false) => FaultKind::EmptySecret,
        (true, true, _) => FaultKind::TwoSecrets,
        _ => return None,
    };
    Some(Fault {
        span: mount.span,
        kind,
    })
}

/// Returns a target that is missing or `/`; a relative one starts from the WORKDIR, so `.` is no target either.
fn of_target(mount: &Mount<'_>) -> Option<Fault> {
    let target = mount.value("target").unwrap_or_default();
    let (span, kind) = match target {
        _ if !matches!(
            mount.kind,
            MountKind::Bind | MountKind::Cache | MountKind::Tmpfs
        ) =>
        {
            return None;
        }
        b"/" => (
            mount
                .field("target")
                .map_or(mount.span, |field| mount.value_span(field)),
            FaultKind::RootTarget,
        ),
        b"" => (mount.span, FaultKind::NoTarget),
        path if !path.contains(&b'$') && *clean(path) == *b"." => (mount.span, FaultKind::NoTarget),
        _ => return None,
    };
    Some(Fault { span, kind })
}

fn not_for(kind: MountKind, option: &str) -> Option<FaultKind> {
    let fits = match option {
        "required" => matches!(
            kind,
            MountKind::Secret | MountKind::Ssh | MountKind::Unknown
        ),
        _ => matches!(kind, MountKind::Tmpfs | MountKind::Unknown),
    };
    (!fits).then(|| FaultKind::NotForType(option.into(), kind))
}

pub(super) fn of_value(
    option: &'static str,
    value: &[u8],
    kind: MountKind,
    escape: u8,
) -> Option<FaultKind> {
    if option == "from" {
        return value.contains(&b'$').then_some(FaultKind::VariableInFrom);
    }
    if matches!(option, "required" | "size")
        && let Some(fault) = not_for(kind, option)
    {
        return Some(fault);
    }
    if !Word::is_text(value, escape) {
        match Word::read(value, escape) {
            Err(Unreadable) => return Some(FaultKind::BadVariable(option)),
            Ok(word) if word.has_variable() => return None,
            Ok(_) => {}
        }
    }
    let unknown = |known: &[&'static str]| {
        let text = value.to_str_lossy().into_owned();
        let nearest = nearest(&text.to_ascii_lowercase(), known.iter().copied());
        Some(FaultKind::UnknownValue(option, text, nearest))
    };
    let is_one_of = |known: &[&str]| {
        known
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(value))
    };
    match option {
        "type" if !is_one_of(TYPES) => unknown(TYPES),
        "sharing" if !is_one_of(SHARINGS) => unknown(SHARINGS),
        "readonly" | "readwrite" | "required"
            if !BOOLEANS.iter().any(|b| b.as_bytes() == value) =>
        {
            unknown(&["true", "false"])
        }
        "uid" | "gid" if !is_number(value, 10) => unknown(&[]),
        "mode" if !is_number(value, 8) => unknown(&[]),
        "size" if !is_size(&value.to_ascii_lowercase()) => unknown(&[]),
        _ => None,
    }
}

/// Checks as Go's `strconv.ParseUint` with 32 bits does: no sign.
fn is_number(value: &[u8], radix: u32) -> bool {
    value
        .to_str()
        .is_ok_and(|text| !text.starts_with('+') && u32::from_str_radix(text, radix).is_ok())
}

/// Checks as `github.com/docker/go-units` does: digits, perhaps a fraction and a space, and a unit such as `k`, `mb` or
/// `gib`.
fn is_size(lower: &[u8]) -> bool {
    let number = lower
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let unit = lower[number..]
        .strip_prefix(b" ")
        .unwrap_or(&lower[number..]);
    let unit = unit.strip_suffix(b"b").unwrap_or(unit);
    let unit = unit.strip_suffix(b"i").unwrap_or(unit);
    number > 0 && matches!(unit, [] | [b'k' | b'm' | b'g' | b't' | b'p'])
}

/// Returns whether the words behind a flag look like the rest of an option list that a space cut off.
fn starts_like_options(rest: &[u8]) -> bool {
    let word = rest
        .split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default();
    let Some(equals) = word.find_byte(b'=') else {
        return false;
    };
    MOUNT_OPTIONS
        .iter()
        .flat_map(|(_, names)| *names)
        .any(|name| word[..equals].eq_ignore_ascii_case(name.as_bytes()))
}

/// Returns the known word nearest to `word`, if it is near enough to be a typo.
fn nearest(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score >= 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
