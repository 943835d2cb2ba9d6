//! The arguments, and their help.

mod gate;
mod lane;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{Overrides, values};
use crate::report::Format;
use crate::report::locks::MapFormat;
use crate::workspace::file;

use super::outcome::Error;

pub use gate::{Gate, Select};
pub use lane::{IdArgs, LaneArgs, LaneFormat, RunArgs, Via};

/// Standard input, as it is named on the command line and in reports.
pub const STDIN: &str = "-";

#[derive(Debug, Parser)]
#[command(
    name = "cachelane",
    bin_name = "cachelane",
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
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report what makes builds wait for each other, and what breaks the cure
    #[command(
        after_help = "Examples:\n  cachelane check                      every Dockerfile below this folder\n  \
            cachelane check docker/ ci.Dockerfile\n  cachelane check --report sarif=cachelane.sarif\n  \
            cachelane check --diff origin/main   only what this branch changed\n  \
            cachelane check --add-ignores        suppress what is there, fail on what comes\n  \
            cachelane check - < Dockerfile       read standard input\n\nExit code: 0 nothing that fails the gate, \
            1 something does, 2 something could not be read, written or understood."
    )]
    Check(CheckArgs),
    /// Apply the safe fixes: a lane in each shared id, and the ARG that it needs
    #[command(
        after_help = "Examples:\n  cachelane fix --diff                 show what would change, write nothing\n  \
            cachelane fix                        change every Dockerfile below this folder\n  \
            cachelane fix --arg JOB Dockerfile   name the build argument JOB\n  \
            cachelane fix - < Dockerfile         print the fixed file\n\nExit code: 0 nothing is left that fails the \
            gate, 1 something is (or --diff has a diff), 2 something could not be read, written or understood."
    )]
    Fix(FixArgs),
    /// List every cache mount: its id, target, sharing, and whether jobs have a lane of their own
    #[command(
        after_help = "Examples:\n  cachelane list\n  cachelane list --format json docker/ | jq '.mounts[].effective_id'\
            \n\nExit code: 0, or 2 when something could not be read."
    )]
    List(ListArgs),
    /// List every build in workflows, pipelines, Compose and bake files: its Dockerfile, and whether it passes a lane
    #[command(
        after_help = "Examples:\n  cachelane builds\n  cachelane builds --format json | jq '.builds[] | select(.lane == \"default\")'\
            \n\nExit code: 0, or 2 when something could not be read."
    )]
    Builds(BuildsArgs),
    /// Show the map of locks: which RUNs take each, which builds reach them, and who waits
    #[command(
        after_help = "Examples:\n  cachelane locks\n  cachelane locks --format mermaid     a picture for a pull request\n  \
            cachelane locks --format dot | dot -Tsvg > locks.svg\n\nExit code: 0, or 2 when something could not be read."
    )]
    Locks(LocksArgs),
    /// List the rules: severity, fix, and what happens to your builds
    Rules(RulesArgs),
    /// Explain a rule: what it finds, why, and what its fix does
    #[command(
        after_help = "Examples:\n  cachelane explain shared-lock\n  cachelane explain --format json lock-order"
    )]
    Explain(ExplainArgs),
    /// Show what is configured, and where each value comes from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a commented cachelane.toml, and add the hook to .pre-commit-config.yaml
    #[command(
        after_help = "Nothing that exists is overwritten; what was done is said line by line.\n\nExit code: 0, or 2 when \
            something could not be read or written."
    )]
    Init(InitArgs),
    /// Print the lane of this job, the same one in each of its runs
    #[command(
        after_help = "Examples:\n  docker build --build-arg CACHE_ID=\"$(cachelane id)\" .\n  \
            docker build $(cachelane id --format build-arg) .\n  cachelane id --format github-env     for all later steps of \
            the job\n  cachelane id --explain\n\nThe lane is the argument, or else what CACHE_ID or ROCKER_CACHE_ID \
            hold, or else what the CI calls the job, or else `default`.\n\nExit code: 0, or 2 when something could not be \
            read, written or understood."
    )]
    Id(IdArgs),
    /// Run a build with this job's lane passed, whatever builds it
    #[command(
        after_help = "Examples:\n  cachelane run -- docker build .\n  cachelane run --lane py310 -- docker buildx bake\n  \
            cachelane run --dry-run -- make image\n\nThe lane is that of `cachelane id`. Where the command takes build \
            arguments, it gets the lane as one; all others get it by their environment.\n\nExit code: the command's own; \
            127 when it is not there, 126 when it cannot be run, 2 when something could not be understood."
    )]
    Run(RunArgs),
    /// Print the completions for a shell
    #[command(
        after_help = "Examples:\n  cachelane completions bash > ~/.local/share/bash-completion/completions/cachelane\n  \
            cachelane completions zsh > ~/.zfunc/_cachelane\n  \
            cachelane completions fish > ~/.config/fish/completions/cachelane.fish"
    )]
    Completions(CompletionsArgs),
    /// Write the man pages: one for cachelane, one for each command
    #[command(
        after_help = "Example:\n  cachelane man ~/.local/share/man/man1\n  man cachelane-check"
    )]
    Man(ManArgs),
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show what holds for a file or folder, and where each value comes from
    #[command(
        after_help = "Examples:\n  cachelane config show\n  cachelane config show docker/Dockerfile"
    )]
    Show(ShowArgs),
    /// Print the JSON schema of cachelane.toml
    Schema,
}

#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The file or folder to ask about
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub select: Select,
}

#[derive(Debug, clap::Args)]
pub struct RulesArgs {
    /// How to print the rules
    #[arg(long, alias = "output-format", value_enum, default_value = "human")]
    pub format: Plain,
}

#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The rule's name, as `cachelane rules` lists it
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// How to print the text
    #[arg(long, alias = "output-format", value_enum, default_value = "human")]
    pub format: Plain,
}

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub gate: Gate,
    /// How to print the findings [default: github in GitHub Actions, human elsewhere]
    #[arg(long, alias = "output-format", value_enum)]
    pub format: Option<Format>,
    /// Write the findings to this file instead of printing them
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a further report; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub reports: Vec<(Format, PathBuf)>,
    /// Print how many findings each rule has, not the findings
    #[arg(long)]
    pub statistics: bool,
    /// Also name locks in text that is no Dockerfile: scripts, strings of code, YAML; `fix` leaves them alone
    #[arg(long, conflicts_with = "add_ignores")]
    pub embedded: bool,
    /// Keep only findings on lines that changed since the branch left this git revision
    #[arg(long, value_name = "REF")]
    pub diff: Option<String>,
    #[command(flatten)]
    pub ignores: Ignores,
}

/// The options on suppressions and generated files.
#[derive(Debug, clap::Args)]
pub struct Ignores {
    /// Suppress everything that fails the gate today, by comments in the files
    #[arg(long, conflicts_with_all = ["diff", "statistics", "reports", "output", "format"])]
    pub add_ignores: bool,
    /// Do so in files that say that they are generated, too
    #[arg(long, requires = "add_ignores")]
    pub include_generated: bool,
}

#[derive(Debug, clap::Args)]
pub struct FixArgs {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub gate: Gate,
    /// Print a unified diff and write nothing
    #[arg(long)]
    pub diff: bool,
    /// Also apply fixes that change more than ids and ARG lines: look at the result
    #[arg(long)]
    pub r#unsafe: bool,
    /// How to print what was changed, and what is left
    #[arg(long, alias = "output-format", value_enum, default_value = "human")]
    pub format: Plain,
    #[command(flatten)]
    pub fixes: FixSettings,
}

/// Settings that only `fix` takes as options.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct FixSettings {
    /// Write ids that stay as they are for builds that pass no lane, so that these keep their warm caches
    #[arg(long)]
    pub keep_default: bool,
    /// Fix files that say that they are generated, too
    #[arg(long)]
    pub include_generated: bool,
    /// How the lane reaches the builds [default: arg, or namespace where the configuration says so]
    #[arg(long, value_enum)]
    pub via: Option<Via>,
}

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub common: Common,
    /// How to print the mounts
    #[arg(long, alias = "output-format", value_enum, default_value = "human")]
    pub format: Plain,
}

#[derive(Debug, clap::Args)]
pub struct BuildsArgs {
    #[command(flatten)]
    pub common: Common,
    /// Also list builds of which nothing can be said, with the reason
    #[arg(long, short)]
    pub verbose: bool,
    /// How to print the builds
    #[arg(long, alias = "output-format", value_enum, default_value = "human")]
    pub format: Plain,
}

#[derive(Debug, clap::Args)]
pub struct LocksArgs {
    #[command(flatten)]
    pub common: Common,
    /// Show all places and builds of a lock
    #[arg(long, short)]
    pub verbose: bool,
    /// How to print the map
    #[arg(long, alias = "output-format", value_enum, default_value = "table")]
    pub format: MapFormat,
}

#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to write into: the repository's root [default: this folder]
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder to write into; it is made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Says which files a command goes over, and how it prints.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Files, or folders to search for Dockerfiles; `-` is standard input [default: this folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What to call standard input, and where to look for its configuration
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<PathBuf>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Hold to `exclude` for files that are named, too
    #[arg(long)]
    pub force_exclude: bool,
    /// The largest file to read, in MiB; a larger one is named, and left alone
    #[arg(long, value_name = "MIB", default_value_t = file::MAX_SIZE / file::MIB, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    max_size: u64,
    /// Print what fails the gate, and what was fixed, and nothing else
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto")]
    pub color: Color,
}

/// The options on settings.
#[derive(Debug, Default, clap::Args)]
pub struct SettingsArgs {
    /// The configuration to use for every file [default: the nearest cachelane.toml upward from it]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Use no configuration
    #[arg(long)]
    pub no_config: bool,
    #[arg(long, help = "The build argument that sets jobs apart [default: CACHE_ID]", value_name = "NAME", value_parser = values::arg)]
    pub arg: Option<String>,
    /// Its value for builds that pass none [default: default]
    #[arg(long, value_name = "VALUE", value_parser = values::default)]
    pub default: Option<String>,
}

impl Common {
    /// Makes what goes over `folder` without a word.
    pub fn of(folder: &std::path::Path) -> Self {
        Self {
            paths: vec![folder.to_path_buf()],
            stdin_filename: None,
            settings: SettingsArgs::default(),
            force_exclude: false,
            max_size: file::MAX_SIZE / file::MIB,
            quiet: true,
            color: Color::Auto,
        }
    }

    /// Returns the largest file to read, in bytes.
    pub const fn max_size(&self) -> u64 {
        self.max_size * file::MIB
    }

    /// Returns the paths to go over: those that were named, or else this folder.
    pub fn roots(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() {
            vec![".".into()]
        } else {
            self.paths.clone()
        }
    }

    /// Returns whether standard input is among the paths.
    pub fn reads_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == STDIN)
    }

    /// Returns what standard input is called, where it is read.
    pub fn stdin(&self) -> Option<PathBuf> {
        let name = || self.stdin_filename.clone().unwrap_or(STDIN.into());
        self.reads_stdin().then(name)
    }

    /// Fails where what was typed does not go together.
    pub fn check(&self) -> Result<(), Error> {
        if self.stdin_filename.is_none() || self.reads_stdin() {
            return Ok(());
        }
        let why = "`--stdin-filename` names standard input, which is read where a path is `-`";
        Err(Error::Input(why.into()))
    }
}

impl SettingsArgs {
    /// Returns what was typed as the configuration takes it.
    pub fn overrides(&self, select: &Select, fixes: FixSettings) -> Overrides {
        Overrides {
            arg: self.arg.clone(),
            default: self.default.clone(),
            keep_default: fixes.keep_default.then_some(true),
            include_generated: fixes.include_generated.then_some(true),
            namespace: fixes.via.map(|via| via == Via::Namespace),
            rules: select.rules.clone(),
            ignore: select.ignore.clone(),
        }
    }
}

/// A format for all that is not a list of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plain {
    /// For people
    Human,
    /// One JSON document
    Json,
}

/// The use of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Reads `FORMAT=FILE`.
fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("write FORMAT=FILE, `sarif=cachelane.sarif` for example")?;
    let format = Format::from_str(format, false).map_err(|_| {
        let all = Format::value_variants().iter();
        let all = all.filter_map(ValueEnum::to_possible_value);
        let all: Vec<String> = all.map(|value| value.get_name().to_owned()).collect();
        format!(
            "there is no format `{format}`: cachelane knows {}",
            all.join(", ")
        )
    })?;
    match file {
        "" => Err("the name of the file is missing".into()),
        "-" => {
            Err("a report goes into a file; `--format` chooses what standard output gets".into())
        }
        file => Ok((format, file.into())),
    }
}
