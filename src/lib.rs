//! Finds and repairs the BuildKit cache mounts that make parallel builds wait for each other.
//!
//! The library knows no terminal and writes no file: bytes go in, findings and new bytes come out. The command line in
//! [`cli`] is a thin layer above [`lint`]. For files of strangers, call it within a [`budget`].
//!
//! ```
//! use cachelane::{finding::RuleId, fix::Applicability, lint, rules::Settings};
//!
//! let dockerfile = b"FROM debian\nRUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n";
//! let settings = Settings::default();
//!
//! let findings = lint::check(dockerfile, &settings).findings;
//! assert_eq!(findings[0].rule, RuleId::SharedLock);
//!
//! let fixed = lint::fix(dockerfile, &settings, Applicability::Safe, &[]);
//! assert_eq!(
//!     String::from_utf8_lossy(&fixed.bytes),
//!     "FROM debian\nARG CACHE_ID=default\n\
//!      RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n",
//! );
//! ```

#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod budget;
// `fuzz/` has no use for it, and builds without it in half the time.
pub mod builds;
#[cfg(not(fuzzing))]
pub mod cli;
pub mod config;
pub mod dockerfile;
pub mod finding;
pub mod fix;
pub mod index;
pub mod init;
pub mod lint;
pub mod report;
pub mod rules;
pub mod suppress;
pub mod text;
pub mod workspace;
