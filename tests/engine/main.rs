//! Proves on real engines what the rules claim: Docker 20.10 and Docker 26.1, each started in namespaces of its own.
//!
//! Each function in `facts` builds Dockerfiles, where it can those that `cachelane fix` writes, and says what it measured.
//! That goes to `engine.json` in Cargo's folder for temporary files of tests, and with `CACHELANE_BLESS=1` to
//! `docs/engine-measured.md`. An argument runs only the facts whose names contain it.
//!
//! The engines need root, on Linux, and the first run needs the network (see `provision.sh`; the trees stay in
//! `CACHELANE_ENGINE_CACHE`; `rocker.rs` installs rocker). Where they cannot run, a banner says so and the tests pass, but
//! fail where `CI` is `true` or `CACHELANE_ENGINE` is `required`. `CACHELANE_ENGINE=skip` leaves them out.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the test runner"
)]

mod build;
mod engine;
mod facts;
mod guard;
mod host;
mod report;
mod rocker;
mod schedule;

use std::process::ExitCode;

use engine::{Engine, Version};
use facts::{FACTS, Fact, container};
use report::Report;

/// A result whose error is a sentence for people.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let facts = chosen();
    if facts.is_empty() {
        return finish(0, 0);
    }
    if std::env::var("CACHELANE_ENGINE").is_ok_and(|value| value == "skip") {
        host::banner(
            "CACHELANE_ENGINE=skip asks for that.",
            "Run them without it.",
            false,
        );
        return finish(0, 0);
    }
    match start() {
        Ok(engines) => run(&engines, &facts),
        Err(reason) => {
            let advice = "Run `cargo test --test engine` as root on Linux, with Debian's archive in reach the first time.";
            host::banner(&reason, advice, host::required());
            finish(0, usize::from(host::required()))
        }
    }
}

/// The facts that the command line asks for. Options of the usual test runner are taken and have no effect.
fn chosen() -> Vec<&'static Fact> {
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => {
                for fact in FACTS {
                    println!("{}: test", fact.name);
                }
                return Vec::new();
            }
            "--skip" | "--test-threads" | "--color" | "--format" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            word => words.push(word.to_owned()),
        }
    }
    let wanted = |fact: &&Fact| {
        words.is_empty() || words.iter().any(|word| fact.name.contains(word.as_str()))
    };
    FACTS.iter().filter(wanted).collect()
}

fn start() -> Outcome<Vec<Engine>> {
    let cache = host::prepare()?;
    Version::ALL
        .into_iter()
        .map(|version| Engine::start(version, &cache))
        .collect()
}

fn run(engines: &[Engine], facts: &[&'static Fact]) -> ExitCode {
    if facts.iter().any(|fact| fact.name == "container") {
        let _ = container::program();
    }
    let report = Report::new(engines, schedule::run(engines, facts));
    let written = report
        .write()
        .and_then(|()| report.page(facts.len() == FACTS.len()));
    if let Err(error) = &written {
        println!("FAILED the report: {error}");
    }
    finish(
        report.passed(),
        report.failed() + usize::from(written.is_err()),
    )
}

/// Says how it went, in the last line, as those who count tests read it.
fn finish(passed: usize, failed: usize) -> ExitCode {
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
