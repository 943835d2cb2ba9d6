//! The tests of `cargo test`, which need only Rust (and on Unix the system's `sh`), as one program to be linked once.
//! The others are in `tests/outer` and `tests/engine`.

mod bad_input;
mod builds;
mod builds_bake;
mod builds_compose;
mod builds_files;
mod builds_github;
mod builds_pipelines;
mod builds_shell;
mod builds_yaml;
mod circles;
mod cli;
mod config;
mod context;
#[cfg(target_os = "linux")]
mod dependencies;
mod docs;
mod embedded;
mod environment;
mod exempt;
mod expressions;
mod files;
mod fixtures;
mod fuzzed;
mod gate;
mod generated;
mod house;
mod ids;
mod init;
mod lane;
mod list;
mod lock_keys;
mod lock_map;
mod meetings;
mod packages;
mod picture;
mod project;
mod properties;
mod record;
mod reports;
#[cfg(unix)]
mod run_command;
mod search;
mod second_reader;
mod small_worlds;
mod units;
mod widths;

#[path = "../common/command.rs"]
mod command;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../../fuzz/src/formats.rs"]
mod formats;
#[path = "../common/invariants/mod.rs"]
mod invariants;
#[path = "../common/build_files.rs"]
mod made_builds;
#[path = "../common/reports.rs"]
mod made_reports;
#[path = "../common/pages.rs"]
mod pages;
#[path = "../../fuzz/src/pass.rs"]
mod pass;
#[path = "../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../common/shrink.rs"]
mod shrink;
#[path = "../../fuzz/src/targets.rs"]
mod targets;
#[path = "../../fuzz/src/trees.rs"]
mod trees;
#[path = "../common/worlds.rs"]
mod worlds;
