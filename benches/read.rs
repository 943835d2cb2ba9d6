//! Reader, rules and fix on files from 1 kB to 10 MB. `cargo bench` prints throughput, which stays within a factor of two.

#![allow(missing_docs, reason = "divan makes functions of them")]

use cachelane::dockerfile::Dockerfile;
use cachelane::fix::Applicability;
use cachelane::lint;
use cachelane::rules::Settings;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

const SIZES: &[usize] = &[1_000, 10_000, 100_000, 1_000_000, 10_000_000];

fn main() {
    divan::main();
}

/// About `size` bytes of stages like those of real files: comments, a locked cache, a plain one, a heredoc.
fn dockerfile(size: usize) -> Vec<u8> {
    let mut text = String::from("# syntax=docker/dockerfile:1\n");
    for number in 0.. {
        text.push_str(&format!(
            "\nFROM debian:bookworm AS stage{number}\nENV LANG=C.UTF-8 A=\"b c\"\nWORKDIR /src\n\
             # what the build needs\n\
             RUN --mount=type=cache,id=apt-{number},target=/var/cache/apt,sharing=locked \\\n    \
             --mount=type=cache,target=/var/lib/apt,sharing=locked \\\n    \
             apt-get update \\\n    # and the compiler\n    && apt-get install -y --no-install-recommends gcc\n\
             COPY . .\nRUN --mount=type=cache,target=/root/.cache/pip <<EOF\npip install -r requirements.txt\nEOF\n\
             CMD [\"python3\", \"-m\", \"server\"]\n"
        ));
        if text.len() >= size {
            break;
        }
    }
    text.into_bytes()
}

#[divan::bench(args = SIZES)]
fn read(bencher: Bencher<'_, '_>, size: usize) {
    let source = dockerfile(size);
    bencher
        .counter(BytesCount::new(source.len()))
        .bench(|| Dockerfile::read(black_box(&source)).is_ok());
}

#[divan::bench(args = SIZES)]
fn check(bencher: Bencher<'_, '_>, size: usize) {
    let (source, settings) = (dockerfile(size), Settings::default());
    bencher
        .counter(BytesCount::new(source.len()))
        .bench(|| lint::check(black_box(&source), &settings));
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn fix(bencher: Bencher<'_, '_>, size: usize) {
    let (source, settings) = (dockerfile(size), Settings::default());
    bencher
        .counter(BytesCount::new(source.len()))
        .bench(|| lint::fix(black_box(&source), &settings, Applicability::Safe, &[]));
}

/// Comparing the files of a run: 50,000 mounts of 10,000 files take ten times what 5,000 of 1,000 do.
#[divan::bench(args = [1_000, 10_000], sample_count = 10)]
fn relate(bencher: Bencher<'_, '_>, files: usize) {
    let settings = Settings::default();
    let file = |number: usize| {
        let mounts = (0..5).map(|at| {
            let id = (number * 7 + at * 13) % 1000;
            format!("--mount=type=cache,id=id{id},target=/{at},sharing=locked")
        });
        format!(
            "FROM debian\nRUN {} true\n",
            mounts.collect::<Vec<_>>().join(" ")
        )
    };
    let sources: Vec<String> = (0..files).map(file).collect();
    bencher
        .with_inputs(|| {
            sources
                .iter()
                .map(|s| lint::check(s.as_bytes(), &settings))
                .collect::<Vec<_>>()
        })
        .bench_values(|mut checked| {
            let files = checked.iter_mut().zip(&sources);
            let mut files: Vec<_> = files
                .map(|(checked, source)| lint::Compared {
                    checked,
                    settings: &settings,
                    source: source.as_bytes(),
                })
                .collect();
            lint::relate(&mut files, |index| index.to_string());
        });
}
