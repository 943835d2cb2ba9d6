//! `cache-as-state`: a RUN needs what an earlier one left in a cache.

use crate::budget;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};

use super::apt::{needs_lists, updates};
use super::caches::Cache;
use super::commands::Command;
use super::context::Context;

/// Programs that do not fetch apt's lists. Any other one may call apt.
const HARMLESS: &str = "[ [[ : apt-cache apt-config apt-key apt-mark basename cat cd chmod chown cp curl cut date debconf-set-selections \
    dirname dpkg dpkg-architecture dpkg-divert dpkg-query echo exit export false find getent gpg grep groupadd head id \
    install ldconfig ln locale-gen ls lsb_release mkdir mktemp mv printf pwd readlink rm sed set sleep sort stat tail \
    tar tee test touch tr true type umask uname unset unzip update-alternatives update-ca-certificates useradd wc wget \
    which whoami";

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let file = cx.file;
    let branch = |cache: &Cache<'_>| file.instructions[cache.instruction].branch;
    let mut filled: Vec<&Cache<'_>> = Vec::new();
    for cache in cx.caches().iter().filter(|cache| has_lists(cache)) {
        let commands = cx.commands(cache.instruction);
        if commands.iter().any(updates) {
            filled.push(cache);
            continue;
        }
        let is_unknown = |command: &Command| {
            let (program, _) = command.program();
            !command.is_empty() && !HARMLESS.split(' ').any(|known| known == program)
        };
        let mut unknown = commands.iter().skip_while(|command| !is_unknown(command));
        if !unknown.next().is_some_and(needs_lists) {
            continue;
        }
        let serves = |earlier: &&&Cache<'_>| {
            earlier.key == cache.key
                && earlier.target == cache.target
                && budget::spend(1)
                && file.blocks.encloses(branch(earlier), branch(cache))
                && is_before(file, earlier.instruction, cache.instruction)
        };
        let Some(earlier) = filled.iter().rev().find(serves) else {
            continue;
        };
        let line = cx.line(earlier.instruction);
        let message = format!(
            "apt needs the lists that line {line} left in this cache: where that RUN is CACHED, the cache can be empty, \
             and no package is found"
        );
        findings.push(
            Finding::new(RuleId::CacheAsState, cache.option_span("target"), message)
                .help("run `apt-get update` in this RUN as well, before it installs anything")
                .label(earlier.option_span("target"), "filled here"),
        );
    }
}

/// Returns whether `cache` holds apt's lists and starts empty.
fn has_lists(cache: &Cache<'_>) -> bool {
    let mount = cache.mount;
    matches!(
        &*cache.target,
        b"/var/lib/apt" | b"/var/lib/apt/lists" | b"/var/lib" | b"/var"
    ) && !mount.templated
        && !mount.conditional
        && mount.field("from").is_none()
}

/// Returns whether the RUN `earlier` has run where `index` does. A trigger does not run in its own stage, but in those
/// built from it.
fn is_before(file: &Dockerfile<'_>, earlier: usize, index: usize) -> bool {
    let is_trigger = |at: usize| file.instructions[at].onbuild;
    let stage = file.stage_of(earlier);
    let mut bases = file.ancestors(index).skip(1);
    !is_trigger(earlier) || is_trigger(index) || bases.any(|base| Some(base.index) == stage)
}
