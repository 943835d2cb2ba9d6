//! `cachelane config`

use std::path::Path;

use crate::config::{self, Origin, Shown};
use crate::report;
use crate::text::printable;

use super::args::{ConfigCommand, FixSettings, ShowArgs};
use super::config_resolver::{ConfigResolver, LoadedConfig};
use super::outcome::Error;
use super::terminal;

pub fn run(command: &ConfigCommand) -> Result<(), Error> {
    match command {
        ConfigCommand::Show(args) => show(args),
        ConfigCommand::Schema => {
            terminal::print(config::schema());
            Ok(())
        }
    }
}

fn show(args: &ShowArgs) -> Result<(), Error> {
    args.select.check()?;
    let configs = ConfigResolver::new(&args.settings, &args.select, FixSettings::default())?;
    let path = if args.path.is_dir() {
        args.path.join("Dockerfile")
    } else {
        args.path.clone()
    };
    let around = path.parent().unwrap_or(Path::new(""));
    if !around.as_os_str().is_empty() && !around.is_dir() {
        let why = "there is no such file or folder";
        return Err(Error::of_file(&args.path, why));
    }
    let loaded = configs.at(&path)?;
    let shown = loaded.show(&path);
    let excluded = loaded.excludes(&path, None);
    terminal::print_text(&page(&loaded, &args.path, &shown, excluded));
    Ok(())
}

/// Returns the settings as the configuration that would give them, each with its origin.
fn page(loaded: &LoadedConfig, path: &Path, shown: &[Shown], excluded: bool) -> String {
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
        // An outright level would apply to all cases.
        let off = if varies.is_some() { "#" } else { "" };
        origin.extend(varies.map(|varies| format!("; {varies}")));
        text.push_str(&format!(
            "{:width$}  # {}\n",
            format!("{off}{key} = {value}"),
            printable(&origin)
        ));
    }
    text
}
