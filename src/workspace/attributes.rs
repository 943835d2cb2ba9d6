//! Extended attributes, of which a POSIX ACL is one: a file that is replaced keeps its own.

use std::fs::File;
use std::io;

/// Gives `new` the attributes of `old`, and takes away what it got from its folder (a default ACL, say).
///
/// # Errors
/// Fails where one cannot be read, set or taken away.
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

/// Returns every attribute of `file` with its value, but for those that the system works out by itself; none where the file
/// system has no attributes.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn all(file: &File) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    use rustix::fs::{fgetxattr, flistxattr};
    use rustix::io::Errno;
    // Linux has no longer names, in all, and no longer values.
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

/// Does nothing: elsewhere there is nothing that could be asked.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
pub(super) fn take_after(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}
