//! Making a lane of any text.
//!
//! The alphabet is that of image tags, in which neither `.` nor `-` comes first: in `BUILDKIT_CACHE_MOUNT_NS` a lane
//! goes before each cache's id like a folder, where `.` and `..` would have a meaning, and some commands would read a
//! leading `-` as an option.

use sha2::{Digest as _, Sha256};

pub const LONGEST: usize = 64;

const HASH: usize = 8;

/// The word before the hash where no character of the text can be used.
const NOTHING: &str = "lane";

/// Returns whether `text` can be a lane: 1 to [`LONGEST`] of the characters `A-Za-z0-9_.-`, the first neither `.` nor `-`.
pub fn is_lane(text: &[u8]) -> bool {
    (1..=LONGEST).contains(&text.len())
        && !matches!(text[0], b'.' | b'-')
        && text.iter().all(|byte| fits(*byte))
}

/// Returns `text` itself where it can be a lane, or else its usable part with a hash. So a lane goes in unchanged, and
/// two other texts share a lane only if their hashes are the same.
pub(super) fn one(text: &[u8]) -> String {
    if is_lane(text) {
        String::from_utf8_lossy(text).into_owned()
    } else {
        with_hash(text, text)
    }
}

/// Joins the usable part of `shown` with the hash of `whole`.
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
