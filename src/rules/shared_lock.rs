//! `shared-lock`: a locked cache that every build on the builder shares.

use std::sync::Arc;

use crate::finding::{Elsewhere, Finding, Label, RuleMeta, Severity};
use crate::fix::Applicability;
use crate::text::count;

use super::caches::{PLATFORM_ARGS, shadowing_env};
use super::frontend::Frontend;
use super::lane::{is_shared_lock, isolated_id, shows_id, suffix};
use super::{Cache, Context, LockUse, Other, Rule};

/// How many folders that a lock serves, too, are named.
const MAX_SERVED: usize = 3;

pub(super) struct SharedLock;

static META: RuleMeta = RuleMeta {
    name: "shared-lock",
    severity: Severity::Error,
    fix: Some(Applicability::Safe),
    goes_first: false,
    summary: "a locked cache id without a per-job part: parallel builds wait for each other",
    doc: r"## What it does
Finds a cache mount with `sharing=locked` whose id names no lane. The id is the `id` option, or else the cleaned target
path. Variables other than the lane argument, and what is made of it, do not count: `${TARGETARCH}` sets platforms apart,
not jobs. One of your own that does set jobs apart counts once `isolating-args` in `cachelane.toml` lists it.

## Why
`locked` lets one build at a time use an id, for as long as its RUN takes; the others poll, without end and without a word.
The id is one lock for the whole builder (measured on Docker 20.10 and BuildKit 0.13: two jobs took twice the time of one).

## Example
```dockerfile
RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
Safe: `-${CACHE_ID}` behind the id, or `id=<target>-${CACHE_ID}` behind `type=cache` where there is none, and the ARG as
`undeclared-arg` places it. The other mounts of the file that are the same cache get the lane too, so that no RUN loses what
another has fetched; other files keep theirs. An apt folder without a lock of its own gets the lane of the one whose lock
serves it. A cache that `needless-lock` knows gets a lane like any other: that is safe, does no harm, and goes with the lock
once you drop it (`fix --unsafe --rules needless-lock`).

There is none where the target holds a comma or a quote, or is not UTF-8 (give the mount an id first), where a template's
expression opens in the flag and does not end there, where the template's engine fills in `${…}` itself (lines that begin
with `%`), or where the new id is that of another cache of the file already. All mounts of a cache in a file get their lane,
or none of them. The fix needs review (`--unsafe`) where something else in the stage uses the argument.

With `keep-default = true` in `cachelane.toml`, or `fix --keep-default`, it is `${CACHE_ID:+-${CACHE_ID}}` behind the id and
a bare ARG: a build that passes nothing keeps the id that it has, and its warm cache (measured on BuildKit 0.13). Where the
file gives the argument a default already, that still rules, in all its stages alike, and the fix says which id comes of it.

## When to ignore it
When the builder never runs two builds at once, or when each job has a builder of its own. A pipeline that passes
`BUILDKIT_CACHE_MOUNT_NS` is isolated without any of this: say `namespace = true` in `cachelane.toml`, and the rule is
silent. So it is with the profile `railway`, whose builder takes no variables in ids.
",
};

impl Rule for SharedLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx.caches().iter().filter(|cache| is_shared_lock(cx, cache)) {
            let id = cache.id();
            let message = if cache.mount.id().is_some() {
                [
                    "parallel builds wait for each other: the lock `",
                    &id,
                    "` is the same for all",
                ]
                .concat()
            } else {
                [
                    "parallel builds wait for each other: without an id, the lock is `",
                    &id,
                    "` for all",
                ]
                .concat()
            };
            findings.push(
                Finding::new(&META, cache.mount.id_span(), message)
                    .help(help(cx, cache))
                    .about(Arc::clone(&cache.key))
                    .fix(cx.isolate(cache)),
            );
        }
    }

    fn relate(&self, finding: &mut Finding, lock: &LockUse) {
        let others = lock.runs - 1;
        let files = if lock.files > 1 {
            format!(" in {}", count(lock.files, "file"))
        } else {
            String::new()
        };
        let take = if others == 1 { "takes" } else { "take" };
        let note = [
            &count(others, "other RUN"),
            &files,
            " ",
            take,
            " this lock too",
        ]
        .concat();
        finding.help = Some(match finding.help.take() {
            Some(help) => [&note, "\n", &help].concat(),
            None => note,
        });
        let label = "takes the same lock".to_owned();
        match &lock.other {
            Other::Here(span) => finding.labels.push(Label {
                span: *span,
                message: label,
            }),
            Other::There(path, range) => {
                // A large run has many of these, and each has one such place.
                finding.elsewhere.reserve_exact(1);
                finding.elsewhere.push(Elsewhere {
                    path: path.clone(),
                    range: *range,
                    message: label,
                });
            }
        }
    }
}

fn help(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let arg = &cx.settings.arg;
    // Room for what most of them come to.
    let mut help = String::with_capacity(192);
    if let Some(tool) = cache.concurrent_tool() {
        let drops = |other: &Cache<'_>| {
            other.concurrent_tool().is_some() && cx.may_speak("needless-lock", other)
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
        let line = cx.file.instructions[env.instruction].lines.0;
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
        help.extend(["put `", &suffix(cx.settings, arg), "` behind the id"]);
    } else {
        help.extend(["write `id=", &isolated_id(cx, cache), "`"]);
    }
    if let Some(need) = cx.declaring(arg, cache.instruction, Applicability::Safe) {
        help.extend([", and ", &need.advice()]);
        if !need.safe {
            help.push_str(&format!(
                "\n(something else in the stage uses `{arg}`: look whether it may change)"
            ));
        }
    }
    for served in cx.served(cache, arg).take(MAX_SERVED) {
        help.extend([
            "\nand `id=",
            &isolated_id(cx, served),
            "` beside it, which this lock serves, too",
        ]);
    }
    help.extend(["\nand give each job its own `--build-arg ", arg, "=…`"]);
    if let Some(note) = cx.lost_id(cache, arg) {
        help.push_str(&format!("\n({note})"));
    }
    let mut names = cache.word.variables().map(|variable| &variable.name);
    if let Some(own) = names.find(|name| *name != arg && !PLATFORM_ARGS.contains(&name.as_str())) {
        help.push_str(&format!(
            "\n(if `{own}` sets your jobs apart, list it under `isolating-args` in cachelane.toml)"
        ));
    }
    help
}
