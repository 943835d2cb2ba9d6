//! The combinations of a target's `matrix`.

use super::value::{Ast, Scope, Value};

/// The most combinations that are looked at one by one.
const MAX_COMBINATIONS: usize = 256;

/// What the names of a matrix stand for in one combination.
type Combination = Vec<(String, Value)>;

/// The combinations. With too many of them, or with axes that are not known, what they stand for is unknown, and there is
/// one.
pub fn of(matrix: Option<&Ast>, scope: &Scope<'_>) -> Vec<Combination> {
    let mut combinations: Vec<Combination> = vec![Vec::new()];
    for field in matrix.and_then(Ast::fields).unwrap_or_default() {
        let Some(name) = field.key.clone() else {
            continue;
        };
        let values = scope
            .value(&field.value)
            .list()
            .map_or_else(|| vec![Value::Unknown], <[Value]>::to_vec);
        let values = if combinations.len() * values.len() > MAX_COMBINATIONS {
            vec![Value::Unknown]
        } else {
            values
        };
        combinations = combinations
            .iter()
            .flat_map(|before| {
                values
                    .iter()
                    .map(|value| [&before[..], &[(name.clone(), value.clone())]].concat())
            })
            .collect();
    }
    combinations
}
