//! Compares both readings of a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic;

use bstr::BStr;
use cachelane::dockerfile::{Dockerfile, SyntaxError};

use super::newer;
use super::oracle::Oracle;
use super::reading::{self, Item};
use crate::shrink;

/// How many disagreements are reported, how many of one kind, and how many are shrunk in search of different ones.
const REPORTED: usize = 5;
const OF_A_KIND: usize = 2;
const SHRUNK: usize = 40;

/// What two readings of an instruction can differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its name.
    Name,
    /// What it does.
    Keyword,
    /// Whether it is a trigger.
    Onbuild,
    /// Its lines, joined.
    Text,
    /// Its flags.
    Flags,
    /// What follows the flags.
    Arguments,
    /// What it declares.
    Variables,
    /// Its heredocs.
    Heredocs,
    /// Its first and last line.
    Lines,
}

/// How two readings disagree. Shrinking a file keeps this as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An instruction differs.
    Field(Field),
    /// One reader finds more instructions.
    Count,
    /// We refuse what BuildKit reads.
    Refusal,
    /// We panic.
    Panic,
}

/// The outcome for one file.
#[derive(Debug)]
pub enum Outcome {
    /// Both read it alike; with the differences that are none, see [`newer`].
    Same(Vec<&'static str>),
    /// BuildKit refuses it, and we do not panic.
    Refused,
    /// They disagree; with both readings for people to look at.
    Differs(Kind, String),
}

/// Reads `source` with both readers.
pub fn compare(source: &[u8]) -> Outcome {
    let Ok(read) = panic::catch_unwind(|| Dockerfile::read(source)) else {
        return Outcome::Differs(Kind::Panic, String::new());
    };
    let theirs = reading::theirs(source, read.as_ref().ok(), &mut Oracle::lock());
    let Some(theirs) = theirs else {
        return Outcome::Refused;
    };
    match read {
        Ok(file) => compare_items(&file, &theirs),
        Err(error) => refusal(&error, source, &theirs),
    }
}

fn compare_items(file: &Dockerfile<'_>, theirs: &[Item]) -> Outcome {
    let ours = reading::ours(file);
    let differs = |kind| {
        Outcome::Differs(
            kind,
            format!("ours:{}\ntheirs:{}", list(&ours), list(theirs)),
        )
    };
    let mut excuses = Vec::new();
    for (our, their) in ours.iter().zip(theirs) {
        for field in differences(our, their) {
            let excuse =
                newer::excuse(field, our, their, file).or_else(|| newer::directives(file.source));
            match excuse {
                Some(excuse) => excuses.push(excuse),
                None => return differs(Kind::Field(field)),
            }
        }
        if our.lines != their.lines {
            // The readers are out of step from here on.
            return Outcome::Same(excuses);
        }
    }
    if ours.len() != theirs.len() {
        match newer::directives(file.source) {
            Some(excuse) => excuses.push(excuse),
            None => return differs(Kind::Count),
        }
    }
    Outcome::Same(excuses)
}

fn refusal(error: &SyntaxError, source: &[u8], theirs: &[Item]) -> Outcome {
    match newer::excuse_refusal(error, source, theirs) {
        Some(excuse) => Outcome::Same(vec![excuse]),
        None => Outcome::Differs(
            Kind::Refusal,
            format!("ours: {error:?}\ntheirs:{}", list(theirs)),
        ),
    }
}

fn list(items: &[Item]) -> String {
    items
        .iter()
        .fold(String::new(), |list, item| list + &format!("\n  {item:?}"))
}

fn differences(ours: &Item, theirs: &Item) -> Vec<Field> {
    fn differ<T: PartialEq>(ours: Option<&T>, theirs: Option<&T>) -> bool {
        ours.zip(theirs)
            .is_some_and(|(ours, theirs)| ours != theirs)
    }
    let fields = [
        (Field::Name, !ours.name.eq_ignore_ascii_case(&theirs.name)),
        (Field::Keyword, ours.keyword != theirs.keyword),
        (Field::Onbuild, ours.onbuild != theirs.onbuild),
        (Field::Text, ours.text != theirs.text),
        (
            Field::Flags,
            differ(ours.flags.as_ref(), theirs.flags.as_ref()),
        ),
        (
            Field::Arguments,
            differ(ours.arguments.as_ref(), theirs.arguments.as_ref()),
        ),
        (
            Field::Variables,
            differ(ours.variables.as_ref(), theirs.variables.as_ref()),
        ),
        (
            Field::Heredocs,
            differ(ours.heredocs.as_ref(), theirs.heredocs.as_ref()),
        ),
        (Field::Lines, ours.lines != theirs.lines),
    ];
    fields
        .into_iter()
        .filter(|(_, differ)| *differ)
        .map(|(field, _)| field)
        .collect()
}

/// The outcomes of many files.
#[derive(Default)]
pub struct Tally {
    /// How many files both read alike, the excused ones among them.
    pub same: usize,
    /// How many BuildKit refuses.
    pub refused: usize,
    /// How many files were given each excuse.
    pub excused: BTreeMap<&'static str, usize>,
    differing: usize,
    /// The disagreements found: how they disagree, the smallest file, and what was printed for it.
    reports: Vec<(Kind, Vec<u8>, String)>,
    shrunk: usize,
}

impl Tally {
    /// Reads one more file; `name` is what a report calls it.
    pub fn add(&mut self, name: &str, source: &[u8]) {
        match compare(source) {
            Outcome::Same(excuses) => {
                self.same += 1;
                if let Some(excuse) = excuses.last() {
                    *self.excused.entry(excuse).or_default() += 1;
                }
            }
            Outcome::Refused => self.refused += 1,
            Outcome::Differs(kind, _) => {
                self.differing += 1;
                self.report(name, source, kind);
            }
        }
    }

    fn report(&mut self, name: &str, source: &[u8], kind: Kind) {
        let of_this_kind = self
            .reports
            .iter()
            .filter(|(other, ..)| *other == kind)
            .count();
        if self.reports.len() == REPORTED || of_this_kind == OF_A_KIND || self.shrunk == SHRUNK {
            return;
        }
        self.shrunk += 1;
        let small = shrink::shrink(
            source,
            |part| matches!(compare(part), Outcome::Differs(found, _) if found == kind),
        );
        let known = self
            .reports
            .iter()
            .any(|(other, file, _)| *other == kind && alike(file, &small));
        if let (false, Outcome::Differs(_, both)) = (known, compare(&small)) {
            let report = format!(
                "{kind:?} in {name}, shrunk to\n{:?}\n{both}\n",
                BStr::new(&small)
            );
            self.reports.push((kind, small, report));
        }
    }

    /// How many files differ where they may.
    pub fn excuses(&self) -> usize {
        self.excused.values().sum()
    }

    /// What was compared, for people to read.
    ///
    /// # Panics
    /// If any file disagrees, with the smallest such files.
    pub fn finish(&self, what: &str) -> String {
        let Self {
            same,
            refused,
            excused,
            differing,
            reports,
            ..
        } = self;
        let alike = same - self.excuses();
        let mut text = format!(
            "{what}: {alike} alike, {refused} refused by BuildKit, {differing} in disagreement\n"
        );
        for (excuse, count) in excused {
            writeln!(text, "  {count} alike but where {excuse}").unwrap();
        }
        for (.., report) in reports {
            write!(text, "\n{report}").unwrap();
        }
        assert!(*differing == 0, "{text}");
        text
    }
}

/// Whether two small files show the same thing, as far as one can tell: they hold the same bytes, letters and digits
/// taken together.
fn alike(a: &[u8], b: &[u8]) -> bool {
    let shape = |file: &[u8]| {
        let letters = |&byte: &u8| {
            if byte.is_ascii_alphanumeric() {
                b'a'
            } else {
                byte
            }
        };
        let mut shape: Vec<u8> = file.iter().map(letters).collect();
        shape.dedup();
        shape
    };
    shape(a) == shape(b)
}
