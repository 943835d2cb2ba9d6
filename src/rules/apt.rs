//! The ways to call apt.

use super::commands::{Call, Command};

/// Calls that need apt's folders for themselves. (dpkg takes no lock there.)
pub(super) const LOCKING: &[Call] = &[
    Call {
        programs: "apt apt-get apt-fast xx-apt xx-apt-get",
        words: "update|install|upgrade|full-upgrade|dist-upgrade|remove|purge|autoremove|autopurge|clean|autoclean|\
            build-dep|satisfy|download|source|check|reinstall",
        without: SIMULATED,
    },
    Call {
        programs: "aptitude",
        words: "update|install|upgrade|safe-upgrade|full-upgrade|dist-upgrade|remove|purge|reinstall|build-dep|\
            download|clean|autoclean",
        without: SIMULATED,
    },
    Call {
        programs: "nala",
        words: "update|install|upgrade|full-upgrade|remove|purge|autoremove|autopurge|clean",
        without: SIMULATED,
    },
    REPOSITORY,
    Call {
        programs: "rosdep",
        words: "install",
        without: "-s --simulate",
    },
    PLAYWRIGHT,
    MINIDEB,
    Call {
        programs: "mk-build-deps",
        words: "-i|--install|-ir",
        without: "",
    },
    Call {
        programs: "apt-file",
        words: "update",
        without: "",
    },
];

const SIMULATED: &str = "-s --simulate --dry-run --just-print --print-uris";

const REPOSITORY: Call = Call {
    programs: "add-apt-repository apt-add-repository",
    words: "",
    without: "-n --no-update -h --help",
};

/// Playwright installs the libraries of its browsers by apt.
const PLAYWRIGHT: Call = Call {
    programs: "playwright playwright-core",
    words: "install --with-deps|install-deps",
    without: "--dry-run",
};

/// The installer of minideb.
const MINIDEB: Call = Call {
    programs: "install_packages",
    words: "",
    without: "",
};

/// Calls that fetch the lists of packages.
const UPDATING: &[Call] = &[
    Call {
        programs: "apt apt-get apt-fast aptitude nala apt-file",
        words: "update",
        without: "",
    },
    Call {
        programs: "nala xx-apt xx-apt-get",
        words: "install|upgrade|update",
        without: "",
    },
    REPOSITORY,
    PLAYWRIGHT,
    MINIDEB,
];

/// Calls that fail for a package that is in no list.
const INSTALLING: Call = Call {
    programs: "apt apt-get apt-fast aptitude",
    words: "install|build-dep|download|source|reinstall",
    without: SIMULATED,
};

pub(super) fn updates(command: &Command) -> bool {
    UPDATING.iter().any(|call| call.is(command))
}

/// Returns whether `command` takes a package from the lists: one named by its name, not a file or a variable.
pub(super) fn needs_lists(command: &Command) -> bool {
    let is_action = |word: &&String| INSTALLING.words.split('|').any(|action| action == *word);
    let (_, words) = command.program();
    let mut behind = words.iter().skip_while(|word| !is_action(word)).skip(1);
    let is_package = |word: &String| {
        word.starts_with(|first: char| first.is_ascii_alphanumeric()) && !word.contains(['/', '$'])
    };
    INSTALLING.is(command)
        && behind.any(is_package)
        && !words.iter().any(|word| word.contains("Dir::"))
}
