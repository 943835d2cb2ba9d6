//! Writing when things go wrong: killed, no room, no permission, others at the same files. Whatever happens, a file is the
//! old one or the new one in full, with its owner, mode and attributes, and what was not done is said.
//!
//! `CACHELANE_EFFORT=100 cargo test --release --test outer fault::killed` is the long run.

#![allow(clippy::print_stderr, reason = "gaps are said")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::effort::effort;
use crate::loud::left_out;

const OLD: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";
const NEW: &str = "FROM debian\nARG CACHE_ID=default\n\
    RUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
/// Whom a test becomes to have no rights.
const NOBODY: u32 = 65_534;

fn cachelane(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    command
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .stdin(Stdio::null());
    command
}

fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn fix(folder: &Path) -> (i32, String) {
    said(&cachelane(folder).arg("fix").output().unwrap())
}

/// Whether this is root; where it is not, says what is left out. In CI, that fails.
fn is_root(what: &str) -> bool {
    // What a process makes belongs to whom it runs as.
    let folder = tempfile::tempdir().unwrap();
    let root = fs::metadata(folder.path()).unwrap().uid() == 0;
    if !root {
        left_out(what, "it needs root");
    }
    root
}

/// A folder that anybody may go into.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// `count` files to fix in folders of 50, each padded by its number so that no two are alike, with modes of all kinds.
fn tree(root: &Path, count: usize) -> BTreeMap<PathBuf, (String, u32)> {
    let mut files = BTreeMap::new();
    for n in 0..count {
        let path = root.join(format!("d{}/{n}.Dockerfile", n / 50));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("# {n}{}\n{OLD}", "x".repeat(n % 7 * 1000));
        let mode = [0o644, 0o600, 0o755, 0o664, 0o4750, 0o1644][n % 6];
        put(&path, &text, mode);
        files.insert(
            path.clone(),
            (text, fs::metadata(&path).unwrap().mode() & 0o7777),
        );
    }
    files
}

fn put(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    // Not every file system has modes; where it has none, what it shows is what has to stay.
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
}

fn fixed(old: &str) -> String {
    old.replace(OLD, NEW)
}

/// Every file below `folder`, by path.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// How many of `files` are new; all are whole, none is lost, and only temporary files have come. With it, their number.
fn count_new(root: &Path, files: &BTreeMap<PathBuf, (String, u32)>) -> (usize, Vec<PathBuf>) {
    let (mut all, mut new, mut leftovers) = (Vec::new(), 0, Vec::new());
    below(root, &mut all);
    for path in &all {
        let Some((old, mode)) = files.get(path) else {
            assert!(
                path.file_name()
                    .unwrap()
                    .as_encoded_bytes()
                    .starts_with(b".cachelane-"),
                "{}",
                path.display()
            );
            leftovers.push(path.clone());
            continue;
        };
        let (text, meta) = (
            fs::read_to_string(path).unwrap(),
            fs::metadata(path).unwrap(),
        );
        assert_eq!(meta.mode() & 0o7777, *mode, "{}", path.display());
        assert!(
            text == *old || text == fixed(old),
            "{} is neither old nor new: {text:?}",
            path.display()
        );
        new += usize::from(text != *old);
    }
    assert_eq!(all.len() - leftovers.len(), files.len(), "files are lost");
    (new, leftovers)
}

/// Kills `fix` of `files` below `root` at `kills` moments, every fourth between its start and its end, the others while it
/// writes. How often that was between the first file and the last, and how many temporary files it left.
fn kill(root: &Path, files: &BTreeMap<PathBuf, (String, u32)>, kills: usize) -> (usize, usize) {
    let is_old = |path: &Path, old: &str| fs::metadata(path).unwrap().len() == old.len() as u64;
    // On a machine that does other work, too, writing begins sooner in one run than in the next.
    let until_it_writes = |child: &mut Child| {
        while files.iter().all(|(path, (old, _))| is_old(path, old)) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
        }
    };
    let clock = Instant::now();
    let mut child = cachelane(root).args(["fix", "--quiet"]).spawn().unwrap();
    until_it_writes(&mut child);
    let first = clock.elapsed();
    assert!(child.wait().unwrap().success());
    let (whole, mut random) = (clock.elapsed(), 0x2545_F491_4F6C_DD1D_u64);
    let (mut partly, mut left) = (0, 0);
    for number in 0..kills {
        for (path, (old, mode)) in files {
            if !is_old(path, old) {
                put(path, old, *mode);
            }
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut child = cachelane(root)
            .args(["fix", "--quiet"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let part = f64::from(u32::try_from(random % 1000).unwrap()) / 1000.0;
        let within = if number % 4 == 0 {
            whole
        } else {
            until_it_writes(&mut child);
            whole.saturating_sub(first)
        };
        thread::sleep(within.mul_f64(part));
        child.kill().unwrap();
        child.wait().unwrap();
        let (new, leftovers) = count_new(root, files);
        partly += usize::from(new > 0 && new < files.len());
        left += leftovers.len();
        for leftover in leftovers {
            fs::remove_file(leftover).unwrap();
        }
    }
    eprintln!(
        "{kills} kills, {partly} of them between the first file and the last, {left} temporary files left"
    );
    // To a later run, what has no lane yet would join the caches of what has one: that is for review.
    let rest = cachelane(root).args(["fix", "--unsafe"]).output().unwrap();
    assert_eq!(said(&rest).0, 0);
    assert_eq!(count_new(root, files), (files.len(), Vec::new()));
    (partly, left)
}

/// Ten kills and 400 files, times the effort: each kill costs the time of a run. A thousand, with 2,000 files, take two to five
/// minutes with `--release`.
#[test]
fn killed_at_any_moment() {
    let kills = 10 * effort() as usize;
    // In memory, where there is one: a kill takes nothing from a disk that it would not take from there, and a thousand runs
    // of 2,000 files wait for a disk for hours.
    let folder = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| folder());
    let files = tree(folder.path(), if kills < 1000 { 400 } else { 2000 });
    let (partly, left) = kill(folder.path(), &files, kills);
    assert!(
        partly * 4 > kills,
        "too few kills came while it wrote: {partly} of {kills}"
    );
    let threads = thread::available_parallelism().map_or(1, usize::from);
    assert!(
        left <= kills * threads,
        "{kills} kills left {left} temporary files: each thread writes one at a time"
    );
}

#[test]
fn what_a_kill_left_behind_is_no_dockerfile() {
    let folder = folder();
    fs::write(folder.path().join("cachelane.toml"), "include = [\"**\"]\n").unwrap();
    for name in [".cachelane-aB3dE6", ".cachelane-other"] {
        fs::write(folder.path().join(name), OLD).unwrap();
    }
    // The second name is somebody else's, and `**` includes it.
    let (code, text) = fix(folder.path());
    assert!(
        code == 0 && text.contains("1 finding fixed in 1 file"),
        "{text}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join(".cachelane-aB3dE6")).unwrap(),
        OLD
    );
}

/// A file system in memory, mounted as long as this lives.
struct Small(tempfile::TempDir);

impl Small {
    fn new(options: &str) -> Self {
        let folder = folder();
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(folder.path())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot mount a tmpfs"
        );
        Self(folder)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk() {
    if !is_root("a full disk") {
        return;
    }
    let disk = Small::new("size=1m,mode=755");
    let files = tree(disk.0.path(), 20);
    // All that is left is taken.
    let mut filler = fs::File::create(disk.0.path().join("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
    let (code, text) = fix(disk.0.path());
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("it is left as it is: No space left"),
        "{text}"
    );
    drop(filler);
    fs::remove_file(disk.0.path().join("filler")).unwrap();
    let (new, leftovers) = count_new(disk.0.path(), &files);
    assert!(new < 20 && leftovers.is_empty(), "{new} {leftovers:?}");
    assert_eq!(fix(disk.0.path()).0, 0);
    assert_eq!(count_new(disk.0.path(), &files).0, 20);
}

#[test]
fn a_file_system_that_is_read_only() {
    if !is_root("a read-only file system") {
        return;
    }
    let disk = Small::new("size=1m,mode=755");
    let files = tree(disk.0.path(), 3);
    let again = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(disk.0.path())
        .status()
        .unwrap();
    assert!(again.success());
    let (code, text) = fix(disk.0.path());
    assert!(
        code == 2 && text.contains("cannot write in its folder, and it is left as it is"),
        "{text}"
    );
    assert_eq!(count_new(disk.0.path(), &files).0, 0);
}

#[test]
fn rights_that_are_missing() {
    if !is_root("becoming somebody without rights") {
        return;
    }
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for (name, owner, mode) in [
        ("locked", 0, 0o755),
        ("theirs", NOBODY, 0o755),
        ("open", 0, 0o777),
        ("hidden", 0, 0o700),
        ("mine", NOBODY, 0o755),
    ] {
        fs::create_dir(at(name)).unwrap();
        chown(at(name), Some(owner), Some(owner)).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        put(&at(name).join("Dockerfile"), OLD, 0o644);
    }
    let theirs = at("theirs/Dockerfile");
    chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
    put(&theirs, OLD, 0o444);
    let secret = at("mine/secret.Dockerfile");
    put(&secret, OLD, 0o600);
    chown(at("mine/Dockerfile"), Some(NOBODY), Some(NOBODY)).unwrap();
    // What git cannot read says nothing to git, either.
    put(&at("mine/.gitignore"), "Dockerfile\n", 0o600);
    let mut command = cachelane(folder.path());
    let (code, text) = said(&command.arg("fix").uid(NOBODY).gid(NOBODY).output().unwrap());
    assert_eq!(code, 2, "{text}");
    for (name, why) in [
        (
            "locked/Dockerfile",
            "cannot write in its folder, and it is left as it is: Permission denied",
        ),
        ("theirs/Dockerfile", "it is read-only, and is left as it is"),
        (
            "open/Dockerfile",
            "cannot keep its owner and group, and it is left as it is",
        ),
        ("hidden", "Permission denied"),
        (
            "mine/secret.Dockerfile",
            "cannot read it: Permission denied",
        ),
    ] {
        let line = text
            .lines()
            .find(|line| line.contains(name) && line.contains(why));
        assert!(line.is_some(), "no line says of {name} that {why}:\n{text}");
    }
    for name in ["locked", "theirs", "open", "hidden"] {
        assert_eq!(
            fs::read_to_string(at(name).join("Dockerfile")).unwrap(),
            OLD,
            "{name}"
        );
        assert_eq!(fs::read_dir(at(name)).unwrap().count(), 1, "{name}");
    }
    assert_eq!(fs::read_to_string(at("mine/Dockerfile")).unwrap(), NEW);
    assert_eq!(fs::read_to_string(secret).unwrap(), OLD);
}

#[test]
fn owner_and_every_bit_of_the_mode_stay() {
    if !is_root("changing owners") {
        return;
    }
    let folder = folder();
    for mode in [0o644, 0o4755, 0o2755, 0o6711, 0o1600, 0o7777, 0o200] {
        let path = folder.path().join(format!("{mode:o}.Dockerfile"));
        fs::write(&path, OLD).unwrap();
        chown(&path, Some(1234), Some(4321)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(fix(folder.path()).0, 0);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::metadata(&path).unwrap();
        let mode = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(
            (
                meta.uid(),
                meta.gid(),
                format!("{:o}", meta.mode() & 0o7777)
            ),
            (1234, 4321, mode)
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
    }
}

/// An ACL as the kernel keeps it: the owner's, user 1234's, the group's, the mask, the others'.
const ACL: &[u8] =
    b"\x02\0\0\0\x01\0\x06\0\xFF\xFF\xFF\xFF\x02\0\x04\0\xD2\x04\0\0\x04\0\x04\0\xFF\xFF\xFF\xFF\
    \x10\0\x04\0\xFF\xFF\xFF\xFF\x20\0\0\0\xFF\xFF\xFF\xFF";

/// The extended attributes were lost: the new file had none of them, or its folder's default ACL.
#[test]
fn extended_attributes_and_acls_stay() {
    use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};
    let folder = folder();
    let path = folder.path().join("Dockerfile");
    put(&path, OLD, 0o640);
    if let Err(error) = setxattr(&path, "user.origin", b"here", XattrFlags::empty()) {
        return left_out(
            "extended attributes and ACLs",
            &format!("this file system has none: {error}"),
        );
    }
    setxattr(&path, "system.posix_acl_access", ACL, XattrFlags::empty()).unwrap();
    // A new file in the folder gets an ACL from it. The other file has none, and stays without.
    let plain = folder.path().join("plain.Dockerfile");
    put(&plain, OLD, 0o640);
    setxattr(
        folder.path(),
        "system.posix_acl_default",
        ACL,
        XattrFlags::empty(),
    )
    .unwrap();
    assert_eq!(fix(folder.path()).0, 0);
    let mut room = [0; 256];
    let got = getxattr(&path, "user.origin", &mut room[..]).unwrap();
    assert_eq!(&room[..got], b"here");
    let got = getxattr(&path, "system.posix_acl_access", &mut room[..]).unwrap();
    assert_eq!(&room[..got], ACL);
    assert_eq!(listxattr(&plain, &mut room[..]).unwrap(), 0);
    for path in [path, plain] {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
    }
}

/// Both wanted the same change, and the slower one complained that the file had changed.
#[test]
fn two_at_once() {
    let folder = folder();
    let files = tree(folder.path(), 300);
    for _ in 0..4 {
        for (path, (old, mode)) in &files {
            put(path, old, *mode);
        }
        let start = || {
            cachelane(folder.path())
                .arg("fix")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = [start(), start()].map(|child| said(&child.wait_with_output().unwrap()));
        // One that finds files changed leaves them, with the reason, to the one that changes them.
        let reasons = [
            "has that id already: both become one cache",
            "would read otherwise than before",
        ];
        let is_late = |text: &str| reasons.iter().any(|reason| text.contains(reason));
        let odd = both
            .iter()
            .find(|(code, text)| *code != 0 && !is_late(text));
        assert_eq!(odd, None);
        assert_eq!(count_new(folder.path(), &files), (files.len(), Vec::new()));
    }
}

/// While `change` runs over and over, `fix` does, too: it ends, with a word on what it did not do. That goes on for at least
/// `rounds`, and until it has come in time and too late.
fn race(folder: &Path, rounds: usize, change: impl Fn() + Sync, judge: impl Fn(i32, &str)) {
    let done = AtomicBool::new(false);
    let (mut fixed, mut late) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                change();
            }
        });
        // Also where a judgement fails, which would wait for the other thread.
        let ended = Ended(&done);
        for round in 0.. {
            let (code, text) = fix(folder);
            judge(code, &text);
            fixed += usize::from(text.contains("1 finding fixed in 1 file"));
            late += usize::from(code == 2);
            if round >= rounds && ((fixed > 0 && late > 0) || round >= 20 * rounds) {
                break;
            }
        }
        drop(ended);
    });
    assert!(
        fixed > 0 && late > 0,
        "{fixed} times in time, {late} times too late"
    );
}

/// Says at its end that all is done.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_file_that_becomes_a_link_a_folder_or_a_pipe() {
    let folder = folder();
    let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside"));
    fs::create_dir(&tree).unwrap();
    fs::write(&outside, OLD).unwrap();
    // It is written elsewhere, since an empty one has nothing to fix.
    let (path, spare) = (tree.join("Dockerfile"), folder.path().join("spare"));
    let clear = || {
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
    };
    let change = || {
        fs::write(&spare, OLD).unwrap();
        clear();
        let _ = fs::rename(&spare, &path);
        thread::sleep(Duration::from_millis(3));
        clear();
        let _ = symlink("../outside", &path);
        thread::sleep(Duration::from_micros(500));
        clear();
        let _ = fs::create_dir(&path);
        thread::sleep(Duration::from_micros(500));
        clear();
        // Opening a pipe that nobody writes to would wait for ever.
        let _ = Command::new("mkfifo").arg(&path).status();
        thread::sleep(Duration::from_micros(500));
    };
    race(&tree, 60, change, |code, text| {
        let known = match code {
            0 => {
                text.contains("1 finding fixed in 1 file") || text.contains("no Dockerfile below .")
            }
            _ => text.contains("cachelane: Dockerfile: "),
        };
        assert!(known && code != 1, "{code}: {text}");
        assert_eq!(
            fs::read_to_string(&outside).unwrap(),
            OLD,
            "what lies outside was changed"
        );
    });
    let (mut left, temporary) = (Vec::new(), |path: &PathBuf| {
        path.to_string_lossy().contains(".cachelane-")
    });
    below(&tree, &mut left);
    assert!(!left.iter().any(temporary), "{left:?}");
}

#[test]
fn a_file_that_somebody_else_writes() {
    let folder = folder();
    let path = folder.path().join("Dockerfile");
    // What the other one writes is there in full at the end: each text is a file of its own.
    let (mine, spare) = (OLD.replace("debian", "alpine"), folder.path().join("spare"));
    race(
        folder.path(),
        40,
        || {
            fs::write(&spare, &mine).unwrap();
            fs::rename(&spare, &path).unwrap();
            thread::sleep(Duration::from_millis(2));
        },
        |code, text| {
            assert!(
                // (On a busy machine the other one may not have come in between: then nothing is left to fix.)
                (code == 0
                    && ["1 finding fixed in 1 file", "nothing to fix"]
                        .iter()
                        .any(|said| text.contains(said)))
                    || (code == 2 && text.contains("changed while cachelane worked on it")),
                "{text}"
            );
        },
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text == mine || text == NEW.replace("debian", "alpine"),
        "{text}"
    );
}

/// Runs `program`; what it prints, or what it says where it fails or is not there.
fn runs(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{program}: {}", text(&output.stderr)))
    }
}

/// An image of a file system on a loop device, mounted as long as this lives.
struct Image {
    folder: tempfile::TempDir,
    device: String,
    _file: tempfile::NamedTempFile,
}

impl Image {
    /// One that `make` makes of a device, and `mount` mounts.
    fn new(make: &str, mount: &[&str]) -> Result<Self, String> {
        let (folder, file) = (folder(), tempfile::NamedTempFile::new().unwrap());
        file.as_file().set_len(16 << 20).unwrap();
        let path = file.path().to_string_lossy().into_owned();
        runs(make, &[&path])?;
        let device = runs("losetup", &["--find", "--show", &path])?;
        let image = Self {
            folder,
            device,
            _file: file,
        };
        let at = image.folder.path().to_string_lossy().into_owned();
        runs(mount[0], &[&mount[1..], &[&image.device, &at]].concat())?;
        Ok(image)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = runs("umount", &[&self.folder.path().to_string_lossy()]);
        let _ = runs("losetup", &["--detach", &self.device]);
    }
}

/// FAT and its kin have no modes, owners or hard links, and on their disk a rename over a file is no
/// single step; for processes it is. Where the kernel has no FAT, there is exFAT in user space.
#[test]
fn a_file_system_without_modes_and_owners() {
    if !is_root("mounting a FAT") {
        return;
    }
    let there = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !["mkfs.vfat", "mkfs.exfat", "mount.exfat-fuse"]
        .into_iter()
        .all(there)
    {
        let _ = runs(
            "apt-get",
            &[
                "install",
                "-y",
                "-qq",
                "dosfstools",
                "exfatprogs",
                "exfat-fuse",
            ],
        );
    }
    let images = [
        ("FAT", Image::new("mkfs.vfat", &["mount", "-t", "vfat"])),
        (
            "exFAT",
            Image::new("mkfs.exfat", &["mount.exfat-fuse", "-o", "allow_other"]),
        ),
    ];
    let mut tried = 0;
    for (name, image) in images {
        let image = match image {
            Ok(image) => image,
            Err(why) => {
                eprintln!("no {name} here: {why}");
                continue;
            }
        };
        let root = image.folder.path();
        let files = tree(root, 60);
        eprintln!("{name}:");
        kill(root, &files, 5);
        // Where there is no room, the old files stay.
        for (path, (old, mode)) in &files {
            put(path, old, *mode);
        }
        let mut filler = fs::File::create(root.join("filler")).unwrap();
        while std::io::Write::write_all(&mut filler, &[0; 512]).is_ok() {}
        let (code, text) = fix(root);
        assert!(
            code == 2 && text.contains("it is left as it is"),
            "{name}: {code} {text}"
        );
        drop(filler);
        fs::remove_file(root.join("filler")).unwrap();
        assert!(count_new(root, &files).0 < 60);
        tried += 1;
    }
    if tried == 0 {
        left_out(
            "a file system without modes and owners",
            "neither FAT nor exFAT can be mounted",
        );
    }
}

/// In an overlay, as containers have it, a file of the lower layer gets another number when it is written.
#[test]
fn an_overlay() {
    if !is_root("mounting an overlay") {
        return;
    }
    let disk = Small::new("size=64m,mode=755");
    let at = |name: &str| disk.0.path().join(name);
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(at(name)).unwrap();
    }
    let below = tree(&at("lower"), 60);
    let [lower, upper, work] =
        ["lower", "upper", "work"].map(|name| format!("{name}dir={}", at(name).display()));
    let options = [lower, upper, work].join(",");
    let merged = at("merged").to_string_lossy().into_owned();
    let mounted = runs("mount", &["-t", "overlay", "-o", &options, "none", &merged]);
    if let Err(why) = mounted {
        return left_out("an overlay", &format!("none can be mounted: {why}"));
    }
    let moved = |path: &PathBuf| at("merged").join(path.strip_prefix(at("lower")).unwrap());
    let files: BTreeMap<PathBuf, (String, u32)> = below
        .iter()
        .map(|(path, file)| (moved(path), file.clone()))
        .collect();
    kill(&at("merged"), &files, 5);
    assert_eq!(
        count_new(&at("lower"), &below).0,
        0,
        "the lower layer changed"
    );
    runs("umount", &[&merged]).unwrap();
}

/// A mount over a file leaves it a regular one in its folder's list: `/dev/null`, by which sandboxes hide a file, was taken
/// for an empty Dockerfile, and a pipe emptied.
#[test]
fn what_is_mounted_over_a_file_is_no_dockerfile() {
    if !is_root("mounting over a file") {
        return;
    }
    let folder = folder();
    let [pipe, file] = ["pipe", "Dockerfile"].map(|name| folder.path().join(name));
    fs::write(&file, OLD).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Read and write, so that it opens without a reader and keeps what is in it.
    let mut held = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    held.write_all(b"kept").unwrap();
    for over in [Path::new("/dev/null"), &pipe] {
        let mounted = Command::new("mount")
            .arg("--bind")
            .arg(over)
            .arg(&file)
            .status()
            .unwrap();
        assert!(mounted.success());
        let checked = said(&cachelane(folder.path()).arg("check").output().unwrap());
        let unmounted = Command::new("umount").arg(&file).status().unwrap();
        assert!(unmounted.success());
        assert_eq!(checked.0, 2, "{}: {}", over.display(), checked.1);
        assert!(
            checked.1.contains("Dockerfile: it is not a regular file"),
            "{}",
            checked.1
        );
    }
    let mut kept = [0; 4];
    held.read_exact(&mut kept).unwrap();
    assert_eq!(&kept, b"kept");
}
