//! The JSON schema of the configuration.

use serde_json::{Map, Value, json};

use crate::finding::RuleId;
use crate::rules::exempt;
use crate::rules::profile::PROFILES;

use super::keys::{SETTINGS, Unset};
use super::values::BUILDERS;

/// The address of the schema, by which editors find it.
pub const ADDRESS: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/raw/main/docs/cachelane.schema.json"
);

pub fn schema() -> String {
    let mut keys = Map::new();
    for setting in SETTINGS {
        let mut schema = (setting.schema)();
        schema["description"] = setting.doc.into();
        if let Unset::Default(value) = setting.default {
            // A text, a flag and an empty list are the same in TOML and JSON.
            schema["default"] = serde_json::from_str(value).unwrap_or_default();
        }
        keys.insert(setting.key.into(), schema);
    }
    let profiles: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    keys["profile"]["enum"] = profiles.into();
    keys["builders"]["enum"] = json!(BUILDERS);
    let rules = |of: &str| {
        json!({
            "description": format!("How bad the findings of a rule are{of}: `off` for a rule that does not run."),
            "type": "object",
            "propertyNames": { "enum": RuleId::ALL },
            "additionalProperties": { "enum": ["off", "info", "warning", "error"] },
        })
    };
    keys.insert("rules".into(), rules(""));
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let path = json!({
        "description": "A glob, or several, relative to the configuration.",
        "anyOf": [{ "type": "string" }, texts],
    });
    let per_file = blocks(
        "What differs for the files that a glob matches. Later entries win.",
        &["path"],
        &json!({ "path": path, "rules": rules(" there") }),
    );
    keys.insert("per-file".into(), per_file);
    let exempt = blocks(
        "Caches that some rules are silent about.",
        &["id", "reason"],
        &json!({
            "id": {
                "description": "A regular expression that matches the whole id, as `cachelane list` shows it.",
                "type": "string",
            },
            "rules": {
                "description": "The rules to silence. Default: those about builds that wait for a lock.",
                "type": "array",
                "items": { "enum": exempt::exemptible().collect::<Vec<_>>() },
                "minItems": 1,
            },
            "reason": { "description": "Why these caches may stay as they are.", "type": "string" },
        }),
    );
    keys.insert("exempt".into(), exempt);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        "title": "cachelane.toml",
        "description": "cachelane's configuration: `cachelane.toml` or `.cachelane.toml`, the nearest one upward from each Dockerfile.",
        "type": "object",
        "properties": keys,
        "additionalProperties": false,
    });
    format!("{schema:#}\n")
}

/// Returns the schema of a list of tables with these keys.
fn blocks(description: &str, required: &[&str], keys: &Value) -> Value {
    json!({
        "description": description,
        "type": "array",
        "items": {
            "type": "object",
            "required": required,
            "properties": keys,
            "additionalProperties": false,
        },
    })
}
