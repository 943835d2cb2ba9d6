//! Making a lane of any text.
//!
//! The alphabet is that of image tags, in which neither `.` nor `-` comes first: a lane that is passed as
//! `BUILDKIT_CACHE_MOUNT_NS` is put in front of each cache's id like a folder, where `.` and `..` would have a meaning,
//! and one that starts with `-` would be read as an option by some commands.

use sha2::{Digest as _, Sha256};

/// The most characters that a lane has.
pub const LONGEST: usize = 64;

/// How many hex digits of the hash are appended.
const HASH: usize = 8;

/// The word before the hash where nothing of the text can stand there.
const NOTHING: &str = "lane";

/// Returns whether `text` can be a lane: 1 to [`LONGEST`] of the characters `A-Za-z0-9_.-`, the first neither `.` nor `-`.
pub fn is_lane(text: &[u8]) -> bool {
    (1..=LONGEST).contains(&text.len())
        && !matches!(text[0], b'.' | b'-')
        && text.iter().all(|byte| fits(*byte))
}

/// Returns the lane of `text`: itself where that can be, or else what is left of it with a hash. So what comes out goes in again
/// unchanged, and apart from that, two texts share a lane only if their hashes are the same.
pub(super) fn one(text: &[u8]) -> String {
    if is_lane(text) {
        String::from_utf8_lossy(text).into_owned()
    } else {
        with_hash(text, text)
    }
}

/// `shown` as far as it can be part of a lane, and the hash of `whole`.
pub(super) fn with_hash(shown: &[u8], whole: &[u8]) -> String {
    let mut lane = String::new();
    for &byte in shown {
        if fits(byte) {
            lane.push(char::from(byte));
        } else if !lane.ends_with('-') {
            lane.push('-');
        }
    }
    let lane = lane.trim_start_matches(['-', '.']);
    let lane = lane[..lane.len().min(LONGEST - HASH - 1)].trim_end_matches('-');
    let lane = if lane.is_empty() { NOTHING } else { lane };
    let digest = Sha256::digest(whole);
    let hash = digest
        .iter()
        .take(HASH / 2)
        .fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    format!("{lane}-{hash}")
}

const fn fits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
