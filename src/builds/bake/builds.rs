use std::borrow::Cow;
use std::collections::HashSet;

use hcl_edit::expr::Expression;

use super::file::{File, Lineage, after};
use super::heredoc::{self, Part};
use super::scope::BakeScope;
use super::value::{Ast, Field, Kind, Value};
use crate::builds::inline::hole;
use crate::builds::jobs::{MAX_ROWS, product};
use crate::builds::model::{
    Arg, Build, BuildFile, BuildTool, Escapes, Inline, NoCache, PathsFrom, Service, Subject,
    TargetLeg, Unknown,
};
use crate::builds::paths;
use crate::builds::platforms::Platforms;
use crate::text::{SourceMap, Span};

pub(super) fn builds(source: &str, file: &File) -> BuildFile {
    let mut scope = file.scope(source);
    let mut found = BuildFile::default();
    for target in file.built(&scope) {
        let lineage = file.lineage(target, &scope);
        lineage.add_to(&mut found, source, &mut scope);
    }
    found.builds.sort_by_key(|build| build.span);
    found.groups = file.groups(&scope);
    found
}

/// Rows of a target's matrix that build the same, but for their arguments.
struct RowGroup {
    subject: Subject,
    stage: Option<String>,
    platforms: Platforms,
    legs: Vec<TargetLeg>,
}

impl<'f> Lineage<'f> {
    /// Returns the attribute that counts, with its value: the first one that is not `null`.
    fn get(&self, key: &str, scope: &BakeScope<'_>) -> Option<(&'f Ast, Value)> {
        let all = self.all.iter().filter_map(|target| target.get(key));
        let mut all = all.map(|ast| (ast, scope.value(ast)));
        all.find(|(_, value)| *value != Value::Null)
    }

    fn value(&self, key: &str, scope: &BakeScope<'_>) -> Option<Value> {
        self.get(key, scope).map(|(_, value)| value)
    }

    fn text(&self, key: &str, scope: &BakeScope<'_>) -> Option<String> {
        Some(self.value(key, scope)?.text()?.into_owned())
    }

    fn add_to(&self, file: &mut BuildFile, source: &str, scope: &mut BakeScope<'_>) {
        let name = format!("target `{}`", self.target.name);
        let span = self.target.span;
        let mut found: Vec<RowGroup> = Vec::new();
        let matrix = self.get("matrix", scope);
        let matrix = matrix.as_ref().map(|(ast, value)| axes(ast, value, scope));
        for row in rows(matrix.as_deref().unwrap_or_default()) {
            scope.matrix = row;
            match self.subject(file, scope) {
                Ok(subject) => {
                    let stage = self.text("target", scope);
                    let platforms = self.value("platforms", scope);
                    let platforms = platforms.as_ref().map_or(Platforms::Unnamed, platforms_of);
                    let leg = matrix.as_ref().map(|_| self.leg(source, scope));
                    let is_same =
                        |one: &&mut RowGroup| one.subject == subject && one.stage == stage;
                    match found.iter_mut().find(is_same) {
                        Some(one) => {
                            one.platforms.merge(platforms);
                            one.legs.extend(leg);
                        }
                        None => found.push(RowGroup {
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
            partial: !whole.any(|key| self.value(key, scope).is_some()),
            profiles: Vec::new(),
            after: self
                .value("contexts", scope)
                .as_ref()
                .map(after)
                .unwrap_or_default(),
            legs: Vec::new(),
            axes: matrix.into_iter().flatten().map(|(name, _)| name).collect(),
            of_script: false,
            paths_from: PathsFrom::Caller,
        };
        let no_cache = self.no_cache(scope);
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
            no_cache: no_cache.clone(),
            ..Build::new(BuildTool::Bake, name.clone(), span, one.subject)
        }));
    }

    /// Returns the build of one combination of the matrix, whose values are in `scope`.
    fn leg(&self, source: &str, scope: &BakeScope<'_>) -> TargetLeg {
        let (args, _) = self.args(source, scope);
        let is_paid = Arg::pay(args.len());
        TargetLeg {
            name: self
                .text("name", scope)
                .unwrap_or_else(|| self.target.name.clone()),
            args: if is_paid { args } else { Vec::new() },
        }
    }

    fn no_cache(&self, scope: &BakeScope<'_>) -> Option<NoCache> {
        if let Some((ast, all)) = self.get("no-cache", scope)
            && all.text().as_deref() == Some("true")
        {
            let (span, stages) = (ast.span, Vec::new());
            return Some(NoCache { span, stages });
        }
        let (ast, filter) = self.get("no-cache-filter", scope)?;
        let stages: Vec<_> = filter.list()?.iter().filter_map(Value::text).collect();
        NoCache::of_stages(&stages.join(","), ast.span)
    }

    fn subject(&self, file: &mut BuildFile, scope: &BakeScope<'_>) -> Result<Subject, String> {
        if let Some((ast, _)) = self.get("dockerfile-inline", scope) {
            let inline = inline(ast, scope)
                .ok_or_else(|| format!("its `dockerfile-inline` {}", scope.obstacle(ast)))?;
            return Ok(file.add_inline(inline));
        }
        let text = |key: &str, usual: &str| {
            let Some((ast, value)) = self.get(key, scope) else {
                let why = "it inherits from a target that is not in this file";
                return self.known.then(|| usual.to_owned()).ok_or(why.to_owned());
            };
            let text = value.text();
            let text = text.ok_or_else(|| format!("its `{key}` {}", scope.obstacle(ast)))?;
            // The part below the folder that bake is started in, when the rest is remote.
            Ok(text.strip_prefix("cwd://").unwrap_or(&text).to_owned())
        };
        let context = text("context", ".")?;
        paths::dockerfile(&context, &text("dockerfile", "Dockerfile")?).map(Subject::File)
    }

    /// Returns the arguments that the target passes, and whether these are all.
    fn args(&self, source: &str, scope: &BakeScope<'_>) -> (Vec<Arg>, bool) {
        let mut args: Vec<Arg> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut known = true;
        for ast in self.all.iter().filter_map(|target| target.get("args")) {
            let Some(fields) = ast.fields() else {
                // The values of an expression stand nowhere.
                let value = scope.value(ast);
                known &= value.fields().is_some() || value == Value::Null;
                for (name, value) in value.fields().unwrap_or_default() {
                    if *value != Value::Null && !seen.contains(name) {
                        seen.insert(name.clone());
                        args.push(Arg {
                            from: scope.variables(ast),
                            ..Arg::new(name, value.text().map(Cow::into_owned), ast.span)
                        });
                    }
                }
                continue;
            };
            for field in fields {
                let Some(name) = field.key.as_deref() else {
                    known = false;
                    continue;
                };
                let value = scope.value(&field.value);
                // `null` passes nothing, or what an ancestor says.
                if value == Value::Null || seen.contains(name) {
                    continue;
                }
                seen.insert(name.to_owned());
                let span = field.value.span;
                let written = String::from_utf8_lossy(span.of(source.as_bytes()));
                let known_text = value.text();
                let value = known_text
                    .clone()
                    .unwrap_or_else(|| written.trim_matches('"').into());
                let span = Span::new(field.key_span.start, span.end);
                let is_known = known_text.is_some();
                args.push(Arg {
                    from: scope.variables(&field.value),
                    default: (!is_known).then(|| scope.defaults(&field.value)),
                    ..Arg::new(name, Some(value.into_owned()), span)
                });
            }
        }
        (args, known)
    }
}

fn platforms_of(value: &Value) -> Platforms {
    value.list().map_or(Platforms::Unknown, |list| {
        let texts: Vec<_> = list.iter().map(Value::text).collect();
        Platforms::of(texts.iter().map(Option::as_deref))
    })
}

/// Returns the names of a `matrix` with their values, in the order of the file where it says one.
fn axes(ast: &Ast, value: &Value, scope: &BakeScope<'_>) -> Vec<(String, Value)> {
    let Some(fields) = ast.fields() else {
        return value.fields().unwrap_or_default().to_vec();
    };
    let axis = |field: &Field| Some((field.key.clone()?, scope.value(&field.value)));
    fields.iter().filter_map(axis).collect()
}

/// Returns the combinations of a `matrix`, and the value of each name in them; one combination of unknown values where
/// there are too many or the axes are unknown.
fn rows(matrix: &[(String, Value)]) -> Vec<Vec<(String, Value)>> {
    let mut count = 1;
    let axis = |(name, value): &(String, Value)| {
        let values = value.list().filter(|list| count * list.len() <= MAX_ROWS);
        let values = values.unwrap_or(&[Value::Unknown]).to_vec();
        count *= values.len();
        (name.clone(), values)
    };
    let axes: Vec<_> = matrix.iter().map(axis).collect();
    product(&axes).unwrap_or_default()
}

fn inline(ast: &Ast, scope: &BakeScope<'_>) -> Option<Inline> {
    let (mut text, mut map) = (String::new(), SourceMap::default());
    let parts = match &ast.kind {
        Kind::Other(expression) => heredoc::parts(scope.source, expression),
        _ => None,
    };
    for part in parts.iter().flatten() {
        match part {
            Part::Literal(literal, places) => {
                map.append(text.len(), places, Span::new(0, literal.len()));
                text.push_str(literal);
            }
            Part::Hole(expression) => {
                // One without a default is meant to be set.
                let is_unset = matches!(expression, Expression::Variable(name)
                    if matches!(scope.declared(name.as_str()), Some((None, _))));
                let value = scope.hole(expression);
                match value.text().filter(|_| !is_unset) {
                    Some(value) => text.push_str(&value),
                    None => text.push_str(&hole(expression.to_string().trim())),
                }
            }
        }
    }
    if parts.is_none() {
        scope.value(ast).text()?.as_ref().clone_into(&mut text);
    }
    Some(Inline {
        text,
        map,
        span: ast.span,
        escapes: Escapes::Template,
        newline: "\n",
    })
}
