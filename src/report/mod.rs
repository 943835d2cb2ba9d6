//! Reports for users ([`human`], [`concise`], [`statistics`]) and for programs (all others).
//!
//! They are written to a `String` that the command line prints. The formats for other tools have one shape,
//! `render(&Run) -> String`; [`Format`] has
//! the name, the help and the arm of each.

pub mod builds;
pub mod checkstyle;
pub mod concise;
pub mod fingerprint;
pub mod fixes;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod locks;
pub mod notes;
pub mod rules;
pub mod safe;
pub mod sarif;
pub mod statistics;
pub mod table;

mod blocks;
mod document;
mod found;
mod model;
mod xml;

use std::io;

use clap::ValueEnum;

use crate::finding::Severity;

pub use model::{Run, RunError, Summary, path};
pub use notes::Note;

/// A format for findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the source
    Human,
    /// One line for each finding
    Concise,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// GitLab's Code Quality report
    Gitlab,
    /// `JUnit` XML
    Junit,
    /// Checkstyle XML
    Checkstyle,
}

impl Format {
    /// Returns the findings of `run`; `style` is for [`Self::Human`].
    pub fn render(self, run: &Run<'_>, style: human::Style) -> String {
        match self {
            Self::Human => human::findings(run.reports, style),
            Self::Concise => concise::render(run),
            Self::Json => json::findings(run),
            Self::Sarif => sarif::render(run),
            Self::Github => github::render(run),
            Self::Gitlab => gitlab::render(run),
            Self::Junit => junit::render(run),
            Self::Checkstyle => checkstyle::render(run),
        }
    }

    /// Writes what [`Self::render`] returns, the longest format piece by piece.
    ///
    /// # Errors
    /// Fails where `to` takes it not.
    pub fn write(
        self,
        run: &Run<'_>,
        style: human::Style,
        to: &mut dyn io::Write,
    ) -> io::Result<()> {
        match self {
            Self::Sarif => sarif::write(run, to),
            _ => to.write_all(self.render(run, style).as_bytes()),
        }
    }

    /// Returns the mildest finding that the report shows by default. The other formats are for programs, which choose
    /// themselves.
    pub fn least(self) -> Severity {
        match self {
            Self::Human | Self::Concise => Severity::Warning,
            _ => Severity::Info,
        }
    }

    /// Returns whether a summary line may follow the report, which goes to a file or not.
    pub fn takes_summary(self, file: bool) -> bool {
        matches!(self, Self::Human | Self::Concise) || (self == Self::Github && !file)
    }
}
