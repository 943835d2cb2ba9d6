//! Words that can be pasted into a shell.

/// Quotes `word` for a shell: as it is, or in single quotes, or in bash's `$'…'` where it has bytes that are not UTF-8
/// or should not reach a terminal raw.
pub fn quoted(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+=".contains(byte);
    match std::str::from_utf8(word) {
        // `=cmd` is a path to zsh, and `A=b` in front of a command is an assignment.
        Ok(text) if !word.is_empty() && word[0] != b'=' && word.iter().all(plain) => text.into(),
        Ok(text) if !text.chars().any(is_hidden) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(word),
    }
}

/// Returns whether a terminal would interpret `ch` instead of showing it.
fn is_hidden(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn escaped(word: &[u8]) -> String {
    let mut text = String::from("$'");
    for &byte in word {
        match byte {
            b'\n' => text.push_str(r"\n"),
            b'\t' => text.push_str(r"\t"),
            b'\'' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            // Three octal digits: a digit behind them belongs to the text.
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push('\'');
    text
}
