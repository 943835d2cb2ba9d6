//! The tests that need more than Rust: other programs, root, file systems, packages from an index. `cargo test --test '*'` runs
//! them, on Linux. One that cannot run says so and what it needs, and fails where `CI` is set.

#![cfg(target_os = "linux")]

mod build_files;
mod comfort;
mod fault;
mod git;
mod hostile;
mod locks;
mod migrate;
mod packages;
mod parity;
mod precommit;
mod reports;
mod rocker;
mod scripts;
mod shell;

#[path = "../common/command.rs"]
mod command;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/loud.rs"]
mod loud;
#[path = "../common/build_files.rs"]
mod made_builds;
#[path = "../common/reports.rs"]
mod made_reports;
#[path = "../common/pages.rs"]
mod pages;
#[path = "../../fuzz/src/pass.rs"]
mod pass;
#[path = "../common/shrink.rs"]
mod shrink;
#[path = "../common/worlds.rs"]
mod worlds;
