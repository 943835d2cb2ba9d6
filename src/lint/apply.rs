//! Making fixes together, and proving the result.

use crate::budget;
use crate::fix::{self, Fix};
use crate::text::SourceMap;

/// A file with fixes made, of those that were to be made by their index.
#[derive(Debug)]
pub(super) struct Proved {
    /// The new bytes; the old ones where none was made.
    pub(super) bytes: Vec<u8>,
    /// Where the new bytes stand in the old ones.
    pub(super) origins: SourceMap,
    /// The fixes that were made.
    pub(super) made: Vec<usize>,
    /// Those that overlap one that was made.
    pub(super) waiting: Vec<usize>,
    /// Those after which the file would not be what it should be, with the reason.
    pub(super) refused: Vec<(usize, String)>,
}

/// Makes those of `fixes` in `source` that can be made together. Where `prove`, which is given the new bytes and the fixes that
/// were made, refuses the result, halves are tried, and halves of these, so that a bad fix takes no good one with it.
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
