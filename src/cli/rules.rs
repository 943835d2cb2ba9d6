//! `cachelane rules` and `cachelane explain`

use crate::config::values;
use crate::finding::RuleMeta;
use crate::report::{json, rules as report};
use crate::rules::{RULES, by_name};

use super::args::{ExplainArgs, Plain, RulesArgs};
use super::{Outcome, terminal};

pub(super) fn list(args: &RulesArgs) -> Outcome {
    let rules: Vec<&'static RuleMeta> = RULES.iter().map(|rule| rule.meta()).collect();
    terminal::print(match args.format {
        Plain::Human => report::table(&rules),
        Plain::Json => json::rules(&rules),
    });
    Outcome::Clean
}

pub(super) fn explain(args: &ExplainArgs) -> Outcome {
    let rule = match values::rule(&args.rule).map(by_name) {
        Ok(Some(rule)) => rule,
        Ok(None) => return Outcome::Trouble,
        Err(problem) => {
            terminal::complain(&problem);
            return Outcome::Trouble;
        }
    };
    terminal::print(match args.format {
        Plain::Human => report::page(rule.meta(), 1),
        Plain::Json => json::rules(&[rule.meta()]),
    });
    Outcome::Clean
}
