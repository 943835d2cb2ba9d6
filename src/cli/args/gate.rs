//! The options that choose rules, findings to show, and findings that fail.

use clap::ValueEnum;

use crate::cli::outcome::Error;
use crate::config::values;
use crate::finding::{RuleId, Severity};

/// The options that choose rules.
#[derive(Debug, Default, clap::Args)]
pub struct Select {
    /// Run these rules and no others, whatever the configuration says
    #[arg(long, alias = "select", value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub rules: Vec<RuleId>,
    /// Run all rules but these
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub ignore: Vec<RuleId>,
}

impl Select {
    /// Fails where no rule is left.
    pub fn check(&self) -> Result<(), Error> {
        let chosen = |rule: &&RuleId| self.rules.is_empty() || self.rules.contains(rule);
        let mut chosen = RuleId::ALL.iter().filter(chosen);
        if chosen.any(|rule| !self.ignore.contains(rule)) {
            return Ok(());
        }
        let none = "`--rules` and `--ignore` leave no rule to run";
        Err(Error::Input(none.into()))
    }
}

/// The options that choose rules, findings to show, and findings that fail the gate.
#[derive(Debug, clap::Args)]
pub struct Gate {
    #[command(flatten)]
    pub select: Select,
    /// The mildest finding that fails the gate (exit code 1)
    #[arg(long, value_enum, default_value = "warning", value_name = "SEVERITY")]
    fail_on: FailOn,
    /// What other linters call `--fail-on never`.
    #[arg(long, alias = "no-fail", hide = true, conflicts_with = "fail_on")]
    exit_zero: bool,
    /// The mildest finding to show; what fails the gate is shown in any case [default: warning for people, info for programs]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    min_severity: Option<Shown>,
    /// Show infos, too, and name templates of workflows, pipelines, Compose and bake files
    #[arg(long, short, conflicts_with_all = ["min_severity", "quiet"])]
    verbose: bool,
}

/// The mildest findings that fail the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors
    Error,
    /// Warnings and errors
    Warning,
    /// Every finding
    Info,
    /// None
    Never,
}

/// The mildest findings that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// Errors
    Error,
    /// Warnings and errors
    Warning,
    /// Every finding
    Info,
}

impl Gate {
    /// Returns the mildest severity that fails, if any.
    pub fn least_failing(&self) -> Option<Severity> {
        match self.fail_on {
            _ if self.exit_zero => None,
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }

    pub const fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Returns the mildest severity to show, if any; `default` where none was asked for. What fails is always shown.
    pub fn least_shown(&self, quiet: bool, default: Severity) -> Option<Severity> {
        let failing = self.least_failing();
        if quiet && self.min_severity.is_none() {
            return failing;
        }
        let shown = match self.min_severity {
            Some(Shown::Error) => Severity::Error,
            Some(Shown::Warning) => Severity::Warning,
            Some(Shown::Info) => Severity::Info,
            None if self.verbose => Severity::Info,
            None => default,
        };
        Some(failing.map_or(shown, |failing| failing.min(shown)))
    }
}

/// Reads a rule's name, with blanks around it or not.
fn rule(text: &str) -> Result<RuleId, String> {
    values::rule(text.trim())
}
