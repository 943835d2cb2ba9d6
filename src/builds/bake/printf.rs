//! `format`: a text with the values of its verbs.

use super::value::{Failed, Value, bool_of, number_of, whole_of};
use crate::budget;

/// The widest field that is filled up.
const MAX_WIDTH: usize = 1024;

/// Returns `pattern` with `args` for its verbs, as Go has them; `None` for one that is not computed. Fails where bake
/// does.
pub(super) fn format(pattern: &str, args: &[Value]) -> Result<Option<String>, Failed> {
    let mut text = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        let end = behind
            .find(|ch: char| ch.is_ascii_alphabetic() || ch == '%')
            .ok_or(Failed)?;
        let (options, verb) = (&behind[..end], &behind[end..=end]);
        rest = &behind[end + 1..];
        if verb == "%" {
            text.push('%');
            continue;
        }
        let Some(options) = Options::read(options) else {
            return Ok(None);
        };
        let at = options.index.unwrap_or(next);
        next = at + 1;
        let value = args.get(at).ok_or(Failed)?;
        let Some(made) = options.value(verb, value)? else {
            return Ok(None);
        };
        if !budget::spend(1 + made.len()) {
            return Ok(None);
        }
        text.push_str(&made);
    }
    text.push_str(rest);
    Ok(Some(text))
}

/// The flags, width and precision between `%` and the letter.
struct Options {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    index: Option<usize>,
}

impl Options {
    fn read(text: &str) -> Option<Self> {
        let (text, index) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((text, index)) => (text, Some(index.parse::<usize>().ok()?.checked_sub(1)?)),
            None => (text, None),
        };
        let numbers = text.trim_start_matches(['-', '0']);
        let flags = &text[..text.len() - numbers.len()];
        let (width, precision) = match numbers.split_once('.') {
            Some((width, precision)) => (width, Some(precision.parse().ok()?)),
            None => (numbers, None),
        };
        let width = if width.is_empty() {
            0
        } else {
            width.parse().ok()?
        };
        let fits = width <= MAX_WIDTH && precision.is_none_or(|precision| precision <= MAX_WIDTH);
        fits.then_some(Self {
            left: flags.contains('-'),
            zeros: flags.contains('0'),
            width,
            precision,
            index,
        })
    }

    fn value(&self, verb: &str, value: &Value) -> Result<Option<String>, Failed> {
        let is_number = matches!(verb, "d" | "f" | "x" | "X" | "o" | "b");
        let made = match (verb, self.precision) {
            ("d", None) => whole_of(value)?.to_string(),
            ("x", None) => format!("{:x}", whole_of(value)?),
            ("X", None) => format!("{:X}", whole_of(value)?),
            ("o", None) => format!("{:o}", whole_of(value)?),
            ("b", None) => format!("{:b}", whole_of(value)?),
            ("f", precision) => format!("{:.*}", precision.unwrap_or(6), number_of(value)?),
            ("t", None) => bool_of(value)?.to_string(),
            ("q", None) => serde_json::Value::from(value.text().ok_or(Failed)?).to_string(),
            ("s", precision) => {
                let text = value.text().ok_or(Failed)?;
                text.chars().take(precision.unwrap_or(usize::MAX)).collect()
            }
            ("v", None) => match value {
                Value::Null => "null".to_owned(),
                Value::List(_) | Value::Object(_) => return Ok(None),
                value => value.text().ok_or(Failed)?.into_owned(),
            },
            _ => return Ok(None),
        };
        let missing = self.width.saturating_sub(made.chars().count());
        Ok(Some(match (self.left, made.strip_prefix('-')) {
            (true, _) => made + &" ".repeat(missing),
            (false, Some(digits)) if self.zeros && is_number => {
                ["-", &"0".repeat(missing), digits].concat()
            }
            (false, _) if self.zeros => "0".repeat(missing) + &made,
            (false, _) => " ".repeat(missing) + &made,
        }))
    }
}
