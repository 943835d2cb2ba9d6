//! Files that the crate `dockerfile-parser` accepts have the same stages and instructions for cachelane's reader.
//! `docs/second-reader.md` lists what it refuses, and why the product does not use it.

use std::collections::BTreeMap;

use bstr::ByteSlice as _;
use cachelane::dockerfile::{Base, Dockerfile, Keyword};
use dockerfile_parser::{Dockerfile as Other, Instruction, Stage, StageParent};

use crate::pages::{self, Case};
use crate::worlds;

/// Returns the Dockerfiles of the rules' pages with names.
fn fixtures() -> impl Iterator<Item = (String, Vec<u8>)> {
    let files = |case: Case| {
        let files = case.files.iter().filter(|file| file.path == "Dockerfile");
        let files = files.map(|file| (case.place(), file.bytes()));
        files.collect::<Vec<_>>()
    };
    pages::cases("rules").into_iter().flat_map(files)
}

/// The number of files read the same, refused, or misread, by the reason.
type Counts = BTreeMap<&'static str, usize>;

const SAME: &str = "reads the same";
const REFUSED: &str = "refuses";

/// The facts to compare: for each instruction its name, its first byte and its last line; for each stage its name, its
/// base stage, and its number of instructions.
#[derive(Debug, PartialEq)]
struct Reading {
    instructions: Vec<(String, usize, usize)>,
    stages: Vec<(Option<String>, Option<usize>, usize)>,
}

/// Returns the number of the last line in `text`, newlines at its end left out.
fn last_line(text: &str) -> usize {
    text.trim_end().matches('\n').count() + 1
}

fn ours(source: &str) -> Option<Reading> {
    let file = Dockerfile::read(source.as_bytes()).ok()?;
    let instructions = file.instructions.iter().map(|instruction| {
        let name = &source[instruction.name.start..instruction.name.end];
        // It takes the letters of an unknown instruction for a name.
        let letters = name.find(|ch: char| !ch.is_ascii_alphabetic());
        let name = match (instruction.keyword, letters) {
            (Keyword::Opaque, Some(end)) => &name[..end],
            _ => name,
        };
        let line = last_line(&source[..instruction.span.end]);
        (name.to_uppercase(), instruction.name.start, line)
    });
    let first = file
        .stages
        .iter()
        .filter(|stage| stage.from.is_none())
        .count();
    let stages = file.stages[first..].iter().map(|stage| {
        let from = stage.from.map(|from| file.instructions[from].arguments());
        let base = match stage.base {
            // It looks up no variable.
            _ if from.is_some_and(|from| from.contains(&b'$')) => None,
            Base::Stage(base) => Some(base - first),
            _ => None,
        };
        let name = stage.name.as_ref().map(|name| name.to_lowercase());
        (name, base, stage.instructions.len() + 1)
    });
    Some(Reading {
        instructions: instructions.collect(),
        stages: stages.collect(),
    })
}

fn theirs(source: &str, file: &Other) -> Reading {
    let instructions = file.instructions.iter().map(|instruction| {
        let span = instruction.span();
        let name = match instruction {
            Instruction::From(_) => "FROM",
            Instruction::Arg(_) => "ARG",
            Instruction::Label(_) => "LABEL",
            Instruction::Run(_) => "RUN",
            Instruction::Entrypoint(_) => "ENTRYPOINT",
            Instruction::Cmd(_) => "CMD",
            Instruction::Copy(_) => "COPY",
            Instruction::Env(_) => "ENV",
            Instruction::Misc(other) => other.instruction.as_ref(),
        };
        let line = last_line(&source[..span.end]);
        (name.to_uppercase(), span.start, line)
    });
    let stage = |stage: Stage<'_>| {
        let base = match stage.parent {
            StageParent::Stage(base) => Some(base),
            _ => None,
        };
        (stage.name, base, stage.instructions.len())
    };
    Reading {
        instructions: instructions.collect(),
        stages: file.iter_stages().map(stage).collect(),
    }
}

/// Returns the reason why the second reader misreads `source`, if any.
fn misread(source: &str) -> Option<&'static str> {
    let Ok(file) = Dockerfile::read(source.as_bytes()) else {
        return Some("reads what BuildKit refuses");
    };
    let has_heredoc = file.instructions.iter().any(|i| !i.heredocs.is_empty());
    let names = file.stages.iter().filter_map(|stage| stage.name.as_ref());
    let mut names: Vec<String> = names.map(|name| name.to_lowercase()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    let reasons = [
        (file.escape != b'\\', "knows no `# escape=`"),
        (has_heredoc, "takes a heredoc's lines for instructions"),
        (
            source.replace("\r\n", "").contains('\r'),
            "ends lines at a carriage return alone",
        ),
        (
            source.contains("{% "),
            "ends an instruction at a template's block in it",
        ),
        (
            names.len() < count,
            "takes the first of two stages of one name",
        ),
    ];
    let reason = reasons.iter().find(|(holds, _)| *holds);
    reason.map(|(_, reason)| *reason)
}

/// Compares the readings of one file; a difference without a reason fails.
fn compare(name: &str, source: &[u8]) -> &'static str {
    let Ok(source) = source.to_str() else {
        return REFUSED;
    };
    let Ok(other) = Other::parse(source) else {
        return REFUSED;
    };
    let (ours, theirs) = (ours(source), theirs(source, &other));
    if ours.as_ref() == Some(&theirs) {
        return SAME;
    }
    misread(source)
        .unwrap_or_else(|| panic!("{name}\n{source}\nours: {ours:#?}\ntheirs: {theirs:#?}"))
}

#[test]
fn fixtures_are_read_the_same() {
    let mut counts = Counts::new();
    for (name, source) in fixtures() {
        *counts.entry(compare(&name, &source)).or_default() += 1;
    }
    println!("fixtures: {counts:#?}");
    assert!(counts[SAME] >= 800, "{counts:#?}");
}

#[test]
fn small_files_are_read_the_same() {
    let mut counts = Counts::new();
    for lines in 0..=3 {
        for first in (0..worlds::count(lines)).step_by(worlds::AT_ONCE) {
            for source in worlds::files(first, lines) {
                *counts.entry(compare("a small file", &source)).or_default() += 1;
            }
        }
    }
    println!("small files: {counts:#?}");
    assert!(counts[SAME] >= 2800, "{counts:#?}");
}

#[test]
fn it_refuses_what_people_write() {
    for source in [
        "FROM a\nRUN cat <<EOF\nx\nEOF\n",
        "FROM a\nRUN b \\\n\n  c\n",
        "FROM a\nARG B C\n",
        "FROM a\nLABEL b c d\n",
        "FROM a AS b.c\n",
        "FROM a\n{% if b %}\nRUN c\n{% endif %}\n",
    ] {
        assert!(Other::parse(source).is_err(), "{source}");
        assert!(ours(source).is_some(), "{source}");
    }
}
