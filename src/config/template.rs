//! The commented configuration that `cachelane init` writes.

use crate::finding::{RuleId, RuleMeta};

use super::keys::{SETTINGS, Setting, Unset};
use super::schema::ADDRESS;

/// Returns the configuration, with each setting at its default, behind a `#`.
pub fn template() -> String {
    let mut text = format!(
        "#:schema {ADDRESS}\n\
         # cachelane.toml: what cachelane goes by for the files in this folder and below.\n\
         # Settings follow, each with its default behind a `#` and no blank: take the `#` off to change one.\n",
    );
    for Setting {
        key, doc, default, ..
    } in SETTINGS
    {
        let (Unset::Default(value) | Unset::Example(value)) = default;
        text.push_str(&format!("\n# {doc}\n#{key} = {value}\n"));
    }
    text.push_str(
        "\n# Each rule's severity: \"error\", \"warning\", \"info\" or \"off\". `cachelane explain RULE` says what a rule finds.\n\
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
         # whole id, as `cachelane list` shows it; without `rules`, the rules about builds that wait for a lock are silent.\n\
         #[[exempt]]\n#id = \"cargo-.*\"\n#rules = [\"shared-lock\"]\n#reason = \"one registry for the whole builder, on purpose\"\n",
    );
    text
}
