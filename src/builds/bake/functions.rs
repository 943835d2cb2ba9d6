//! The functions that bake has, as far as files use them to name things; those that ask the clock or the machine are
//! left out.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256, Sha512};

use super::printf;
use super::value::{Evaluated, Failed, Value, bool_of, number_of, whole_of};
use crate::budget;

/// The names of the functions in [`call`].
const NAMES: &str = "absolute add and basename can ceil chomp coalesce coalescelist compact concat contains dirname \
    distinct divide element equal flatten floor format formatlist greaterthan greaterthanorequalto hasindex index \
    indexof int join keys length lessthan lessthanorequalto lookup lower max merge min modulo multiply negate not \
    notequal or range regex regex_replace replace reverse reverselist sanitize setproduct sha256 sha512 slice sort \
    split strlen substr subtract title trim trimprefix trimspace trimsuffix try upper values zipmap";

/// The longest list that `range` makes.
const MAX_RANGE: u16 = 1024;

pub(super) fn is_known(name: &str) -> bool {
    NAMES.split_whitespace().any(|known| known == name)
}

fn number(number: f64) -> Evaluated {
    let is_number = number.is_finite();
    is_number.then_some(Value::Number(number)).ok_or(Failed)
}

/// Returns the value of a list at a number, or of an object at a name.
pub(super) fn item(value: Value, key: &Value) -> Evaluated {
    match (value, key) {
        (Value::Unknown, _) | (_, Value::Unknown) => Ok(Value::Unknown),
        (Value::List(mut values), key) => {
            let at = usize::try_from(whole_of(key)?).map_err(|_| Failed)?;
            (at < values.len())
                .then(|| values.swap_remove(at))
                .ok_or(Failed)
        }
        (Value::Object(fields), key) => {
            let key = key.text().ok_or(Failed)?;
            let mut fields = fields.into_iter();
            let field = fields.find(|(name, _)| *name == key);
            field.map(|(_, value)| value).ok_or(Failed)
        }
        _ => Err(Failed),
    }
}

struct Args(Vec<Value>);

impl Args {
    fn get(&self, at: usize) -> Result<&Value, Failed> {
        self.0.get(at).ok_or(Failed)
    }

    fn text(&self, at: usize) -> Result<String, Failed> {
        Ok(self.get(at)?.text().ok_or(Failed)?.into_owned())
    }

    fn number(&self, at: usize) -> Result<f64, Failed> {
        number_of(self.get(at)?)
    }

    fn is(&self, at: usize) -> Result<bool, Failed> {
        bool_of(self.get(at)?)
    }

    fn list(&self, at: usize) -> Result<&[Value], Failed> {
        self.get(at)?.list().ok_or(Failed)
    }

    fn fields(&self, at: usize) -> Result<&[(String, Value)], Failed> {
        self.get(at)?.fields().ok_or(Failed)
    }

    /// Returns all lists from `at` on.
    fn lists(&self, at: usize) -> Result<Vec<&[Value]>, Failed> {
        (at..self.0.len()).map(|at| self.list(at)).collect()
    }

    fn numbers(&self) -> Result<Vec<f64>, Failed> {
        let numbers: Vec<f64> = self.0.iter().map(number_of).collect::<Result<_, _>>()?;
        (!numbers.is_empty()).then_some(numbers).ok_or(Failed)
    }
}

/// Calls the function `name`; unknown where it is none of these, or an argument is.
pub(super) fn call(name: &str, args: Vec<Value>) -> Evaluated {
    // These move values about without looking into them.
    let moves = matches!(
        name,
        "coalesce"
            | "coalescelist"
            | "concat"
            | "element"
            | "flatten"
            | "keys"
            | "length"
            | "lookup"
            | "merge"
            | "reverselist"
            | "slice"
            | "values"
            | "zipmap"
    );
    let is_known = |value: &Value| {
        if moves {
            *value != Value::Unknown
        } else {
            value.is_known()
        }
    };
    let size: usize = args.iter().map(Value::size).sum();
    if !args.iter().all(is_known) || !budget::spend(16 + 8 * size) {
        return Ok(Value::Unknown);
    }
    let args = Args(args);
    let of_text = texts(name, &args)?;
    let found = match of_text {
        Some(text) => Some(Value::Text(text)),
        None => match numbers(name, &args)? {
            Some(value) => Some(value),
            None => lists(name, &args)?,
        },
    };
    Ok(found
        .filter(|value| budget::spend(8 * value.size()))
        .unwrap_or(Value::Unknown))
}

/// Calls a function that makes a text; `None` where `name` is none.
fn texts(name: &str, args: &Args) -> Result<Option<String>, Failed> {
    let lines: &[char] = &['\n', '\r'];
    Ok(Some(match name {
        "lower" => args.text(0)?.to_lowercase(),
        "upper" => args.text(0)?.to_uppercase(),
        "title" => title(&args.text(0)?),
        "trimspace" => args.text(0)?.trim().to_owned(),
        "chomp" => args.text(0)?.trim_end_matches(lines).to_owned(),
        "trim" => {
            let cut = args.text(1)?;
            args.text(0)?.trim_matches(|ch| cut.contains(ch)).to_owned()
        }
        "trimprefix" => {
            let (text, cut) = (args.text(0)?, args.text(1)?);
            text.strip_prefix(&cut).unwrap_or(&text).to_owned()
        }
        "trimsuffix" => {
            let (text, cut) = (args.text(0)?, args.text(1)?);
            text.strip_suffix(&cut).unwrap_or(&text).to_owned()
        }
        "replace" => {
            let (text, old, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
            if !budget::spend((1 + text.len()) * (1 + new.len())) {
                return Ok(None);
            }
            text.replace(&old, &new)
        }
        "regex_replace" => {
            let (text, new) = (args.text(0)?, args.text(2)?);
            let pattern = pattern(&args.text(1)?, &text)?;
            if !budget::spend((1 + text.len()) * (1 + new.len())) {
                return Ok(None);
            }
            let made = pattern.replace_all(text.as_bytes(), new.as_bytes());
            String::from_utf8(made.into_owned()).map_err(|_| Failed)?
        }
        "reverse" => args.text(0)?.chars().rev().collect(),
        "substr" => {
            let text: Vec<char> = args.text(0)?.chars().collect();
            let (from, len) = (whole_of(args.get(1)?)?, whole_of(args.get(2)?)?);
            let from = usize::try_from(from).unwrap_or_else(|_| {
                let behind = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX);
                text.len().saturating_sub(behind)
            });
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            text.into_iter().skip(from).take(len).collect()
        }
        "join" => {
            let between = args.text(0)?;
            let lists = args.lists(1)?.concat();
            let texts = lists.iter().map(|value| value.text().ok_or(Failed));
            let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
            if !budget::spend(texts.len() * between.len()) {
                return Ok(None);
            }
            texts.join(&between)
        }
        "format" => match printf::format(&args.text(0)?, &args.0[1..])? {
            Some(text) => text,
            None => return Ok(None),
        },
        // The characters that a target's name may have.
        "sanitize" => {
            let is_plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-');
            let text = args.text(0)?;
            text.chars()
                .map(|ch| if is_plain(ch) { ch } else { '_' })
                .collect()
        }
        "basename" => {
            let path = args.text(0)?;
            let last = path.trim_end_matches('/').rsplit('/').next();
            match last.unwrap_or_default() {
                "" if path.is_empty() => ".".to_owned(),
                "" => "/".to_owned(),
                last => last.to_owned(),
            }
        }
        "dirname" => {
            let path = args.text(0)?;
            match path.rsplit_once('/') {
                None => ".".to_owned(),
                Some(("", _)) => "/".to_owned(),
                Some((folder, _)) => folder.trim_end_matches('/').to_owned(),
            }
        }
        "sha256" => hex(&Sha256::digest(args.text(0)?)),
        "sha512" => hex(&Sha512::digest(args.text(0)?)),
        _ => return Ok(None),
    }))
}

fn hex(bytes: &[u8]) -> String {
    let hex = |text: String, byte| text + &format!("{byte:02x}");
    bytes.iter().fold(String::new(), hex)
}

fn title(text: &str) -> String {
    let mut starts = true;
    let each = text.chars().map(|ch| {
        let made = if starts { ch.to_ascii_uppercase() } else { ch };
        starts = !ch.is_alphanumeric() && ch != '_' && ch != '\'';
        made
    });
    each.collect()
}

/// Compiles a regular expression for `text`. Its classes are those of ASCII, as in Go.
fn pattern(written: &str, text: &str) -> Result<regex::bytes::Regex, Failed> {
    let cost = (1 + written.len()).saturating_mul(64 + text.len());
    let pattern = regex::bytes::RegexBuilder::new(written)
        .unicode(false)
        .size_limit(1 << 18)
        .build();
    pattern.ok().filter(|_| budget::spend(cost)).ok_or(Failed)
}

/// Calls a function that makes a number or answers yes or no; `None` where `name` is none.
fn numbers(name: &str, args: &Args) -> Result<Option<Value>, Failed> {
    let made = match name {
        "and" => Value::Bool(args.is(0)? && args.is(1)?),
        "or" => Value::Bool(args.is(0)? || args.is(1)?),
        "not" => Value::Bool(!args.is(0)?),
        "equal" => Value::Bool(args.get(0)? == args.get(1)?),
        "notequal" => Value::Bool(args.get(0)? != args.get(1)?),
        "lessthan" => Value::Bool(args.number(0)? < args.number(1)?),
        "lessthanorequalto" => Value::Bool(args.number(0)? <= args.number(1)?),
        "greaterthan" => Value::Bool(args.number(0)? > args.number(1)?),
        "greaterthanorequalto" => Value::Bool(args.number(0)? >= args.number(1)?),
        "add" => number(args.number(0)? + args.number(1)?)?,
        "subtract" => number(args.number(0)? - args.number(1)?)?,
        "multiply" => number(args.number(0)? * args.number(1)?)?,
        "divide" => number(args.number(0)? / args.number(1)?)?,
        "modulo" => number(args.number(0)? % args.number(1)?)?,
        "negate" => number(-args.number(0)?)?,
        "absolute" => number(args.number(0)?.abs())?,
        "ceil" => number(args.number(0)?.ceil())?,
        "floor" => number(args.number(0)?.floor())?,
        "int" => number(args.number(0)?.trunc())?,
        "max" => number(args.numbers()?.into_iter().fold(f64::MIN, f64::max))?,
        "min" => number(args.numbers()?.into_iter().fold(f64::MAX, f64::min))?,
        "strlen" => Value::count(args.text(0)?.chars().count()),
        "length" => match args.get(0)? {
            Value::Object(fields) => Value::count(fields.len()),
            _ => Value::count(args.list(0)?.len()),
        },
        "contains" => Value::Bool(args.list(0)?.contains(args.get(1)?)),
        "hasindex" => Value::Bool(item(args.get(0)?.clone(), args.get(1)?).is_ok()),
        "indexof" => {
            let wanted = args.get(1)?;
            let at = args.list(0)?.iter().position(|value| value == wanted);
            Value::count(at.ok_or(Failed)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(made))
}

/// Calls a function that makes or takes lists or others; `None` where `name` is none.
fn lists(name: &str, args: &Args) -> Result<Option<Value>, Failed> {
    let text = |text: &str| Value::Text(text.to_owned());
    let made = match name {
        "split" => {
            let between = args.text(0)?;
            let all = args.text(1)?;
            let parts: Vec<Value> = match between.as_str() {
                "" => all.chars().map(|ch| Value::Text(ch.into())).collect(),
                _ => all.split(&between).map(text).collect(),
            };
            Value::List(parts)
        }
        "regex" => {
            let text = args.text(1)?;
            let pattern = pattern(&args.text(0)?, &text)?;
            let found = pattern.captures(text.as_bytes()).ok_or(Failed)?;
            let group = |at: usize| match found.get(at) {
                Some(group) => Value::Text(String::from_utf8_lossy(group.as_bytes()).into_owned()),
                None => Value::Null,
            };
            if pattern.capture_names().flatten().next().is_some() {
                let names = pattern.capture_names().enumerate();
                let named = names.filter_map(|(at, name)| Some((name?.to_owned(), group(at))));
                Value::object(named.collect())
            } else if found.len() > 1 {
                Value::List((1..found.len()).map(group).collect())
            } else {
                group(0)
            }
        }
        "formatlist" => return formatted(args).map(Some),
        "element" => {
            let list = args.list(0)?;
            let len = i64::try_from(list.len()).map_err(|_| Failed)?;
            let at = whole_of(args.get(1)?)?
                .checked_rem_euclid(len)
                .ok_or(Failed)?;
            list[usize::try_from(at).map_err(|_| Failed)?].clone()
        }
        "index" => item(args.get(0)?.clone(), args.get(1)?)?,
        "slice" => {
            let ends = [whole_of(args.get(1)?)?, whole_of(args.get(2)?)?];
            let [start, end] = ends.map(|end| usize::try_from(end).map_err(|_| Failed));
            Value::List(args.list(0)?.get(start?..end?).ok_or(Failed)?.to_vec())
        }
        "concat" => Value::List(args.lists(0)?.concat()),
        "reverselist" => Value::List(args.list(0)?.iter().rev().cloned().collect()),
        "flatten" => {
            let mut flat = Vec::new();
            let mut open: Vec<&Value> = args.list(0)?.iter().rev().collect();
            while let Some(value) = open.pop() {
                match value {
                    Value::List(values) => open.extend(values.iter().rev()),
                    Value::Unknown => return Ok(Some(Value::Unknown)),
                    value => flat.push(value.clone()),
                }
            }
            Value::List(flat)
        }
        "distinct" => {
            let mut kept: Vec<Value> = Vec::new();
            for value in args.list(0)? {
                let is_paid = budget::spend(kept.len());
                if is_paid && !kept.contains(value) {
                    kept.push(value.clone());
                }
            }
            Value::List(kept)
        }
        "compact" => {
            let is_there = |value: &&Value| !matches!(value, Value::Null) && **value != text("");
            Value::List(args.list(0)?.iter().filter(is_there).cloned().collect())
        }
        "sort" => {
            let mut texts = args.get(0)?.texts();
            texts.sort();
            Value::List(texts.into_iter().map(Value::Text).collect())
        }
        "range" => range(args)?,
        "setproduct" => {
            let mut rows = vec![Vec::new()];
            for list in args.lists(0)? {
                if !budget::spend(64 * rows.len() * list.len()) {
                    return Ok(None);
                }
                let row = |row: &Vec<Value>, value: &Value| {
                    [&row[..], std::slice::from_ref(value)].concat()
                };
                let next = rows
                    .iter()
                    .flat_map(|one| list.iter().map(move |value| row(one, value)));
                rows = next.collect();
            }
            Value::List(rows.into_iter().map(Value::List).collect())
        }
        _ => return objects(name, args),
    };
    Ok(Some(made))
}

/// Calls a function that makes or takes objects, or chooses; `None` where `name` is none.
fn objects(name: &str, args: &Args) -> Result<Option<Value>, Failed> {
    let text = |text: &str| Value::Text(text.to_owned());
    let made = match name {
        "coalesce" => {
            let found = args.0.iter().find(|value| **value != Value::Null);
            found.cloned().ok_or(Failed)?
        }
        "coalescelist" => {
            let lists = args.lists(0)?;
            Value::List(
                lists
                    .into_iter()
                    .find(|list| !list.is_empty())
                    .ok_or(Failed)?
                    .to_vec(),
            )
        }
        "keys" => Value::List(args.fields(0)?.iter().map(|(key, _)| text(key)).collect()),
        "values" => Value::List(
            args.fields(0)?
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
        ),
        "lookup" => match (item(args.get(0)?.clone(), args.get(1)?), args.0.get(2)) {
            (Err(Failed), Some(default)) => default.clone(),
            (found, _) => found?,
        },
        "merge" => {
            let mut all = Vec::new();
            for at in 0..args.0.len() {
                match args.get(at)? {
                    Value::Null => {}
                    _ => all.extend(args.fields(at)?.iter().cloned()),
                }
            }
            Value::object(all)
        }
        "zipmap" => {
            let (keys, values) = (args.get(0)?.texts(), args.list(1)?);
            if keys.len() != values.len() {
                return Err(Failed);
            }
            Value::object(keys.into_iter().zip(values.iter().cloned()).collect())
        }
        _ => return Ok(None),
    };
    Ok(Some(made))
}

/// Counts from the first number up or down to the second, which is left out, in steps of the third.
fn range(args: &Args) -> Evaluated {
    let (start, end) = match args.0.len() {
        1 => (0.0, args.number(0)?),
        _ => (args.number(0)?, args.number(1)?),
    };
    let step = match args.0.get(2) {
        Some(step) => number_of(step)?,
        None if end < start => -1.0,
        None => 1.0,
    };
    let numbers = (0..=MAX_RANGE).map(|at| start + step * f64::from(at));
    let is_before = |number: &f64| {
        if step < 0.0 {
            *number > end
        } else {
            *number < end
        }
    };
    let numbers: Vec<Value> = numbers.take_while(is_before).map(Value::Number).collect();
    let fits = step != 0.0 && numbers.len() <= MAX_RANGE.into();
    fits.then_some(Value::List(numbers)).ok_or(Failed)
}

/// Formats once for each row of the lists among the arguments.
fn formatted(args: &Args) -> Evaluated {
    let lens: HashSet<usize> = args
        .0
        .iter()
        .filter_map(Value::list)
        .map(<[_]>::len)
        .collect();
    let rows = match lens.len() {
        0 => 1,
        1 => lens.into_iter().next().unwrap_or_default(),
        _ => return Err(Failed),
    };
    let mut made = Vec::new();
    for row in 0..rows {
        let value = |value: &Value| match value {
            Value::List(values) => values[row].clone(),
            value => value.clone(),
        };
        let own: Vec<Value> = args.0.iter().skip(1).map(value).collect();
        match printf::format(&args.text(0)?, &own)? {
            Some(text) => made.push(Value::Text(text)),
            None => return Ok(Value::Unknown),
        }
    }
    Ok(Value::List(made))
}
