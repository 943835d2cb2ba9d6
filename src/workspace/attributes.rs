//! Extended attributes, for example POSIX ACLs: a replaced file keeps its own.

use std::fs::File;
use std::io;

/// Copies the attributes of `old` to `new`, and removes those that its folder gave it (a default ACL, for example).
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn take_after(new: &File, old: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr};
    let (wanted, there) = (all(old)?, all(new)?);
    for (name, _) in &there {
        if !wanted.iter().any(|(kept, _)| kept == name) {
            fremovexattr(new, name.as_slice())?;
        }
    }
    for (name, value) in wanted.iter().filter(|wanted| !there.contains(wanted)) {
        fsetxattr(new, name.as_slice(), value, XattrFlags::empty())?;
    }
    Ok(())
}

/// Returns every attribute of `file` with its value, except for those that the system computes; none where the file
/// system has no attributes.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn all(file: &File) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    use rustix::fs::{fgetxattr, flistxattr};
    use rustix::io::Errno;
    // Linux's limits for the list of names and for a value.
    let (mut names, mut value) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let len = match flistxattr(file, &mut names[..]) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        len => len?,
    };
    names[..len]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty() && !name.starts_with(b"security."))
        .filter(|name| *name != b"com.apple.provenance")
        .map(|name| {
            let len = fgetxattr(file, name, &mut value[..])?;
            Ok((name.to_vec(), value[..len].to_vec()))
        })
        .collect()
}

/// Does nothing, for lack of attributes.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
pub(super) fn take_after(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}
