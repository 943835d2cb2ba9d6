//! Extended attributes, of which a POSIX ACL is one: a file that is replaced keeps its own.

use std::fs::File;
use std::io;

/// What the system works out for each file by itself, from its content or its place.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const WORKED_OUT: &[&[u8]] = &[
    b"security.ima",
    b"security.evm",
    b"security.selinux",
    b"com.apple.provenance",
];

/// How long a list of names, or a value, can be: so Linux says. What is longer elsewhere cannot be read, and that is said.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const MAX_SIZE: usize = 64 * 1024;

/// Gives `new` the attributes of `old`, and takes away what it got from its folder (a default ACL, say).
///
/// # Errors
/// Where one cannot be read, set or taken away.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn take_after(new: &File, old: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr};
    let (wanted, there) = (all(old)?, all(new)?);
    for (name, _) in there
        .iter()
        .filter(|(name, _)| !wanted.iter().any(|(kept, _)| kept == name))
    {
        fremovexattr(new, name.as_slice())?;
    }
    for attribute in wanted.iter().filter(|attribute| !there.contains(attribute)) {
        fsetxattr(
            new,
            attribute.0.as_slice(),
            &attribute.1,
            XattrFlags::empty(),
        )?;
    }
    Ok(())
}

/// Elsewhere there is nothing that could be asked.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
pub(super) fn take_after(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

/// Every attribute of `file` with its value; none where the file system has no attributes.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn all(file: &File) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    use rustix::fs::{fgetxattr, flistxattr};
    use rustix::io::Errno;
    let names = match sized(|room| flistxattr(file, room)) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        names => names?,
    };
    let names = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty() && !WORKED_OUT.contains(name));
    let value = |name: &[u8]| sized(|room| fgetxattr(file, name, room));
    names
        .map(|name| Ok((name.to_vec(), value(name)?)))
        .collect()
}

/// What `get` writes into the room that it is given.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn sized(get: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut room = vec![0; MAX_SIZE];
    let filled = get(&mut room)?;
    room.truncate(filled);
    Ok(room)
}
