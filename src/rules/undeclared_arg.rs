//! `undeclared-arg`: an id refers to a variable that the instruction cannot see.

use crate::dockerfile::{Base, DeclaredBy, Variable, Word};
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Fix};

use super::caches::{PLATFORM_ARGS, needs_value};
use super::{Cache, Context, Rule};

pub(super) struct UndeclaredArg;

static META: RuleMeta = RuleMeta {
    name: "undeclared-arg",
    severity: Severity::Error,
    fix: Some(Applicability::Safe),
    goes_first: false,
    summary: "a cache id refers to a build argument that its RUN cannot see: it expands to nothing",
    doc: r"## What it does
Finds an id that refers to the lane argument where its RUN cannot see it: the ARG stands later, in another stage, only
before the first FROM, or nowhere. The same for the arguments that BuildKit sets itself (`TARGETARCH`, `TARGETPLATFORM`, …),
and for a variable that the file declares by ARG elsewhere but not here.

## Why
A name that is not declared expands to nothing, silently, and `--build-arg` does not reach the stage: all jobs share
`apt-cache-`. With `${CACHE_ID:-x}` they all share `apt-cache-x`, whatever they pass. An expansion sees the ARGs and ENVs
above it in its stage, and those of the stage it is built from; a global ARG is not seen until the stage declares the name.
For an ONBUILD trigger it is the triggers before it, and the image's ENV.

## Example
```dockerfile
ARG CACHE_ID=default
FROM debian
RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
Safe: `ARG CACHE_ID=default` on a line of its own, right before the first RUN of the stage that refers to it and above that
RUN's comments, with its indentation and line ending.

- A stage that is built from one which declares it needs none.
- With a global `ARG CACHE_ID=…`, the line is a bare `ARG CACHE_ID`: one default rules.
- A line of the stage that comes too late moves up. One that declares more names, or has a comment of its own, stays, and a
  line is added.
- The line never goes into a continued instruction or a heredoc, and goes above a template's block that hides it from
  another RUN that needs it.
- Where other stages of the file have one default, it is that: `ARG CACHE_ID=ci`, so that no cache is split.
- With `keep-default = true` in `cachelane.toml` it is a bare `ARG CACHE_ID`: builds that pass nothing keep `apt-`.
- Before an ONBUILD RUN it is `ONBUILD ARG CACHE_ID=default`; for a platform argument a bare `ARG TARGETARCH`.
- Where ids refer to the argument only as `${CACHE_ID:+-${CACHE_ID}}` (what `keep-default` in `cachelane.toml` writes) or
  `${CACHE_ID:-x}`, it is a bare `ARG CACHE_ID`: a default would give builds that pass nothing another id.

There is none for a variable of your own: only you know its value. The fix needs review (`--unsafe`) where something else in
the stage uses the name, a target say.

## When to ignore it
When the base image sets the variable in ENV. cachelane stays silent by itself where FROM's image reference names it
(`FROM ros:${ROS_DISTRO}`), for variables that well-known images set (`PYTHON_VERSION`, `GOPATH`, …), in snippets, and for
names that the file never declares.
",
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
            let mut names: Vec<&str> = Vec::new();
            for Variable { name, .. } in cache.word.variables() {
                if names.contains(&name.as_str()) {
                    continue;
                }
                names.push(name);
                if cx.file.visible(name, cache.instruction).is_none() {
                    findings.extend(finding(cx, cache, name));
                }
            }
        }
    }
}

fn finding(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<Finding> {
    let (span, id) = (cache.mount.id_span(), cache.id());
    let unset = |other: &str| {
        let ours = other == name || other == cx.settings.arg || PLATFORM_ARGS.contains(&other);
        ours && cx.file.visible(other, cache.instruction).is_none()
    };
    let shared = cache.outcome(unset).map_or_else(
        || "it expands to nothing".to_owned(),
        |id| format!("every build uses the cache `{id}`"),
    );
    let lane = name == cx.settings.arg;
    if lane || PLATFORM_ARGS.contains(&name) {
        let end = if lane {
            "whatever the job passes"
        } else {
            "for every platform"
        };
        let message =
            format!("`{name}` is not declared where `{id}` refers to it: {shared}, {end}");
        let need = cx.declaring(name, cache.instruction, Applicability::Safe)?;
        let (title, edits) = (need.title(), need.edits.clone());
        let fix = if need.safe {
            Fix::safe(title, edits)
        } else {
            Fix::needs_review(title, edits)
        };
        return Some(
            Finding::new(&META, span, message)
                .help(need.advice())
                .fix(Ok(fix)),
        );
    }
    if !needs_value(&cache.word, name)
        || !declared_elsewhere(cx, name)
        || base_may_set(cx, cache.instruction, name)
    {
        return None;
    }
    let global = cx.file.global(name);
    let place = if global.is_some() {
        "only before the first FROM"
    } else {
        "only elsewhere in this file"
    };
    let message = format!("`{name}` is declared {place}, and `{id}` cannot see it: {shared}");
    let help = match global.and_then(|global| global.value.as_ref()) {
        Some(_) => format!("put a bare `ARG {name}` above the RUN: it takes the global default"),
        None => format!("put `ARG {name}` above the RUN, with the default that you want there"),
    };
    Some(
        Finding::new(&META, span, message)
            .help(help)
            .fix(Err(format!("only you know which `{name}` is meant"))),
    )
}

fn declared_elsewhere(cx: &Context<'_>, name: &str) -> bool {
    cx.file
        .declarations(name)
        .iter()
        .any(|declaration| declaration.by == DeclaredBy::Arg && !declaration.onbuild)
}

/// Whether `name` may come from the ENV of the image that the stage starts from.
fn base_may_set(cx: &Context<'_>, index: usize, name: &str) -> bool {
    let root = cx.file.ancestors(index).last();
    let Some(Base::Image(image)) = root.map(|root| &root.base) else {
        return true;
    };
    // `FROM ros:${ROS_DISTRO}`: such images say in ENV what their tag says.
    let image = Word::read(image.as_bytes(), cx.file.escape);
    BASE_IMAGE_ENV.contains(&name) || image.map_or(true, |word| word.mentions(name))
}
