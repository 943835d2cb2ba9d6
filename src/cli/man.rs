//! `cachelane man`, from clap's own table of arguments.

use std::fs;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::report;
use crate::text::printable;
use crate::workspace::file;

use super::args::{Args, ManArgs};
use super::outcome::Error;
use super::terminal;

pub fn run(args: &ManArgs) -> Result<(), Error> {
    fs::create_dir_all(&args.folder).map_err(|error| {
        Error::of_file(&args.folder, format!("cannot make the folder: {error}"))
    })?;
    for (name, page) in pages() {
        let path = args.folder.join(name);
        file::put(&path, &page).map_err(|error| Error::of_file(&path, error.to_string()))?;
        terminal::print(format!("{}: written\n", printable(&report::path(&path))));
    }
    Ok(())
}

/// Returns every page with the name of its file.
fn pages() -> Vec<(String, Vec<u8>)> {
    // Pages for `help` would repeat the others.
    let mut command = Args::command().disable_help_subcommand(true);
    // Gives each subcommand its full name.
    command.build();
    let commands = command.get_subcommands();
    let commands = std::iter::once(&command).chain(commands.filter(|one| !one.is_hide_set()));
    let name = |command: &clap::Command| {
        let name = command.get_display_name();
        format!("{}.1", name.unwrap_or_else(|| command.get_name()))
    };
    commands
        .map(|command| (name(command), page(command).unwrap_or_default()))
        .collect()
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let version = concat!("cachelane ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone())
        .source(version)
        .manual("cachelane");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(text) = command.get_after_help() {
        // Examples keep their lines.
        let text = text
            .to_string()
            .replace('\\', "\\e")
            .replace("\n.", "\n\\&.")
            .replace('-', "\\-");
        page.extend_from_slice(
            format!(".SH EXAMPLES AND EXIT CODES\n.nf\n{text}\n.fi\n").as_bytes(),
        );
    }
    Ok(ascii(&String::from_utf8_lossy(&page)))
}

/// Returns `page` with roff's spelling of non-ASCII characters, which not every reader takes as they are.
fn ascii(page: &str) -> Vec<u8> {
    let spell = |ch: char| {
        if ch.is_ascii() {
            ch.to_string()
        } else {
            format!("\\[u{:04X}]", u32::from(ch))
        }
    };
    page.chars().map(spell).collect::<String>().into_bytes()
}
