//! Reads the cases of `fixtures/`, which are Markdown pages.
//!
//! A case is a heading of the third level, with `ok:` in front where it is a near miss. Below it stand its files: a
//! block `dockerfile` is the file `Dockerfile`; any other has its path in the line above, as in `` `compose.yml`: ``. A
//! file above the first case of a section belongs to each of them that has none of that path. Words behind the language
//! are a [`Form`]. After the last file comes the record, the `text` of `check` and the `diff` of `fix`, the only part
//! of a page that `tests/bless` writes.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bstr::ByteVec;
use cachelane::fix::Applicability;
use cachelane::rules::{Profile, Settings};

/// The differences between a file and the text of its block, in words: `bom`, it begins with a byte order mark; `crlf`,
/// every line ends with CR LF; `no-newline`, the last line has no end; `escaped`, other bytes are written as in a
/// string of Rust, `\r` and `\xFF`, and a backslash as two; `filled=N`, the last line goes on with `x` up to N bytes,
/// its end among them.
#[derive(Clone)]
pub struct Form(Vec<String>);

#[derive(Clone)]
pub struct File {
    pub path: String,
    pub form: Form,
    text: String,
}

pub struct Case {
    pub page: PathBuf,
    /// The line of its heading in the page.
    line: usize,
    pub name: String,
    pub files: Vec<File>,
}

/// Returns the cases of the page `fixtures/<place>`, or of every page in the folder, page by page.
pub fn cases(place: &str) -> Vec<Case> {
    // `fuzz/` reads them too.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = here.ancestors().map(|place| place.join("fixtures"));
    let root = places.find(|place| place.is_dir()).expect("the fixtures");
    let (mut pages, mut open) = (Vec::new(), vec![root.join(place)]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else {
            pages.push(path);
        }
    }
    pages.sort();
    let read = |page: &PathBuf| read(page, &fs::read_to_string(page).unwrap());
    let cases = pages.iter().flat_map(read);
    cases.map(|(case, _)| case).collect()
}

/// Returns the cases in the `text` of `page`, each with the place of its record.
pub fn read(page: &Path, text: &str) -> Vec<(Case, Range<usize>)> {
    let mut cases: Vec<(Case, Range<usize>)> = Vec::new();
    let (mut in_case, mut shared) = (false, Vec::new());
    // The open block, as its first line and the start of the next one, and the line above it.
    let mut block: Option<(&str, usize)> = None;
    let mut above = "";
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (start, end) = (at, at + line.len());
        at = end;
        let line = line.trim_end();
        match block {
            Some((language, from)) if line == "```" => {
                block = None;
                if let Some(file) = File::of(language, above, &text[from..start]) {
                    let files = match cases.last_mut().filter(|_| in_case) {
                        Some((case, record)) => {
                            record.start = end;
                            &mut case.files
                        }
                        None => &mut shared,
                    };
                    files.retain(|other: &File| other.path != file.path);
                    files.push(file);
                }
                above = "";
            }
            None if line.starts_with("```") => block = Some((&line[3..], end)),
            None if line.starts_with('#') => {
                if let Some((_, record)) = cases.last_mut().filter(|_| in_case) {
                    record.end = start;
                }
                let name = line.strip_prefix("### ");
                in_case = name.is_some();
                if let Some(name) = name {
                    let case = Case {
                        page: page.into(),
                        line: number,
                        name: name.into(),
                        files: shared.clone(),
                    };
                    cases.push((case, end..text.len()));
                } else {
                    shared.clear();
                }
            }
            None if !line.is_empty() => above = line,
            Some(_) | None => {}
        }
    }
    assert!(block.is_none(), "{}: a block is not closed", page.display());
    cases
}

impl File {
    /// Returns the file in a block, if any. Its path is in the line above; without one, a Dockerfile is `Dockerfile`.
    fn of(language: &str, above: &str, text: &str) -> Option<Self> {
        let named = above
            .strip_prefix('`')
            .and_then(|path| path.strip_suffix("`:"));
        let plain = language.split(' ').next() == Some("dockerfile");
        Some(Self {
            path: named.or(plain.then_some("Dockerfile"))?.into(),
            form: Form::of(language),
            text: text.into(),
        })
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (mut text, form) = (self.text.clone(), &self.form);
        if let Some(bytes) = form.filled() {
            let last = text.lines().next_back().map_or(0, str::len) + 1;
            text.insert_str(text.len() - 1, &"x".repeat(bytes - last));
        }
        if form.has("no-newline") {
            text.pop();
        }
        if form.has("crlf") {
            text = text.replace('\n', "\r\n");
        }
        if form.has("bom") {
            text.insert(0, '\u{FEFF}');
        }
        if form.has("escaped") {
            Vec::unescape_bytes(&text)
        } else {
            text.into()
        }
    }
}

impl Form {
    fn of(language: &str) -> Self {
        let words: Vec<String> = language.split(' ').skip(1).map(Into::into).collect();
        let known = |word: &String| {
            word.starts_with("filled=")
                || ["bom", "crlf", "no-newline", "escaped"].contains(&word.as_str())
        };
        assert!(words.iter().all(known), "`{language}`: no form of a file");
        Self(words)
    }

    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|other| other == word)
    }

    fn filled(&self) -> Option<usize> {
        let bytes = self.0.iter().find_map(|word| word.strip_prefix("filled="));
        bytes.map(|bytes| bytes.parse().unwrap())
    }
}

impl Case {
    /// Returns the place of the case, for messages.
    pub fn place(&self) -> String {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let page = self.page.strip_prefix(root).unwrap_or(&self.page);
        format!("{}:{}: {}", page.display(), self.line, self.name)
    }
}

/// Returns a Dockerfile's settings and level of fixes, from its own comments: `# settings: NAME DEFAULT` names another
/// lane argument, followed by further settings; `# unsafe` asks for all fixes.
pub fn settings(source: &[u8]) -> (Settings, Applicability) {
    let text = String::from_utf8_lossy(source);
    let mut settings = Settings::default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("# settings: "));
    for (place, word) in line.into_iter().flat_map(str::split_whitespace).enumerate() {
        match (place, word.split_once('=').unwrap_or((word, ""))) {
            (0, _) => settings.arg = word.into(),
            (1, _) => settings.default = word.into(),
            (_, ("keep-default", "")) => settings.keep_default = true,
            (_, ("include-generated", "")) => settings.include_generated = true,
            (_, ("suspected", name)) => {
                settings.learned.suspected = Some(Profile::by_name(name).unwrap());
            }
            (_, ("builders", "per-job")) => settings.own_builders = Some(true),
            (_, ("namespace", "")) => settings.namespace = true,
            (_, ("require-syntax", "")) => settings.require_syntax = true,
            (_, ("profile", name)) => settings.profile = Some(Profile::by_name(name).unwrap()),
            (_, ("isolating", names)) => {
                settings.isolating = names.split(',').map(Into::into).collect();
            }
            _ => panic!("`{word}` is no setting"),
        }
    }
    let level = if text.lines().any(|line| line == "# unsafe") {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    (settings, level)
}
