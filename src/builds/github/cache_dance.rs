//! The action buildkit-cache-dance, which fills cache mounts from GitHub's cache before builds, and keeps them after.
//!
//! By its documentation: `cache-map` is JSON of folders, each with a target or all options of a mount. `cache-source` with
//! `cache-target` and `cache-id` is the older form, by default of Go's build cache. Without any of them, it takes all cache
//! mounts of `dockerfile`. It mounts them in a Dockerfile of its own, where no variable has a value.

use serde_json::{Map, Value};

use crate::budget;
use crate::builds::model::{Fill, Filled};
use crate::builds::yaml::Node;

const NAME: &str = "buildkit-cache-dance";

/// Returns the caches that a step with this `uses` fills, if it is the action, a fork or a copy of it. Those that an
/// expression names are unknown.
pub fn fills(step: Node<'_>, uses: &str) -> Vec<Fill> {
    let path = uses.split('@').next().unwrap_or_default();
    if !path.split('/').any(|part| part == NAME) {
        return Vec::new();
    }
    let with = step.get("with");
    let input = |name: &str| {
        let entry = with?.entry(name)?;
        let text = entry.value.text()?.trim();
        let span = entry.key.span();
        (!matches!(text, "" | "{}")).then_some((span, text))
    };
    let whole = step.get("uses").unwrap_or(step).span();
    let (span, caches) = match (
        input("cache-map"),
        input("cache-target"),
        input("cache-source"),
    ) {
        (Some((span, map)), ..) => (span, mounts(map)),
        (None, Some((span, target)), _) => {
            let id = input("cache-id").map(|(_, id)| format!(",id={id}"));
            let mount = options("target", target) + &id.unwrap_or_default();
            (span, vec![Filled::Mount(mount)])
        }
        (None, None, Some((span, _))) => {
            let mount = options("target", "/root/.cache/go-build");
            (span, vec![Filled::Mount(mount)])
        }
        (None, None, None) => {
            let file = input("dockerfile").map_or("Dockerfile", |(_, file)| file);
            (whole, vec![Filled::Dockerfile(file.to_owned())])
        }
    };
    let caches = caches.into_iter().filter(|caches| {
        let (Filled::Mount(text) | Filled::Dockerfile(text)) = caches;
        !text.contains("${{") && !text.contains(char::is_whitespace)
    });
    caches.map(|caches| Fill { span, caches }).collect()
}

fn options(name: &str, value: &str) -> String {
    format!("type=cache,{name}={value}")
}

/// Returns the mounts of a `cache-map`; none where it is no JSON.
fn mounts(map: &str) -> Vec<Filled> {
    let map: Map<String, Value> = Some(map)
        .filter(|map| budget::spend(map.len()))
        .and_then(|map| serde_json::from_str(map).ok())
        .unwrap_or_default();
    let mount = |value: &Value| match value {
        Value::String(target) => Some(options("target", target)),
        Value::Object(all) => {
            let all = all.iter().map(|(name, value)| match value {
                Value::String(text) => format!(",{name}={text}"),
                other => format!(",{name}={other}"),
            });
            Some("type=cache".to_owned() + &all.collect::<String>())
        }
        _ => None,
    };
    map.values().filter_map(mount).map(Filled::Mount).collect()
}
