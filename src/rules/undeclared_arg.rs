//! `undeclared-arg`: an id refers to a variable that the instruction cannot see.

use std::collections::HashSet;
use std::rc::Rc;

use crate::budget;
use crate::dockerfile::{Base, DeclaredBy, Form, Variable, Word};
use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Edit, Fix};

use super::caches::Cache;
use super::context::Context;
use super::eligibility::{profile_help, suspicion};
use super::plan::Declaring;
use super::variables::{PLATFORM_ARGS, needs_default};

/// Variables that common base images set as ENV, so that an id may use them without an ARG: python, node, golang, rust,
/// ruby, php, and the ROS images.
const BASE_IMAGE_ENV: &str = "PATH HOME LANG PYTHON_VERSION NODE_VERSION YARN_VERSION GOLANG_VERSION GOPATH RUST_VERSION \
    CARGO_HOME RUSTUP_HOME RUBY_VERSION GEM_HOME PHP_VERSION JAVA_VERSION JAVA_HOME CUDA_VERSION \
    ROS_DISTRO ROS_VERSION DEBIAN_FRONTEND";

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let doubtful = doubtful(cx);
    for cache in cx.caches() {
        let mut names: Vec<&str> = Vec::new();
        for Variable { name, .. } in cache.word.variables() {
            if names.contains(&name.as_str()) {
                continue;
            }
            names.push(name);
            if cx.file.visible(name, cache.instruction).is_none() {
                findings.extend(finding(cx, cache, name, &doubtful));
            }
        }
    }
}

fn finding(cx: &Context<'_>, cache: &Cache<'_>, name: &str, doubtful: &Lines) -> Option<Finding> {
    let (span, id) = (cache.mount.id_span(), cache.id());
    let unset = |other: &str| {
        let ours = other == name || other == cx.settings.arg || PLATFORM_ARGS.contains(&other);
        ours && cx.file.visible(other, cache.instruction).is_none()
    };
    let lane = name == cx.settings.arg;
    let mut forms = cache
        .word
        .variables()
        .filter(|variable| variable.name == name);
    let shared = if forms.any(|variable| matches!(variable.form, Form::Required(_))) {
        "the build stops there".to_owned()
    } else {
        cache.outcome(unset).map_or_else(
            || "it expands to nothing".to_owned(),
            |id| {
                // What is left of it may part them.
                let whose = if id.contains('$') {
                    "builds use"
                } else {
                    "every build uses"
                };
                format!("{whose} the cache `{id}`")
            },
        )
    };
    if lane || PLATFORM_ARGS.contains(&name) {
        let end = match name {
            _ if lane => "whatever the job passes",
            "TARGETSTAGE" => "for every target",
            _ => "for every platform",
        };
        let message =
            format!("`{name}` is not declared where `{id}` refers to it: {shared}, {end}");
        let need = cx.declaring(name, cache.instruction, Applicability::Safe)?;
        let finding = Finding::new(RuleId::UndeclaredArg, span, message);
        if let Some(help) = profile_help(cx.settings, cache) {
            let reason = suspicion(cx.settings, cache).unwrap_or_default();
            return Some(finding.help(help).fix(Err(reason)));
        }
        let fix = declaring(cx, cache, name, doubtful);
        return Some(finding.help(need.advice()).fix(Ok(fix)));
    }
    if !needs_default(&cache.word, name)
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
        Finding::new(RuleId::UndeclaredArg, span, message)
            .help(help)
            .fix(Err(format!("only you know which `{name}` is meant"))),
    )
}

/// Lines for parts of the platform, by their identity in the plan.
type Lines = HashSet<*const Declaring>;

/// Returns the lines for the parts of the platform that the id of `cache` lacks, in the order of their names in it.
fn parts(cx: &Context<'_>, cache: &Cache<'_>) -> Vec<Rc<Declaring>> {
    let mut parts: Vec<Rc<Declaring>> = Vec::new();
    let names = cache.word.variables().map(|variable| &*variable.name);
    for name in names.filter(|name| PLATFORM_ARGS.contains(name)) {
        let need = cx.declaring(name, cache.instruction, Applicability::Safe);
        let is_new = |need: &Rc<Declaring>| !parts.iter().any(|other| Rc::ptr_eq(other, need));
        parts.extend(need.filter(is_new));
    }
    parts
}

/// Returns the lines that need a look, and all others that ids lack beside those: an id gets them together.
fn doubtful(cx: &Context<'_>) -> Lines {
    let all = cx.caches().iter().map(|cache| parts(cx, cache));
    let all: Vec<Vec<Rc<Declaring>>> = all.filter(|parts| !parts.is_empty()).collect();
    let mut doubtful = Lines::new();
    loop {
        let before = doubtful.len();
        for parts in &all {
            let is_one = |need: &Rc<Declaring>| {
                need.applicability == Applicability::Unsafe || doubtful.contains(&Rc::as_ptr(need))
            };
            if budget::spend(parts.len()) && parts.iter().any(is_one) {
                doubtful.extend(parts.iter().map(Rc::as_ptr));
            }
        }
        if doubtful.len() == before {
            return doubtful;
        }
    }
}

/// Returns the fix that declares `name` for the id of `cache`; of the platform, with all other parts that the id lacks.
fn declaring(cx: &Context<'_>, cache: &Cache<'_>, name: &str, doubtful: &Lines) -> Fix {
    let is_platform = PLATFORM_ARGS.contains(&name);
    let mut applicability = Applicability::Safe;
    let needs: Vec<Rc<Declaring>> = if is_platform {
        let parts = parts(cx, cache);
        if parts
            .iter()
            .any(|need| doubtful.contains(&Rc::as_ptr(need)))
        {
            applicability = Applicability::Unsafe;
        }
        parts
    } else {
        let need = cx.declaring(name, cache.instruction, Applicability::Safe);
        need.into_iter().collect()
    };
    let mut edits: Vec<Edit> = Vec::new();
    for need in &needs {
        applicability = applicability.max(need.applicability);
        for edit in &need.edits {
            let at = edit.span();
            let here = |other: &&mut Edit| at.is_empty() && other.span() == at;
            match edits.iter_mut().find(here) {
                Some(line) => *line = Edit::insert(at.start, [line.text(), edit.text()].concat()),
                None => edits.push(edit.clone()),
            }
        }
    }
    let titles: Vec<String> = needs.iter().map(|need| need.title()).collect();
    let mut title = titles.join(" and ");
    if cx.settings.keep_default && is_platform {
        title.push_str(" (builds that pass nothing get its value into the id, too)");
    }
    Fix::new(applicability, title, edits)
}

fn declared_elsewhere(cx: &Context<'_>, name: &str) -> bool {
    cx.file
        .declarations(name)
        .iter()
        .any(|declaration| declaration.by == DeclaredBy::Arg && !declaration.onbuild)
}

/// Returns whether the stage's base image may set `name` as ENV.
fn base_may_set(cx: &Context<'_>, index: usize, name: &str) -> bool {
    let root = cx.file.ancestors(index).last();
    let Some(Base::Image(image)) = root.map(|root| &root.base) else {
        return true;
    };
    // `FROM ros:${ROS_DISTRO}`: such images repeat their tag in ENV.
    let image = Word::read(image.as_bytes(), cx.file.escape);
    BASE_IMAGE_ENV.split(' ').any(|known| known == name)
        || image.map_or(true, |word| word.mentions(name))
}
