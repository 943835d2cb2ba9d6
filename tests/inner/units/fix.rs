//! Applying fixes.

use cachelane::fix::{Edit, Fix, apply};
use cachelane::text::Span;

fn applied(source: &str, fixes: &[Fix]) -> (String, Vec<usize>) {
    let applied = apply(source.as_bytes(), &fixes.iter().collect::<Vec<_>>());
    (String::from_utf8(applied.bytes).unwrap(), applied.deferred)
}

#[test]
fn a_shared_edit_is_made_once() {
    let line = || Edit::insert(0, "ARG\n");
    let fixes = [
        Fix::safe("", vec![line(), Edit::insert(2, "x")]),
        Fix::safe("", vec![line(), Edit::insert(3, "y")]),
    ];
    assert_eq!(applied("abc", &fixes), ("ARG\nabxcy".into(), vec![]));
}

#[test]
fn every_byte_knows_where_it_comes_from() {
    let fix = Fix::safe(
        "",
        vec![Edit::insert(1, "xy"), Edit::delete(Span::new(2, 4))],
    );
    let applied = apply(b"abcdef", &[&fix]);
    assert_eq!(applied.bytes, b"axybef");
    let origins: Vec<usize> = (0..6).map(|at| applied.origins.near(at)).collect();
    assert_eq!(origins, [0, 1, 1, 1, 4, 5]);
}

#[test]
fn an_overlap_waits() {
    let fixes = [
        Fix::safe("", vec![Edit::replace(Span::new(0, 2), "X")]),
        Fix::safe("", vec![Edit::delete(Span::new(1, 3))]),
        Fix::safe("", vec![Edit::insert(1, "y")]),
        Fix::safe("", vec![Edit::insert(2, "z")]),
    ];
    assert_eq!(applied("abc", &fixes), ("Xzc".into(), vec![1, 2]));
}

#[test]
fn different_text_in_one_spot_waits() {
    let fixes = [
        Fix::safe("", vec![Edit::insert(1, "x")]),
        Fix::safe("", vec![Edit::insert(1, "y")]),
    ];
    assert_eq!(applied("ab", &fixes), ("axb".into(), vec![1]));
}
