//! Comments in files that build: where they can stand, and the proof that only they were added.

use super::bake;
use super::format::FormatRef;
use super::model::ReadError;
use super::prove::is_same;
use super::yaml::{self, Addition, Yaml};
use crate::text::Span;

/// Returns the texts of several lines, between whose lines no comment can stand; `None` for a file that takes no
/// comments.
pub fn long_texts(format: FormatRef, source: &str) -> Result<Option<Vec<Span>>, ReadError> {
    let is_long = |span: &Span| span.of(source.as_bytes()).contains(&b'\n');
    if format.adds().is_some() {
        let yaml = Yaml::read(source)?;
        return Ok(Some(yaml.texts().filter(is_long).collect()));
    }
    if bake::is_json(source) || !format.takes_comments() {
        return Ok(None);
    }
    let inline = format.read(source)?.inline;
    let spans = inline.iter().map(|inline| inline.span);
    Ok(Some(spans.filter(is_long).collect()))
}

/// Proves that the file `after` adds only comments.
pub fn prove_comments(format: FormatRef, before: &str, after: &str) -> Result<(), String> {
    let is_kept = if format.adds().is_some() {
        yaml::is_kept(before, after, Addition::Comments)
    } else {
        let files = (format.read(before), format.read(after));
        matches!(files, (Ok(before), Ok(after)) if is_same(&before, &after, &[]))
    };
    if !is_kept {
        return Err("the file would say something else".into());
    }
    Ok(())
}
