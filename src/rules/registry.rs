//! Finds the function of each rule, and calls those that look at a given subject.

use crate::dockerfile::SyntaxError;
use crate::finding::{Finding, RuleId, each_rule};
use crate::index::Index;

use super::build_context::{BuildContext, Clearing};
use super::context::Context;
use super::unused_ignore::Idle;

/// A rule's function, by subject. It adds findings to a list; for a run, to the list of each finding's file.
enum Check {
    File(fn(&Context<'_>, &mut Vec<Finding>)),
    Run(fn(&Index<'_>, &mut [Vec<Finding>])),
    Build(fn(&BuildContext<'_>, &mut Vec<Finding>)),
    Clearing(fn(&Clearing<'_>, &mut Vec<Finding>)),
    Error(fn(&SyntaxError, &mut Vec<Finding>)),
    Ignore(fn(Idle<'_>, &mut Vec<Finding>)),
}

macro_rules! find_checks {
    ($($id:ident $file:ident $name:literal $subject:ident { $($meta:tt)* })*) => {
        fn check_of(rule: RuleId) -> Check {
            match rule {
                $(RuleId::$id => Check::$subject(super::$file::check),)*
            }
        }
    };
}
each_rule!(find_checks);

fn checks() -> impl Iterator<Item = (RuleId, Check)> {
    RuleId::ALL.iter().map(|rule| (*rule, check_of(*rule)))
}

/// Returns the findings of all enabled rules in one file, ordered by place.
pub fn check_file(cx: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (rule, check) in checks() {
        if let Check::File(check) = check
            && cx.settings.is_on(rule)
        {
            check(cx, &mut findings);
        }
    }
    findings.sort_by_key(|finding| (finding.span, finding.rule));
    findings
}

/// Adds the findings from comparing a run's cache mounts to the lists of their files.
pub fn check_run(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    for (_, check) in checks() {
        if let Check::Run(check) = check {
            check(index, findings);
        }
    }
}

/// Adds the findings about one build.
pub fn check_build(build: &BuildContext<'_>, findings: &mut Vec<Finding>) {
    for (_, check) in checks() {
        if let Check::Build(check) = check {
            check(build, findings);
        }
    }
}

/// Adds the findings about a build that empties caches.
pub fn check_clearing(clearing: &Clearing<'_>, findings: &mut Vec<Finding>) {
    for (_, check) in checks() {
        if let Check::Clearing(check) = check {
            check(clearing, findings);
        }
    }
}

/// Returns the finding for a file that cannot be read.
pub fn check_error(error: &SyntaxError) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, check) in checks() {
        if let Check::Error(check) = check {
            check(error, &mut findings);
        }
    }
    findings
}

/// Adds the findings about a suppression.
pub fn check_ignore(idle: Idle<'_>, findings: &mut Vec<Finding>) {
    for (_, check) in checks() {
        if let Check::Ignore(check) = check {
            check(idle, findings);
        }
    }
}
