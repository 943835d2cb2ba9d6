//! The tests of `cargo test`, which need only Rust (and on Unix the system's `sh`), as one program to be linked once.
//! The others are in `tests/outer` and `tests/engine`.

mod bad_input;
mod circles;
mod cli;
mod config;
#[cfg(target_os = "linux")]
mod dependencies;
mod docs;
mod embedded;
mod exempt;
mod files;
mod fixtures;
mod fuzzed;
mod gate;
mod house;
mod init;
mod lane;
mod list;
mod lock_keys;
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
mod wiring;
mod wiring_bake;
mod wiring_compose;
mod wiring_files;
mod wiring_github;
mod wiring_pipelines;
mod wiring_shell;
mod wiring_yaml;

#[path = "../common/command.rs"]
mod command;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/invariants/mod.rs"]
mod invariants;
#[path = "../common/reports.rs"]
mod made_reports;
#[path = "../common/wiring_files.rs"]
mod made_wiring;
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
#[path = "../../fuzz/src/wires.rs"]
mod wires;
#[path = "../common/worlds.rs"]
mod worlds;
