//! Limits the work for a file.
//!
//! cachelane reads untrusted files, and some cost more than their length: variables made of variables, stages built from
//! stages, products of a matrix, fixes proved one by one. Such steps are counted. Once a file exceeds any realistic
//! count, its readers return early with what they have, and [`within`] discards that.
//!
//! The count is thread-local rather than a parameter: a file stays on one thread, and the costly code is often many
//! calls below any that knows the file.

use std::cell::Cell;

/// The steps that every file may take: one is a byte copied, a place compared or a table look-up. They take about a
/// second.
const STEPS: u64 = 1 << 27;

/// The further steps for each of its bytes.
const STEPS_PER_BYTE: u64 = 128;

/// The nesting depth of values, words or blocks that fits the stack.
const MAX_DEPTH: usize = 100;

thread_local! {
    /// The steps left; `None` outside of [`within`], where they are not counted.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A file took more steps than any realistic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is more than cachelane reads: it was left alone (its builds run as before, and `exclude` in cachelane.toml is for such files)"
)]
pub struct Spent;

/// Does `work` within the budget of a file of `bytes` bytes.
/// Fails with [`Spent`] where it takes more steps.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> Result<T, Spent> {
    let steps = STEPS.saturating_add(STEPS_PER_BYTE.saturating_mul(bytes as u64));
    let outer = LEFT.replace(Some(steps));
    let made = work();
    match LEFT.replace(outer) {
        Some(0) => Err(Spent),
        _ => Ok(made),
    }
}

/// Does `work` within the budget that is there, or else that of a file of `bytes` bytes.
/// Fails with [`Spent`] where it takes more steps than the latter.
pub fn of_file<T>(bytes: usize, work: impl FnOnce() -> T) -> Result<T, Spent> {
    match LEFT.get() {
        Some(_) => Ok(work()),
        None => within(bytes, work),
    }
}

/// Takes `steps`; returns whether the work may go on.
pub fn spend(steps: usize) -> bool {
    let Some(left) = LEFT.get() else { return true };
    let left = left.saturating_sub(steps as u64);
    LEFT.set(Some(left));
    left > 0
}

/// Does `work` with at most `steps` of the steps left; `None` where it takes more.
pub fn up_to<T>(steps: u64, work: impl FnOnce() -> T) -> Option<T> {
    let outer = LEFT.get();
    let all = outer.map_or(steps, |left| left.min(steps));
    LEFT.set(Some(all));
    let made = work();
    let left = LEFT.get().unwrap_or_default();
    LEFT.set(outer.map(|outer| outer - (all - left)));
    (left > 0).then_some(made)
}

#[must_use]
pub fn is_spent() -> bool {
    LEFT.get() == Some(0)
}

/// Takes all steps, for input that is too deep for its reader's stack.
pub fn exhaust() {
    spend(usize::MAX);
}

/// Returns whether a recursion may go on at `depth`; where not, takes all steps.
#[must_use]
pub fn is_shallow(depth: usize) -> bool {
    if depth >= MAX_DEPTH {
        exhaust();
    }
    depth < MAX_DEPTH
}

/// Does `read` one level deeper; `None` where that is too deep.
pub fn nested<T>(read: impl FnOnce() -> T) -> Option<T> {
    let depth = DEPTH.get();
    if !is_shallow(depth) || !spend(1) {
        return None;
    }
    DEPTH.set(depth + 1);
    let made = read();
    DEPTH.set(depth);
    Some(made)
}
