//! The variables of a `.env`, which Compose reads beside its file.

use crate::text::is_name;
use std::collections::HashMap;

/// The variables that a file sets; the environment of a run wins over them.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads a file of lines `NAME=value`. What is made of other variables is left out.
    pub(super) fn read(text: &str) -> Self {
        let mut variables = HashMap::new();
        for line in text.trim_start_matches('\u{FEFF}').lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let name = name.trim_end();
            match value_of(value.trim()) {
                Some(value) if is_name(name) => {
                    variables.insert(name.to_owned(), value);
                }
                _ => {
                    variables.remove(name);
                }
            }
        }
        Self(variables)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn value_of(text: &str) -> Option<String> {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (inner, _) = inner.split_once(quote)?;
            let is_plain = quote == '\'' || !inner.contains(['$', '\\']);
            return is_plain.then(|| inner.to_owned());
        }
    }
    let text = if text.starts_with('#') { "" } else { text };
    let text = text.split_once(" #").map_or(text, |(text, _)| text);
    (!text.contains('$')).then(|| text.trim_end().to_owned())
}
