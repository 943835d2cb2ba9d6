//! Shrinks a file that shows something.

/// Returns the smallest file found from `source` by removing lines, then bytes, for which `shows` stays true.
pub fn shrink(source: &[u8], mut shows: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut smallest = source.to_vec();
    loop {
        let before = smallest.len();
        let lines: Vec<&[u8]> = smallest.split_inclusive(|&byte| byte == b'\n').collect();
        let fewer = without(lines, |lines| shows(&lines.concat())).concat();
        smallest = without(fewer, |bytes| shows(bytes));
        if smallest.len() == before {
            return smallest;
        }
    }
}

/// Removes pieces, first many at once, then fewer.
fn without<T: Clone>(mut pieces: Vec<T>, mut shows: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut size = pieces.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < pieces.len() {
            let mut fewer = pieces.clone();
            fewer.drain(at..(at + size).min(pieces.len()));
            if shows(&fewer) {
                pieces = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    pieces
}
