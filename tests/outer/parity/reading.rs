//! What both readers say about a file, in one form that can be compared.

use bstr::{BStr, BString, ByteSlice as _, ByteVec as _};
use cachelane::dockerfile::{Dockerfile, Instruction, Keyword, flags, lines};

use super::oracle::{Oracle, Parsed, ParsedHeredoc};

/// One instruction. `None` stands for what a reader does not tell.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name as written.
    pub name: BString,
    /// Whether it is a trigger.
    pub onbuild: bool,
    /// What it does; for a trigger, what the inner instruction does.
    pub keyword: Keyword,
    /// Its lines, joined.
    pub text: BString,
    /// First and last line.
    pub lines: (usize, usize),
    /// Its flags; for a trigger, those of the inner instruction.
    pub flags: Option<Vec<BString>>,
    /// What follows name and flags.
    pub arguments: Option<BString>,
    /// The variables that an ARG or ENV declares, by name, with their values as written.
    pub variables: Option<Vec<(BString, Option<BString>)>>,
    /// Its heredocs.
    pub heredocs: Option<Vec<Document>>,
    /// Whether its arguments are a JSON array, as far as the official parser says so.
    pub json: bool,
}

/// One heredoc: the word that ends it, and its body.
pub type Document = (BString, BString);

/// Our reading of `source`.
pub fn ours(file: &Dockerfile<'_>) -> Vec<Item> {
    let item = |(index, instruction): (usize, &Instruction<'_>)| {
        let text = instruction.text.bytes();
        let body = |doc: &cachelane::dockerfile::Heredoc| doc.body.of(file.source).into();
        Item {
            name: name(instruction, file.source),
            onbuild: instruction.onbuild,
            keyword: instruction.keyword,
            text: text.into(),
            lines: instruction.lines,
            flags: Some(
                instruction
                    .flags
                    .iter()
                    .map(|flag| latin_1(flag.text.bytes()))
                    .collect(),
            ),
            arguments: Some(instruction.arguments().into()),
            variables: Some(variables(file, index)),
            heredocs: Some(
                instruction
                    .heredocs
                    .iter()
                    .map(|doc| (doc.name.as_str().into(), body(doc)))
                    .collect(),
            ),
            json: false,
        }
    };
    file.instructions.iter().enumerate().map(item).collect()
}

/// Returns the text that BuildKit makes of a flag: each byte is a character.
fn latin_1(flag: &[u8]) -> BString {
    let chars = flag.iter().map(|&byte| char::from(byte));
    chars.collect::<String>().into()
}

/// The name where it stands in the file; one that goes on in the next line is taken from the joined text instead.
fn name(instruction: &Instruction<'_>, source: &[u8]) -> BString {
    let written = instruction.name.of(source);
    if !written.contains(&b'\n') {
        return written.into();
    }
    let text = lines::trim_start(instruction.text.bytes());
    text[..flags::split_name(text, 0).0].into()
}

/// The variables that the instruction declares: those of the words in its text that it declares.
fn variables(file: &Dockerfile<'_>, index: usize) -> Vec<(BString, Option<BString>)> {
    let text = file.instructions[index].text.bytes();
    let words = text.split(|&byte| !is_name(&[byte]) && !byte.is_ascii_digit());
    let mut names: Vec<&str> = words
        .filter(|word| is_name(word))
        .map(|word| word.to_str().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    let declared = |&name: &&str| {
        let here = file
            .declarations(name)
            .iter()
            .filter(|declaration| declaration.at == index && declaration.instruction == index);
        here.map(|declaration| (name.into(), declaration.value.as_deref().map(as_go_decodes)))
            .collect::<Vec<_>>()
    };
    names.iter().flat_map(declared).collect()
}

/// `text` with U+FFFD for each byte that is not UTF-8. Go's parser does this to words, but not to the value of
/// `ENV NAME value`; cachelane never does, so that the difference says nothing.
fn as_go_decodes(text: &[u8]) -> BString {
    let mut decoded = BString::default();
    for chunk in text.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.push_str("\u{FFFD}".repeat(chunk.invalid().len()));
    }
    decoded
}

/// Whether a shell takes `bytes` for the name of a variable. Other names are of no use to cachelane, which drops them.
fn is_name(bytes: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    bytes.first().is_some_and(|first| !first.is_ascii_digit()) && bytes.iter().all(fits)
}

/// The official reading of `source`; `None` where the parser refuses it. `file` is our reading, where there is one: it
/// tells where the triggers stand and which escape character counts.
pub fn theirs(
    source: &[u8],
    file: Option<&Dockerfile<'_>>,
    oracle: &mut Oracle,
) -> Option<Vec<Item>> {
    let commands = oracle.ask(source)?;
    let mut items: Vec<Item> = commands.iter().map(item).collect();
    let Some(file) = file else { return Some(items) };
    let blanked = blank_triggers(file, &commands);
    if let Some(inner) = blanked.as_deref().and_then(|blanked| oracle.ask(blanked)) {
        for (item, inner) in items.iter_mut().zip(&inner) {
            take_inner(item, inner);
        }
    }
    if file.escape == b'`' {
        let swapped = swap_escapes(blanked.as_deref().unwrap_or(source));
        let swapped = oracle.ask(&swapped).unwrap_or_default();
        for item in &mut items {
            take_swapped(item, &swapped);
        }
    }
    Some(items)
}

fn item(parsed: &Parsed) -> Item {
    let onbuild = parsed.inner.is_some();
    let name = parsed.inner.as_ref().unwrap_or(&parsed.name);
    let keyword = keyword(name);
    Item {
        name: parsed.name.clone(),
        onbuild,
        keyword: keyword.unwrap_or(Keyword::Opaque),
        text: first_line(parsed.original.as_bstr()).into(),
        lines: parsed.lines,
        flags: (!onbuild).then(|| parsed.flags.clone()),
        arguments: arguments(name, parsed),
        variables: Some(declared(name, parsed)),
        heredocs: (!onbuild).then(|| parsed.heredocs.iter().map(document).collect()),
        json: parsed.json,
    }
}

fn first_line(text: &BStr) -> &BStr {
    text.split_once_str("\n")
        .map_or(text, |(line, _)| line.as_bstr())
}

fn document(doc: &ParsedHeredoc) -> Document {
    (doc.name.clone(), doc.content.clone())
}

/// What an instruction of this name is to cachelane; `None` for a name that BuildKit does not know.
fn keyword(name: &[u8]) -> Option<Keyword> {
    // Go lowers the name as Unicode does, and two letters beyond ASCII become ASCII by that: İ and the Kelvin sign.
    let name = name
        .to_str_lossy()
        .replace('\u{130}', "i")
        .replace('\u{212A}', "k")
        .to_ascii_lowercase();
    Some(match name.as_str() {
        "add" => Keyword::Add,
        "arg" => Keyword::Arg,
        "copy" => Keyword::Copy,
        "env" => Keyword::Env,
        "from" => Keyword::From,
        "run" => Keyword::Run,
        "workdir" => Keyword::Workdir,
        "cmd" | "entrypoint" | "expose" | "healthcheck" | "label" | "maintainer" | "onbuild"
        | "shell" | "stopsignal" | "user" | "volume" => Keyword::Other,
        _ => return None,
    })
}

/// The arguments, of those instructions whose arguments the official parser keeps in one piece.
fn arguments(name: &[u8], parsed: &Parsed) -> Option<BString> {
    const WHOLE: &[&str] = &[
        "cmd",
        "entrypoint",
        "maintainer",
        "run",
        "shell",
        "stopsignal",
        "user",
        "workdir",
    ];
    let whole = WHOLE
        .iter()
        .any(|whole| name.eq_ignore_ascii_case(whole.as_bytes()));
    (whole && !parsed.json).then(|| parsed.value.first().cloned().unwrap_or_default())
}

/// The variables that an ARG or ENV declares, sorted by name; none for any other instruction.
fn declared(name: &[u8], parsed: &Parsed) -> Vec<(BString, Option<BString>)> {
    let value = &parsed.value;
    let mut found: Vec<(BString, Option<BString>)> = match name.to_ascii_lowercase().as_slice() {
        b"arg" => {
            let split = |word: &BString| match word.split_once_str("=") {
                Some((name, value)) => (name.into(), Some(value.into())),
                None => (word.clone(), None),
            };
            value.iter().map(split).collect()
        }
        b"env" => value
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), Some(as_go_decodes(&pair[1]))))
            .collect(),
        _ => Vec::new(),
    };
    found.retain(|(name, _)| is_name(name));
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// The file with the word `ONBUILD` blanked out wherever a trigger can hold a heredoc.
///
/// The official parser reads the rest of the line as an instruction of its own, heredocs and all, but the package does
/// not hand out what it found. Asked for a file without the word, it does.
fn blank_triggers(file: &Dockerfile<'_>, commands: &[Parsed]) -> Option<Vec<u8>> {
    let mut blanked = None;
    for (instruction, parsed) in file.instructions.iter().zip(commands) {
        let holds = matches!(
            instruction.keyword,
            Keyword::Run | Keyword::Copy | Keyword::Add
        );
        let name = instruction.name;
        let in_one_piece = name.of(file.source).eq_ignore_ascii_case(b"ONBUILD");
        if instruction.onbuild && holds && in_one_piece && parsed.flags.is_empty() {
            blanked.get_or_insert_with(|| file.source.to_vec())[name.start..name.end].fill(b' ');
        }
    }
    blanked
}

/// Takes over what the file without the word `ONBUILD` tells of a trigger.
fn take_inner(item: &mut Item, inner: &Parsed) {
    let blanked = item.onbuild && inner.inner.is_none();
    if blanked && item.lines == inner.lines && keyword(&inner.name) == Some(item.keyword) {
        item.flags = Some(inner.flags.clone());
        item.heredocs = Some(inner.heredocs.iter().map(document).collect());
    }
}

/// The file with backslash and backtick exchanged.
///
/// Up to BuildKit 0.20 the backslash is the escape character of flags, whatever the directive says; since 0.21 the
/// directive counts. With the two exchanged, the old parser reads the flags as the new one reads those of the file.
fn swap_escapes(text: &[u8]) -> Vec<u8> {
    let swap = |&byte: &u8| match byte {
        b'\\' => b'`',
        b'`' => b'\\',
        other => other,
    };
    text.iter().map(swap).collect()
}

/// Whether the official parser refuses the file with backslash and backtick exchanged.
pub fn refused_with_escapes_swapped(source: &[u8]) -> bool {
    Oracle::lock().ask(&swap_escapes(source)).is_none()
}

/// Takes over from the file with exchanged escape characters what depends on them.
fn take_swapped(item: &mut Item, swapped: &[Parsed]) {
    let same = |parsed: &&Parsed| {
        let text = swap_escapes(first_line(parsed.original.as_bstr()));
        // Of a trigger that was blanked out, the inner instruction is left; of any other, the flags cannot be told.
        if item.onbuild {
            parsed.inner.is_none() && item.text.ends_with(&text)
        } else {
            *item.text == text
        }
    };
    let found = swapped
        .iter()
        .find(|parsed| parsed.lines.0 == item.lines.0)
        .filter(same);
    // Behind flags that take all there is, no instruction is left to be a trigger's.
    if item.onbuild && found.is_some_and(|parsed| parsed.name.eq_ignore_ascii_case(b"ONBUILD")) {
        item.onbuild = false;
        item.keyword = Keyword::Other;
    }
    let arguments = found.and_then(|parsed| arguments(&parsed.name, parsed));
    item.flags = found.map(|parsed| {
        parsed
            .flags
            .iter()
            .map(|flag| swap_escapes(flag).into())
            .collect()
    });
    item.arguments = arguments.map(|arguments| swap_escapes(&arguments).into());
    if item.text.contains_str("--") {
        // The words that declare variables begin behind the flags.
        item.variables = None;
    }
}
