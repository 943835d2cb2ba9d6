//! Conditions of jobs that cannot both hold in one run of a workflow, by what they say of its event, branch or tag.
//!
//! By GitHub's documents ("Expressions"): `==` and `startsWith` ignore the case of letters, and a text that is no number
//! equals none.

/// A comparison that has to hold for a job to run.
struct Test<'t> {
    /// The name of what one run has one value of: `github.ref`.
    name: String,
    /// The text that it is, or begins with.
    text: &'t str,
    is_start: bool,
    is_not: bool,
}

/// Returns whether a job with one of these conditions, and one with the other, never run in the same run.
pub(super) fn exclude(one: &str, other: &str) -> bool {
    let (one, other) = (tests(one), tests(other));
    let mut one = one.iter();
    one.any(|one| other.iter().any(|other| one.excludes(other)))
}

/// Returns the comparisons that all hold where `condition` does.
fn tests(condition: &str) -> Vec<Test<'_>> {
    let text = condition.trim();
    let whole = text
        .strip_prefix("${{")
        .and_then(|text| text.strip_suffix("}}"));
    let text = whole.unwrap_or(text);
    // Each of several choices may hold.
    if text.contains("||") || text.contains("${{") || text.len() > 1024 {
        return Vec::new();
    }
    let parts = text.split("&&").map(str::trim);
    let is_whole = |part: &str| {
        let count = |sign: char| part.matches(sign).count();
        count('(') == count(')') && count('\'').is_multiple_of(2)
    };
    if !parts.clone().all(is_whole) {
        return Vec::new();
    }
    parts.filter_map(test).collect()
}

fn test(part: &str) -> Option<Test<'_>> {
    let (call, is_not) = part
        .strip_prefix('!')
        .map_or((part, false), |call| (call, true));
    let call = call.trim().strip_prefix("startsWith(");
    let call = call.and_then(|call| call.strip_suffix(')')?.split_once(','));
    let compared = || {
        let equal = part.split_once("==").map(|pair| (pair, false));
        equal.or_else(|| Some((part.split_once("!=")?, true)))
    };
    let is_start = call.is_some();
    let ((name, text), is_not) = call.map(|pair| (pair, is_not)).or_else(compared)?;
    let is_quoted = |text: &str| text.trim().starts_with('\'');
    let (name, text) = if is_quoted(name) && !is_start {
        (text, name)
    } else {
        (name, text)
    };
    let name = name.trim().to_ascii_lowercase();
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "._-".contains(ch);
    let is_of_run = name.starts_with("github.") && name.chars().all(is_plain);
    let text = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (is_of_run && !text.contains('\'')).then_some(Test {
        name,
        text,
        is_start,
        is_not,
    })
}

impl Test<'_> {
    /// Returns whether not both can hold.
    fn excludes(&self, other: &Self) -> bool {
        self.name == other.name
            && match (self.is_not, other.is_not) {
                (false, false) => self.differs(other),
                (false, true) => self.implies(other),
                (true, false) => other.implies(self),
                (true, true) => false,
            }
    }

    /// Returns whether no value is what both texts say.
    fn differs(&self, other: &Self) -> bool {
        let is_word = |text: &str| !text.trim().is_empty() && text.parse::<f64>().is_err();
        match (self.is_start, other.is_start) {
            (false, false) => {
                let is_one = self.text.eq_ignore_ascii_case(other.text);
                !is_one && (is_word(self.text) || is_word(other.text))
            }
            (false, true) => !starts(self.text, other.text) && is_word(self.text),
            (true, false) => other.differs(self),
            (true, true) => !starts(self.text, other.text) && !starts(other.text, self.text),
        }
    }

    /// Returns whether what is as `self` says is as the text of `other` says, too.
    fn implies(&self, other: &Self) -> bool {
        match (self.is_start, other.is_start) {
            (_, true) => starts(self.text, other.text),
            (false, false) => self.text.eq_ignore_ascii_case(other.text),
            (true, false) => false,
        }
    }
}

/// Returns whether `text` begins with `start`, whatever the case of letters.
fn starts(text: &str, start: &str) -> bool {
    let own = text.as_bytes().get(..start.len());
    own.is_some_and(|own| own.eq_ignore_ascii_case(start.as_bytes()))
}
