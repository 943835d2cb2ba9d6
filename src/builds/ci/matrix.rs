//! The values of a job's matrix: a JSON object, as `${{ toJSON(matrix) }}` is on GitHub Actions.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

const DEEPEST: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("the matrix is no JSON: {0}")]
    Json(String),
    #[error("the matrix has to be a JSON object, like {{\"python\": \"3.10\"}}, and it is {0}")]
    NoObject(&'static str),
    #[error("the values of the matrix lie more than {DEEPEST} deep in one another")]
    Deep,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matrix {
    /// The values in the order of their keys, joined with `-`.
    pub(super) shown: String,
    /// The object with its keys in order, without blanks: only equal matrices have the same. A number stays as written,
    /// since `3.10` may be a version.
    pub(super) canonical: String,
}

impl Matrix {
    /// Returns `None` for a job without a matrix (`null`), and for an empty one.
    pub(super) fn read(text: &[u8]) -> Result<Option<Self>, MatrixError> {
        let text =
            std::str::from_utf8(text).map_err(|error| MatrixError::Json(error.to_string()))?;
        let raw: &RawValue = parse(text)?;
        let kind = match raw.get().as_bytes().first() {
            Some(b'{') => {
                let mut reading = Reading {
                    values: Vec::new(),
                    canonical: String::new(),
                };
                reading.value(raw, 0)?;
                let matrix = Self {
                    shown: reading.values.join("-"),
                    canonical: reading.canonical,
                };
                return Ok((matrix.canonical != "{}").then_some(matrix));
            }
            Some(b'n') => return Ok(None),
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "true or false",
            _ => "a number",
        };
        Err(MatrixError::NoObject(kind))
    }
}

struct Reading {
    values: Vec<String>,
    canonical: String,
}

impl Reading {
    fn value(&mut self, raw: &RawValue, depth: usize) -> Result<(), MatrixError> {
        if depth > DEEPEST {
            return Err(MatrixError::Deep);
        }
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let object: BTreeMap<String, &RawValue> = parse(text)?;
                let entries = object
                    .iter()
                    .map(|(key, value)| (quoted(key) + ":", *value));
                self.values(['{', '}'], entries, depth)?;
            }
            Some(b'[') => {
                let array: Vec<&RawValue> = parse(text)?;
                let values = array.iter().map(|value| (String::new(), *value));
                self.values(['[', ']'], values, depth)?;
            }
            Some(b'"') => {
                let string: String = parse(text)?;
                self.canonical.push_str(&quoted(&string));
                self.values.push(string);
            }
            _ => {
                self.canonical.push_str(text);
                self.values.push(text.into());
            }
        }
        Ok(())
    }

    /// Reads the values within `brackets`, each with the text before it.
    fn values<'v>(
        &mut self,
        [open, close]: [char; 2],
        values: impl Iterator<Item = (String, &'v RawValue)>,
        depth: usize,
    ) -> Result<(), MatrixError> {
        self.canonical.push(open);
        for (index, (key, value)) in values.enumerate() {
            self.canonical.extend((index > 0).then_some(','));
            self.canonical.push_str(&key);
            self.value(value, depth + 1)?;
        }
        self.canonical.push(close);
        Ok(())
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, MatrixError> {
    serde_json::from_str(text).map_err(|error| MatrixError::Json(error.to_string()))
}

/// Writes `text` as JSON: only `"`, `\` and control characters are escaped.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
