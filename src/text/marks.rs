//! Marks in ids and values for what only a run knows. They are control characters, which no id, name or value of a file
//! holds. Only this file knows which.

use bstr::ByteSlice as _;

/// Stands in an id for the lane that a build passes.
pub const LANE: &[u8] = b"\x01";

/// Stands around the name of a variable and the key of its unknown value.
const VARIABLE: &str = "\x02";

/// Stands around a name whose value is the same in all runs that can overlap, and around an expression of such names.
pub const SAME: char = '\u{3}';

/// Stands behind the namespace that an id is in.
const NAMESPACE: &[u8] = b"\0";

/// Returns the value of a name that is the same in all runs that can overlap.
pub fn same(name: &str) -> String {
    format!("{SAME}{name}{SAME}")
}

/// Returns the names and expressions in `text` that [`same`] has put there.
pub fn same_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(SAME).skip(1).step_by(2)
}

/// Returns a value of the variable `name` that no id holds, the same for the same `key`.
pub fn marked(name: &str, key: &[u8]) -> Vec<u8> {
    let mark = VARIABLE.as_bytes();
    [mark, name.as_bytes(), b"=", key, mark].concat()
}

/// Returns `id` without the values of variables of these `names` that [`marked`] has put there with an empty key, where the
/// id `old` does not have them.
pub fn without_new(id: &[u8], old: &[u8], names: &[&str]) -> Vec<u8> {
    let is_new = |part: &[u8]| {
        let name = part.strip_suffix(b"=").and_then(|name| name.to_str().ok());
        name.is_some_and(|name| names.contains(&name) && !old.contains_str(marked(name, b"")))
    };
    let mut parts: Vec<&[u8]> = id.split_str(VARIABLE).collect();
    for part in parts.iter_mut().skip(1).step_by(2) {
        if is_new(part) {
            *part = b"";
        }
    }
    parts.concat()
}

/// Returns `id` as one of `namespace`, which no other has.
pub fn in_namespace(namespace: &str, id: &[u8]) -> Vec<u8> {
    [namespace.as_bytes(), NAMESPACE, id].concat()
}

/// Returns `id` for messages: a lane as `…`, and what builds set as variables.
pub fn show(id: &[u8]) -> String {
    let mut text = String::new();
    for (number, part) in id.split_str(VARIABLE).enumerate() {
        if number % 2 == 0 {
            text.push_str(&part.replace(LANE, "…").to_str_lossy());
        } else {
            let part = part.to_str_lossy();
            let name = part.split_once('=').map_or(&*part, |(name, _)| name);
            text.push_str(&format!("${{{name}}}"));
        }
    }
    text
}

/// Returns `id` for messages; `None` where it has a mark.
pub fn show_known(id: &[u8]) -> Option<String> {
    let text = id.to_str_lossy();
    let is_known = !text.chars().any(char::is_control);
    is_known.then(|| text.into_owned())
}
