//! The combinations of a target's `matrix`.

use super::super::matrix::{MAX_ROWS, product};
use super::value::{Ast, Scope, Value};

/// The combinations, and what the names stand for in each. With too many of them, or with axes that are not known, what they
/// stand for is unknown, and there is one.
pub fn of(matrix: Option<&Ast>, scope: &Scope<'_>) -> Vec<Vec<(String, Value)>> {
    let mut count = 1;
    let mut axes = Vec::new();
    for field in matrix.and_then(Ast::fields).unwrap_or_default() {
        let Some(name) = field.key.clone() else {
            continue;
        };
        let values = scope.value(&field.value).list().map(<[Value]>::to_vec);
        let values = values
            .filter(|values| count * values.len() <= MAX_ROWS)
            .unwrap_or_else(|| vec![Value::Unknown]);
        count *= values.len();
        axes.push((name, values));
    }
    product(&axes).unwrap_or_default()
}
