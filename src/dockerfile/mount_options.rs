//! Names and values of mount options.

use std::borrow::Cow;

use bstr::ByteSlice as _;

use super::ast::MountKind;

/// Every option with its aliases.
pub const MOUNT_OPTIONS: &[(&str, &[&str])] = &[
    ("type", &["type"]),
    ("id", &["id"]),
    ("target", &["target", "dst", "destination"]),
    ("sharing", &["sharing"]),
    ("source", &["source", "src"]),
    ("from", &["from"]),
    ("readonly", &["readonly", "ro"]),
    ("readwrite", &["readwrite", "rw"]),
    ("required", &["required"]),
    ("size", &["size"]),
    ("mode", &["mode"]),
    ("uid", &["uid"]),
    ("gid", &["gid"]),
    ("env", &["env"]),
];

/// Returns the full name of the option `name`, an alias in any case.
pub(super) fn option(name: &[u8]) -> Option<&'static str> {
    let is_it = |names: &[&str]| {
        names
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    MOUNT_OPTIONS
        .iter()
        .find(|(_, names)| is_it(names))
        .map(|(option, _)| *option)
}

/// Returns whether buildah, and so podman, takes the option `name`, alone or with `value`, in a mount of this `kind`, and
/// BuildKit does not (`internal/volumes/volumes.go` of buildah; case counts).
pub(super) fn is_of_buildah(kind: MountKind, name: &[u8], value: Option<&[u8]>) -> bool {
    const PROPAGATIONS: [&[u8]; 6] = [
        b"shared",
        b"rshared",
        b"private",
        b"rprivate",
        b"slave",
        b"rslave",
    ];
    let (bind, tmpfs) = (kind == MountKind::Bind, kind == MountKind::Tmpfs);
    let folder = bind || kind == MountKind::Cache;
    match (name, value) {
        (b"nodev" | b"nosuid" | b"noexec", None) => folder || tmpfs,
        (b"z" | b"Z" | b"U", None) => folder,
        (b"bind-propagation", Some(word)) | (word, None) if PROPAGATIONS.contains(&word) => folder,
        (b"bind-nonrecursive" | b"no-dereference", None)
        | (b"relabel", Some(b"shared" | b"private"))
        | (b"consistency", Some(_)) => bind,
        (b"tmpcopyup", None) | (b"tmpfs-mode" | b"tmpfs-size", Some(_)) => tmpfs,
        _ => false,
    }
}

pub(super) fn kind_of(value: &[u8]) -> MountKind {
    const KINDS: [(&str, MountKind); 5] = [
        ("cache", MountKind::Cache),
        ("bind", MountKind::Bind),
        ("secret", MountKind::Secret),
        ("ssh", MountKind::Ssh),
        ("tmpfs", MountKind::Tmpfs),
    ];
    let is_it = |(name, _): &&(&str, MountKind)| value.eq_ignore_ascii_case(name.as_bytes());
    KINDS
        .iter()
        .find(is_it)
        .map_or(MountKind::Unknown, |(_, kind)| *kind)
}

/// Returns whether [`clean`] obviously leaves `path` alone, as it does nearly all targets.
fn is_clean(path: &[u8]) -> bool {
    let odd = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    path.starts_with(b"/") && !path.ends_with(b"/") && !path.windows(2).any(odd)
}

/// Go's `path.Clean`: `.` and `..` resolved, doubled and trailing slashes dropped.
pub fn clean(path: &[u8]) -> Cow<'_, [u8]> {
    if is_clean(path) {
        return path.into();
    }
    let rooted = path.starts_with(b"/");
    let mut cleaned = Vec::with_capacity(path.len());
    cleaned.extend(rooted.then_some(b'/'));
    for part in path.split(|&b| b == b'/') {
        let is_last_up = cleaned == b".." || cleaned.ends_with(b"/..");
        match part {
            b"" | b"." => {}
            b".." if cleaned.len() > usize::from(rooted) && !is_last_up => {
                // A `..` removes the part before it. The root's own slash stays.
                let above = cleaned.rfind_byte(b'/').unwrap_or(0);
                cleaned.truncate(above.max(usize::from(rooted)));
            }
            b".." if rooted => {}
            _ => {
                if cleaned.last().is_some_and(|last| *last != b'/') {
                    cleaned.push(b'/');
                }
                cleaned.extend_from_slice(part);
            }
        }
    }
    if cleaned.is_empty() {
        b".".into()
    } else {
        cleaned.into()
    }
}
