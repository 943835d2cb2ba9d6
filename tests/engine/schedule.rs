//! Which fact runs when.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::engine::Engine;
use crate::facts::{Fact, Record};
use crate::report::Row;

/// How many facts that do not mind company run on one engine at once.
const WORKERS: usize = 3;

/// Measures the facts on all their engines: the engines at once; on each, first those that need quiet, one by one.
pub fn run(engines: &[Engine], facts: &[&'static Fact]) -> Vec<Row> {
    let mut rows: Vec<Row> = thread::scope(|scope| {
        let threads: Vec<_> = engines
            .iter()
            .map(|engine| scope.spawn(|| measure_all(engine, facts)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let place = |row: &Row| facts.iter().position(|fact| fact.name == row.fact);
    rows.sort_by_key(place);
    rows
}

fn measure_all(engine: &Engine, facts: &[&'static Fact]) -> Vec<Row> {
    let mine = facts
        .iter()
        .copied()
        .filter(|fact| fact.on.contains(&engine.version));
    let (quiet, others): (Vec<&Fact>, Vec<&Fact>) = mine.partition(|fact| fact.quiet);
    let mut rows: Vec<Row> = quiet
        .into_iter()
        .map(|fact| measure(engine, fact))
        .collect();
    let queue = Mutex::new(others.into_iter());
    let work = || {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::iter::from_fn(next)
            .map(|fact| measure(engine, fact))
            .collect::<Vec<Row>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        rows.extend(
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))),
        );
    });
    rows
}

fn measure(engine: &Engine, fact: &Fact) -> Row {
    let mut record = Record::default();
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (fact.run)(engine, &mut record)));
    let error = outcome.unwrap_or_else(|_| Err("it panicked".into())).err();
    let row = Row {
        fact: fact.name,
        claim: fact.claim,
        engine: engine.version.name(),
        measured: record.lines,
        seconds: started.elapsed().as_secs_f64(),
        error,
    };
    println!("{}", row.text());
    row
}
