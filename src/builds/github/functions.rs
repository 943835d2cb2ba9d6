//! The functions of GitHub's expressions.

use super::value::{OWN, Operand, Resolve, Value, are_equal};
use crate::budget;
use crate::builds::paths::Text;

/// Computes a call, whose arguments are `written` so.
pub fn call(name: &str, args: &[Operand], written: &str, resolve: Resolve<'_>) -> Operand {
    let name = name.to_ascii_lowercase();
    let is_own = args.iter().any(|arg| arg.is_own);
    let of = |value: Option<Value>| Operand::of(value.unwrap_or(Value::Unknown), is_own);
    match (name.as_str(), args) {
        // A step runs where nothing fails.
        ("success" | "always", []) => return of(Some(Value::Bool(true))),
        ("cancelled", []) => return of(Some(Value::Bool(false))),
        (OWN, [own]) => return Operand::of(own.value.clone(), true),
        ("format", [format, args @ ..]) if !format.value.is_symbolic() => {
            return of(formatted(&format.value, args));
        }
        // All of the matrix tells its rows apart, as one text.
        ("tojson", [_]) if written.trim_end_matches(')').trim() == "matrix" => {
            return resolve("matrix", None).unwrap_or_else(Operand::unknown);
        }
        _ => {}
    }
    let is_unknown = args.iter().any(|arg| arg.value == Value::Unknown);
    let is_pure = matches!(
        (name.as_str(), args.len()),
        ("contains" | "startswith" | "endswith" | "join", 2) | ("join" | "tojson" | "fromjson", 1)
    );
    let is_of_run = name == "hashfiles" && resolve("hashfiles", None).is_some();
    if is_unknown || !(is_pure || is_of_run) {
        return Operand::unknown();
    }
    if is_of_run || args.iter().any(|arg| arg.value.is_symbolic()) {
        let args: Vec<&Operand> = args.iter().collect();
        return Operand::open(&args, |args| format!("{name}({})", args.join(", ")));
    }
    let value = |at: usize| args.get(at).map(|arg| arg.value.clone());
    let text = |at: usize| value(at)?.text()?.plain();
    let cost = args.iter().map(|arg| size(&arg.value)).sum();
    if !budget::spend(cost) {
        return Operand::unknown();
    }
    of(match name.as_str() {
        "contains" => match &args[0].value {
            Value::List(items) => {
                let mut items = items.iter();
                Some(Value::Bool(
                    items.any(|item| are_equal(item, &args[1].value)),
                ))
            }
            _ => of_texts(text(0), text(1), |text, part| text.contains(part)),
        },
        "startswith" | "endswith" if args.iter().any(|arg| arg.value.is_list()) => {
            Some(Value::Bool(false))
        }
        "startswith" => of_texts(text(0), text(1), |text, part| text.starts_with(part)),
        "endswith" => of_texts(text(0), text(1), |text, part| text.ends_with(part)),
        "join" => match &args[0].value {
            Value::List(items) => {
                let texts = items.iter().map(|item| item.clone().text()?.plain());
                let by = match args.get(1).map(|by| &by.value) {
                    None | Some(Value::List(_) | Value::Object(_)) => Some(",".to_owned()),
                    Some(_) => text(1),
                };
                let texts: Option<Vec<String>> = texts.collect();
                texts
                    .zip(by)
                    .map(|(texts, by)| Value::Text(texts.join(&by).into()))
            }
            _ => text(0).map(|text| Value::Text(text.into())),
        },
        "tojson" => {
            let json = to_json(&args[0].value);
            let json = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
            json.map(|json| Value::Text(json.into()))
        }
        _ => text(0)
            .and_then(|text| serde_json::from_str(&text).ok())
            .map(of_json),
    })
}

/// Returns the rough size of a value, in bytes.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Text(text) => text.text.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + size(value))
            .sum(),
        _ => 0,
    }
}

fn of_texts(
    text: Option<String>,
    part: Option<String>,
    test: fn(&str, &str) -> bool,
) -> Option<Value> {
    let is = test(&text?.to_uppercase(), &part?.to_uppercase());
    Some(Value::Bool(is))
}

/// Returns a value as JSON; `None` where a part of it is unknown.
pub fn to_json(value: &Value) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(is) => (*is).into(),
        // As GitHub writes it: 31, where Rust has 31.0.
        Value::Number(number) => serde_json::from_str(&number.to_string()).ok()?,
        Value::Text(text) => text.clone().plain()?.into(),
        Value::List(items) => items
            .iter()
            .map(to_json)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Value::Object(fields) => {
            let field = |(name, value): &(String, Value)| Some((name.clone(), to_json(value)?));
            Json::Object(fields.iter().map(field).collect::<Option<_>>()?)
        }
        Value::Unknown => return None,
    })
}

fn of_json(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(is) => Value::Bool(is),
        Json::Number(number) => number.as_f64().map_or(Value::Unknown, Value::Number),
        Json::String(text) => Value::Text(text.into()),
        Json::Array(items) => Value::List(items.into_iter().map(of_json).collect()),
        Json::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name, of_json(value)))
                .collect(),
        ),
    }
}

/// Puts the arguments of `format` in place of `{0}`, `{1}` and so on.
fn formatted(format: &Value, args: &[Operand]) -> Option<Value> {
    let Value::Text(format) = format else {
        return None;
    };
    let mut made = Text::default();
    let mut rest = format.text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        made.push(&rest[..at].into())?;
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix(mark) {
            made.push(&mark.into())?;
            rest = behind;
            continue;
        }
        let (number, behind) = rest.split_once('}').filter(|_| mark == "{")?;
        let arg: usize = number.parse().ok()?;
        made.push(&args.get(arg)?.value.clone().text()?)?;
        rest = behind;
    }
    made.push(&rest.into())?;
    Some(Value::Text(made))
}
