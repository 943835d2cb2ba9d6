//! `cachelane rules` and `cachelane explain`

use crate::finding::RuleMeta;
use crate::report::{json, rules as report};
use crate::rules::{RULES, by_name, nearest};

use super::args::{ExplainArgs, Format, RulesArgs};
use super::{Outcome, terminal};

pub(super) fn list(args: &RulesArgs) -> Outcome {
    let rules: Vec<&'static RuleMeta> = RULES.iter().map(|rule| rule.meta()).collect();
    terminal::print(match args.format {
        Format::Human => report::table(&rules),
        Format::Json => json::rules(&rules),
    });
    Outcome::Clean
}

pub(super) fn explain(args: &ExplainArgs) -> Outcome {
    let Some(rule) = by_name(&args.rule) else {
        let near = nearest(&args.rule);
        let hint = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) };
        terminal::complain(&format!("there is no rule `{}`.{hint} `cachelane rules` lists them.", args.rule));
        return Outcome::Trouble;
    };
    terminal::print(match args.format {
        Format::Human => report::page(rule.meta(), 1),
        Format::Json => json::rules(&[rule.meta()]),
    });
    Outcome::Clean
}
