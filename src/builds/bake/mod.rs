//! Bake files: the targets that are built.
//!
//! By Docker's *Bake file reference*: a target has `context` (`.`), `dockerfile` (`Dockerfile`, below the context) or
//! `dockerfile-inline`, `target` and `args`; `inherits` names targets whose attributes it takes, later ones before earlier
//! ones and its own before all, arguments by name; an argument that is `null` is not passed; `matrix` builds it once for
//! each combination. Variables may be set from outside: what is made of one is taken at its default, and is unknown where
//! that is none, or an expression that this reader does not compute. An attribute at the top is no variable: its value is
//! what it says, whatever the environment holds.

mod hcl;
mod json;
mod matrix;
mod pass;
mod value;

use std::collections::{HashMap, HashSet};

use self::value::{Ast, Field, Kind, Part, Scope, Value};
use super::format::{FilePath, Format, Inserter, Open, several_lines};
use super::model::{
    Arg, Build, BuildFile, BuildTool, Escapes, Inline, ReadError, Service, Subject, Unknown,
};
use super::paths;
use super::yaml::More;
use crate::budget;
use crate::text::Span;

/// What a bake file says.
#[derive(Debug, Default)]
pub(super) struct File {
    variables: Vec<Variable>,
    groups: Vec<(String, Ast)>,
    targets: Vec<Target>,
    /// The targets of each name, by index.
    names: HashMap<String, Vec<usize>>,
}

/// What a name at the top stands for.
#[derive(Debug)]
struct Variable {
    name: String,
    default: Option<Ast>,
    /// Whether it is a `variable` block, which takes the environment's value, and no attribute.
    is_block: bool,
}

/// A `target` block.
#[derive(Debug)]
struct Target {
    name: String,
    /// Where the name stands.
    span: Span,
    /// The block: in JSON its braces, in HCL all of it.
    body: Span,
    fields: Vec<Field>,
}

/// Bake, in HCL or JSON.
#[derive(Debug)]
pub struct Bake;

impl Format for Bake {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let rest = path.name.strip_prefix("docker-bake");
        rest.is_some_and(|rest| {
            rest.starts_with(['.', '-']) && (rest.ends_with(".hcl") || rest.ends_with(".json"))
        })
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        read(source)
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        let file = File::read(source)?;
        Ok(Box::new(Opened { source, file }))
    }

    fn adds(&self) -> Option<More> {
        None
    }

    fn long_texts(&self, source: &str) -> Result<Option<Vec<Span>>, ReadError> {
        if is_json(source) {
            return Ok(None);
        }
        let inline = read(source)?.inline;
        let spans = inline.iter().map(|inline| inline.span);
        Ok(Some(several_lines(source, spans)))
    }
}

/// A bake file that is open.
struct Opened<'s> {
    source: &'s str,
    file: File,
}

impl Open for Opened<'_> {
    fn inserter(&self) -> Result<Inserter<'_>, String> {
        Ok(pass::passer(self.source, &self.file))
    }
}

/// Reads the builds of a bake file. JSON, and nothing else, begins with a brace.
fn read(source: &str) -> Result<BuildFile, ReadError> {
    if memchr::memmem::find(source.as_bytes(), b"target").is_none() {
        return Ok(BuildFile::default());
    }
    Ok(of(source, &File::read(source)?))
}

fn of(source: &str, file: &File) -> BuildFile {
    let mut scope = file.scope();
    let mut wiring = BuildFile::default();
    for target in file.built(&scope) {
        add(&mut wiring, source, file, target, &mut scope);
    }
    wiring.builds.sort_by_key(|build| build.span);
    wiring
}

fn is_json(source: &str) -> bool {
    source
        .trim_start_matches('\u{FEFF}')
        .trim_start()
        .starts_with('{')
}

impl File {
    pub(super) fn read(source: &str) -> Result<Self, ReadError> {
        let mut file = if is_json(source) {
            json::file(source)
        } else {
            hcl::file(source)
        }?;
        for (index, target) in file.targets.iter().enumerate() {
            file.names
                .entry(target.name.clone())
                .or_default()
                .push(index);
        }
        Ok(file)
    }

    /// The blocks of a name: they are one target, of which the last counts first.
    fn named(&self, name: &str) -> impl Iterator<Item = &Target> {
        self.names
            .get(name)
            .into_iter()
            .flatten()
            .rev()
            .map(|&index| &self.targets[index])
    }

    fn scope(&self) -> Scope<'_> {
        let blocks = self.variables.iter().filter(|variable| variable.is_block);
        let all = self
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), variable.default.as_ref()));
        Scope::new(all, blocks.map(|variable| variable.name.as_str()).collect())
    }

    /// The targets that somebody builds: not those that others only inherit from.
    fn built(&self, scope: &Scope<'_>) -> Vec<&Target> {
        let names = |ast: &Ast| match scope.value(ast) {
            Value::List(values) => values
                .iter()
                .map(|value| value.text().map(str::to_owned))
                .collect(),
            _ => vec![None],
        };
        let mut named: HashSet<String> = HashSet::from(["default".to_owned()]);
        for (_, targets) in &self.groups {
            named.extend(names(targets).into_iter().flatten());
        }
        let mut inherited: HashSet<String> = HashSet::new();
        for target in &self.targets {
            inherited.extend(
                target
                    .get("inherits")
                    .map(names)
                    .into_iter()
                    .flatten()
                    .flatten(),
            );
            for field in target
                .get("contexts")
                .and_then(Ast::fields)
                .unwrap_or_default()
            {
                let context = scope.value(&field.value);
                named.extend(
                    context
                        .text()
                        .and_then(|text| text.strip_prefix("target:"))
                        .map(str::to_owned),
                );
            }
        }
        let built =
            |target: &&Target| named.contains(&target.name) || !inherited.contains(&target.name);
        self.targets.iter().filter(built).collect()
    }

    /// The target with those that it inherits from, those whose attributes count first; and whether that is all.
    fn lineage<'a>(&'a self, target: &'a Target, scope: &Scope<'_>) -> (Vec<&'a Target>, bool) {
        let mut found: Vec<&Target> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut known = true;
        let mut left = vec![target];
        while let Some(target) = left.pop() {
            if !seen.insert(&target.name) {
                continue;
            }
            if !budget::spend(16) {
                break;
            }
            found.extend(self.named(&target.name));
            let Some(inherits) = target.get("inherits") else {
                continue;
            };
            let values = scope.value(inherits);
            known &= values.list().is_some();
            for value in values.list().unwrap_or_default() {
                let parent = value.text().and_then(|name| self.named(name).next());
                known &= parent.is_some();
                // The last in is the first out: of the parents, the last counts first.
                left.extend(parent);
            }
        }
        (found, known)
    }
}

impl Target {
    fn field(&self, key: &str) -> Option<&Field> {
        self.fields
            .iter()
            .rfind(|field| field.key.as_deref() == Some(key))
    }

    fn get(&self, key: &str) -> Option<&Ast> {
        self.field(key)
            .map(|field| &field.value)
            .filter(|value| !matches!(value.kind, Kind::Null))
    }
}

fn add(wiring: &mut BuildFile, source: &str, file: &File, target: &Target, scope: &mut Scope<'_>) {
    let (lineage, known) = file.lineage(target, scope);
    let name = format!("target `{}`", target.name);
    let get = |key: &str| lineage.iter().find_map(|target| target.get(key));
    let mut found: Vec<(Subject, Option<String>)> = Vec::new();
    for combination in matrix::of(get("matrix"), scope) {
        scope.matrix = combination;
        let what = match what(wiring, &get, known, scope) {
            Ok(what) => what,
            Err(why) => {
                let unknown = Unknown {
                    span: target.span,
                    why: format!("{name}: {why}"),
                };
                if !wiring.unknown.contains(&unknown) {
                    wiring.unknown.push(unknown);
                }
                continue;
            }
        };
        let stage = get("target")
            .map(|ast| scope.value(ast))
            .and_then(|value| value.text().map(str::to_owned));
        if !found.contains(&(what.clone(), stage.clone())) {
            found.push((what, stage));
        }
    }
    scope.matrix.clear();
    let (args, args_known) = args(source, &lineage, scope);
    if !Arg::pay(args.len() * (1 + found.len())) {
        return;
    }
    let whole = ["context", "dockerfile", "dockerfile-inline"]
        .iter()
        .any(|key| get(key).is_some());
    for (what, stage) in found {
        // The legs of a matrix are builds of one command, like targets that stand one below the other.
        wiring.builds.push(Build {
            target: stage,
            args: args.clone(),
            args_known: args_known && known,
            service: Some(Service {
                name: target.name.clone(),
                partial: !whole,
            }),
            ..Build::new(BuildTool::Bake, name.clone(), target.span, what)
        });
    }
}

fn what<'a>(
    wiring: &mut BuildFile,
    get: &dyn Fn(&str) -> Option<&'a Ast>,
    known: bool,
    scope: &Scope<'_>,
) -> Result<Subject, String> {
    if let Some(ast) = get("dockerfile-inline") {
        let made = inline(ast, scope)
            .ok_or("its `dockerfile-inline` is an expression that is not computed")?;
        let index = wiring
            .inline
            .iter()
            .position(|other| other.span == made.span && other.text == made.text);
        return Ok(Subject::Inline(index.unwrap_or_else(|| {
            wiring.inline.push(made);
            wiring.inline.len() - 1
        })));
    }
    let text = |key: &str, otherwise: &str| match get(key) {
        None if known => Ok(otherwise.to_owned()),
        None => Err("it inherits from a target that is not in this file".to_owned()),
        Some(ast) => {
            scope
                .value(ast)
                .text()
                .map(str::to_owned)
                .ok_or_else(|| match ast.variable() {
                    Some(name) => format!("its `{key}` is named by the variable `{name}`"),
                    None => format!("its `{key}` is an expression that is not computed"),
                })
        }
    };
    let context = text("context", ".")?;
    // What stands below the folder that bake is started in, when the rest is remote.
    let context = context.strip_prefix("cwd://").unwrap_or(&context);
    let dockerfile = text("dockerfile", "Dockerfile")?;
    paths::dockerfile(
        context,
        dockerfile.strip_prefix("cwd://").unwrap_or(&dockerfile),
    )
    .map(Subject::File)
}

fn inline(ast: &Ast, scope: &Scope<'_>) -> Option<Inline> {
    let Kind::Text(parts) = &ast.kind else {
        let text = scope.value(ast).text()?.to_owned();
        return Some(Inline {
            text,
            pieces: Vec::new(),
            span: ast.span,
            escapes: Escapes::Template,
            newline: "\n",
        });
    };
    let mut made = Inline {
        text: String::new(),
        pieces: Vec::new(),
        span: ast.span,
        escapes: Escapes::Template,
        newline: "\n",
    };
    for part in parts {
        match part {
            Part::Literal(text, pieces) => {
                let start = made.text.len();
                made.pieces.extend(pieces.iter().map(|piece| super::Piece {
                    text: start + piece.text,
                    ..*piece
                }));
                made.text.push_str(text);
            }
            // What is not known looks like the expression of a template: the Dockerfile's reader lets it be anything.
            Part::Hole(ast, written) => match scope.value(ast) {
                Value::Text(text) => made.text.push_str(&text),
                _ => made.text.push_str(&format!("{{{{ {written} }}}}")),
            },
        }
    }
    Some(made)
}

/// The arguments that a target passes, and whether these are all.
fn args(source: &str, lineage: &[&Target], scope: &Scope<'_>) -> (Vec<Arg>, bool) {
    let mut args: Vec<Arg> = Vec::new();
    let mut names: HashSet<&str> = HashSet::new();
    let mut known = true;
    for ast in lineage.iter().filter_map(|target| target.get("args")) {
        let Some(fields) = ast.fields() else {
            known = false;
            continue;
        };
        for field in fields {
            let Some(name) = field.key.as_deref() else {
                known = false;
                continue;
            };
            let value = scope.value(&field.value);
            // With `null` it is not passed, or as an inherited one says.
            if value != Value::Null && names.insert(name) {
                let written = String::from_utf8_lossy(field.value.span.of(source.as_bytes()));
                let value = value
                    .text()
                    .map_or_else(|| written.trim_matches('"').to_owned(), str::to_owned);
                let from = scope.variables(&field.value);
                let span = Span::new(field.key_span.start, field.value.span.end);
                args.push(Arg {
                    name: name.to_owned(),
                    value: Some(value),
                    span,
                    from,
                });
            }
        }
    }
    (args, known)
}
