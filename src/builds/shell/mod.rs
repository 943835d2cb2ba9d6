//! Shell scripts, as far as needed to find their commands and words.
//!
//! [`read`] returns the simple commands of a script in order, each with its folder. What only a run can know is not
//! expanded: such a piece of a word stays as it is written. The grammar is that of the POSIX shell ("Shell Command
//! Language"), with common extensions of pipelines: `[[`, here-strings, expressions of CI systems (`${{ … }}`), which
//! are replaced before any shell runs, and the lines that PowerShell and `cmd` continue with `` ` `` and `^`.

mod interpret;
mod lex;
mod word;

pub use interpret::read;
pub use word::{
    Assigned, Dialect, Lookup, Piece, PieceKind, REPOSITORY, Simple, Values, Variable, Word,
};
