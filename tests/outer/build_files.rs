//! Compose and bake files: what the readers say and the fixes do, held against `docker compose config` and
//! `docker buildx bake --print`, which run without an engine. They are Debian's packages (`build_tools.sh`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cachelane::builds::{Build, Inline, Subject, inline};
use cachelane::fix::{Edit, Fix};
use cachelane::text::Span;
use serde_json::Value;

use crate::loud::left_out;
use crate::made_builds::{Format, cases, fixed, made, passes};

/// What its tool calls a file of the format.
fn file(format: Format) -> &'static str {
    match format {
        Format::Compose => "compose.yaml",
        Format::Hcl => "docker-bake.hcl",
        Format::Json => "docker-bake.json",
    }
}

/// The plugins, made ready once.
fn tools() -> Option<&'static Path> {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let prepare = || {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docker-plugins");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outer/build_tools.sh");
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
    let file = folder.path().join(file(format));
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

#[test]
fn the_tools_own_reading_is_ours() {
    let Some(tools) = tools() else { return };
    for &(format, ref source) in cases() {
        let build_file = format.read(source);
        let told = told_builds(format, &told(tools, format, source));
        assert!(build_file.unknown.is_empty() && !told.is_empty());
        for (name, told) in &told {
            let name = name
                .split("_of_")
                .next()
                .map(|name| format!("{}`", name.trim_end_matches('`')))
                .unwrap();
            let of_name = || build_file.builds.iter().filter(|build| build.name == name);
            assert!(of_name().count() > 0, "{name} is missing in\n{source}");
            let inline = told_inline(format, told);
            let join = |build: &&Build| match &build.subject {
                Subject::Inline(index) => Some(&build_file.inline[*index].text) == inline.as_ref(),
                Subject::File(path) => {
                    let context = told["context"]
                        .as_str()
                        .unwrap()
                        .trim_start_matches("./")
                        .replace("$$", "$");
                    let file = told["dockerfile"].as_str().unwrap();
                    inline.is_none()
                        && *path == format!("{context}/{file}").trim_start_matches(['.', '/'])
                }
                Subject::Files(..) | Subject::Snippets | Subject::ByInputs(_) => false,
            };
            let build = of_name()
                .find(join)
                .unwrap_or_else(|| panic!("{name} {told:#} {build_file:#?}"));
            assert_eq!(build.target.as_deref(), told["target"].as_str());
            let args = told["args"].as_object().cloned().unwrap_or_default();
            let mut ours: Vec<&str> = build
                .args
                .iter()
                .filter_map(|arg| arg.name.as_str())
                .collect();
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
                &Fix::safe("", inline::edits(found, source, &edits).unwrap()),
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
