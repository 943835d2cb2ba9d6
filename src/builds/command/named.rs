//! Programs that a variable names: `$DOCKER build .`, `${ENGINE:-docker} build .`, `$SUDO docker build .`.

use super::super::paths::Text;
use super::super::shell::{Assigned, Lookup, Piece, PieceKind, Values, Word};
use super::tables::{Prefix, Wrapped};
use crate::budget;
use crate::text::{Span, is_name, name_prefix};

/// A command's words once the variables at their beginning are known.
pub(super) enum Named {
    Words {
        words: Vec<Word>,
        /// True where one that stays unknown was left out.
        behind_variable: bool,
    },
    /// A build by a program that only a run knows: its place, and the reason.
    Unknown(Span, String),
}

/// Words of a variable's name that tell an engine.
const ENGINES: &[&str] = &[
    "docker",
    "podman",
    "buildah",
    "nerdctl",
    "container",
    "engine",
    "oci",
    "compose",
    "buildx",
    "bake",
];

/// Words of a variable's name that tell that the command is only printed.
const PRINTERS: &[&str] = &["echo", "print", "log", "comment"];

/// Returns the words with the values of variables that stand at or before the program; those that stay unknown before a
/// program that builds, as `builds` has it, are left out: `$SUDO`.
pub(super) fn named(
    mut words: Vec<Word>,
    values: &Values<'_>,
    builds: &dyn Fn(&[Word]) -> bool,
) -> Named {
    let mut at = 0;
    let mut behind_variable = false;
    while let Some(word) = words.get(at).filter(|_| budget::spend(1)) {
        if let Some(text) = word.text() {
            let is_before = text.starts_with('-')
                || word.assignment().is_some()
                || Prefix::of(text).is_some_and(|prefix| prefix.runs == Wrapped::Command);
            if !is_before {
                break;
            }
            at += 1;
            continue;
        }
        if word.assignment().is_some() {
            at += 1;
            continue;
        }
        let Some(piece) = lone(word) else { break };
        if let Some(text) = value(piece, values) {
            let span = word.span;
            let own: Vec<Word> = if piece.quoted {
                vec![plain(&text, span)]
            } else {
                text.split_whitespace()
                    .map(|text| plain(text, span))
                    .collect()
            };
            words.splice(at..=at, own);
            continue;
        }
        let name = name(&piece.raw);
        let text = name.unwrap_or(&piece.raw).to_ascii_lowercase();
        let says = |list: &[&str]| list.iter().any(|word| text.contains(word));
        if name.is_some() && says(PRINTERS) {
            break;
        }
        let behind = &words[at + 1..];
        if builds(behind) {
            words.remove(at);
            behind_variable = true;
            break;
        }
        if looks_like_build(behind, says(ENGINES)) {
            let end = words.last().map_or(word.span.end, |last| last.span.end);
            let why = format!("the tool is `{}`", word.written());
            return Named::Unknown(Span::new(word.span.start, end), why);
        }
        break;
    }
    Named::Words {
        words,
        behind_variable,
    }
}

/// Returns the one piece that a word consists of, but for quotes.
fn lone(word: &Word) -> Option<&Piece> {
    let is_empty = |piece: &&Piece| piece.kind == PieceKind::Text && piece.raw.is_empty();
    let mut pieces = word.pieces.iter().filter(|piece| !is_empty(piece));
    let first = pieces.next()?;
    (first.kind != PieceKind::Text && pieces.next().is_none()).then_some(first)
}

fn plain(text: &str, span: Span) -> Word {
    let mut word = Word::plain(text);
    word.span = span;
    word
}

/// Returns the value of a variable, or its default where nothing here sets it.
fn value(piece: &Piece, values: &Values<'_>) -> Option<String> {
    let plain = |word: &Word| word.resolve(values)?.plain();
    match &piece.kind {
        PieceKind::Variable(_, Assigned::To(word)) => match lone(word) {
            Some(inner) => budget::nested(|| value(inner, values)).flatten(),
            None => plain(word),
        },
        PieceKind::Variable(name, Assigned::Not) => values(Lookup::Variable(name))?.plain(),
        PieceKind::Expression => values(Lookup::Expression(&piece.raw))?.plain(),
        PieceKind::Unknown if piece.raw.starts_with("$(") || piece.raw.starts_with('`') => {
            let inner = piece.raw.trim_start_matches(['$', '(', '`']);
            let inner = inner.trim_end_matches([')', '`']);
            let words: Vec<&str> = inner.split_whitespace().collect();
            let words = words.strip_prefix(&["shell"]).unwrap_or(&words);
            match words {
                ["which", program] | ["command", "-v", program] => is_plain(program),
                _ => None,
            }
        }
        PieceKind::Unknown => {
            let inner = piece.raw.strip_prefix("${")?.strip_suffix('}')?;
            let name = name_prefix(inner);
            let default = inner[name.len()..]
                .trim_start_matches(':')
                .strip_prefix(['-', '='])?;
            let default = default.trim_matches('"');
            let set = values(Lookup::Variable(name)).and_then(Text::plain);
            set.or_else(|| is_plain(default))
        }
        _ => None,
    }
}

fn is_plain(text: &str) -> Option<String> {
    (!text.contains(['$', '`', '\'', '"', '\\'])).then(|| text.to_owned())
}

/// Returns the name in `$NAME`, `${NAME:-x}` or make's `$(NAME)`; `None` for an expression, and a command's output.
fn name(raw: &str) -> Option<&str> {
    let inner = raw.trim_start_matches(['$', '{', '(']);
    let name = name_prefix(inner);
    let is_alone = !raw.starts_with("$(") || inner.strip_suffix(')') == Some(name);
    (is_alone && is_name(name)).then_some(name)
}

/// Returns whether words behind a program that is not known are those of a build of an image: `is_engine` is true where its
/// name tells an engine. (`$GO build .` and `$(CARGO) build` build none.)
fn looks_like_build(words: &[Word], is_engine: bool) -> bool {
    let mut texts = words.iter().map(|word| word.text().unwrap_or_default());
    let verb = loop {
        match texts.next() {
            Some("image" | "buildx" | "builder" | "compose") => {}
            other => break other,
        }
    };
    if !matches!(verb, Some("build" | "bake" | "bud")) {
        return false;
    }
    let heads: Vec<&str> = words.iter().map(Word::head).collect();
    let has = |option: &str| heads.iter().any(|head| head.starts_with(option));
    let names_file = |index: usize| {
        let written = words.get(index).map(Word::written).unwrap_or_default();
        let written = written.to_ascii_lowercase();
        written.contains("dockerfile") || written.contains("containerfile")
    };
    let file = heads
        .iter()
        .position(|head| head.starts_with("-f") || head.starts_with("--file"));
    let is_file = file.is_some_and(|at| names_file(at) || names_file(at + 1));
    is_engine || is_file || has("--build-arg") || has("--tag")
}
