//! Every small world keeps the invariants of fixes.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use bstr::BStr;
use cachelane::rules::Settings;

use crate::worlds::{AT_ONCE, count, files, longest, progress};
use crate::{invariants, shrink};

/// The most broken files shown.
const SHOWN: usize = 5;

#[test]
fn every_small_world_is_fixed_as_it_should_be() {
    let start = Instant::now();
    let broken: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let tried = AtomicUsize::new(0);
    let settings = Settings::default();
    let try_one = |file: &[u8]| {
        panic::catch_unwind(AssertUnwindSafe(|| {
            invariants::safe_fix(file, &settings);
            invariants::all_fixes(file, &settings);
        }))
    };
    for lines in 0..=longest() {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                if first >= count(lines) || broken.lock().unwrap().len() >= SHOWN {
                    break;
                }
                progress("fixes", lines, first, start);
                for file in files(first, lines) {
                    tried.fetch_add(1, Ordering::Relaxed);
                    if try_one(&file).is_err() {
                        let small = shrink::shrink(&file, |part| try_one(part).is_err());
                        broken
                            .lock()
                            .unwrap()
                            .push(format!("{:?}", BStr::new(&small)));
                    }
                }
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            (0..threads).for_each(|_| drop(scope.spawn(work)));
        });
    }
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "something does not hold for\n{}",
        broken.join("\n")
    );
    println!(
        "small worlds: {tried:?} fixed as they should be, {:.0?}",
        start.elapsed()
    );
}
