use std::collections::HashSet;

use super::file::{File, Lineage};
use super::value::{Ast, Kind, Part, Scope, Value};
use crate::builds::inline::hole;
use crate::builds::jobs::{MAX_ROWS, product};
use crate::builds::model::{
    Arg, Build, BuildFile, BuildTool, Escapes, Inline, Service, Subject, TargetLeg, Unknown,
};
use crate::builds::paths;
use crate::builds::platforms::Platforms;
use crate::text::{SourceMap, Span};

pub(super) fn builds(source: &str, file: &File) -> BuildFile {
    let mut scope = file.scope();
    let mut found = BuildFile::default();
    for target in file.built(&scope) {
        let lineage = file.lineage(target, &scope);
        lineage.add_to(&mut found, source, &mut scope);
    }
    found.builds.sort_by_key(|build| build.span);
    found.groups = file.groups(&scope);
    found
}

/// What rows of a target's matrix have in common.
struct Found {
    subject: Subject,
    stage: Option<String>,
    platforms: Platforms,
    legs: Vec<TargetLeg>,
}

impl<'f> Lineage<'f> {
    fn get(&self, key: &str) -> Option<&'f Ast> {
        self.all.iter().find_map(|target| target.get(key))
    }

    fn add_to(&self, file: &mut BuildFile, source: &str, scope: &mut Scope<'_>) {
        let name = format!("target `{}`", self.target.name);
        let span = self.target.span;
        let mut found: Vec<Found> = Vec::new();
        let matrix = self.get("matrix");
        for row in rows(matrix, scope) {
            scope.matrix = row;
            match self.subject(file, scope) {
                Ok(subject) => {
                    let stage = self.get("target").map(|ast| scope.value(ast));
                    let stage = stage.as_ref().and_then(Value::text).map(str::to_owned);
                    let platforms = self.get("platforms").map(|ast| scope.value(ast));
                    let platforms = platforms.as_ref().map_or(Platforms::Unnamed, platforms_of);
                    let leg = matrix.map(|_| self.leg(source, scope));
                    let is_same = |one: &&mut Found| one.subject == subject && one.stage == stage;
                    match found.iter_mut().find(is_same) {
                        Some(one) => {
                            one.platforms.merge(platforms);
                            one.legs.extend(leg);
                        }
                        None => found.push(Found {
                            subject,
                            stage,
                            platforms,
                            legs: leg.into_iter().collect(),
                        }),
                    }
                }
                Err(why) => {
                    let why = format!("{name}: {why}");
                    let unknown = Unknown { span, why };
                    if !file.unknown.contains(&unknown) {
                        file.unknown.push(unknown);
                    }
                }
            }
        }
        scope.matrix.clear();
        let (args, args_known) = self.args(source, scope);
        if !Arg::pay(args.len() * (1 + found.len())) {
            return;
        }
        let mut whole = ["context", "dockerfile", "dockerfile-inline"].iter();
        let service = Service {
            name: self.target.name.clone(),
            partial: !whole.any(|key| self.get(key).is_some()),
            profiles: Vec::new(),
            after: self.after(scope),
            legs: Vec::new(),
            axes: keys(matrix).map(str::to_owned).collect(),
        };
        // The legs of a matrix are builds of one command, like neighbouring targets.
        file.builds.extend(found.into_iter().map(|one| Build {
            target: one.stage,
            platforms: one.platforms,
            args: args.clone(),
            args_known: args_known && self.known,
            service: Some(Service {
                legs: one.legs,
                ..service.clone()
            }),
            ..Build::new(BuildTool::Bake, name.clone(), span, one.subject)
        }));
    }

    /// Returns the build of one combination of the matrix, whose values are in `scope`.
    fn leg(&self, source: &str, scope: &Scope<'_>) -> TargetLeg {
        let name = self.get("name").map(|ast| scope.value(ast));
        let name = name.as_ref().and_then(Value::text);
        let (args, _) = self.args(source, scope);
        let is_paid = Arg::pay(args.len());
        TargetLeg {
            name: name.unwrap_or(&self.target.name).to_owned(),
            args: if is_paid { args } else { Vec::new() },
        }
    }

    /// Returns the names of the targets whose results it takes.
    fn after(&self, scope: &Scope<'_>) -> Vec<String> {
        let contexts = self.get("contexts").and_then(Ast::fields);
        let values = contexts.unwrap_or_default().iter();
        let name = |value: &Ast| {
            let value = scope.value(value);
            Some(value.text()?.strip_prefix("target:")?.to_owned())
        };
        values.filter_map(|field| name(&field.value)).collect()
    }

    fn subject(&self, file: &mut BuildFile, scope: &Scope<'_>) -> Result<Subject, String> {
        if let Some(ast) = self.get("dockerfile-inline") {
            let inline = inline(ast, scope)
                .ok_or("its `dockerfile-inline` is an expression that is not computed")?;
            return Ok(file.add_inline(inline));
        }
        let text = |key: &str, usual: &str| {
            let Some(ast) = self.get(key) else {
                let why = "it inherits from a target that is not in this file";
                return self.known.then(|| usual.to_owned()).ok_or(why.to_owned());
            };
            let value = scope.value(ast);
            let text = value.text().ok_or_else(|| match ast.variable() {
                Some(name) => format!("its `{key}` is named by the variable `{name}`"),
                None => format!("its `{key}` is an expression that is not computed"),
            })?;
            // The part below the folder that bake is started in, when the rest is remote.
            Ok(text.strip_prefix("cwd://").unwrap_or(text).to_owned())
        };
        let context = text("context", ".")?;
        paths::dockerfile(&context, &text("dockerfile", "Dockerfile")?).map(Subject::File)
    }

    /// Returns the arguments that the target passes, and whether these are all.
    fn args(&self, source: &str, scope: &Scope<'_>) -> (Vec<Arg>, bool) {
        let mut args: Vec<Arg> = Vec::new();
        let mut names: HashSet<&str> = HashSet::new();
        let mut known = true;
        for ast in self.all.iter().filter_map(|target| target.get("args")) {
            let fields = ast.fields();
            known &= fields.is_some();
            for field in fields.unwrap_or_default() {
                let Some(name) = field.key.as_deref() else {
                    known = false;
                    continue;
                };
                let value = scope.value(&field.value);
                // `null` passes nothing, or what an ancestor says.
                if value == Value::Null || !names.insert(name) {
                    continue;
                }
                let span = field.value.span;
                let written = String::from_utf8_lossy(span.of(source.as_bytes()));
                let value = value.text().unwrap_or_else(|| written.trim_matches('"'));
                let span = Span::new(field.key_span.start, span.end);
                args.push(Arg {
                    from: scope.variables(&field.value),
                    ..Arg::new(name, Some(value.to_owned()), span)
                });
            }
        }
        (args, known)
    }
}

fn platforms_of(value: &Value) -> Platforms {
    value.list().map_or(Platforms::Unknown, |list| {
        Platforms::of(list.iter().map(Value::text))
    })
}

/// Returns the names of a `matrix`.
fn keys(matrix: Option<&Ast>) -> impl Iterator<Item = &str> {
    let fields = matrix.and_then(Ast::fields).unwrap_or_default();
    fields.iter().filter_map(|field| field.key.as_deref())
}

/// Returns the combinations of a `matrix`, and the value of each name in them; one combination of unknown values where
/// there are too many or the axes are unknown.
fn rows(matrix: Option<&Ast>, scope: &Scope<'_>) -> Vec<Vec<(String, Value)>> {
    let mut count = 1;
    let mut axes = Vec::new();
    for field in matrix.and_then(Ast::fields).unwrap_or_default() {
        let Some(name) = field.key.clone() else {
            continue;
        };
        let value = scope.value(&field.value);
        let values = value.list().filter(|list| count * list.len() <= MAX_ROWS);
        let values = values.unwrap_or(&[Value::Unknown]).to_vec();
        count *= values.len();
        axes.push((name, values));
    }
    product(&axes).unwrap_or_default()
}

fn inline(ast: &Ast, scope: &Scope<'_>) -> Option<Inline> {
    let (mut text, mut map) = (String::new(), SourceMap::default());
    if let Kind::Text(parts) = &ast.kind {
        for part in parts {
            match part {
                Part::Literal(literal, places) => {
                    map.append(text.len(), places, Span::new(0, literal.len()));
                    text.push_str(literal);
                }
                Part::Hole(ast, written) => match scope.value(ast) {
                    Value::Text(value) => text.push_str(&value),
                    _ => text.push_str(&hole(written)),
                },
            }
        }
    } else {
        scope.value(ast).text()?.clone_into(&mut text);
    }
    Some(Inline {
        text,
        map,
        span: ast.span,
        escapes: Escapes::Template,
        newline: "\n",
    })
}
