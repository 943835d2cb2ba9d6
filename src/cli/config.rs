//! `cachelane config`

use std::path::Path;

use crate::config::{Origin, SCHEMA, Shown};
use crate::report;
use crate::text::printable;

use super::args::{ConfigCommand, ShowArgs};
use super::settled::{Loaded, Settled};
use super::{Outcome, terminal};

pub(super) fn run(command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Show(args) => show(args),
        ConfigCommand::Schema => {
            terminal::print(SCHEMA);
            Outcome::Clean
        }
    }
}

fn show(args: &ShowArgs) -> Outcome {
    if let Err(problem) = args.select.check() {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    let overrides = args.settings.overrides(Some(&args.select), false);
    let Some(settled) = Settled::new(&args.settings, overrides) else {
        return Outcome::Trouble;
    };
    let folder = args.path.is_dir();
    let around = args
        .path
        .parent()
        .filter(|around| !around.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder && !around.is_dir() {
        terminal::complain(&format!(
            "{}: there is no such file or folder",
            report::path(&args.path)
        ));
        return Outcome::Trouble;
    }
    let path = if folder {
        args.path.join("Dockerfile")
    } else {
        args.path.clone()
    };
    let Some(loaded) = settled.of(&path) else {
        return Outcome::Trouble;
    };
    terminal::tell(&page(
        &loaded,
        &args.path,
        &loaded.show(&path),
        loaded.excludes(&path, None),
    ));
    Outcome::Clean
}

/// The settings as the configuration that would give them, each with its origin.
fn page(loaded: &Loaded, path: &Path, shown: &[Shown], excluded: bool) -> String {
    let file = loaded.file.as_deref().map(report::path);
    let from = file.as_deref().unwrap_or("no configuration");
    let name = report::path(path);
    let name = if name.is_empty() {
        "this folder"
    } else {
        &name
    };
    let mut text = format!("# {}: {}\n", printable(name), printable(from));
    if path.symlink_metadata().is_err() {
        text.push_str("# There is no such file: this is what would hold for it.\n");
    }
    if excluded {
        text.push_str(
            "# It is excluded: only a run that names it without --force-exclude looks at it.\n",
        );
    }
    let width = |shown: &Shown| {
        shown.key.len() + shown.value.chars().count() + 3 + usize::from(shown.varies.is_some())
    };
    let width = shown.iter().map(width).max().unwrap_or(0).min(60);
    let mut rules = false;
    for Shown {
        key,
        value,
        origin,
        is_rule,
        varies,
    } in shown
    {
        if *is_rule && !rules {
            rules = true;
            text.push_str("\n[rules]\n");
        }
        let mut origin = match origin {
            Origin::BuiltIn => "built in".to_owned(),
            Origin::File(line) => format!("{from}:{line}"),
            Origin::Option(option) => (*option).to_owned(),
        };
        // Set outright, it would hold everywhere.
        let off = if varies.is_some() { "#" } else { "" };
        origin.extend(varies.iter().flat_map(|varies| ["; ", varies]));
        text.push_str(&format!(
            "{:width$}  # {}\n",
            format!("{off}{key} = {value}"),
            printable(&origin)
        ));
    }
    text
}
