//! Reads Dockerfiles with cachelane and with the official parser, and finds no difference.
//!
//! The official parser is BuildKit's own, in the Python package `dockerfile` that the tests install into a virtual
//! environment below `target`. Where BuildKit refuses a file, cachelane may do with it what it likes, except panic.
//!
//! Files of your own are compared too where `CACHELANE_PARITY_DIR` names a folder.

mod compare;
mod generate;
mod newer;
mod oracle;
mod random;
mod reading;
mod small_worlds;
mod vocabulary;

use std::fs;
use std::path::{Path, PathBuf};

use cachelane::dockerfile::lines::MAX_LINE;
use cachelane::dockerfile::{Dockerfile, SyntaxErrorKind};
use cachelane::lint;
use cachelane::project::names::may_be_dockerfile;
use cachelane::text::BOM;

use crate::effort::{effort, seed};
use crate::pages;
use compare::Tally;
use oracle::Oracle;

/// How many files are made up, times the effort. BuildKit has to accept half of them for the test to be worth anything.
const MADE_UP: u64 = 1_000;
/// How many files the official parser is asked about in one message.
const AT_ONCE: usize = 200;
/// How many changed copies of fixtures are read, times the effort.
const MUTATED: u64 = 150;

#[test]
fn fixtures() {
    let mut tally = Tally::default();
    for (place, source) in fixtures_and_fixed() {
        tally.add(&place, &source);
    }
    println!("{}", tally.finish("fixtures"));
    assert!(tally.same > 0, "no fixture was compared");
}

#[test]
fn changed_fixtures() {
    let files = fixtures_and_fixed();
    assert!(!files.is_empty(), "there are no fixtures to change");
    let mut tally = Tally::default();
    for number in 0..MUTATED * u64::from(effort()) {
        let (place, source) = &files[usize::try_from(number).unwrap() % files.len()];
        let source = generate::mutate(source, number);
        tally.add(&format!("{place}, changed with {number}"), &source);
    }
    println!("{}", tally.finish("changed fixtures"));
}

#[test]
fn made_up_files() {
    let start = seed();
    let count = MADE_UP * u64::from(effort());
    let mut tally = Tally::default();
    for first in (start..start + count).step_by(AT_ONCE) {
        let files: Vec<Vec<u8>> = (first..(start + count).min(first + AT_ONCE as u64))
            .map(generate::file)
            .collect();
        Oracle::lock().prepare(&files);
        for (seed, file) in (first..).zip(&files) {
            tally.add(&format!("the file of seed {seed}"), file);
        }
    }
    println!("{}", tally.finish("made-up files"));
    assert!(
        tally.same as u64 >= count / 2,
        "BuildKit accepts only {} files",
        tally.same
    );
    let excused = tally.excuses();
    assert!(
        excused * 10 < tally.same,
        "{excused} of {} files need an excuse",
        tally.same
    );
}

/// Lines about as long as BuildKit takes them: here cachelane has to refuse what BuildKit refuses.
#[test]
fn longest_lines() {
    let line = |len: usize| vec![b'x'; len];
    for len in MAX_LINE - 3..MAX_LINE + 2 {
        for file in [
            [b"RUN ".to_vec(), line(len - 4)].concat(),
            [b"RUN ".to_vec(), line(len - 5), b"\n".to_vec()].concat(),
            [BOM.to_vec(), b"RUN ".to_vec(), line(len - 4)].concat(),
            [
                BOM.to_vec(),
                b"RUN ".to_vec(),
                line(len - 5),
                b"\n".to_vec(),
            ]
            .concat(),
            [b"FROM a\n#".to_vec(), line(len - 3), b"\r\nRUN a".to_vec()].concat(),
            [b"RUN a \\\n".to_vec(), line(len)].concat(),
            [b"RUN a <<A\n".to_vec(), line(len - 1), b"\nA".to_vec()].concat(),
            [b"RUN a\n".to_vec(), line(len)].concat(),
        ] {
            let refused = Oracle::lock().ask(&file).is_none();
            let ours =
                Dockerfile::read(&file).is_err_and(|error| error.kind == SyntaxErrorKind::LongLine);
            let start = String::from_utf8_lossy(&file[..file.len().min(12)]);
            assert_eq!(
                ours,
                refused,
                "{} bytes that start {start:?}, with a line of {len}",
                file.len()
            );
        }
    }
}

#[test]
fn files_of_your_own() {
    let Some(folder) = std::env::var_os("CACHELANE_PARITY_DIR") else {
        return;
    };
    let mut tally = Tally::default();
    for path in files_below(Path::new(&folder)) {
        if path
            .file_name()
            .is_some_and(|name| may_be_dockerfile(name.as_encoded_bytes()))
        {
            tally.add(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
    println!("{}", tally.finish("files of your own"));
    assert!(tally.same > 0, "no file was compared");
}

/// Returns every Dockerfile of the fixtures, and what the fix makes of it where that is another, each with its place.
fn fixtures_and_fixed() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let cases = [pages::cases("rules"), pages::cases("builds")];
    for case in cases.iter().flatten() {
        let dockerfiles = case
            .files
            .iter()
            .filter(|file| file.path.ends_with("Dockerfile"));
        for file in dockerfiles {
            let source = file.bytes();
            let (settings, level) = pages::settings(&source);
            let fixed = lint::fix(None, &source, &settings, level).bytes;
            if fixed != source {
                files.push((format!("{}, fixed", case.place()), fixed));
            }
            files.push((case.place(), source));
        }
    }
    files
}

/// Every file below `folder`, in order; links are not followed.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}
