//! The action buildkit-cache-dance, which fills cache mounts from GitHub's cache before builds, and keeps them after.
//!
//! By its documentation: `cache-map` is JSON of folders, each with a target or all options of a mount. `cache-source` with
//! `cache-target` and `cache-id` is the older form, by default of Go's build cache. Without any of them, it takes all cache
//! mounts of `dockerfile`. It mounts them in a Dockerfile of its own, where no variable has a value.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::budget;
use crate::builds::model::{Fill, Filled, Renaming};
use crate::builds::yaml::{NewValue, Node, Style, Yaml};
use crate::text::Span;

const NAME: &str = "buildkit-cache-dance";

/// Says that a text is written in a way that no edit follows.
const UNUSUAL: &str = "it is written in an unusual way there";

/// Says that only a run knows which caches these are.
const EXPRESSION: &str = "an expression is part of what names the cache there";

/// Returns the caches that a step of `job` with this `uses` fills, if it is the action, a fork or a copy of it.
pub fn fills(step: Node<'_>, uses: &str, job: Option<&str>) -> Vec<Fill> {
    let path = uses.split('@').next().unwrap_or_default();
    if !path.split('/').any(|part| part == NAME) {
        return Vec::new();
    }
    let with = step.get("with");
    let input = |name: &str| {
        let entry = with?.entry(name)?;
        (!matches!(entry.value.text()?.trim(), "" | "{}")).then_some(entry)
    };
    let fill = |span, caches, renaming| Fill {
        span,
        caches,
        job: job.map(str::to_owned),
        renaming,
    };
    let of_mount = |span, mount: String, renaming| {
        let is_open = mount.contains("${{");
        let renaming = if is_open {
            Err(EXPRESSION.into())
        } else {
            renaming
        };
        fill(span, Filled::Mount(mount), renaming)
    };
    if let Some(map) = input("cache-map") {
        let span = map.key.span();
        let Some(mounts) = mounts(map.value) else {
            let texts = quoted(map.value.text().unwrap_or_default());
            return vec![fill(span, Filled::Quoted(texts), Err(EXPRESSION.into()))];
        };
        let mounts = mounts.into_iter();
        return mounts
            .map(|(mount, renaming)| of_mount(span, mount, renaming))
            .collect();
    }
    let (target, source) = (input("cache-target"), input("cache-source"));
    let Some(with) = with.filter(|_| target.is_some() || source.is_some()) else {
        let file = input("dockerfile").and_then(|file| file.value.text());
        let file = file.map_or("Dockerfile", str::trim).to_owned();
        let why = "it takes the ids from the Dockerfile, and gives their variables no value: name them in `cache-map`";
        let span = step.get("uses").unwrap_or(step).span();
        return vec![fill(span, Filled::Dockerfile(file), Err(why.into()))];
    };
    let place = target.or(source).map_or(with.span(), |it| it.key.span());
    let target = target.and_then(|target| target.value.text());
    let target = target.map_or("/root/.cache/go-build", str::trim);
    let mut mount = options("target", target);
    let renaming = match input("cache-id") {
        Some(id) => {
            mount += &format!(",id={}", id.value.text().unwrap_or_default().trim());
            written(id.value)
        }
        None => added(with, target),
    };
    vec![of_mount(place, mount, renaming)]
}

/// Returns the texts within quotes of a map that is no JSON since expressions make some of it.
fn quoted(map: &str) -> Vec<String> {
    if !map.contains("${{") || !budget::spend(4 * map.len()) {
        return Vec::new();
    }
    // A text in an expression may hold others, as `'{ "id": "apt" }'` does.
    let split = [
        map.split(&['"'][..]).collect::<Vec<&str>>(),
        map.split(&['"', '\''][..]).collect(),
    ];
    let pairs = split.iter().flat_map(|parts| parts.windows(2));
    // The key of an entry is the name of a folder.
    let values = pairs.filter(|pair| !pair[1].trim_start().starts_with(':'));
    let texts: BTreeSet<&str> = values.map(|pair| pair[0].trim_matches('\\')).collect();
    texts.into_iter().map(str::to_owned).collect()
}

fn options(name: &str, value: &str) -> String {
    format!("type=cache,{name}={value}")
}

/// Returns the mounts of a `cache-map`, and how each gets another id; `None` where it is no JSON.
fn mounts(map: Node<'_>) -> Option<Vec<(String, Result<Renaming, String>)>> {
    let text = map.text().filter(|text| budget::spend(text.len()))?;
    let all: Map<String, Value> = serde_json::from_str(text).ok()?;
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
    // JSON is YAML, whose reader knows the places.
    let places = Yaml::read(text).ok();
    let places = places.as_ref().and_then(Yaml::root);
    let renaming = |name: &str| {
        let value = places.and_then(|places| places.get(name));
        in_map(map, value?)
    };
    let mounts = all.iter().filter_map(|(name, value)| {
        let renaming = renaming(name).ok_or_else(|| UNUSUAL.to_owned());
        Some((mount(value)?, renaming))
    });
    Some(mounts.collect())
}

/// Returns how `value`, of the JSON in the text of `map`, gets another id.
fn in_map(map: Node<'_>, value: Node<'_>) -> Option<Renaming> {
    let is_plain = |node: &Node<'_>| {
        node.text().map(|text| format!("\"{text}\"")).as_deref() == Some(node.raw())
    };
    let (span, before, behind) = match (value.text(), value.get("id"), value.get("target")) {
        (Some(target), ..) => {
            is_plain(&value).then_some(())?;
            let before = format!("{{\"target\": \"{target}\", \"id\": \"");
            (value.span(), before, "\"}")
        }
        (None, Some(id), _) => {
            let span = Some(id).filter(is_plain)?.span();
            (Span::new(span.start + 1, span.end - 1), String::new(), "")
        }
        (None, None, target) => {
            let target = target.filter(is_plain)?;
            (target.span(), format!("{}, \"id\": \"", target.raw()), "\"")
        }
    };
    let quote = match map.style() {
        Some(Style::Double) => "\\\"",
        _ => "\"",
    };
    // A quote may be an escape there, which has no place as a whole.
    let is_whole = value.source()[span.start..].starts_with('"');
    let inner = Span::new(
        span.start + usize::from(is_whole),
        span.end - usize::from(is_whole),
    );
    let (mut span, source) = (map.map().exact(inner)?, map.source());
    if is_whole {
        let is_quoted =
            source[..span.start].ends_with(quote) && source[span.end..].starts_with(quote);
        is_quoted.then_some(())?;
        span = Span::new(span.start - quote.len(), span.end + quote.len());
    }
    let escaped = |text: &str| text.replace('"', quote);
    (!map.is_alias() && !map.is_anchored()).then(|| Renaming {
        span,
        before: escaped(&before),
        behind: escaped(behind),
    })
}

/// Returns how the input `id` gets another value.
fn written(id: Node<'_>) -> Result<Renaming, String> {
    let (text, raw) = (id.text().unwrap_or_default(), id.raw());
    let inner = raw.find(text).filter(|_| raw.len() <= text.len() + 2);
    let at = inner.filter(|_| !id.is_alias() && !id.is_anchored());
    let start = id.span().start + at.ok_or(UNUSUAL)?;
    Ok(Renaming {
        span: Span::new(start, start + text.len()),
        before: String::new(),
        behind: String::new(),
    })
}

/// Returns how the inputs get an id, beside the `target`.
fn added(with: Node<'_>, target: &str) -> Result<Renaming, String> {
    let edit = with.put(&["cache-id"], NewValue::Scalar(target))?;
    let (before, behind) = edit.text().rsplit_once(target).ok_or(UNUSUAL)?;
    Ok(Renaming {
        span: edit.span(),
        before: before.to_owned(),
        behind: behind.to_owned(),
    })
}
