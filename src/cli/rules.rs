//! `cachelane rules` and `cachelane explain`

use crate::config::values;
use crate::finding::RuleId;
use crate::report::{json, rules as report};

use super::args::{ExplainArgs, Plain, RulesArgs};
use super::{Outcome, terminal};

pub(super) fn list(args: &RulesArgs) -> Outcome {
    terminal::print(match args.format {
        Plain::Human => report::table(RuleId::ALL),
        Plain::Json => json::rules(RuleId::ALL),
    });
    Outcome::Clean
}

pub(super) fn explain(args: &ExplainArgs) -> Outcome {
    let rule = match values::rule(&args.rule) {
        Ok(rule) => rule,
        Err(problem) => {
            terminal::complain(&problem);
            return Outcome::Trouble;
        }
    };
    terminal::print(match args.format {
        Plain::Human => rule.meta().page.to_owned(),
        Plain::Json => json::rules(&[rule]),
    });
    Outcome::Clean
}
