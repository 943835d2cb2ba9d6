//! Compose and bake files: what the readers say and the fixes do, held against `docker compose config` and
//! `docker buildx bake --print`, which run without an engine; and odd files by the thousand.
//!
//! The tools are Debian's packages (`wiring_files/tools.sh`). Where they cannot be had, a banner says so and that test passes,
//! but fails where `CI` is `true`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cachelane::fix::{Edit, Fix, apply};
use cachelane::text::Span;
use cachelane::wiring::{
    self, Build, Inline, Kind, Lane, What, Wiring, bake, compose, inline, yaml::Yaml,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::loud::left_out;

const LANE: Lane<'_> = Lane {
    arg: "CACHE_ID",
    default: "default",
    shared: false,
};

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Compose,
    Hcl,
    Json,
}

impl Format {
    fn read(self, source: &str) -> Wiring {
        match self {
            Self::Compose => compose::read(source),
            Self::Hcl | Self::Json => bake::read(source),
        }
        .unwrap_or_else(|error| panic!("{error}\n{source}"))
    }

    fn pass(self, source: &str, build: &Build) -> Result<Fix, String> {
        match self {
            Self::Compose => wiring::pass(Kind::Compose, source, build, &LANE),
            Self::Hcl | Self::Json => wiring::pass(Kind::BakeHcl, source, build, &LANE),
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Compose => "compose.yaml",
            Self::Hcl => "docker-bake.hcl",
            Self::Json => "docker-bake.json",
        }
    }
}

fn made(source: &str, fix: &Fix) -> String {
    let applied = apply(source.as_bytes(), &[fix]);
    assert!(applied.deferred.is_empty(), "{fix:?} overlaps itself");
    String::from_utf8(applied.bytes).unwrap()
}

fn passes(build: &Build) -> bool {
    build.args.iter().any(|arg| arg.name == "CACHE_ID")
}

/// `source` with the lane passed to every build that takes it, all fixes of a round at once, as the command line does it.
fn fixed(format: Format, source: &str) -> String {
    let mut source = source.to_owned();
    for _ in 0..20 {
        let builds = format.read(&source).builds;
        let fixes: Vec<Fix> = builds
            .iter()
            .filter(|build| !passes(build))
            .filter_map(|build| format.pass(&source, build).ok())
            .collect();
        if fixes.is_empty() {
            return source;
        }
        source =
            String::from_utf8(apply(source.as_bytes(), &fixes.iter().collect::<Vec<_>>()).bytes)
                .unwrap();
    }
    panic!("fixing goes on and on:\n{source}");
}

/// The plugins, made ready once.
fn tools() -> Option<&'static Path> {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let prepare = || {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docker-plugins");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wiring_files/tools.sh");
        let output = Command::new("sh").arg(script).arg(&cache).output();
        let why = match output {
            Ok(output) if output.status.success() => {
                return Some(cache.join("root/usr/libexec/docker/cli-plugins"));
            }
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        left_out("Docker's own tools, to compare with", &why);
        None
    };
    TOOLS.get_or_init(prepare).as_deref()
}

/// What the format's own tool makes of `source`.
fn told(tools: &Path, format: Format, source: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format.file());
    std::fs::write(&file, source).unwrap();
    let mut command = if format == Format::Compose {
        let mut command = Command::new(tools.join("docker-compose"));
        command.arg("-f").arg(&file).args([
            "config",
            "--format",
            "json",
            "--no-path-resolution",
            "--no-consistency",
        ]);
        command
    } else {
        let mut command = Command::new(tools.join("docker-buildx"));
        command
            .args(["bake", "--print", "-f"])
            .arg(&file)
            .arg("all");
        command
    };
    let output = command
        .current_dir(&folder)
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}\n{source}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Older releases of bake put their progress behind the file.
    let end = text.rfind('}').map_or(0, |end| end + 1);
    serde_json::from_str(&text[..end]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What the tool says of the builds, by name.
fn told_builds(format: Format, told: &Value) -> Vec<(String, Value)> {
    let (key, word) = if format == Format::Compose {
        ("services", "service")
    } else {
        ("target", "target")
    };
    let all = told[key].as_object().unwrap().iter();
    let build = |value: &Value| {
        if format == Format::Compose {
            value["build"].clone()
        } else {
            value.clone()
        }
    };
    all.map(|(name, value)| (format!("{word} `{name}`"), build(value)))
        .filter(|(_, build)| !build.is_null())
        .collect()
}

/// The Dockerfile that the tool gets; Compose prints it as it would have to be written.
fn told_inline(format: Format, build: &Value) -> Option<String> {
    let key = if format == Format::Compose {
        "dockerfile_inline"
    } else {
        "dockerfile-inline"
    };
    let text = build[key].as_str()?;
    Some(if format == Format::Compose {
        text.replace("$$", "$")
    } else {
        text.to_owned()
    })
}

/// `told` without the argument.
fn without(told: &Value) -> Value {
    match told {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(key, _)| *key != "CACHE_ID")
                .map(|(key, value)| (key.clone(), without(value)));
            Value::Object(
                kept.filter(|(key, value)| key != "args" || value != &serde_json::json!({}))
                    .collect(),
            )
        }
        Value::Array(values) => Value::Array(values.iter().map(without).collect()),
        other => other.clone(),
    }
}

fn cases() -> &'static [(Format, String)] {
    static CASES: OnceLock<Vec<(Format, String)>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<(Format, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wiring_files");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => Format::Compose,
            Some("hcl") => Format::Hcl,
            Some("json") => Format::Json,
            _ => continue,
        };
        let source = std::fs::read_to_string(&path).unwrap();
        // HCL keeps the carriage returns of a heredoc, Compose drops those of a block.
        cases.push((format, source.replace('\n', "\r\n")));
        cases.push((format, source));
    }
    assert!(cases.len() >= 6);
    cases
}

#[test]
fn the_tools_own_reading_is_ours() {
    let Some(tools) = tools() else { return };
    for &(format, ref source) in cases() {
        let wiring = format.read(source);
        let told = told_builds(format, &told(tools, format, source));
        assert!(wiring.unknown.is_empty() && !told.is_empty());
        for (name, told) in &told {
            let name = name
                .split("_of_")
                .next()
                .map(|name| format!("{}`", name.trim_end_matches('`')))
                .unwrap();
            let of_name = || wiring.builds.iter().filter(|build| build.name == name);
            assert!(of_name().count() > 0, "{name} is missing in\n{source}");
            let inline = told_inline(format, told);
            let join = |build: &&Build| match &build.what {
                What::Inline(index) => Some(&wiring.inline[*index].text) == inline.as_ref(),
                What::File(path) => {
                    let context = told["context"]
                        .as_str()
                        .unwrap()
                        .trim_start_matches("./")
                        .replace("$$", "$");
                    let file = told["dockerfile"].as_str().unwrap();
                    inline.is_none()
                        && *path == format!("{context}/{file}").trim_start_matches(['.', '/'])
                }
                What::Files(..) => false,
            };
            let build = of_name()
                .find(join)
                .unwrap_or_else(|| panic!("{name} {told:#} {wiring:#?}"));
            assert_eq!(build.target.as_deref(), told["target"].as_str());
            let args = told["args"].as_object().cloned().unwrap_or_default();
            let mut ours: Vec<&str> = build.args.iter().map(|arg| arg.name.as_str()).collect();
            let mut theirs: Vec<&str> = args.keys().map(String::as_str).collect();
            ours.sort_unstable();
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{name}");
        }
    }
}

#[test]
fn a_fixed_file_differs_in_the_argument_alone() {
    let Some(tools) = tools() else { return };
    for &(format, ref source) in cases() {
        let fixed = fixed(format, source);
        assert!(format.read(&fixed).builds.iter().all(passes), "{fixed}");
        let (before, after) = (told(tools, format, source), told(tools, format, &fixed));
        assert_eq!(without(&before), without(&after), "{fixed}");
        for (name, build) in told_builds(format, &after) {
            assert_eq!(build["args"]["CACHE_ID"], "default", "{name} in\n{fixed}");
        }
        assert!(
            !fixed.replace("\r\n", "").contains('\n') || !source.contains('\r'),
            "mixed line ends:\n{fixed}"
        );
    }
}

/// Edits as the rules make them: text behind a word, a line above another, a line away.
fn typical(inline: &Inline) -> Vec<Edit> {
    let at = |word: &str| inline.text.find(word).unwrap();
    let newline = if inline.text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let line = inline.text[..at("# gone")]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let end = line + inline.text[line..].find('\n').unwrap() + 1;
    vec![
        Edit::insert(at("RUN"), format!("ARG CACHE_ID=default{newline}")),
        Edit::insert(at("id=apt") + 6, "-${CACHE_ID}"),
        Edit::delete(Span::new(line, end)),
    ]
}

#[test]
fn an_edit_of_an_inline_dockerfile_reaches_the_engine() {
    let Some(tools) = tools() else { return };
    let mut seen = 0;
    for (format, source) in cases().iter().filter(|(format, _)| *format != Format::Json) {
        let format = *format;
        for (index, found) in format
            .read(source)
            .inline
            .iter()
            .enumerate()
            .filter(|(_, found)| found.text.contains("# gone"))
        {
            let edits = typical(found);
            let expected = made(&found.text, &Fix::safe("", edits.clone()));
            let fixed = made(
                source,
                &Fix::safe("", inline::edits(found, &edits).unwrap()),
            );
            assert_eq!(format.read(&fixed).inline[index].text, expected, "{fixed}");
            let told = told_builds(format, &told(tools, format, &fixed));
            assert!(
                told.iter()
                    .any(|(_, build)| told_inline(format, build).as_ref() == Some(&expected)),
                "{fixed}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn places_of_an_inline_dockerfile_are_those_of_the_file() {
    for &(format, ref source) in cases() {
        for found in format
            .read(source)
            .inline
            .iter()
            .filter(|found| !found.pieces.is_empty())
        {
            let word = found.text.find("apt-get").unwrap();
            let span = inline::to_file(found, Span::new(word, word + 7)).unwrap();
            assert_eq!(&source[span.start..span.end], "apt-get");
            let all = inline::to_file(found, Span::new(0, found.text.len())).unwrap();
            assert!(found.span.start <= all.start && all.end <= found.span.end + 1);
        }
    }
}

/// `source` with some stretches taken out, doubled or replaced.
fn mutated(source: &str, changes: &[(usize, usize, u8)]) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for &(at, len, kind) in changes {
        if text.is_empty() {
            break;
        }
        let at = at % text.len();
        let end = (at + len % 12).min(text.len());
        match kind % 4 {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                text.splice(at..at, piece);
            }
            2 => {
                text[at] = [
                    '\n', ' ', '"', '{', '}', '[', '$', ':', '-', '#', '&', '*', 'ä', '\t', '\r',
                ][len % 15]
            }
            _ => {
                text.insert(
                    at,
                    [
                        '\n', ' ', '\'', '{', '}', ']', '$', ',', '|', '>', '!', '<', '=', '%', '~',
                    ][len % 15],
                );
            }
        }
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_files_are_read_or_refused_and_fixed_to_the_end(
        index in 0usize..100,
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..6),
    ) {
        let cases = cases();
        let (format, source) = &cases[index % cases.len()];
        let source = mutated(source, &changes);
        let read = if *format == Format::Compose { compose::read(&source) } else { bake::read(&source) };
        if let Ok(wiring) = read {
            for found in &wiring.inline {
                for piece in &found.pieces {
                    prop_assert_eq!(&found.text[piece.text..piece.text + piece.len], &source[piece.file..piece.file + piece.len]);
                }
            }
            for build in wiring.builds.iter().filter(|build| !passes(build)) {
                if let Ok(fix) = format.pass(&source, build) {
                    let after = format.read(&made(&source, &fix)).builds;
                    prop_assert!(after.iter().any(|other| other.name == build.name && passes(other)));
                    prop_assert_eq!(after.len(), wiring.builds.len());
                }
            }
            fixed(*format, &source);
        }
    }

    #[test]
    fn places_in_odd_yaml_are_places_in_the_file(
        index in 0usize..100,
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..4),
    ) {
        let cases: Vec<_> = cases().iter().filter(|(format, _)| *format == Format::Compose).collect();
        let source = mutated(&cases[index % cases.len()].1, &changes);
        let Ok(yaml) = Yaml::read(&source) else { return Ok(()) };
        for root in yaml.roots() {
            let mut left = vec![root];
            while let Some(node) = left.pop() {
                let span = node.span();
                prop_assert!(source.is_char_boundary(span.start) && source.is_char_boundary(span.end) && span.end <= source.len());
                left.extend(node.items());
                left.extend(node.own_entries().iter().flat_map(|entry| [entry.key, entry.value]));
                for piece in node.pieces() {
                    let text = node.text().unwrap();
                    prop_assert_eq!(&text[piece.text..piece.text + piece.len], &source[piece.file..piece.file + piece.len]);
                }
            }
        }
    }

    #[test]
    fn an_edit_is_made_exactly_or_not_at_all(index in 0usize..100, start in any::<usize>(), len in 0usize..40, text in "[A$\\{\\}%n \n]{0,12}") {
        let cases = cases();
        let (format, source) = &cases[index % cases.len()];
        for (number, found) in format.read(source).inline.iter().enumerate() {
            let start = start % (found.text.len() + 1);
            let end = (start + len).min(found.text.len());
            // No rule tears a line's end apart.
            if [start, end].iter().any(|&at| found.text[..at].ends_with('\r')) {
                continue;
            }
            let edit = Edit::replace(Span::new(start, end), text.clone());
            let Ok(edits) = inline::edits(found, std::slice::from_ref(&edit)) else { continue };
            let fixed = made(source, &Fix::safe("", edits));
            let expected = made(&found.text, &Fix::safe("", vec![edit]));
            // An edit may take the whole text away, or the margin that the others have; then the block reads otherwise.
            if expected.trim().is_empty() || expected.starts_with([' ', '\n', '\r']) {
                continue;
            }
            let read = if *format == Format::Compose { compose::read(&fixed) } else { bake::read(&fixed) };
            let now = read.unwrap_or_else(|error| panic!("{error}\n{fixed}")).inline[number].text.clone();
            // HCL leaves lines of nothing but blanks as they are.
            let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(lines(&now), lines(&expected), "{}", fixed);
        }
    }
}
