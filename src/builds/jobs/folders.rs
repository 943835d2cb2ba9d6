//! The folders that a script's own words name: its own, and the repository's root.

use super::script::Piece;
use crate::builds::command;
use crate::builds::model::PathsFrom;
use crate::builds::paths::Text;
use crate::builds::shell::{self, Dialect, Lookup, REPOSITORY};
use crate::text::Span;

/// The variable that stands for the folder of the script, or of the Makefile.
pub const OWN_FOLDER: &str = "CACHELANE_OWN_FOLDER";

/// Returns whether the variable stands for a folder that is found without a run.
pub fn is_folder(name: &str) -> bool {
    matches!(name, OWN_FOLDER | REPOSITORY)
}

/// Returns the commands of a script whose paths start from one of these folders, wherever it is called.
pub fn paths_from(piece: &Piece) -> Vec<(Span, PathsFrom)> {
    let mut all = Vec::new();
    let has = |word: &str| memchr::memmem::find(piece.text.as_bytes(), word.as_bytes()).is_some();
    if !has(OWN_FOLDER) && !has("--show-toplevel") {
        return all;
    }
    for (name, from) in [
        (OWN_FOLDER, PathsFrom::OwnFolder),
        (REPOSITORY, PathsFrom::Repository),
    ] {
        let known = |need: Lookup<'_>| (need == Lookup::Variable(name)).then(Text::root);
        let commands = shell::read(&piece.text, None, Dialect::Posix, &known);
        for found in command::all(commands, &known).found {
            let folder = found.simple.folder.as_deref();
            let is_it = command::subject(&found.command, folder, &known).is_ok();
            let place = piece.map.to_source(found.command.span);
            all.extend(place.filter(|_| is_it).map(|place| (place, from)));
        }
    }
    all
}
