//! What can be typed behind `id` and `run`.

use std::ffi::OsString;

use clap::ValueEnum;

use crate::config::values;

/// Which lane, and for which argument.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct LaneArgs {
    #[arg(
        long,
        value_name = "JSON",
        help = "The values of the job's matrix, `${{ toJSON(matrix) }}` say [default: what CACHELANE_MATRIX holds]"
    )]
    pub(in crate::cli) matrix: Option<OsString>,
    #[arg(
        long,
        value_name = "NAME",
        value_parser = values::arg,
        help = "The build argument that takes the lane [default: the configuration's, or CACHE_ID]"
    )]
    pub(in crate::cli) arg: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct IdArgs {
    /// The lane, cleaned where it has to be
    #[arg(value_name = "LANE", conflicts_with = "matrix")]
    pub(in crate::cli) lane: Option<OsString>,
    #[command(flatten)]
    pub(in crate::cli) source: LaneArgs,
    /// How to print the lane
    #[arg(long, value_enum, default_value = "plain")]
    pub(in crate::cli) format: LaneFormat,
    /// Say on standard error where the lane comes from
    #[arg(long)]
    pub(in crate::cli) explain: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RunArgs {
    /// The lane [default: that of `cachelane id`]
    #[arg(long, value_name = "LANE", conflicts_with = "matrix")]
    pub(in crate::cli) lane: Option<OsString>,
    #[command(flatten)]
    pub(in crate::cli) source: LaneArgs,
    /// How the lane reaches the build [default: arg, or namespace where the configuration says so]
    #[arg(long, value_enum)]
    pub(in crate::cli) via: Option<Via>,
    /// Print the command, ready to be pasted into a shell, and run nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true, required = true)]
    pub(in crate::cli) command: Vec<OsString>,
}

/// How to print a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LaneFormat {
    /// Just the lane
    Plain,
    /// `--build-arg CACHE_ID=lane`
    BuildArg,
    /// `CACHE_ID=lane`
    Env,
    /// `CACHE_ID=lane`, at the end of the file that `GITHUB_ENV` names
    GithubEnv,
}

/// How a lane reaches a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Via {
    /// As the build argument that the Dockerfile's ids refer to
    Arg,
    /// As `BUILDKIT_CACHE_MOUNT_NS`, which sets all cache mounts apart, whatever the Dockerfile says
    Namespace,
}
