//! A git repository that uses the hooks, and the one that the hooks come from.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs};

use super::{ROOT, tools};
use crate::packages;

/// What came of a command that runs hooks.
pub struct Ran {
    pub passed: bool,
    pub text: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The throw-away repository.
pub struct Project {
    folder: PathBuf,
    hooks: PathBuf,
    /// pre-commit's folder: the hooks that it has installed.
    home: PathBuf,
    /// The commit that holds the hooks.
    rev: String,
    /// The commands that come first: a compiler that fails, where a hook needs none.
    commands: PathBuf,
}

impl Project {
    /// An empty repository with pre-commit installed, whose hooks are installed anew, and compile nothing.
    pub fn new() -> Self {
        let project = Self::in_folder(&tools::folder().join("wheel"));
        for name in ["cargo", "rustc", "rustup"] {
            let command = project.commands.join(name);
            fs::write(&command, "#!/bin/sh\nexit 1\n").unwrap();
            fs::set_permissions(&command, fs::Permissions::from_mode(0o755)).unwrap();
        }
        empty(&project.home);
        project.installed("cachelane")
    }

    /// The same for the hooks that are compiled, which stay from one run to the next.
    pub fn from_source() -> Self {
        let project = Self::in_folder(&tools::folder().join("source"));
        forget_other_builds(&project.home, &project.rev);
        project.installed("cachelane-src")
    }

    fn in_folder(work: &Path) -> Self {
        let (hooks, folder) = (work.join("hooks"), work.join("project"));
        let rev = publish(&hooks);
        let commands = work.join("commands");
        empty(&commands);
        empty(&folder);
        git(&folder, ["init", "--quiet"]);
        Self {
            commands,
            folder,
            hooks,
            home: work.join("home"),
            rev,
        }
    }

    fn installed(self, hook: &str) -> Self {
        let project = self;
        project.use_hook(hook);
        let installed = project.run(tools::program("pre-commit").arg("install"));
        assert!(installed.passed, "{installed}");
        project
    }

    /// Makes `id` the one hook.
    pub fn use_hook(&self, id: &str) {
        let (repo, rev) = (serde_json::to_string(&self.hooks).unwrap(), &self.rev);
        let config = format!("repos:\n- repo: {repo}\n  rev: {rev}\n  hooks:\n  - id: {id}\n");
        self.write(".pre-commit-config.yaml", &config);
        // pre-commit refuses to run with a configuration that is not staged.
        git(&self.folder, ["add", ".pre-commit-config.yaml"]);
    }

    pub fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub fn stage(&self) {
        git(&self.folder, ["add", "--all"]);
    }

    /// Takes back what is not committed.
    pub fn reset(&self) {
        git(&self.folder, ["reset", "--quiet", "--hard"]);
    }

    /// `git commit`, which runs the hook over what is staged.
    pub fn commit(&self, message: &str) -> Ran {
        self.run(Command::new("git").args(IDENTITY).args([
            "commit",
            "--quiet",
            "--message",
            message,
        ]))
    }

    /// Runs the hook over all files.
    pub fn run_all(&self) -> Ran {
        self.run(tools::program("pre-commit").args(["run", "--all-files"]))
    }

    fn run(&self, command: &mut Command) -> Ran {
        // The same dependencies serve every run, and nobody waits for an optimised binary here.
        let build = [
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [self.commands.as_os_str(), &path].join(OsStr::new(":"));
        let output = plain(command, &self.folder)
            .env("PATH", path)
            .env("PRE_COMMIT_HOME", &self.home)
            .env("PIP_FIND_LINKS", packages::find_links())
            .env("CARGO_TARGET_DIR", tools::folder().join("target"))
            .envs(build)
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = [&output.stdout[..], &output.stderr].concat();
        Ran {
            passed: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}

const IDENTITY: [&str; 4] = ["-c", "user.name=test", "-c", "user.email=test@localhost"];

/// Removes what was built of another state of the sources.
fn forget_other_builds(home: &Path, rev: &str) {
    let built = home.join("built-from");
    if fs::read_to_string(&built).is_ok_and(|old| old == rev) {
        return;
    }
    empty(home);
    let target = tools::folder().join("target");
    if target.exists() {
        let clean = ["clean", "--quiet", "--release", "--package", "cachelane"];
        let mut cargo = Command::new("cargo");
        tools::run(
            cargo
                .args(clean)
                .current_dir(ROOT)
                .env("CARGO_TARGET_DIR", target),
            "",
        );
    }
    fs::write(built, rev).unwrap();
}

/// Commits the working tree to a repository in `folder`, and says as what. The same tree is always the same commit, so that
/// pre-commit builds it once.
fn publish(folder: &Path) -> String {
    empty(folder);
    let listed = git(
        Path::new(ROOT),
        [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    );
    for path in listed
        .split('\0')
        .filter(|path| !path.is_empty() && !path.starts_with("fixtures/"))
    {
        let from = Path::new(ROOT).join(path);
        if from.is_file() {
            let to = folder.join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    git(folder, ["init", "--quiet"]);
    git(folder, ["add", "--all", "--force"]);
    git(folder, ["commit", "--quiet", "--message", "as it is"]);
    git(folder, ["rev-parse", "HEAD"]).trim().to_owned()
}

fn empty(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    fs::create_dir_all(folder).unwrap();
}

/// Runs git in `folder`, and gives what it prints.
fn git<const N: usize>(folder: &Path, arguments: [&str; N]) -> String {
    let mut command = Command::new("git");
    // A checkout that another user owns, as in a container, is read all the same.
    command
        .args(["-c", "safe.directory=*"])
        .args(IDENTITY)
        .args(arguments);
    plain(&mut command, folder);
    for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        command.env(name, "2000-01-01T00:00:00Z");
    }
    let output = tools::run(
        &mut command,
        "The tests need git, and a checkout rather than a packed source.",
    );
    String::from_utf8(output).unwrap()
}

/// `command` in `folder`, without what this machine, a CI or a hook that runs the tests has set.
fn plain<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    let ours = |name: &OsStr| {
        let name = name.to_string_lossy();
        ["GIT_", "PRE_COMMIT", "GITHUB_", "CLICOLOR"]
            .iter()
            .any(|start| name.starts_with(start))
            || ["SKIP", "NO_COLOR"].contains(&&*name)
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
}
