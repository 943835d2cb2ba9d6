//! A unified diff, as git and patch write it.

use std::path::{MAIN_SEPARATOR_STR, Path};

use bstr::ByteSlice as _;
use similar::TextDiff;

use crate::text::printable;

use super::terminal;

/// Returns `path` below `side` in a diff's form: quoted as in C where it could be misread, with a tab behind a name
/// with a blank.
fn name(side: &str, path: &[u8]) -> String {
    let text = std::str::from_utf8(path).ok();
    let plain = |ch: char| !ch.is_control() && !matches!(ch, '"' | '\\');
    if let Some(text) = text.filter(|text| text.chars().all(plain)) {
        let tab = if text.contains(' ') { "\t" } else { "" };
        return format!("{side}{text}{tab}");
    }
    let mut quoted = format!("\"{side}");
    for byte in path {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted + "\""
}

/// Returns a unified diff, coloured on a terminal.
pub fn unified(path: &Path, old: &[u8], new: &[u8]) -> Vec<u8> {
    let diff = TextDiff::from_lines(old, new);
    let path = path.strip_prefix(".").unwrap_or(path).as_os_str();
    let path = path.as_encoded_bytes().replace(MAIN_SEPARATOR_STR, "/");
    let path = &path[path.iter().take_while(|byte| **byte == b'/').count()..];
    let mut unified = diff.unified_diff();
    let mut bytes = Vec::new();
    let _ = unified
        .header(&name("a/", path), &name("b/", path))
        .to_writer(&mut bytes);
    let color = terminal::color();
    if !terminal::is_terminal() && !color {
        return bytes;
    }
    let mut shown = Vec::with_capacity(bytes.len());
    for line in bytes.split(|&b| b == b'\n') {
        let code = match line.first() {
            _ if !color => "",
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        let reset = if code.is_empty() { "" } else { "\x1b[0m" };
        let text = String::from_utf8_lossy(line).replace('\t', "    ");
        let text = printable(text.trim_end_matches('\r')).into_owned();
        shown.extend_from_slice(format!("{code}{text}{reset}\n").as_bytes());
    }
    shown.pop();
    shown
}
