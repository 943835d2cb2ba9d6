//! `shared-lock`: a locked cache that every build on the builder shares.

use std::sync::Arc;

use crate::dockerfile::{Form, Variable};
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::Applicability;

use super::caches::Cache;
use super::context::Context;
use super::eligibility::{has_own_lane, is_shared_lock, profile_help};
use super::frontend::Frontend;
use super::settings::Unpassed;
use super::slot::{isolated_id, shows_id};
use super::variables::{PLATFORM_ARGS, depends_on, lanes, shadowing_env};

/// The limit for folders named because a lock serves them, too.
const MAX_SERVED: usize = 3;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for cache in cx
        .caches()
        .iter()
        .filter(|cache| is_shared_lock(cx.settings, cache))
    {
        let id = cache.id();
        let lock = match cache.mount.id() {
            Some(_) => format!("the lock `{id}` is the same for all"),
            None => format!("without an id, the lock is `{id}` for all"),
        };
        let who = if cx.settings.has_own_builders() {
            "builds that share a builder"
        } else {
            "parallel builds"
        };
        let mut message = format!("{who} wait for each other: {lock}");
        if let Some(other) = condition(cache, &cx.settings.arg) {
            message.push_str(&format!(" that pass no `{other}`"));
        }
        let mut finding = Finding::new(RuleId::SharedLock, cache.mount.id_span(), message)
            .help(help(cx, cache))
            .about(Arc::clone(&cache.key))
            .fix(cx.isolate(cache, &cx.settings.arg, Applicability::Safe));
        if cx.settings.has_own_builders() {
            finding.severity = Severity::Info;
        } else if profile_help(cx.settings, cache).is_none() {
            finding.tip = Some(tip(&cx.settings.arg));
        }
        findings.push(finding);
    }
    let has_own = |cache: &&Cache<'_>| has_own_lane(cx, cache);
    findings.extend(
        cx.caches()
            .iter()
            .filter(has_own)
            .map(|cache| own_lane(cx, cache)),
    );
}

/// Returns the finding on a lock by which no two builds that are known wait, since each passes a value of its own.
fn own_lane(cx: &Context<'_>, cache: &Cache<'_>) -> Finding {
    let names = lanes(cx.file, cx.settings, &cache.word, cache.instruction);
    let (names, setting) = (
        names.join("` and `"),
        &cx.settings.learned.own_lanes.setting,
    );
    let id = cache.id();
    let message = format!(
        "the builds that are known have lanes of their own by `{names}`: none waits for the lock `{id}`"
    );
    let help = format!(
        "write `{setting}` into cachelane.toml: then a build that passes none is an `unpassed-arg`"
    );
    let mut finding = Finding::new(RuleId::SharedLock, cache.mount.id_span(), message)
        .help(help)
        .fix(Err(
            "a second lane would only divide the cache once more".into()
        ));
    finding.severity = Severity::Info;
    finding
}

/// Returns the variable without which the id of `cache` has not the lane that it names.
fn condition<'c>(cache: &'c Cache<'_>, arg: &str) -> Option<&'c str> {
    let mut variables = cache.word.variables();
    let decides = |variable: &&Variable| match &variable.form {
        Form::Alternative { word, .. } => variable.name != arg && word.mentions(arg),
        _ => false,
    };
    variables.find(decides).map(|variable| &*variable.name)
}

/// Returns what each job is to pass.
pub fn tip(arg: &str) -> String {
    format!("and give each job its own `--build-arg {arg}=…`")
}

fn help(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    if let Some(help) = profile_help(cx.settings, cache) {
        return help;
    }
    if cx.settings.has_own_builders() {
        return "where jobs share a builder, take `builders = \"per-job\"` out of cachelane.toml, and run `cachelane fix`"
            .into();
    }
    let arg = &cx.settings.arg;
    // Most texts fit.
    let mut help = String::with_capacity(192);
    if let Some(tool) = cache.concurrent_tool() {
        let drops = |other: &Cache<'_>| {
            other.concurrent_tool().is_some() && cx.may_speak(RuleId::NeedlessLock, other)
        };
        let all = cx.same_cache(cache).all(drops);
        let (unlocks, isolates) = if all {
            (" (`fix --unsafe` does that)", " (`fix` does that)")
        } else {
            ("", "")
        };
        help.push_str(&format!(
            "drop `sharing=locked`: {tool} is made for several builds at once, and needs neither lock nor lane{unlocks}\n"
        ));
        help.push_str(&format!(
            "or, where the RUN itself writes there, keep both{isolates}:\n"
        ));
    }
    if let Some(env) = shadowing_env(cx.file, arg, cache.instruction) {
        let line = cx.line(env.instruction);
        help.push_str(&format!(
            "drop or rename the ENV on line {line}, which wins over what a job passes\n"
        ));
    }
    if let Some((frontend, _)) = Frontend::old(cx.file) {
        help.push_str(&format!(
            "{}: the one that is pinned expands no variables in ids\n",
            frontend.advice()
        ));
    }
    if cache.mount.torn || !shows_id(cx, cache) {
        help.extend(["put `", &cx.settings.suffix(arg), "` after the id"]);
    } else {
        help.extend([
            "write `id=",
            &isolated_id(cx.settings, cache, &cx.settings.arg),
            "`",
        ]);
    }
    if let Some(need) = cx.declaring(arg, cache.instruction, Applicability::Safe) {
        help.extend([", and ", &need.advice()]);
        if need.applicability == Applicability::Unsafe {
            help.push_str(&format!(
                "\n(something else in the stage uses `{arg}`: check whether it may change)"
            ));
        }
    }
    for served in cx.served(cache, arg).take(MAX_SERVED) {
        help.extend([
            "\nand `id=",
            &isolated_id(cx.settings, served, arg),
            "` beside it, which this lock serves, too",
        ]);
    }
    if let Some(note) = cx.lost_id(cache, arg) {
        help.push_str(&format!("\n({note})"));
    }
    let unpassed = &cx.settings.learned.own_lanes.unpassed;
    let depends = |name: &str| depends_on(cx.file, &cache.word, cache.instruction, name);
    if let Some(one) = unpassed.iter().find(|one| depends(&one.name)) {
        let Unpassed { name, build } = one;
        help.push_str(&format!(
            "\n(or, since other builds pass `{name}`: pass it in {build}, too, and write `isolating-args = [\"{name}\"]` \
             into cachelane.toml)"
        ));
        return help;
    }
    let mut names = cache.word.variables().map(|variable| &variable.name);
    if let Some(own) = names.find(|name| *name != arg && !PLATFORM_ARGS.contains(&name.as_str())) {
        help.push_str(&format!(
            "\n(if `{own}` sets your jobs apart, list it under `isolating-args` in cachelane.toml)"
        ));
    }
    help
}
