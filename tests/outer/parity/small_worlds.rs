//! Both readers read every small world alike.

use std::time::Instant;

use super::{compare, oracle};
use crate::worlds::{AT_ONCE, count, files, longest, progress};

#[test]
fn both_readers_read_every_small_world_alike() {
    let start = Instant::now();
    let mut tally = compare::Tally::default();
    for lines in 0..=longest() {
        for first in (0..count(lines)).step_by(AT_ONCE) {
            progress("readers", lines, first, start);
            let files = files(first, lines);
            oracle::Oracle::lock().prepare(&files);
            for file in &files {
                tally.add("a small world", file);
            }
        }
    }
    println!("{}{:.0?}", tally.finish("small worlds"), start.elapsed());
    assert!(
        tally.same > tally.refused,
        "most small worlds are Dockerfiles"
    );
    assert!(
        tally.excuses() * 10 < tally.same,
        "{} of {} differ where they may",
        tally.excuses(),
        tally.same
    );
}

/// Found among the worlds of five lines: a template's line is none of the RUN that it stands in, so a heredoc below it
/// begins for us alone.
#[test]
fn a_heredoc_below_a_template_line_within_a_run_begins_for_one_reader_only() {
    for file in ["RUN\\\n{%if%}\n <<E", "run \\\n{%if%}\n<<O"] {
        assert!(
            matches!(compare::compare(file.as_bytes()), compare::Outcome::Same(_)),
            "{file}"
        );
    }
}
