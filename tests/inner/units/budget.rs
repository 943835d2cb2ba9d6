//! The budget of a file.

use cachelane::budget::{Spent, is_spent, nested, spend, within};

const STEPS: usize = 1 << 27;
const STEPS_PER_BYTE: usize = 128;
const MAX_DEPTH: usize = 100;

fn deep(levels: usize) -> usize {
    if levels == 0 {
        return 0;
    }
    nested(|| deep(levels - 1)).map_or(0, |below| below + 1)
}

#[test]
fn what_takes_too_many_steps_is_thrown_away() {
    let all = STEPS + 10 * STEPS_PER_BYTE;
    assert_eq!(within(10, || spend(all - 1)), Ok(true));
    assert_eq!(within(10, || spend(all)), Err(Spent));
    assert!(spend(usize::MAX) && !is_spent());
}

#[test]
fn what_is_too_deep_for_the_stack_spends_all() {
    assert_eq!(within(0, || deep(MAX_DEPTH)), Ok(MAX_DEPTH));
    assert_eq!(within(0, || deep(MAX_DEPTH + 1)), Err(Spent));
    assert_eq!(deep(MAX_DEPTH + 1), MAX_DEPTH);
}

#[test]
fn one_file_within_another_leaves_it_its_own() {
    let inner = || within(0, || spend(usize::MAX));
    assert_eq!(within(0, inner), Ok(Err(Spent)));
}
