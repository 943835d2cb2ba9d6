//! Compares the records of pages with the present output, or writes them anew.

use std::fs;
use std::path::Path;

use similar::TextDiff;

use crate::pages::{self, Case, File, Form};

impl Case {
    /// Returns the rule of the case, by its page or the page's folder.
    pub fn rule(&self) -> &str {
        let folder = self.page.parent().and_then(Path::file_name).unwrap();
        let rule = match folder.to_str() {
            Some("rules" | "builds") => self.page.file_stem().unwrap(),
            _ => folder,
        };
        rule.to_str().unwrap()
    }

    pub fn is_near_miss(&self) -> bool {
        self.name.starts_with("ok: ")
    }
}

/// Returns the record of the output of `check` and the diff of `fix`; both may be empty.
pub fn record(said: &str, diff: &str) -> String {
    let block = |language: &str, text: &str| match text.trim_end_matches('\n') {
        "" => String::new(),
        text => format!("```{language}\n{text}\n```\n\n"),
    };
    block("text", said) + &block("diff", diff)
}

/// Returns the diff from a file to `now`, as its page shows both.
pub fn diff(file: &File, now: &[u8]) -> String {
    let (old, now) = (shown(&file.form, &file.bytes()), shown(&file.form, now));
    TextDiff::from_lines(&old, &now).unified_diff().to_string()
}

/// Returns `bytes` as a page shows them. A form's marks are assumed: a diff shows them where they are lost.
fn shown(form: &Form, bytes: &[u8]) -> String {
    let mut text = String::new();
    if form.has("escaped") {
        for chunk in bytes.utf8_chunks() {
            text += &chunk.valid().replace('\\', r"\\").replace('\r', r"\r");
            for byte in chunk.invalid() {
                text += &format!(r"\x{byte:02X}");
            }
        }
    } else {
        text = String::from_utf8(bytes.to_vec()).expect("it is UTF-8, or `escaped`");
    }
    if form.has("bom")
        && let Some(rest) = text.strip_prefix('\u{FEFF}')
    {
        text = rest.into();
    }
    if form.has("crlf") && text.matches('\n').count() == text.matches("\r\n").count() {
        text = text.replace("\r\n", "\n");
    }
    text
}

/// Fails where a page's record differs; with `CACHELANE_BLESS`, writes the pages instead. `records` has all cases of a
/// page, in order.
pub fn hold(records: &[(Case, String)]) {
    let bless = std::env::var_os("CACHELANE_BLESS").is_some();
    let mut failures = Vec::new();
    for records in records.chunk_by(|(a, _), (b, _)| a.page == b.page) {
        let path = &records[0].0.page;
        let page = fs::read_to_string(path).unwrap();
        let (mut blessed, mut at) = (String::new(), 0);
        for ((case, now), (_, range)) in records.iter().zip(pages::read(path, &page)) {
            let then = page[range.clone()].trim_start();
            if then.trim_end() != now.trim_end() {
                let diff = TextDiff::from_lines(then, now);
                failures.push(format!("{}\n{}", case.place(), diff.unified_diff()));
            }
            blessed += &format!("{}\n{now}", &page[at..range.start]);
            at = range.end;
        }
        blessed += &page[at..];
        if bless {
            fs::write(path, blessed.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(
        failures.is_empty() || bless,
        "{} cases are not as recorded; `tests/bless` writes the records anew:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
