//! Shell scripts, as far as it takes to see which commands they run with which words.
//!
//! [`read`] gives the simple commands of a script in order, each with the folder it runs in. Nothing is expanded that
//! only a run can know: such a piece of a word stays as it is written. The grammar is that of the POSIX shell ("Shell
//! Command Language"), with what is common in pipelines: `[[`, here-strings, expressions of CI systems
//! (`${{ … }}`), which are replaced before any shell runs, and the lines that PowerShell and `cmd` continue with `` ` `` and
//! `^`.

mod interpret;
mod lex;
mod word;

pub use interpret::read;
pub use word::{
    Assigned, Dialect, Lookup, Piece, PieceKind, Simple, Values, Variable, Word, is_name,
};
