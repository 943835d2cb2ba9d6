//! Reads a configuration's keys and finds problems in them.

#[cfg(feature = "cli")]
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::finding::RuleId;
use crate::text::Span;

use super::keys::{Keys, SETTINGS, span};
use super::model::Problem;
use super::values;

/// Reads the text of a configuration.
///
/// # Errors
/// Fails where it is no TOML, has an unknown key, or a value of another type.
pub fn read(text: &str) -> Result<Keys, Problem> {
    parse(text)
}

/// Reads the table `[tool.cachelane]` of a `pyproject.toml`; `None` without one, and where other tools' text is broken.
///
/// # Errors
/// Fails as [`read`] does.
#[cfg(feature = "cli")]
pub fn read_pyproject(text: &str) -> Result<Option<Keys>, Problem> {
    #[derive(Deserialize)]
    struct Pyproject {
        #[serde(default)]
        tool: Tool,
    }
    #[derive(Default, Deserialize)]
    struct Tool {
        cachelane: Option<Keys>,
    }
    if !text.contains("cachelane") {
        return Ok(None);
    }
    match parse::<Pyproject>(text) {
        Err(_) if !text.contains("tool.cachelane") => Ok(None),
        read => read.map(|file| file.tool.cachelane),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| {
        let span = error
            .span()
            .map_or(Span::at(0), |range| Span::new(range.start, range.end));
        let message = error.message().replace('\n', ", ");
        let word = String::from_utf8_lossy(span.of(text.as_bytes()));
        let section = if message.contains("`reason`") {
            Section::Exempt
        } else if message.contains("expected `path`") {
            Section::PerFile
        } else {
            Section::Top
        };
        let help = if message.starts_with("unknown field") {
            place(&word, section).or_else(|| near_key(&word))
        } else if message == "missing field `reason`" {
            Some("say why the caches may stay as they are: `reason = \"…\"`".into())
        } else if message.contains("expected a sequence") {
            Some(format!("write a list: `[{word}]`"))
        } else {
            None
        };
        Problem {
            span,
            message,
            help,
        }
    })
}

/// Returns the problems with the values of `keys`, which have the right types.
pub fn problems(keys: &Keys) -> Vec<Problem> {
    let (mut problems, mut empty) = (Vec::new(), Vec::new());
    let mut check = |value: &Spanned<String>, verdict: Result<(), String>| {
        let wrong = verdict.err();
        problems.extend(wrong.map(|message| Problem::new(span(value), message)));
    };
    for setting in SETTINGS {
        let Some(fails) = setting.check else { continue };
        for text in (setting.texts)(keys) {
            check(text, fails(text.get_ref()));
        }
    }
    for entry in &keys.exempt {
        if entry.reason.get_ref().trim().is_empty() {
            let blank = "say why the caches may stay as they are: the reason is blank";
            check(&entry.reason, Err(blank.into()));
        }
        let Some(rules) = &entry.rules else { continue };
        for name in rules.get_ref() {
            check(name, values::exemptible(name.get_ref()).map(drop));
        }
        if rules.get_ref().is_empty() {
            let message = "an empty list silences no rule: name some, or take it out";
            empty.push(Problem::new(span(rules), message));
        }
    }
    problems.extend(empty);
    let per_file = keys.per_file.iter().flat_map(|entry| entry.rules.keys());
    for name in keys.rules.keys().chain(per_file) {
        if let Err(message) = values::rule(name.get_ref()) {
            problems.push(Problem {
                help: place(name.get_ref(), Section::PerFile),
                ..Problem::new(span(name), message)
            });
        }
    }
    problems
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Above the first `[…]`.
    Top,
    /// Below `[rules]` or `[[per-file]]`.
    PerFile,
    /// Below `[[exempt]]`.
    Exempt,
}

/// Returns where `key` belongs, which the `section` around it does not have.
fn place(key: &str, section: Section) -> Option<String> {
    let is_rule = RuleId::by_name(key).is_some();
    let inside = section != Section::Top;
    match key {
        _ if is_rule && section == Section::Exempt => {
            Some(format!("rules are a list here: `rules = [\"{key}\"]`"))
        }
        _ if is_rule && inside => Some(format!(
            "severities belong into `rules`: `rules = {{ {key} = \"…\" }}`"
        )),
        _ if is_rule => Some(format!(
            "severities belong under `[rules]`: put that above `{key}`"
        )),
        "path" if section != Section::PerFile => Some("`path` belongs under `[[per-file]]`".into()),
        "id" | "reason" => Some(format!("`{key}` belongs under `[[exempt]]`")),
        "path" | "rules" | "per-file" | "exempt" => None,
        _ if inside && keys().any(|known| known == key) => Some(format!(
            "`{key}` is for all files: put it at the top, above the first `[…]`"
        )),
        _ => None,
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    const OTHERS: [&str; 5] = ["rules", "per-file", "path", "exempt", "reason"];
    SETTINGS.iter().map(|setting| setting.key).chain(OTHERS)
}

/// Returns the key that was probably meant by `word`.
fn near_key(word: &str) -> Option<String> {
    let score = |key: &&str| strsim::jaro_winkler(word, key);
    let best = keys().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(&best) >= 0.75 && best != word).then(|| format!("did you mean `{best}`?"))
}
