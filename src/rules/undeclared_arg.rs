//! `undeclared-arg`: an id refers to a variable that the instruction cannot see.

use crate::dockerfile::{Base, DeclaredBy, Word};
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};

use super::caches::{PLATFORM_ARGS, needs_value};
use super::{Cache, Context, Rule};

pub(super) struct UndeclaredArg;

static META: RuleMeta = RuleMeta {
    name: "undeclared-arg",
    severity: Severity::Error,
    fix: Some(Applicability::Safe),
    summary: "a cache id refers to a build argument that its RUN cannot see: it expands to nothing",
};

/// Variables that widely used base images set as ENV, so that an id may refer to them without an ARG in its stage:
/// python, node, golang, rust, ruby, php, and the ROS images.
const BASE_IMAGE_ENV: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "PYTHON_VERSION",
    "NODE_VERSION",
    "YARN_VERSION",
    "GOLANG_VERSION",
    "GOPATH",
    "RUST_VERSION",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUBY_VERSION",
    "GEM_HOME",
    "PHP_VERSION",
    "JAVA_VERSION",
    "JAVA_HOME",
    "CUDA_VERSION",
    "ROS_DISTRO",
    "ROS_VERSION",
    "DEBIAN_FRONTEND",
];

impl Rule for UndeclaredArg {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx.caches() {
            let mut names: Vec<String> = Vec::new();
            cache.word.each_variable(&mut |variable| {
                if !names.contains(&variable.name) {
                    names.push(variable.name.clone());
                }
            });
            for name in names.iter().filter(|name| cx.file.visible(name, cache.instruction).is_none()) {
                findings.extend(finding(cx, cache, name));
            }
        }
    }
}

fn finding(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<Finding> {
    let (span, id) = (cache.mount.id_span(), cache.id());
    let shared = expansion(cache, name)
        .map_or_else(|| "it expands to nothing".to_owned(), |id| format!("every build uses the cache `{id}`"));
    let keyword = if cx.file.instructions[cache.instruction].onbuild { "ONBUILD ARG" } else { "ARG" };
    if name == cx.settings.arg {
        let message = format!("`{name}` is not declared where `{id}` refers to it: {shared}, whatever the job passes");
        let line = format!("{keyword} {}", declared(cx, name, keyword));
        return Some(
            Finding::new(&META, span, message)
                .help(format!("put `{line}` above the RUN"))
                .fix(declaring(&line, cx.declare_lane(cache.instruction))),
        );
    }
    if PLATFORM_ARGS.contains(&name) {
        let message = format!("`{name}` is not declared in this stage: {shared}, for every platform");
        let line = format!("{keyword} {name}");
        return Some(
            Finding::new(&META, span, message)
                .help(format!("put `{line}` above the RUN"))
                .fix(declaring(&line, cx.declare_platform(name, cache.instruction))),
        );
    }
    if !needs_value(&cache.word, name) || !declared_elsewhere(cx, name) || base_may_set(cx, cache.instruction, name) {
        return None;
    }
    let message = format!("`{name}` is declared elsewhere in this file, but not where `{id}` refers to it: {shared}");
    let help = format!("put `ARG {name}` above the RUN, with the default that you want there");
    Some(Finding::new(&META, span, message).help(help).fix(Err(format!("only you know which `{name}` is meant"))))
}

fn declaring(line: &str, edits: Vec<Edit>) -> Result<Fix, String> {
    if edits.is_empty() {
        return Err("no line could be found that the declaration can stand on".into());
    }
    Ok(Fix::safe(format!("declare `{line}`"), edits))
}

/// What stands behind `ARG` in the line to write.
fn declared(cx: &Context<'_>, name: &str, keyword: &str) -> String {
    let global = cx.file.global(name).is_some_and(|global| global.value.is_some());
    if global && keyword == "ARG" { name.to_owned() } else { format!("{name}={}", cx.settings.default) }
}

/// What the id comes out as: `name` is unset, other variables stand as they are.
fn expansion(cache: &Cache<'_>, name: &str) -> Option<String> {
    let keep = |other: &str| (other != name).then(|| format!("${{{other}}}").into_bytes());
    cache.word.expand(&mut |other| keep(other)).map(|id| String::from_utf8_lossy(&id).into_owned())
}

fn declared_elsewhere(cx: &Context<'_>, name: &str) -> bool {
    cx.file.declarations(name).iter().any(|declaration| declaration.by == DeclaredBy::Arg && !declaration.onbuild)
}

/// Whether `name` may come from the ENV of the image that the stage starts from.
fn base_may_set(cx: &Context<'_>, index: usize, name: &str) -> bool {
    let mut stage = cx.file.stage_of(index);
    while let Some(index) = stage {
        match &cx.file.stages[index].base {
            Base::Stage(base) => stage = Some(*base),
            // `FROM ros:${ROS_DISTRO}`: such images say in ENV what their tag says.
            Base::Image(image) => {
                let image = Word::read(image.as_bytes(), cx.file.escape);
                return BASE_IMAGE_ENV.contains(&name) || image.map_or(true, |word| word.mentions(name));
            }
            Base::Unknown => return true,
        }
    }
    true
}
