//! Makes a file smaller for as long as it shows what it showed.

/// The smallest file that can be found from `source` by taking out lines, then bytes, such that `shows` holds still.
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

/// Takes pieces out of `pieces`, first many at once, then fewer.
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
