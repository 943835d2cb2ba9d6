//! `cachelane rules` and `cachelane explain`

use crate::config::values;
use crate::finding::RuleId;
use crate::report::{json, rules as report};

use super::args::{ExplainArgs, Plain, RulesArgs};
use super::outcome::Error;
use super::terminal;

pub fn list(args: &RulesArgs) {
    terminal::print(match args.format {
        Plain::Human => report::table(RuleId::ALL, terminal::width()),
        Plain::Json => json::rules(RuleId::ALL),
    });
}

pub fn explain(args: &ExplainArgs) -> Result<(), Error> {
    let rule = values::rule(&args.rule).map_err(Error::Input)?;
    terminal::print(match args.format {
        Plain::Human => rule.meta().page.to_owned(),
        Plain::Json => json::rules(&[rule]),
    });
    Ok(())
}
