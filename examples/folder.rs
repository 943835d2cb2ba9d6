//! Checks the Dockerfiles and build files of a folder, and with `--fix` writes them anew:
//! `cargo run --example folder -- example --fix`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use cachelane::{Applicability, LineIndex, Project, RuleId, Settings, Severity};

fn main() -> io::Result<()> {
    let mut args = env::args_os().skip(1);
    let folder = PathBuf::from(args.next().unwrap_or_else(|| ".".into()));
    let is_fix = args.next().as_deref() == Some(OsStr::new("--fix"));

    let mut settings = Settings::default();
    settings
        .severities
        .insert(RuleId::UnlockedApt, Severity::Info);
    let mut project = Project::new(settings);
    add(&mut project, &folder, Path::new(""))?;

    let report = project.check();
    for file in &report.files {
        let lines = LineIndex::new(project.bytes(&file.path).unwrap_or_default());
        for finding in &file.findings {
            let (path, line) = (file.path.display(), lines.line(finding.span.start));
            let severity = finding.severity.as_str();
            println!("{path}:{line}: {severity}: {}", finding.message);
        }
    }
    for error in &report.errors {
        eprintln!("{error}");
    }
    if is_fix {
        for file in project.fix(Applicability::Safe).files {
            for made in &file.made {
                println!("{}:{}: {}", file.path.display(), made.line, made.title);
            }
            for dropped in &file.dropped {
                let (path, line) = (file.path.display(), dropped.line);
                eprintln!("{path}:{line}: not fixed: {}", dropped.reason);
            }
            if !file.made.is_empty() {
                fs::write(folder.join(&file.path), &file.bytes)?;
            }
        }
    }
    Ok(())
}

/// Adds the files of the folder `below` and of those within it to `project`.
fn add(project: &mut Project, folder: &Path, below: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            add(project, folder, &path)?;
        } else if Project::takes(&path) {
            project.replace(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
