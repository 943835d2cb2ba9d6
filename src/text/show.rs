//! Makes text from files safe to print: no control characters, no commands to a log.

/// Replaces every control character (and the marks that reorder text) by a visible one.
///
/// Names and ids come from untrusted repositories; printed raw, they could move a terminal's cursor or forge a log line.
/// Tabs and newlines count too: the callers print one line.
pub fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if is_plain(text.as_bytes()) || !text.chars().any(is_unprintable) {
        return text.into();
    }
    text.chars()
        .map(|ch| if is_unprintable(ch) { visible(ch) } else { ch })
        .collect::<String>()
        .into()
}

/// Returns whether `bytes` are printable ASCII only, as most text is.
fn is_plain(bytes: &[u8]) -> bool {
    // Without an early exit, the compiler vectorizes this.
    bytes
        .iter()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Returns whether `ch` is shown by a stand-in: a control character, a mark that reorders text, or one that has no width and
/// so can make two ids look like one. The latter are what Unicode 16 calls `Default_Ignorable_Code_Point` or gives the
/// category `Cf`, `Zl` or `Zp`.
pub fn is_unprintable(ch: char) -> bool {
    let is_hidden = || {
        matches!(ch,
            '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}'
            | '\u{8E2}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
    };
    ch.is_control() || (!ch.is_ascii() && is_hidden())
}

/// Returns the stand-in for an unprintable character: its *Control Pictures* character, or U+FFFD.
pub fn visible(ch: char) -> char {
    match u32::from(ch) {
        code @ 0..=0x1F => char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}'),
        0x7F => '\u{2421}',
        _ => '\u{FFFD}',
    }
}

/// Disarms lines of `text` that a build server's log takes for commands: GitHub's runner obeys lines that start with
/// `::`, blanks aside; it and the agents of Azure and `TeamCity` obey `##[…]`, `##vso[…]` and `##teamcity[…]` anywhere.
/// The former get a `./` in front, as most are paths, the latter a blank within.
pub fn inert(text: &str) -> std::borrow::Cow<'_, str> {
    let starts = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##") && (!text.contains("::") || !text.lines().any(starts)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        let (margin, mut rest) = line.split_at(if starts(line) { blanks } else { 0 });
        out.push_str(margin);
        out.push_str(if starts(line) { "./" } else { "" });
        while let Some(at) = rest.find("##") {
            let word = rest[at + 2..].trim_start_matches(|ch: char| ch.is_ascii_alphabetic());
            let (before, after) = rest.split_at(at + if word.starts_with('[') { 2 } else { 1 });
            out.push_str(before);
            out.push_str(if word.starts_with('[') { " " } else { "" });
            rest = after;
        }
        out.push_str(rest);
    }
    out.into()
}
