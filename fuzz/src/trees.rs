//! Nothing of a file goes when a lane is passed in it, said without knowing what a build is.

use std::collections::HashMap;

use cachelane::builds::Format;
use cachelane::builds::yaml::{Node, Yaml};

/// What stood in `source` stands in `new`: every word, as often; and in YAML every value in its place.
///
/// # Panics
/// Where something is gone.
pub fn all_is_there(format: &dyn Format, source: &str, new: &str) {
    for (word, count) in counted(source) {
        // As a part of another one, too: behind `\n`, quoted text goes on without a blank.
        assert!(new.matches(word).count() >= count, "{word} is gone:\n{new}");
    }
    if format.adds().is_none() {
        return;
    }
    let (before, after) = (
        Yaml::read(source).expect("it was read"),
        Yaml::read(new).expect("it was read"),
    );
    assert_eq!(before.roots().count(), after.roots().count(), "{new}");
    for (was, is) in before.roots().zip(after.roots()) {
        assert!(stays(was, is), "{:?} is not the same:\n{new}", was.span());
    }
}

/// How often each word stands in `text`; a comment may end up before what it stood behind.
fn counted(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    words(text).for_each(|word| *counts.entry(word).or_default() += 1);
    counts
}

/// Whether the runs of letters and digits of `source` are among those of `new`, in order.
pub fn words_stay(source: &str, new: &str) -> bool {
    let mut words = words(new);
    self::words(source).all(|word| words.any(|now| now == word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Whether `is` is `was`, perhaps with more in it.
fn stays(was: Node<'_>, is: Node<'_>) -> bool {
    if was.is_alias() || is.is_alias() {
        return was.is_alias() && is.is_alias();
    }
    if was.tag() != is.tag() || was.is_anchored() != is.is_anchored() {
        return false;
    }
    if was.is_list() {
        let items = is.items();
        let mut items = items.iter();
        return is.is_list()
            && was
                .items()
                .into_iter()
                .all(|was| items.any(|is| stays(was, *is)));
    }
    if was.is_map() {
        let entries = is.own_entries();
        let mut entries = entries.iter();
        return is.is_map()
            && was.own_entries().iter().all(|entry| {
                entries
                    .any(|now| now.key.text() == entry.key.text() && stays(entry.value, now.value))
            });
    }
    match (was.text(), is.text()) {
        (Some(was), Some(is)) => words_stay(was, is),
        // `build: .` becomes `build: {context: .}`.
        (Some(text), None) => was.is_null() || is.get_text("context") == Some(text),
        (None, is) => is.is_none(),
    }
}
