//! The commented configuration that `cachelane init` writes.

use crate::finding::{RuleId, RuleMeta};

/// The configuration's top-level settings: name, default (or an example), and what it does.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "arg",
        "\"CACHE_ID\"",
        "The build argument that sets jobs apart.",
    ),
    (
        "default",
        "\"default\"",
        "Its value for builds that pass none.",
    ),
    (
        "isolating-args",
        "[]",
        "Further build arguments that set your jobs apart, [\"ROS_DISTRO\"] say: an id that holds one is isolated.",
    ),
    (
        "include",
        "[]",
        "Files to check beside those that are called like a Dockerfile, [\"docker/*.tmpl\"] say.",
    ),
    (
        "exclude",
        "[]",
        "Files and folders to leave alone, [\"vendor/\"] say. Globs are relative to this file.",
    ),
    (
        "namespace",
        "false",
        "true: the pipeline passes BUILDKIT_CACHE_MOUNT_NS, which isolates every cache; a shared lock is no finding then.",
    ),
    (
        "require-syntax",
        "false",
        "true: every file has to pin a frontend by `# syntax=`, as Docker 20.10 needs it for ids with variables.",
    ),
    (
        "keep-default",
        "false",
        "true: `fix` writes ids that stay as they are, with their warm caches, for builds that pass nothing.",
    ),
];

/// Returns a commented configuration: each setting is there with its default, behind a `#`.
#[must_use]
pub fn template() -> String {
    let mut text = String::from(
        "# cachelane.toml: what cachelane goes by for the files in this folder and below.\n\
         # Lines that start with `#` and no blank are settings with their defaults: take the `#` off to change one.\n",
    );
    for (name, value, what) in SETTINGS {
        text.push_str(&format!("\n# {what}\n#{name} = {value}\n"));
    }
    text.push_str(
        "\n# A builder with rules of its own. Default: none. \"railway\": its ids may hold no variables.\n\
         #profile = \"railway\"\n\
         \n# Each rule's severity: \"error\", \"warning\", \"info\" or \"off\". `cachelane explain RULE` says what a rule finds.\n\
         #[rules]\n",
    );
    for rule in RuleId::ALL {
        let RuleMeta {
            name,
            severity,
            other_severity,
            ..
        } = rule.meta();
        let but = other_severity.map_or(String::new(), |but| format!("  # unless set: {but}"));
        text.push_str(&format!("#{name} = \"{}\"{but}\n", severity.as_str()));
    }
    text.push_str(
        "\n# Severities for some files only; as many such blocks as you like. `path` is a glob or a list of globs.\n\
         #[[per-file]]\n#path = \"legacy/**\"\n#rules = { unlocked-apt = \"off\" }\n\
         \n# Caches that may stay as they are, as many such blocks as you like. `id` is a regular expression that matches the\n\
         # whole id, as `cachelane list` shows it; without `rules`, those that say that somebody waits for the lock are silent.\n\
         #[[exempt]]\n#id = \"cargo-.*\"\n#rules = [\"shared-lock\"]\n#reason = \"one registry for the whole builder, on purpose\"\n",
    );
    text
}
