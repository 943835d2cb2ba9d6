//! The arguments of `id` and `run`.

use std::ffi::OsString;

use clap::ValueEnum;

use crate::config::values;

/// The lane, and the argument that it is for.
#[derive(Debug, clap::Args)]
pub struct LaneArgs {
    #[arg(
        long,
        value_name = "JSON",
        help = "The values of the job's matrix, such as `${{ toJSON(matrix) }}` [default: what CACHELANE_MATRIX holds]"
    )]
    pub matrix: Option<OsString>,
    #[arg(
        long,
        value_name = "NAME",
        value_parser = values::arg,
        help = "The build argument that takes the lane [default: the configuration's, or CACHE_ID]"
    )]
    pub arg: Option<String>,
    /// Make the repository's name part of the lane, for a builder that serves several repositories whose jobs are called
    /// alike
    #[arg(long, conflicts_with = "lane")]
    pub repository: bool,
}

#[derive(Debug, clap::Args)]
pub struct IdArgs {
    /// The lane, cleaned where it has to be
    #[arg(value_name = "LANE", conflicts_with = "matrix")]
    pub lane: Option<OsString>,
    #[command(flatten)]
    pub source: LaneArgs,
    /// How to print the lane
    #[arg(long, value_enum, default_value = "plain")]
    pub format: LaneFormat,
    /// Say on standard error where the lane comes from
    #[arg(long)]
    pub explain: bool,
}

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The lane [default: that of `cachelane id`]
    #[arg(long, value_name = "LANE", conflicts_with = "matrix")]
    pub lane: Option<OsString>,
    #[command(flatten)]
    pub source: LaneArgs,
    /// How the lane reaches the build [default: arg, or namespace where the configuration says so]
    #[arg(long, value_enum)]
    pub via: Option<Via>,
    /// Print the command, ready to be pasted into a shell, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// A format for a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LaneFormat {
    /// Just the lane
    Plain,
    /// `--build-arg CACHE_ID=lane`
    BuildArg,
    /// `CACHE_ID=lane`
    Env,
    /// `CACHE_ID=lane`, at the end of the file that `GITHUB_ENV` names
    GithubEnv,
}

/// The way by which a lane reaches a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// As the build argument that the Dockerfile's ids refer to
    Arg,
    /// As `BUILDKIT_CACHE_MOUNT_NS`, which sets all cache mounts apart, whatever the Dockerfile says
    Namespace,
}
