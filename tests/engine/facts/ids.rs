//! Which id a cache really gets.

use crate::Outcome;
use crate::build::Job;
use crate::engine::Engine;

use super::Record;

/// What a stage starts with.
const STAGE: &str = "FROM base\nARG FRESH\n";

/// A RUN whose cache mount has the `options`.
fn run(options: &str) -> String {
    format!("RUN --mount=type=cache,{options} probe nothing\n")
}

/// Builds, and returns the real ids that contain `word`.
fn real(engine: &Engine, word: &str, job: &Job) -> Outcome<String> {
    engine.build(&job.clone().fresh())?;
    Ok(engine.ids(word)?.join(" "))
}

/// Where the argument is, what stands before the first FROM, the stages before the RUN, and what the id ends in when
/// `CACHE_ID` is py310: as written, and fixed.
const SCOPES: &[(&str, &str, &str, &str, &str)] = &[
    ("undeclared", "", "FROM base\nARG FRESH\n", "-", "-py310"),
    (
        "global only",
        "ARG CACHE_ID=all\n",
        "FROM base\nARG FRESH\n",
        "-",
        "-py310",
    ),
    (
        "in another stage",
        "",
        "FROM base AS a\nARG CACHE_ID=a\nFROM base\nARG FRESH\n",
        "-",
        "-py310",
    ),
    (
        "inherited",
        "",
        "FROM base AS a\nARG CACHE_ID=a\nFROM a\nARG FRESH\n",
        "-py310",
        "-py310",
    ),
    (
        "ENV after ARG",
        "",
        "FROM base\nARG FRESH\nARG CACHE_ID=a\nENV CACHE_ID=env\n",
        "-env",
        "-env",
    ),
    (
        "ARG after ENV",
        "",
        "FROM base\nARG FRESH\nENV CACHE_ID=env\nARG CACHE_ID=a\n",
        "-py310",
        "-py310",
    ),
    (
        "bare ARG after ENV",
        "",
        "FROM base\nARG FRESH\nENV CACHE_ID=env\nARG CACHE_ID\n",
        "-py310",
        "-py310",
    ),
];

pub fn scope(engine: &Engine, record: &mut Record) -> Outcome {
    for (number, (place, global, stages, written, fixed)) in SCOPES.iter().enumerate() {
        let job = |id: &str| {
            let mount = run(&format!("id={id}-${{CACHE_ID}},target=/c,sharing=locked"));
            Job::new(&format!("{stages}{mount}"))
                .global(global)
                .arg("CACHE_ID", "py310")
        };
        let id = format!("scope{number}w");
        let found = real(engine, &id, &job(&id))?.replace(&id, "a");
        record.equal(place, &found, &format!("a{written}"))?;
        let id = format!("scope{number}f");
        let found = real(engine, &id, &job(&id).fixed()?)?.replace(&id, "a");
        record.equal(&format!("{place}, fixed"), &found, &format!("a{fixed}"))?;
    }
    defaults(engine, record)
}

/// What an id is when no build argument is passed.
fn defaults(engine: &Engine, record: &mut Record) -> Outcome {
    let cases = [
        (
            "global default, bare ARG",
            "ARG CACHE_ID=all\n",
            "ARG CACHE_ID\n",
            "-all",
        ),
        (
            "global default, ARG with another",
            "ARG CACHE_ID=all\n",
            "ARG CACHE_ID=own\n",
            "-own",
        ),
        ("bare ARG", "", "ARG CACHE_ID\n", "-"),
        (
            "ENV, then a bare ARG",
            "",
            "ENV CACHE_ID=env\nARG CACHE_ID\n",
            "-env",
        ),
    ];
    for (number, (place, global, lines, expected)) in cases.into_iter().enumerate() {
        let id = format!("scope{number}d");
        let mount = run(&format!("id={id}-${{CACHE_ID}},target=/c,sharing=locked"));
        let job = Job::new(&format!("{STAGE}{lines}{mount}")).global(global);
        let found = real(engine, &id, &job)?.replace(&id, "a");
        record.equal(
            &format!("{place}, nothing passed"),
            &found,
            &format!("a{expected}"),
        )?;
    }
    Ok(())
}

/// The line that declares the argument, how the id ends, and what becomes of that without and with the build argument.
const FORMS: &[(&str, &str, &str, &str)] = &[
    ("", "-${CACHE_ID:-x}", "-x", "-x"),
    ("ARG CACHE_ID", "-${CACHE_ID:-x}", "-x", "-py310"),
    ("ARG CACHE_ID", "-${CACHE_ID-x}", "-x", "-py310"),
    ("ARG CACHE_ID", "${CACHE_ID:+-${CACHE_ID}}", "", "-py310"),
    ("ARG CACHE_ID", "${CACHE_ID+-${CACHE_ID}}", "", "-py310"),
    ("ARG CACHE_ID=default", "-$CACHE_ID", "-default", "-py310"),
    (
        "ARG CACHE_ID=default",
        "'-${CACHE_ID}'",
        "-default",
        "-py310",
    ),
    (
        "ARG CACHE_ID=default",
        "-\\${CACHE_ID}",
        "-default",
        "-py310",
    ),
];

pub fn forms(engine: &Engine, record: &mut Record) -> Outcome {
    for (number, (declared, form, without, with)) in FORMS.iter().enumerate() {
        let job = |id: &str| {
            let mount = run(&format!("id={id}{form},target=/c,sharing=locked"));
            Job::new(&format!("{STAGE}{declared}\n{mount}"))
        };
        let before = if declared.is_empty() {
            "undeclared".into()
        } else {
            format!("`{declared}`")
        };
        let what = format!("{before}, `id=a{form}`");
        let [none, passed] = ["n", "p"].map(|end| format!("forms{number}{end}"));
        let found = real(engine, &none, &job(&none))?.replace(&none, "a");
        record.equal(
            &format!("{what}, nothing passed"),
            &found,
            &format!("a{without}"),
        )?;
        let found =
            real(engine, &passed, &job(&passed).arg("CACHE_ID", "py310"))?.replace(&passed, "a");
        record.equal(&format!("{what}, passed"), &found, &format!("a{with}"))?;
    }
    Ok(())
}

pub fn odd(engine: &Engine, record: &mut Record) -> Outcome {
    // The options, a word that finds the id, and the id.
    let cases = [
        ("id=,target=/odd-empty", "odd-empty", "/odd-empty"),
        ("target=/odd-target/a/../b/", "odd-target", "/odd-target/b"),
        ("target=odd-relative", "odd-relative", "odd-relative"),
        ("id=odd-one,id=odd-other,target=/c", "odd-o", "odd-other"),
        ("id=odd-größe,target=/c", "odd-gr", "odd-grÃ¶Ã\\u009fe"),
        (
            "id=\"odd-quoted-größe\",target=/c",
            "odd-quoted",
            "odd-quoted-grÃ¶Ã\\u009fe",
        ),
        ("target=/odd-tgröße", "odd-tgr", "/odd-tgrÃ¶Ã\\u009fe"),
    ];
    for (options, word, expected) in cases {
        let job = Job::new(&format!("{STAGE}WORKDIR /app\n{}", run(options)));
        record.equal(
            &format!("`{options}` below `WORKDIR /app`"),
            &real(engine, word, &job)?,
            expected,
        )?;
    }
    Ok(())
}
