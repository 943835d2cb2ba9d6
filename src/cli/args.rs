//! What can be typed, and the help for it.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::rules::Settings;
use crate::rules::caches::PLATFORM_ARGS;

#[derive(Debug, Parser)]
#[command(
    name = "cachelane",
    version,
    about = "Finds and repairs the BuildKit cache mounts that make parallel builds wait for each other",
    long_about = "Finds and repairs the BuildKit cache mounts that make parallel builds wait for each other.\n\n\
        A RUN with `--mount=type=cache,sharing=locked` holds its cache id until it ends, and every other build on the \
        builder that uses the id waits. cachelane gives each CI job an id of its own: `id=apt-cache-${CACHE_ID}`, with \
        `ARG CACHE_ID=default` in the stage and `--build-arg CACHE_ID=…` in the job.",
    after_help = "Start with:\n  cachelane check          what makes builds in this folder wait\n  \
        cachelane fix --diff     what cachelane would change\n  cachelane fix            change it",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Report what makes builds wait for each other, and what breaks the cure
    #[command(after_help = "Examples:\n  cachelane check                      every Dockerfile below this folder\n  \
            cachelane check docker/ ci.Dockerfile\n  cachelane check --format json . > findings.json\n  \
            cachelane check - < Dockerfile       read standard input\n\nExit code: 0 nothing that fails the gate, \
            1 errors or warnings found, 2 something could not be read.")]
    Check(CheckArgs),
    /// Apply the safe fixes: a lane in each shared id, and the ARG that it needs
    #[command(
        after_help = "Examples:\n  cachelane fix --diff                 show what would change, write nothing\n  \
            cachelane fix                        change every Dockerfile below this folder\n  \
            cachelane fix --arg JOB Dockerfile   name the build argument JOB\n  \
            cachelane fix - < Dockerfile         print the fixed file\n\nExit code: 0 nothing is left that fails the \
            gate, 1 something is (or --diff has a diff), 2 something could not be read or written."
    )]
    Fix(FixArgs),
    /// List every cache mount: its id, target, sharing, and whether jobs have a lane of their own
    #[command(
        after_help = "Examples:\n  cachelane list\n  cachelane list --format json docker/ | jq '.mounts[].effective_id'\
            \n\nExit code: 0, or 2 when something could not be read."
    )]
    List(ListArgs),
    /// List the rules: severity, fix, and what happens to your builds
    Rules(RulesArgs),
    /// Explain a rule: what it finds, why, and what its fix does
    #[command(after_help = "Examples:\n  cachelane explain shared-lock\n  cachelane explain --format json lock-order")]
    Explain(ExplainArgs),
    /// Write a commented cachelane.toml, and add the hook to .pre-commit-config.yaml
    #[command(
        after_help = "Nothing that exists is overwritten; what was done is said line by line.\n\nExit code: 0, or 2 when \
            something could not be read or written, or the hook could not be added."
    )]
    Init(InitArgs),
    /// Print the completions for a shell
    #[command(
        after_help = "Examples:\n  cachelane completions bash > ~/.local/share/bash-completion/completions/cachelane\n  \
            cachelane completions zsh > ~/.zfunc/_cachelane\n  \
            cachelane completions fish > ~/.config/fish/completions/cachelane.fish"
    )]
    Completions(CompletionsArgs),
    /// Write the man pages: one for cachelane, one for each command
    #[command(after_help = "Example:\n  cachelane man ~/.local/share/man/man1\n  man cachelane-check")]
    Man(ManArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct RulesArgs {
    /// How to print the rules
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The rule's name, as `cachelane rules` lists it
    #[arg(value_name = "RULE")]
    pub(super) rule: String,
    /// How to print the text
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// How to print the findings
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Print a unified diff and write nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// Also apply fixes that change more than ids and ARG lines: look at the result
    #[arg(long)]
    pub(super) r#unsafe: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// How to print the mounts
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The folder to write into: the repository's root [default: this folder]
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder to write into; it is made when it is not there
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Files, or folders to search for Dockerfiles; `-` is standard input [default: this folder]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The build argument that sets jobs apart
    #[arg(long, value_name = "NAME", default_value = "CACHE_ID", value_parser = name)]
    pub(super) arg: String,
    /// Its value for builds that pass none
    #[arg(long, value_name = "VALUE", default_value = "default", value_parser = default_value)]
    pub(super) default: String,
}

impl Common {
    /// What was typed, as the rules take it.
    pub(super) fn settings(&self) -> Settings {
        Settings { arg: self.arg.clone(), default: self.default.clone(), ..Settings::default() }
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

/// Names that a lane must not take: an ARG of that name would change what the build does.
const RESERVED: &[&str] = &[
    "PATH",
    "HOME",
    "SHELL",
    "LANG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SOURCE_DATE_EPOCH",
];

fn name(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_')
        && text.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '_');
    let reserved = RESERVED.iter().chain(PLATFORM_ARGS).any(|name| text.eq_ignore_ascii_case(name))
        || text.starts_with("BUILDKIT_");
    if reserved {
        Err(format!("`{text}` means something to builds already: choose a name of your own"))
    } else if fits {
        Ok(text.into())
    } else {
        Err("a build argument's name is a letter or underscore, then letters, digits and underscores".into())
    }
}

fn default_value(text: &str) -> Result<String, String> {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || "_.-+:/@".contains(ch);
    match text.chars().find(|ch| !fits(*ch)) {
        None if text.is_empty() => Err("an empty default would leave ids that end in `-`".into()),
        None => Ok(text.into()),
        Some(ch) => Err(format!("{ch:?} would break the mount's option list: use letters, digits and _ . - + : / @")),
    }
}
