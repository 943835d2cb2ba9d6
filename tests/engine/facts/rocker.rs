//! What rocker does with a lane.

use crate::Outcome;
use crate::engine::Engine;
use crate::rocker::Rocker;

use super::Record;
use super::timing::{self, Relation};

/// Builds by rocker and by the engine's own client alike have no network.
const MOUNT: &str = "RUN --network=none --mount=type=cache,id=ID,target=/c,sharing=locked";

/// A snippet whose RUN has a locked cache with this id.
fn locked(id: &str, command: &str) -> String {
    format!("ARG FRESH\n{} {command}\n", MOUNT.replace("ID", id))
}

/// Docker's history of an image: what its RUNs of `probe` were given.
fn history(engine: &Engine, image: &str) -> Outcome<String> {
    let history = engine.ask(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", image])?;
    let runs = history
        .lines()
        .filter(|line| line.contains("probe nothing"));
    Ok(runs
        .filter_map(|line| Some(line.split_once(" /bin/sh")?.0))
        .collect::<Vec<_>>()
        .join("; "))
}

pub fn call(engine: &Engine, record: &mut Record) -> Outcome {
    let rocker = Rocker::new(engine)?;
    let mut build =
        |style: &str, what: &str, option: Option<&str>, variable: (&str, &str), expected: &str| {
            rocker.snippet(&format!("{style}\nRUN probe nothing\n"))?;
            let options: Vec<&str> = ["--snippet", "snippet.Dockerfile", "--image-name", "made"]
                .into_iter()
                .chain(option)
                .collect();
            let run = rocker.dry_run(&options, &[variable])?.succeeded()?;
            let found = [run.above(), run.arguments, history(engine, "made")?].join(" / ");
            record.equal(
                &format!("`{style}`, {what}: Dockerfile / arguments / history"),
                &found,
                expected,
            )
        };
    let lane = "ARG CACHE_ID=py310 / 'CACHE_ID': 'py310' / |1 CACHE_ID=py310";
    for (style, own) in [
        ("ARG CACHE_ID=default", "|1 CACHE_ID=default"),
        ("ARG CACHE_ID", ""),
    ] {
        build(
            style,
            "`--cache-id py310`",
            Some("--cache-id=py310"),
            ("CACHE_ID", "other"),
            lane,
        )?;
        build(
            style,
            "`ROCKER_CACHE_ID=py310`",
            None,
            ("ROCKER_CACHE_ID", "py310"),
            lane,
        )?;
        build(style, "`CACHE_ID=py310`", None, ("CACHE_ID", "py310"), lane)?;
        let without = format!(" /  / {own}");
        build(
            style,
            "`--cache-id ''`",
            Some("--cache-id="),
            ("CACHE_ID", "py310"),
            &without,
        )?;
    }
    rocker.snippet("RUN --mount=type=cache,target=/c probe nothing\n")?;
    let refused = rocker.dry_run(&["--snippet", "snippet.Dockerfile"], &[])?;
    let reason = refused
        .printed
        .lines()
        .find_map(|line| line.split_once("ERROR: ")?.1.split(". ").next());
    record.equal(
        "a cache mount there",
        reason.unwrap_or_default(),
        "the --mount option requires BuildKit",
    )?;
    let jazzy = rocker.dry_run(
        &[
            "--cache-id",
            "py310",
            "--ros-jazzy",
            "--user-override-name",
            "ada",
        ],
        &[],
    )?;
    let found = [jazzy.above(), jazzy.arguments].join(" / ");
    record.equal(
        "`--ros-jazzy --cache-id py310`",
        &found,
        "ARG CACHE_ID=py310 / 'CACHE_ID': 'py310'",
    )
}

pub fn lanes(engine: &Engine, record: &mut Record) -> Outcome {
    let rocker = Rocker::new(engine)?;
    let generated = |lane: &str| {
        rocker.dry_run(
            &["--snippet", "snippet.Dockerfile", "--cache-id", lane],
            &[],
        )
    };
    let jobs = || -> Outcome<_> { Ok([generated("py310")?.job(), generated("py313")?.job()]) };

    // As `cachelane fix` writes it, what rocker passes has to be passed.
    rocker.fixed(
        &locked("rocker-arg", "probe hold 3"),
        &[],
        "ARG CACHE_ID=default\n",
    )?;
    let [one, other] = jobs()?;
    let passed = [one.arg("CACHE_ID", "py310"), other.arg("CACHE_ID", "py313")];
    timing::pair(
        engine,
        record,
        "fixed, with rocker's build argument",
        &passed,
        Relation::Together,
    )?;
    record.equal(
        "real ids",
        &engine.ids("rocker-arg")?.join(" "),
        "rocker-arg-py310 rocker-arg-py313",
    )?;

    // As `cachelane fix --keep-default` writes it, the Dockerfile says it all.
    rocker.fixed(
        &locked("rocker-file", "probe hold 3"),
        &["--keep-default"],
        "ARG CACHE_ID\n",
    )?;
    timing::pair(
        engine,
        record,
        "fixed with `--keep-default`, the file alone",
        &jobs()?,
        Relation::Together,
    )?;
    record.equal(
        "real ids",
        &engine.ids("rocker-file")?.join(" "),
        "rocker-file-py310 rocker-file-py313",
    )?;
    let one_lane = [generated("py310")?.job(), generated("py310")?.job()];
    timing::pair(
        engine,
        record,
        "both in one lane",
        &one_lane,
        Relation::Wait,
    )?;

    for (lane, found) in [("py310", ""), ("py313", ""), ("py310", "of-py310")] {
        let command = format!("probe list /c && probe put /c/of-{lane}");
        rocker.fixed(
            &locked("rocker-found", &command),
            &["--keep-default"],
            "ARG CACHE_ID\n",
        )?;
        let built = engine.build(&generated(lane)?.job().fresh())?;
        record.equal(&format!("{lane} finds"), &built.listed("/c"), found)?;
    }
    Ok(())
}

pub fn buildkit(engine: &Engine, record: &mut Record) -> Outcome {
    let rocker = Rocker::new(engine)?;
    for (lane, found) in [("py310", ""), ("py313", ""), ("py310", "of-py310")] {
        let command = format!("probe list /c && probe put /c/of-{lane}");
        // Another text each time, or the layer would be there already.
        let command = format!("{command} && probe nothing {found}");
        rocker.fixed(
            &locked("rocker-itself", &command),
            &[],
            "ARG CACHE_ID=default\n",
        )?;
        let options = ["--snippet", "snippet.Dockerfile", "--cache-id", lane];
        let built = rocker
            .dry_run(&options, &[("DOCKER_BUILDKIT", "1")])?
            .succeeded()?;
        let listed = built
            .printed
            .lines()
            .find_map(|line| line.split_once("@list /c:"))
            .map_or("nothing", |list| list.1);
        record.equal(&format!("{lane} finds"), listed.trim(), found)?;
    }
    record.equal(
        "real ids",
        &engine.ids("rocker-itself")?.join(" "),
        "rocker-itself-py310 rocker-itself-py313",
    )
}
