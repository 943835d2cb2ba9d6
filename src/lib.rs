//! Finds and repairs the BuildKit cache mounts that make parallel builds wait for each other.
//!
//! The library knows no terminal and no disk: files go into a [`Project`], findings and new bytes come out. The command
//! line, which does the same with the files of a folder, is the feature `cli`; whoever needs none of it turns the default
//! features off.
//!
//! ```
//! use cachelane::{Applicability, Project, RuleId, Settings};
//!
//! let mut project = Project::new(Settings::default());
//! project.replace(
//!     "Dockerfile",
//!     "FROM debian\nRUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n",
//! );
//!
//! let report = project.check();
//! assert_eq!(report.files[0].findings[0].rule, RuleId::SharedLock);
//!
//! let fixes = project.fix(Applicability::Safe);
//! let fixed = &fixes.files[0];
//! assert_eq!(
//!     String::from_utf8_lossy(&fixed.bytes),
//!     "FROM debian\nARG CACHE_ID=default\n\
//!      RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n",
//! );
//! ```

#![cfg_attr(
    not(feature = "internals"),
    warn(missing_docs, clippy::missing_errors_doc)
)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// Nothing else is public, so that the compiler finds unused items; tests and fuzzing reach everything by a feature.
cfg_if::cfg_if! {
    if #[cfg(feature = "internals")] {
        pub mod budget;
        pub mod builds;
        pub mod config;
        pub mod dockerfile;
        pub mod finding;
        pub mod fix;
        pub mod index;
        #[cfg(feature = "cli")]
        pub mod init;
        pub mod lint;
        pub mod project;
        #[cfg(feature = "cli")]
        pub mod report;
        pub mod rules;
        pub mod suppress;
        pub mod text;
        #[cfg(feature = "cli")]
        pub mod workspace;
    } else {
        mod budget;
        mod builds;
        mod config;
        mod dockerfile;
        mod finding;
        mod fix;
        mod index;
        #[cfg(feature = "cli")]
        mod init;
        mod lint;
        mod project;
        #[cfg(feature = "cli")]
        mod report;
        mod rules;
        mod suppress;
        mod text;
        #[cfg(feature = "cli")]
        mod workspace;
    }
}

#[cfg(feature = "cli")]
mod cli;

pub use config::{Problem as ConfigProblem, Problems as ConfigProblems};
pub use finding::{
    Exempt, Finding, Location, OtherSeverity, Place, RuleId, RuleMeta, Severity, Subject,
};
pub use fix::{Applicability, Edit, Fix};
pub use lint::{Dropped, Made};
pub use project::{Error, FileFindings, FixedFile, Fixes, Project, Report};
pub use rules::{Exemptions, PatternError, PatternErrors, Profile, Settings};
pub use text::{LineIndex, Pos, Range, Span};

/// Runs the command `cachelane` that this process was started as.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main;
