//! Checks a file as a run of its own.

use std::cell::OnceCell;

use crate::rules::Settings;

use super::agree::agree;
use super::agreeing::{Agreeing, Along};
use super::check::check;
use super::finalize::finalize;
use super::model::Checked;
use super::relate::relate;

/// Checks one file as a run of its own, and takes fixes back that would join or part its caches.
pub fn check_alone(source: &[u8], settings: &Settings) -> Checked {
    alone(source, settings, |file| {
        agree(&mut [file], &|_| String::new());
    })
}

/// Returns the findings of one file as a run of its own, with fixes that were not compared.
pub(super) fn find_alone(source: &[u8], settings: &Settings) -> Checked {
    alone(source, settings, |_| ())
}

/// Checks one file as a run of its own; `then` goes on with it.
fn alone(source: &[u8], settings: &Settings, then: impl FnOnce(Agreeing<'_>)) -> Checked {
    let mut checked = check(source, settings);
    let mut files = [Agreeing {
        checked: &mut checked,
        settings,
        source,
        format: None,
        along: Along::default(),
        whys: OnceCell::new(),
    }];
    relate(&mut files, |_| String::new());
    let [file] = files;
    finalize(file.checked, settings, false);
    then(file);
    checked
}
