//! Files that are written in full before they replace another.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// The beginning of a temporary file's name. One is left behind only where cachelane is killed.
const TEMPORARY: &str = ".cachelane-";

/// Returns whether a file of this name was left behind when cachelane was killed during a write.
pub fn is_leftover(name: &[u8]) -> bool {
    let rest = name.strip_prefix(TEMPORARY.as_bytes());
    rest.is_some_and(|rest| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// Returns a new file in `folder` with the permissions `mode` minus the umask. It is removed when dropped.
#[cfg_attr(not(unix), allow(unused_variables, reason = "modes are unix's"))]
pub(super) fn temporary(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let made = builder.prefix(TEMPORARY).tempfile_in(folder);
    made.map_err(|error| {
        // The message leaves out the temporary file's name.
        let text = error.to_string();
        let reason = text.split(" at path \"").next().unwrap_or(&text);
        io::Error::new(error.kind(), reason.to_owned())
    })
}
