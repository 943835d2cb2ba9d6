//! What the matrices of all formats share.

/// The most combinations of a matrix that are looked at one by one; GitHub makes no more jobs of one.
pub const MAX_ROWS: usize = 256;

/// Returns each combination of the axes' values, the last axis changing fastest; `None` where they are too many.
pub fn product<N: Clone, V: Clone>(axes: &[(N, Vec<V>)]) -> Option<Vec<Vec<(N, V)>>> {
    let mut rows = vec![Vec::new()];
    for (name, values) in axes {
        if rows.len().saturating_mul(values.len()) > MAX_ROWS {
            return None;
        }
        let longer = |row: &Vec<(N, V)>| {
            let with = |value: &V| [&row[..], &[(name.clone(), value.clone())]].concat();
            values.iter().map(with).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    Some(rows)
}
