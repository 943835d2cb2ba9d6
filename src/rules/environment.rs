//! Commands that see variables without naming them.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::builds::command::{Prefix, Wrapped, program_name as name};
use crate::dockerfile::Keyword;
use crate::text::pattern;

use super::commands::{Command, is_shell};
use super::context::Context;

/// Programs that do the same whatever variables there are, but for those that they are known to read.
const PLAIN: &str = "apt apt-get apt-cache apt-key apt-mark apt-fast aptitude dpkg dpkg-divert dpkg-query \
    dpkg-architecture add-apt-repository apk dnf yum microdnf tdnf zypper pacman rpm rpmkeys opkg locale-gen localedef \
    update-locale update-alternatives update-ca-certificates ldconfig debconf-set-selections \
    groupadd useradd usermod groupmod userdel groupdel addgroup adduser deluser chpasswd passwd chsh chown chmod chgrp \
    setcap mkdir rm rmdir cp mv ln touch install mktemp truncate dd rsync tar gzip gunzip zcat bzip2 xz unzip zip zstd \
    cat echo printf true false : [ [[ test cd pwd pushd popd ls sed awk gawk grep egrep fgrep zgrep sort uniq head tail \
    cut tr wc tee nl seq expr diff cmp patch file stat df du sync curl wget gpg gpgv gpgconf git openssl ssh-keyscan \
    sha1sum sha256sum sha384sum sha512sum md5sum b2sum base64 xxd od jq date sleep which command type hash unset local \
    shift exit return umask ulimit wait read break continue trap eval basename dirname realpath readlink uname id whoami \
    hostname arch nproc getconf find service systemctl kill pkill";

/// The folders of programs that come with a system.
const SYSTEM: &[&str] = &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];

fn is_one(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|known| known == name)
}

/// Finds the commands that list all variables in the text of a RUN.
static LISTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:print)?env\b|/environ\b|\b(?:export|declare|typeset|readonly)\s+-[px]|\bENVIRON\b|\bset\s*(?:[;|&>)'\n]|$)",
    )
});

impl Context<'_> {
    /// Returns whether the RUN `index` prints all variables.
    pub(super) fn lists_variables(&self, index: usize) -> bool {
        let run = &self.file.instructions[index];
        let bodies = run.heredocs.iter().map(|heredoc| heredoc.body);
        let mut bodies = bodies.map(|body| body.of(self.file.source));
        run.keyword == Keyword::Run
            && !run.onbuild
            && (LISTS.is_match(run.arguments()) || bodies.any(|body| LISTS.is_match(body)))
            && self.commands(index).iter().any(lists_variables)
    }
}

/// Returns whether `command` may do something else for another value of any variable: all but plain ones may run files
/// of the build, or list all variables.
pub(super) fn may_see_all_variables(command: &Command) -> bool {
    if lists_variables(command) {
        return true;
    }
    let words = command.words();
    if words.first().is_none_or(|first| is_one("[ [[ :", first)) {
        return false;
    }
    let (before, rest) = command.at_program();
    let is_carried = |word: &String| {
        let is_odd = |first: char| !first.is_ascii_alphanumeric() && !"-/._+".contains(first);
        let is_runner = Prefix::of(word).is_some_and(|prefix| prefix.runs != Wrapped::Command);
        word.contains('=') || !(is_runner || word.starts_with(is_odd))
    };
    if !before.iter().all(is_carried) {
        return true;
    }
    let Some((first, arguments)) = rest.split_first() else {
        return !before.iter().all(|word| word.contains('='));
    };
    let in_system = SYSTEM.iter().any(|folder| first.starts_with(folder));
    if first.contains('/') && !in_system {
        return true;
    }
    match name(first) {
        "set" | "export" | "declare" | "typeset" | "readonly" | "printenv" => false,
        shell if is_shell(shell) || matches!(shell, "su" | "runuser") => command.script().is_none(),
        "find" => {
            let runs = |word: &String| matches!(word.as_str(), "-exec" | "-execdir" | "-ok");
            let mut behind = arguments.iter().skip_while(|word| !runs(word)).skip(1);
            behind.next().is_some_and(|program| !is_one(PLAIN, program))
        }
        program => !is_one(PLAIN, program),
    }
}

/// Returns whether `command` prints all variables.
pub(super) fn lists_variables(command: &Command) -> bool {
    let (before, rest) = command.at_program();
    let is_listed = |word: &String| word.starts_with("/proc/") && word.ends_with("/environ");
    if command.words().iter().any(is_listed) {
        return true;
    }
    let Some((first, arguments)) = rest.split_first() else {
        return before.iter().any(|word| name(word) == "env");
    };
    match name(first) {
        "set" => arguments.is_empty(),
        "export" | "declare" | "typeset" | "readonly" => {
            let lists = |word: &String| matches!(word.as_str(), "-p" | "-x");
            arguments.iter().all(lists)
        }
        "printenv" => arguments.iter().all(|word| word.starts_with('-')),
        "awk" | "gawk" => arguments.iter().any(|word| word.contains("ENVIRON")),
        _ => false,
    }
}
