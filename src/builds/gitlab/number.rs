//! Numbers as GitLab reads them: its YAML is Ruby's, and a variable has the text that Ruby prints of the number.

use crate::builds::yaml::{Node, Style};

/// Returns the text of a scalar: `3.10` without quotes is `3.1`, and `010` is `8`.
pub fn text(node: Node<'_>) -> Option<String> {
    let text = node.text()?;
    let is_plain = node.style() == Some(Style::Plain);
    let number = is_plain.then(|| printed(text)).flatten();
    Some(number.unwrap_or_else(|| text.to_owned()))
}

/// Returns what Ruby prints of a number; `None` for a text, and for numbers of many digits.
fn printed(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digit = |ch: char| ch.is_ascii_digit();
    // Longer ones would be rounded, or be written with an exponent.
    if digits.len() > 15 || !digits.contains(is_digit) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    if digits.chars().all(is_digit) {
        let is_octal = digits.starts_with('0') && digits.len() > 1;
        let radix = if is_octal { 8 } else { 10 };
        // `08` is a text.
        let value = u64::from_str_radix(digits, radix).ok()?;
        let sign = if value == 0 { "" } else { sign };
        return Some(format!("{sign}{value}"));
    }
    let (whole, part) = digits.split_once('.')?;
    if !whole.chars().chain(part.chars()).all(is_digit) {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    let is_short = value == 0.0 || value >= 0.0001;
    is_short.then(|| format!("{sign}{value:?}"))
}
