//! Makes fixes together, and proves the result.

use crate::budget;
use crate::fix::{self, Fix};
use crate::text::SourceMap;

/// A file with fixes, by their indices.
#[derive(Debug)]
pub(super) struct Proved {
    /// The new bytes; the old ones where no fix was made.
    pub(super) bytes: Vec<u8>,
    /// The map from the new bytes to the old ones.
    pub(super) origins: SourceMap,
    /// The fixes that were made.
    pub(super) made: Vec<usize>,
    /// The fixes that overlap a made one.
    pub(super) waiting: Vec<usize>,
    /// The fixes that failed the proof, with the reason.
    pub(super) refused: Vec<(usize, String)>,
}

/// Makes those of `fixes` in `source` that are possible together. Where `prove` refuses the new bytes with these fixes,
/// halves are tried, recursively, so that a bad fix spoils no good one.
pub(super) fn apply_proved(
    source: &[u8],
    fixes: &[&Fix],
    mut prove: impl FnMut(&[u8], &[usize]) -> Result<(), String>,
) -> Proved {
    let mut best = Proved {
        bytes: source.to_vec(),
        origins: SourceMap::default(),
        made: Vec::new(),
        waiting: Vec::new(),
        refused: Vec::new(),
    };
    let mut good: Vec<usize> = Vec::new();
    let mut open = vec![(0, fixes.len())];
    while let Some((start, end)) = open
        .pop()
        .filter(|(start, end)| start < end && budget::spend(source.len()))
    {
        let tried: Vec<usize> = good.iter().copied().chain(start..end).collect();
        let together: Vec<&Fix> = tried.iter().map(|index| fixes[*index]).collect();
        let applied = fix::apply(source, &together);
        let of_all = |indices: Vec<usize>| indices.into_iter().map(|at| tried[at]).collect();
        let (made, waiting): (Vec<usize>, Vec<usize>) =
            (of_all(applied.made), of_all(applied.deferred));
        match prove(&applied.bytes, &made) {
            Ok(()) => {
                best = Proved {
                    bytes: applied.bytes,
                    origins: applied.origins,
                    made,
                    waiting,
                    refused: best.refused,
                };
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
