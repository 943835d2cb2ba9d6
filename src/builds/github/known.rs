//! Computes what an expression leaves open once the inputs of its file are known.

use super::evaluate::evaluated;
use super::value::{OWN, Operand, Value};
use crate::builds::model::AxisPath;
use crate::builds::paths::Text;
use crate::text::marks::same_in;

/// A name, as far as it is known.
pub enum Name {
    Is(String),
    /// A number, `true` or `false`.
    Untyped(String),
    Unknown,
    /// The same as before in all runs that can overlap.
    Same,
}

/// Computes an expression that stands between [`SAME`] once more, with the values that `name` gives; `None` where it is
/// unknown.
pub fn computed(expression: &str, name: &dyn Fn(&str) -> Name) -> Option<String> {
    let resolve = |context: &str, path: Option<&AxisPath>| {
        let Some(path) = path else {
            return (context == "hashfiles").then(Operand::unknown);
        };
        let written = format!("{context}.{path}");
        Some(match name(&written) {
            Name::Is(text) => Operand::text(text, true),
            Name::Untyped(text) => Operand::of(Value::untyped(&text), true),
            Name::Unknown => Operand::unknown(),
            Name::Same => Operand::same(&written, false),
        })
    };
    let text = evaluated(expression, &resolve)?
        .value
        .text()
        .and_then(Text::plain)?;
    is_settled(&text).then_some(text)
}

/// Returns whether no choice between values is left that runs may have two of.
pub fn is_settled(text: &str) -> bool {
    let own = format!("{OWN}(");
    let mut open = same_in(text);
    !open.any(|part| part.contains(&own))
}
