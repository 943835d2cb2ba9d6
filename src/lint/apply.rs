//! Makes fixes together, and proves the result.

use crate::budget;
use crate::fix::{self, Applied, Fix};

/// Makes those of `fixes` in `source` that are possible together. Where `prove` refuses the new bytes with these fixes,
/// halves are tried, recursively, so that a bad fix spoils no good one.
pub(super) fn apply_proved(
    source: &[u8],
    fixes: &[&Fix],
    mut prove: impl FnMut(&[u8], &[usize]) -> Result<(), String>,
) -> Applied {
    let mut best = fix::apply(source, &[]);
    let mut good: Vec<usize> = Vec::new();
    let mut open = vec![(0, fixes.len())];
    while let Some((start, end)) = open
        .pop()
        .filter(|(start, end)| start < end && budget::spend(source.len()))
    {
        let tried: Vec<usize> = good.iter().copied().chain(start..end).collect();
        let together: Vec<&Fix> = tried.iter().map(|index| fixes[*index]).collect();
        let mut applied = fix::apply(source, &together);
        for index in applied.made.iter_mut().chain(&mut applied.deferred) {
            *index = tried[*index];
        }
        match prove(&applied.bytes, &applied.made) {
            Ok(()) => {
                applied.refused = best.refused;
                best = applied;
                good = tried;
            }
            Err(reason) if end - start == 1 => best.refused.push((start, reason)),
            Err(_) => {
                let middle = usize::midpoint(start, end);
                open.extend([(middle, end), (start, middle)]);
            }
        }
    }
    best
}
