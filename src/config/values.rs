//! Checks of values, for the configuration and the command line.

use crate::finding::RuleId;
use crate::rules::Profile;
use crate::rules::exempt;
use crate::rules::profile::PROFILES;
use crate::rules::variables::PLATFORM_ARGS;
use crate::text::is_name;

/// Names that a lane's ARG must not take, since they would change the build.
const RESERVED: &[&str] = &[
    "PATH",
    "HOME",
    "SHELL",
    "LANG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SOURCE_DATE_EPOCH",
];

/// Reads the name of the lane argument.
pub fn arg(text: &str) -> Result<String, String> {
    let reserved = RESERVED
        .iter()
        .chain(PLATFORM_ARGS)
        .any(|name| text.eq_ignore_ascii_case(name))
        || text.starts_with("BUILDKIT_");
    if reserved {
        return Err(format!(
            "`{text}` means something to builds already: choose a name of your own"
        ));
    }
    variable(text)
}

/// Reads the name of a variable.
pub fn variable(text: &str) -> Result<String, String> {
    let why =
        "a build argument's name is a letter or underscore, then letters, digits and underscores";
    if is_name(text) {
        Ok(text.into())
    } else {
        Err(why.into())
    }
}

/// Reads the lane of builds that pass none.
pub fn default(text: &str) -> Result<String, String> {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || "_.-+:/@".contains(ch);
    match text.chars().find(|ch| !fits(*ch)) {
        None if text.is_empty() => Err("an empty default would leave ids that end in `-`".into()),
        None => Ok(text.into()),
        Some(ch) => Err(format!(
            "{ch:?} would break the mount's option list: use letters, digits and _ . - + : / @"
        )),
    }
}

pub fn profile(text: &str) -> Result<&'static Profile, String> {
    Profile::by_name(text).ok_or_else(|| {
        let known = PROFILES.iter().map(|profile| profile.name);
        let known = known.collect::<Vec<_>>().join(", ");
        format!("there is no profile `{text}`: cachelane knows {known}")
    })
}

/// The values of `builders`.
pub const BUILDERS: [&str; 2] = ["shared", "per-job"];

/// Reads whether each job has a builder of its own.
pub fn builders(text: &str) -> Result<bool, String> {
    let [shared, per_job] = BUILDERS;
    match text {
        _ if text == per_job => Ok(true),
        _ if text == shared => Ok(false),
        _ => Err(format!(
            "`{text}` says nothing about builders: write `{shared}`, or `{per_job}` where each job has its own"
        )),
    }
}

/// Reads the name of a rule on how a cache is shared.
pub fn exemptible(text: &str) -> Result<RuleId, String> {
    let rule = rule(text)?;
    if exempt::exemptible().any(|one| one == rule) {
        return Ok(rule);
    }
    let names: Vec<&str> = exempt::exemptible().map(RuleId::as_str).collect();
    Err(format!(
        "`{rule}` says nothing about how a cache is shared; an entry may name {}",
        names.join(", ")
    ))
}

/// Reads the name of a rule; the error names similar ones.
pub fn rule(text: &str) -> Result<RuleId, String> {
    RuleId::by_name(text).ok_or_else(|| {
        let near = RuleId::nearest(text);
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!(" Did you mean `{}`?", near.join("` or `"))
        };
        format!("there is no rule `{text}`.{hint} `cachelane rules` lists them.")
    })
}
