//! Documents made from the code, which `tests/bless` writes anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use cachelane::finding::RuleId;

/// The text of `docs/rules.md` before the list of rules.
const INTRODUCTION: &str = "\
# The rules

The *id* of a cache mount is its `id` option, or else its target path, cleaned (`/var/cache/a/../b/` is `/var/cache/b`).
The *lane argument* is the build argument that sets jobs apart: `CACHE_ID`, or what `--arg` names. An id is *isolated*
when another value of the lane argument makes it another id: by itself, or through an ARG or ENV made of it.

A *safe* fix cannot change the files of the image, only which cache a RUN uses (an ARG shows in the image's history, and the
RUNs behind it have it in their environment); `cachelane fix` applies it. An *unsafe* fix needs a person who looks at the
result; `cachelane fix --unsafe` applies it. Errors and warnings fail the gate, infos never do. `cachelane explain RULE`
prints a rule's page.

| Rule | Severity | Fix | What happens |
|---|---|---|---|
";

/// The head of the README's table of rules.
const README_HEAD: &str =
    "| Rule | Severity | Fix | What happens to your builds |\n|---|---|---|---|\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files made from the rules, by name. The first test that asks writes them with `CACHELANE_BLESS`, so that no
/// other sees half of them.
static MADE: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let (mut made, mut index, mut chapters) = (Vec::new(), INTRODUCTION.to_owned(), String::new());
    let mut table = String::new();
    for rule in RuleId::ALL.iter().map(|rule| rule.meta()) {
        let (name, severity, summary) = (rule.name, rule.severity.as_str(), rule.summary);
        let fix = rule
            .fix
            .map_or("–".to_owned(), |fix| format!("{fix:?}").to_lowercase());
        index.push_str(&format!(
            "| [`{name}`](rules/{name}.md) | {severity} | {fix} | {summary} |\n"
        ));
        chapters.push_str(&format!("  - [{name}](rules/{name}.md)\n"));
        table.push_str(&format!("| `{name}` | {severity} | {fix} | {summary} |\n"));
    }
    made.push(("docs/rules.md".to_owned(), index));
    // The book's other chapters are written by hand.
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let others = summary
        .split_inclusive('\n')
        .filter(|line| !line.contains("](rules/"));
    let below = |line: &str| {
        if line.ends_with("](rules.md)\n") {
            chapters.clone()
        } else {
            String::new()
        }
    };
    made.push((
        "docs/SUMMARY.md".to_owned(),
        others.map(|line| line.to_owned() + &below(line)).collect(),
    ));
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (above, rest) = readme.split_once(README_HEAD).unwrap();
    let below = rest.split_once("\n\n").unwrap().1;
    made.push((
        "README.md".to_owned(),
        format!("{above}{README_HEAD}{table}\n{below}"),
    ));
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        for (name, now) in &made {
            fs::write(root().join(name), now).unwrap();
        }
    }
    made
});

/// Returns every page below `docs`, by its path from there.
fn pages() -> BTreeSet<String> {
    LazyLock::force(&MADE);
    let docs = root().join("docs");
    let below = |folder: &str| {
        fs::read_dir(docs.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let all = below("")
        .chain(below("rules"))
        .filter(|path| path.extension().is_some_and(|end| end == "md"));
    all.map(|path| {
        path.strip_prefix(&docs)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/")
    })
    .collect()
}

#[test]
fn what_is_made_from_the_rules_is_current() {
    for (name, now) in MADE.iter() {
        let hint = "`tests/bless` writes it anew";
        assert_eq!(
            fs::read_to_string(root().join(name)).unwrap_or_default(),
            *now,
            "{name} is not current: {hint}"
        );
    }
}

#[test]
fn the_book_has_every_page_once() {
    let pages: Vec<String> = pages()
        .into_iter()
        .filter(|page| page != "SUMMARY.md")
        .collect();
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut listed = links(&summary);
    listed.sort_unstable();
    assert_eq!(
        listed, pages,
        "docs/SUMMARY.md (left) and the pages in docs (right) are not the same"
    );
}

/// Returns the targets of the links in a page, without code.
fn links(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(to, _)| to)
        .collect()
}

/// Returns the anchors of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = page.split("\n```").step_by(2);
    let heads = prose
        .flat_map(str::lines)
        .filter(|line| line.starts_with('#'));
    let anchor = |head: &str| {
        let head = head.trim_start_matches('#').trim().to_lowercase();
        head.chars()
            .filter(|ch| ch.is_alphanumeric() || " -_".contains(*ch))
            .collect::<String>()
            .replace(' ', "-")
    };
    heads.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for name in pages().iter().map(|page| format!("docs/{page}")).chain([
        "README.md".into(),
        "CONTRIBUTING.md".into(),
        "CHANGELOG.md".into(),
    ]) {
        let path = root().join(&name);
        let page = fs::read_to_string(&path).unwrap();
        for link in links(&page)
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            seen += 1;
            let (file, anchor) = link
                .split_once('#')
                .map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(
                target.exists(),
                "{name} links to {link}, which is not there"
            );
            // The book has only the files below docs.
            let leaves = name.starts_with("docs/")
                && !fs::canonicalize(&target)
                    .unwrap()
                    .starts_with(fs::canonicalize(root().join("docs")).unwrap());
            assert!(
                !leaves,
                "{name} links to {link}, which the book does not have"
            );
            if let Some(anchor) = anchor {
                let page = fs::read_to_string(&target).unwrap();
                assert!(
                    anchors(&page).contains(anchor),
                    "{name} links to {link}, which has no such heading"
                );
            }
        }
    }
    assert!(seen > RuleId::ALL.len(), "no links were found");
}

/// Returns what the program prints in `folder`, whatever runs this test.
fn printed(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cachelane"));
    for name in ["GITHUB_ACTIONS", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS"] {
        command.env_remove(name);
    }
    // Where `cachelane id --format github-env` writes to, in `folder`.
    command.env("GITHUB_ENV", "env");
    let output = command.args(words).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Returns the path that the first line of a block of code names in a comment: the block is that file.
pub(crate) fn path_of(block: &str) -> Option<&str> {
    let first = block.lines().next()?;
    let path = first.strip_prefix("# ").or(first.strip_prefix("// "))?;
    // `#!/bin/sh` and a sentence are none.
    (!path.contains(' ')).then_some(path)
}

/// Compares each command that a page shows (a block `text` whose first line is `$ cachelane …`) with what it prints in
/// `folder`, after the files that the page shows above it have been written there. `CACHELANE_BLESS` writes the page anew.
fn shows_what_commands_print(name: &str, folder: &Path) {
    LazyLock::force(&MADE);
    let page = fs::read_to_string(root().join(name)).unwrap();
    let mut now = Vec::new();
    let mut seen = 0;
    for (at, part) in page.split("```").enumerate() {
        let (language, block) = part.split_once('\n').unwrap_or((part, ""));
        let is_file = at % 2 == 1 && language != "text" && folder != root();
        if let Some(path) = path_of(block).filter(|_| is_file) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, block).unwrap();
        }
        let line = block
            .strip_prefix("$ cachelane ")
            .and_then(|rest| rest.lines().next());
        let Some(line) = line.filter(|_| at % 2 == 1 && language == "text") else {
            now.push(part.to_owned());
            continue;
        };
        seen += 1;
        let (_, output) = printed(folder, &line.split(' ').collect::<Vec<_>>());
        now.push(format!("text\n$ cachelane {line}\n{output}"));
    }
    assert!(seen > 0, "{name} shows no command");
    let now = now.join("```");
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        return fs::write(root().join(name), &now).unwrap();
    }
    assert_eq!(
        page, now,
        "{name} (left) shows otherwise than commands print (right): `tests/bless` writes it anew"
    );
}

#[test]
fn the_readme_shows_what_commands_print() {
    shows_what_commands_print("README.md", root());
}

#[test]
fn the_walk_through_a_monorepo_shows_what_commands_print() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    shows_what_commands_print("docs/migrate.md", folder.path());
    let (code, said) = printed(folder.path(), &["check"]);
    assert_eq!(code, Some(0), "the walk does not end green: {said}");
}

/// What may stand before a command of cachelane: the beginning of a line, a prompt, YAML, a runner, another command.
const BEFORE: &[&str] = &[
    "", "$", "-", "run:", "entry:", "uvx", "npx", "&&", ";", "|", "run",
];

/// Returns the commands of cachelane in a page: whether each stands in a block of code, and not within a sentence.
fn commands(page: &str) -> BTreeSet<(bool, String)> {
    let mut found = BTreeSet::new();
    for (at, part) in page.split("```").enumerate() {
        if at % 2 == 0 {
            let code = part.split('`').skip(1).step_by(2);
            let code = code.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
            let code = code.filter(|code| code.starts_with("cachelane "));
            found.extend(code.map(|code| (false, code)));
            continue;
        }
        for line in part.lines().skip(1) {
            for (start, _) in line.match_indices("cachelane ") {
                let before = line[..start].trim_end();
                let word = before.rsplit(' ').next().unwrap();
                if BEFORE.contains(&word) || line[..start].ends_with(['"', '(', '`']) {
                    let ends = [" #", ";", " &&", " |", " >", ")", "`", " \"$("];
                    let rest = &line[start..];
                    let end = ends.iter().filter_map(|end| rest.find(end)).min();
                    let command = rest[..end.unwrap_or(rest.len())].trim_end();
                    found.insert((true, command.to_owned()));
                }
            }
        }
    }
    found
}

/// Runs a command of a block of code in a folder with the monorepo of `docs/migrate.md`, and fails where it could not do its
/// work. `run` only prints what it would run.
fn runs(command: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let page = fs::read_to_string(root().join("docs/migrate.md")).unwrap();
    for block in page.split("```").skip(1).step_by(2) {
        let text = block.split_once('\n').map_or("", |(_, text)| text);
        if let Some(path) = path_of(text) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let snippet = "example/snippet.Dockerfile";
    fs::create_dir(folder.path().join("example")).unwrap();
    fs::copy(root().join(snippet), folder.path().join(snippet)).unwrap();
    let mut words: Vec<&str> = command
        .split_whitespace()
        .skip(1)
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    if words.first() == Some(&"run") && !words.contains(&"--dry-run") {
        words.insert(1, "--dry-run");
    }
    let (code, said) = printed(folder.path(), &words);
    let is_done = matches!(code, Some(0 | 1));
    is_done.then_some(()).ok_or(said)
}

/// Reads the options of a command of a sentence, and runs nothing. Such a command may have placeholders, and name an option
/// without its value.
fn is_read(command: &str) -> Result<(), String> {
    let words = command.replace("SHELL", "bash").replace("FORMAT", "json");
    let words = words.split_once(" -- ").map_or(&*words, |(own, _)| own);
    let mut words: Vec<&str> = words
        .split_whitespace()
        .skip(1)
        .filter(|word| *word != "…" && *word != "--")
        .collect();
    words.push("--help");
    let (code, said) = printed(root(), &words);
    let is_read = code == Some(0) || said.contains("a value is required");
    is_read.then_some(()).ok_or(said)
}

#[test]
fn every_command_in_a_page_does_its_work() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for name in pages().iter().map(|page| format!("docs/{page}")).chain([
        "README.md".into(),
        "CONTRIBUTING.md".into(),
        "integrations/rocker/README.md".into(),
    ]) {
        let page = fs::read_to_string(root().join(&name)).unwrap();
        for (is_block, command) in commands(&page) {
            // The page of what was measured names the version.
            if command.starts_with(concat!("cachelane ", env!("CARGO_PKG_VERSION"))) {
                continue;
            }
            seen += 1;
            // git and a history are for `tests/outer/git.rs`.
            let answer = if is_block && !command.contains("--diff origin/main") {
                runs(&command)
            } else {
                is_read(&command)
            };
            if let Err(said) = answer {
                wrong.push(format!("{name}: `{command}`: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "only {seen} commands were found");
}

#[test]
fn every_rule_explains_itself_in_the_same_parts() {
    for rule in RuleId::ALL.iter().map(|rule| rule.meta()) {
        let severity = rule.severity.as_str();
        let fix = rule
            .fix
            .map_or("no".to_owned(), |fix| format!("{fix:?}").to_lowercase());
        let head = format!("# {} ({severity}, {fix} fix)\n\n## ", rule.name);
        assert!(rule.page.starts_with(&head), "{}: {head}", rule.name);
        let heads: Vec<&str> = rule
            .page
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        let parts = [
            "## What it does",
            "## Why",
            "## Example",
            "## Fix",
            "## When to ignore it",
        ];
        assert_eq!(heads, parts, "{}", rule.name);
        assert!(
            rule.page.ends_with('\n') && rule.page.lines().all(|line| line.chars().count() <= 125),
            "{}",
            rule.name
        );
    }
}
