//! Finding, reading and writing files, so that an interrupted write loses nothing.

use std::fs;
use std::io;
use std::path::Path;

use cachelane::project::names::is_dockerfile;
use cachelane::workspace::discover::is_there_or_ignored;
use cachelane::workspace::file::{FileError, MAX_SIZE, create, put, read_from, replace};

#[test]
fn dockerfiles_are_known_by_their_names() {
    for name in [
        "Dockerfile",
        "Dockerfile.dev",
        "Dockerfile.erb",
        "Dockerfile.j2",
        "Dockerfile-workers",
        "Dockerfile_iptables",
        "Dockerfile-ubuntu-24.04",
        "dockerfile",
        "dockerfile.dev",
        "DOCKERFILE",
        "DockerFile.x86_64",
        "a.Dockerfile",
        "a.dockerfile",
        "a.DockerFile",
        "a_snippet.Dockerfile.em",
        "a.dockerfile.jinja2",
        "Containerfile",
        "Containerfile-x",
        "x.containerfile",
    ] {
        assert!(is_dockerfile(name.as_bytes(), b"FROM a"), "{name}");
    }
    for name in [
        "dockerfile2",
        "Dockerfile.dockerignore",
        "a.Dockerfile.dockerignore",
        "Dockerfile.bak",
        "Dockerfile_old.bak",
        "Dockerfile.orig",
        "Dockerfile~",
        "MyDockerfile",
        "my-dockerfile",
        "Dockerfiles",
        "DockerfileBuilder.java",
        "a.dockerignore",
        "a.Dockerfile.x",
        "aDockerfile.em",
        "a.Dockerfile.em.bak",
        ".dockerfile.swp",
    ] {
        assert!(!is_dockerfile(name.as_bytes(), b"FROM a"), "{name}");
    }
}

#[test]
fn prose_and_source_code_are_told_by_their_instructions() {
    // A known ending of prose or code asks for a FROM or an ARG.
    let others = [
        "Dockerfile.md",
        "Dockerfile.PY",
        "dockerfile_lint.rs",
        "dockerfile.bzl",
    ];
    let doubtful = [
        "Containerfile-README",
        "dockerfile-entrypoint",
        "Dockerfile.dev",
    ];
    for source in [
        "FROM a",
        "FROM a\nrun x\n|| true",
        "# The image of the service.\n\nfrom --platform=$BUILDPLATFORM a as b",
        "# syntax=x\nARG VERSION=1.24\nFROM golang:${VERSION}",
        "ARG X",
        "{% set x = 1 %}\n{{ header }}\nFROM {{ base or x }} AS build",
        "@[if x]@\nFROM @(base)",
        "#!/usr/bin/env x\nFROM a",
        "FROM a\nRUN <<EOF\nx",
    ] {
        for name in doubtful.iter().chain(&others) {
            assert!(
                is_dockerfile(name.as_bytes(), source.as_bytes()),
                "{name} {source}"
            );
        }
    }
    // A snippet, and slips that have to be told.
    for source in [
        "RUN make \\\n  all\nCOPY <<EOF /x\na text\nEOF\n{% if x %}RUN x{% endif %}",
        "FORM a\nRUN x",
        "FROM a b\nRUN x",
        "FROM a AS b # c\nRUN x",
        "FROM --platform=x a # c\nRUN x",
        "FROM\nRUN x",
    ] {
        for name in doubtful {
            assert!(
                is_dockerfile(name.as_bytes(), source.as_bytes()),
                "{name} {source}"
            );
        }
        for name in others {
            assert!(
                !is_dockerfile(name.as_bytes(), source.as_bytes()),
                "{name} {source}"
            );
        }
    }
    for source in [
        "",
        "# How it is built",
        "# How it is built\n\nWith `FROM a`:\n\nFROM a",
        "FROM begins each stage, and:\n\n    FROM a",
        "RUN takes mounts:\n```\nRUN x\n```",
        "Run this:\nFROM a\nRUN x",
        "from textwrap import dedent\nFROM a",
        "from os import *",
        "ARG = \"x\"\nFROM a",
        "ARG 1=x\nx = 1",
        "\"\"\"Rules.\"\"\"\nload(\"@x\", \"y\")",
        "snippet from\n\tFROM ${1:image}",
        "package main\nFROM a",
        "{\n\"FROM\": 1}",
        "#!/bin/sh\ndocker build -",
        "TODO",
    ] {
        for name in doubtful.iter().chain(&others) {
            assert!(
                !is_dockerfile(name.as_bytes(), source.as_bytes()),
                "{name} {source}"
            );
        }
        for name in [
            "Dockerfile",
            "containerfile",
            "notes.Dockerfile",
            "x.Dockerfile.j2",
            "Dockerfile.em",
        ] {
            assert!(is_dockerfile(name.as_bytes(), source.as_bytes()), "{name}");
        }
    }
}

#[test]
fn by_every_folder_up_to_the_repository_s_root() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(".gitignore", "/outside/\n");
    write("repository/.git/HEAD", "");
    write("repository/.gitignore", "vendor/\n*.old\n");
    write("repository/a/.gitignore", "/out\n");
    write("repository/a/kept/x", "");
    let folder = root.path().join("repository/a");
    for path in ["vendor", "b/vendor/c", "out", "kept", "x.old"] {
        assert!(is_there_or_ignored(&folder, Path::new(path)), "{path}");
    }
    for path in ["vendr", "b/out", "outside", "../a/kept"] {
        assert!(!is_there_or_ignored(&folder, Path::new(path)), "{path}");
    }
}

#[test]
fn a_file_that_changed_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Dockerfile");
    fs::write(&path, "b").unwrap();
    let roots = [folder.path().to_path_buf()];
    assert!(matches!(
        replace(&path, b"a", b"c", &roots),
        Err(FileError::Changed)
    ));
    assert_eq!(fs::read(&path).unwrap(), b"b");
    replace(&path, b"b", b"c", &roots).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"c");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn mode_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("real"), "a").unwrap();
    fs::write(&outside, "a").unwrap();
    fs::set_permissions(inside.join("real"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real", inside.join("Dockerfile")).unwrap();
    symlink("../out", inside.join("a.Dockerfile")).unwrap();
    let roots = [inside.clone()];
    replace(&inside.join("Dockerfile"), b"a", b"b", &roots).unwrap();
    assert_eq!(fs::read(inside.join("real")).unwrap(), b"b");
    assert_eq!(
        fs::metadata(inside.join("real"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o640
    );
    assert!(
        fs::symlink_metadata(inside.join("Dockerfile"))
            .unwrap()
            .is_symlink()
    );
    let refused = replace(&inside.join("a.Dockerfile"), b"a", b"b", &roots);
    assert!(matches!(refused, Err(FileError::LinkOutside(_))));
    assert_eq!(fs::read(&outside).unwrap(), b"a");
}

/// A folder on the way that became a link after the search went through it.
#[cfg(unix)]
#[test]
fn a_folder_that_leads_out_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside"));
    fs::create_dir(&tree).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("Dockerfile"), "a").unwrap();
    std::os::unix::fs::symlink("../outside", tree.join("d")).unwrap();
    let path = tree.join("d/Dockerfile");
    assert!(matches!(
        replace(&path, b"a", b"b", std::slice::from_ref(&tree)),
        Err(FileError::LinkOutside(_))
    ));
    assert_eq!(fs::read(&path).unwrap(), b"a");
    // A named link stands for its target.
    replace(&path, b"a", b"b", &[tree.join("d")]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"b");
}

/// A report followed a link to a device, and replaced `/dev/stdout` where that was a file.
#[cfg(target_os = "linux")]
#[test]
fn a_report_replaces_a_link_and_goes_to_what_the_system_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    put(&path, b"a").unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read(&path).unwrap(), b"a");
    let file = fs::File::options().write(true).open(&path).unwrap();
    let handle = std::os::fd::AsRawFd::as_raw_fd(&file);
    put(Path::new(&format!("/proc/self/fd/{handle}")), b"b").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"b");
    put(Path::new("/dev/null"), b"c").unwrap();
}

/// A repository that has a link for the folder of reports wrote where it liked.
#[cfg(unix)]
#[test]
fn a_report_goes_through_no_link_of_the_repository() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join(".git")).unwrap();
    fs::create_dir(here.join("kept")).unwrap();
    // One that leads into another repository is out of this one, too.
    fs::create_dir(outside.path().join(".git")).unwrap();
    symlink(outside.path(), here.join("reports")).unwrap();
    symlink("kept", here.join("inner")).unwrap();
    for path in [
        "reports/r.json",
        "reports/../reports/r.json",
        "reports/deep/r.json",
    ] {
        let error = put(&here.join(path), b"a").unwrap_err().to_string();
        assert!(
            error.contains("is a link out of the repository"),
            "{path}: {error}"
        );
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    put(&here.join("inner/r.json"), b"a").unwrap();
    assert_eq!(fs::read(here.join("kept/r.json")).unwrap(), b"a");
    // A link that leads to the repository is the user's.
    let link = tempfile::tempdir().unwrap();
    symlink(here, link.path().join("work")).unwrap();
    put(&link.path().join("work/kept/s.json"), b"a").unwrap();
}

/// It waited for a reader for ever.
#[cfg(unix)]
#[test]
fn a_report_waits_for_no_reader_of_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let error = put(&pipe, b"a").unwrap_err().to_string();
    assert!(error.contains("nobody reads this pipe"), "{error}");
    // More than a pipe holds, for a reader that takes its time.
    let text = vec![b'a'; 1 << 20];
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read(pipe).unwrap().len())
    };
    while put(&pipe, &text).is_err() {}
    assert_eq!(reader.join().unwrap(), text.len());
}

#[test]
fn a_read_only_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Dockerfile");
    fs::write(&path, "a").unwrap();
    let mut mode = fs::metadata(&path).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(&path, mode).unwrap();
    assert!(matches!(
        replace(&path, b"a", b"b", std::slice::from_ref(&path)),
        Err(FileError::ReadOnly)
    ));
    assert_eq!(fs::read(&path).unwrap(), b"a");
}

#[test]
fn no_message_names_a_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = put(&folder.path().join("none/a"), b"a")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot write it: ") && !error.contains(".cachelane"),
        "{error}"
    );
}

#[test]
fn a_new_file_takes_no_others_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cachelane.toml");
    create(&path, b"a").unwrap();
    assert!(matches!(create(&path, b"b"), Err(FileError::Exists)));
    assert_eq!(fs::read(&path).unwrap(), b"a");
    assert!(matches!(
        create(&folder.path().join("no/file"), b"b"),
        Err(FileError::Create(_))
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_new_file_has_the_mode_of_any_new_file() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    create(&ours, b"a").unwrap();
    fs::write(&theirs, b"a").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&theirs));
    symlink("nowhere", folder.path().join("link")).unwrap();
    assert!(matches!(
        create(&folder.path().join("link"), b"a"),
        Err(FileError::Exists)
    ));
}

#[test]
fn what_is_no_text_is_refused() {
    assert!(matches!(
        read_from(&b"a\nb\0"[..], MAX_SIZE),
        Err(FileError::Nul { line: 2 })
    ));
    assert!(matches!(
        read_from(io::repeat(b'x'), MAX_SIZE),
        Err(FileError::TooLarge(_))
    ));
}
