//! Suppressions: comments that tell cachelane to be silent about something.
//!
//! `# cachelane: ignore[shared-lock, lock-order] reason` speaks for the instruction below it, or for the one that it stands
//! in; `# cachelane: ignore-file[shared-lock] reason` for the whole file. A list of rules is asked for: what nobody named
//! is never hidden.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::budget;
use crate::finding::RuleId;
use crate::text::Span;

mod change;
mod read;

pub use change::{add, remove};
pub use read::{read, read_outline};

/// What every suppression begins with, behind the `#`.
const MARK: &str = "cachelane:";

/// The same without the colon, and with the word behind it that leaves no doubt.
const SLIP: &str = "cachelane ignore";

/// A comment that suppresses, or tries to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What it speaks for.
    pub covers: Covers,
    /// The comment, from its `#` to the end of its line.
    pub comment: Span,
    /// The whole line, its newline included.
    pub line: Span,
    /// The names in its list, in order. Empty where there is a fault.
    pub names: Vec<(String, Span)>,
    /// Why it suppresses nothing whatever it names.
    pub fault: Option<Fault>,
    /// Whether a line below would be a parser directive, or begin with a byte-order mark, if this one were not there.
    pub guards: bool,
}

impl Ignore {
    /// The part of it that is about `rule`, where there is one and it is for the whole file.
    #[must_use]
    pub fn of(mut self, rule: RuleId) -> Option<Self> {
        let at = self
            .names
            .iter()
            .position(|(name, _)| name == rule.as_str())
            .filter(|_| self.covers == Covers::File)?;
        self.names = vec![self.names.swap_remove(at)];
        Some(self)
    }
}

/// What a suppression speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covers {
    /// The whole file.
    File,
    /// The instruction of these bytes.
    Instruction(Span),
    /// Nothing: no instruction follows right below it.
    Nothing,
}

/// What is wrong with a suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no colon behind the name.
    NoColon,
    /// It stands behind a command, where it is the shell's.
    Trailing,
    /// It names no rule.
    NoList,
    /// The list has no end.
    Open,
    /// It is none of the words that cachelane knows.
    Unknown(String),
}

/// Whether `source` can hold a suppression.
#[must_use]
pub fn is_marked(source: &[u8]) -> bool {
    marks(source).next().is_some()
}

/// Where the marks of suppressions are, and whether they have their colon.
fn marks(source: &[u8]) -> impl Iterator<Item = (usize, bool)> + '_ {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&MARK[..MARK.len() - 1]));
    NAME.find_iter(source).filter_map(|at| {
        let text = &source[at..];
        let colon = text.starts_with(MARK.as_bytes());
        (colon || text.starts_with(SLIP.as_bytes())).then_some((at, colon))
    })
}

/// Which suppression speaks for which rule where.
#[derive(Debug)]
pub struct Table<'i> {
    /// The instructions that have one, ordered, each with the one that it stands in.
    instructions: Vec<(Span, Option<usize>)>,
    /// The first suppression and the place in its list, by the start of the instruction (`None` for the file) and the rule.
    names: HashMap<(Option<usize>, &'i str), (usize, usize)>,
}

impl<'i> Table<'i> {
    /// The table of `ignores`.
    #[must_use]
    pub fn new(ignores: &'i [Ignore]) -> Self {
        let mut table = Self {
            instructions: Vec::new(),
            names: HashMap::new(),
        };
        for (index, ignore) in ignores.iter().enumerate() {
            let key = match ignore.covers {
                Covers::File => None,
                Covers::Instruction(span) => {
                    table.instructions.push((span, None));
                    Some(span.start)
                }
                Covers::Nothing => continue,
            };
            for (at, (name, _)) in ignore.names.iter().enumerate() {
                table.names.entry((key, name)).or_insert((index, at));
            }
        }
        table.nest();
        table
    }

    /// Orders the instructions, and finds out which stands in which: blocks of YAML stand within one another.
    fn nest(&mut self) {
        self.instructions
            .sort_unstable_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        self.instructions.dedup_by_key(|(span, _)| span.start);
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.instructions.len() {
            let start = self.instructions[index].0.start;
            while open
                .last()
                .is_some_and(|outer| self.instructions[*outer].0.end <= start)
            {
                open.pop();
            }
            self.instructions[index].1 = open.last().copied();
            open.push(index);
        }
    }

    /// The suppression of `rule` at `span`, and the place in its list.
    #[must_use]
    pub fn suppressing(&self, rule: RuleId, span: Span) -> Option<(usize, usize)> {
        let after = self
            .instructions
            .partition_point(|(instruction, _)| instruction.start <= span.start);
        let around =
            std::iter::successors(after.checked_sub(1), |index| self.instructions[*index].1);
        let around = around
            .take_while(|_| budget::spend(1))
            .map(|index| self.instructions[index].0);
        // What is missing at the end of an instruction stands there, too.
        let holds = |around: &Span| {
            span.start < around.end.max(around.start + 1) || span == Span::at(around.end)
        };
        let mut here = around.filter(holds);
        let rule = rule.as_str();
        let near = here.find_map(|here| self.names.get(&(Some(here.start), rule)));
        near.or_else(|| self.names.get(&(None, rule))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Dockerfile;

    fn ignores(source: &str) -> Vec<Ignore> {
        let file = Dockerfile::read(source.as_bytes()).unwrap();
        read(source.as_bytes(), Some(&file))
    }

    fn names(ignore: &Ignore) -> Vec<&str> {
        ignore.names.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn above_and_inside_of_an_instruction_and_for_the_file() {
        let source = "# cachelane: ignore-file[a] why\nFROM x\n\n#cachelane:ignore[ b , c ]\n# more\nRUN a \\\n  \
                      # cachelane: ignore[d]\n  b\n";
        let found = ignores(source);
        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[0].covers, names(&found[0])),
            (Covers::File, vec!["a"])
        );
        assert_eq!(names(&found[1]), ["b", "c"]);
        assert_eq!(names(&found[2]), ["d"]);
        assert!(
            matches!(found[1].covers, Covers::Instruction(span) if source[span.start..].starts_with("RUN a"))
        );
        assert_eq!(found[1].covers, found[2].covers);
        for (name, span) in &found[1].names {
            assert_eq!(&source[span.start..span.end], name);
        }
    }

    #[test]
    fn what_is_no_comment_is_no_suppression() {
        let source = "FROM x\nRUN <<EOF\n# cachelane: ignore[a]\nEOF\nRUN echo '# cachelane: ignore[b]'\n\
                      # see cachelane: ignore[c]\n# cachelane: we use lanes\nRUN true\n";
        assert_eq!(ignores(source), []);
    }

    #[test]
    fn faults() {
        let source = "FROM x\n# cachelane: ignore\nRUN a\n# cachelane: ignore[]\nRUN b\n# cachelane: ignore[x\nRUN c\n\
                      # cachelane: disable=x\nRUN d\n# cachelane: ingore[x]\nRUN e\n# cachelane: ignore[x]\n\nRUN f\n";
        let found = ignores(source);
        let faults: Vec<Option<Fault>> = found.iter().map(|ignore| ignore.fault.clone()).collect();
        let unknown = |word: &str| Some(Fault::Unknown(word.into()));
        let expected = [
            Some(Fault::NoList),
            Some(Fault::NoList),
            Some(Fault::Open),
            unknown("disable"),
            unknown("ingore"),
            None,
        ];
        assert_eq!(faults, expected);
        assert_eq!(found[5].covers, Covers::Nothing);
    }

    #[test]
    fn a_colon_that_is_missing_is_said() {
        let source = "FROM x\n# cachelane ignore[a]\nRUN a\n# cachelane ignores this\nRUN b\n# cachelane ignore\nRUN c\n";
        let found = ignores(source);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].fault.clone(), names(&found[0])),
            (Some(Fault::NoColon), vec![])
        );
        assert!(is_marked(source.as_bytes()) && !is_marked(b"FROM cachelane\n"));
    }

    #[test]
    fn a_comment_behind_a_command_is_the_shell_s() {
        assert_eq!(ignores("cachelane: ignore[a]\ncachelane: ignore[a]\n"), []);
        let source = "FROM x\nRUN a # cachelane: ignore[a]\nRUN echo \"a # cachelane: ignore[a]\"\nRUN a#cachelane: ignore[a]\n\
                      RUN cat <<E # cachelane: ignore[a]\nE\nLABEL a # cachelane: ignore[a]\nRUN a # cachelane: see above\n";
        let found = ignores(source);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].fault, Some(Fault::Trailing));
        assert_eq!(
            found[0].comment.of(source.as_bytes()),
            b"# cachelane: ignore[a]"
        );
    }

    #[test]
    fn what_guards_a_directive() {
        let guards = |source: &str| {
            ignores(source)
                .iter()
                .map(|ignore| ignore.guards)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            guards(
                "# cachelane: ignore-file[a]\n# cachelane: ignore-file[b]\n# syntax=x\nFROM x\n"
            ),
            [true, true]
        );
        assert_eq!(
            guards("# escape=\\\n# cachelane: ignore-file[a]\n# syntax=x\nFROM x\n"),
            [true]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n\u{FEFF}FROM x\n"),
            [true]
        );
        assert_eq!(
            guards("\u{FEFF}# cachelane: ignore-file[a]\n\u{FEFF}FROM x\n"),
            [false]
        );
        assert_eq!(
            guards("# a\n# cachelane: ignore-file[a]\n# syntax=x\nFROM x\n"),
            [false]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n# a b=c\nFROM x\n"),
            [false]
        );
        // BuildKit looks for the frontend below a line for the kernel, too.
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n#!/x\n# syntax=x\nFROM x\n"),
            [true]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n// syntax=x\nFROM x\n"),
            [true]
        );
        assert_eq!(
            guards(
                "# cachelane: ignore-file[a]\n#!/x\n# cachelane: ignore-file[b]\n# syntax=x\nFROM x\n"
            ),
            [true, true]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n#!/x\n# b\n# syntax=x\nFROM x\n"),
            [false]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n# b=c\nFROM x\n"),
            [false]
        );
        // A line that ends with a suppression is none.
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n# syntax=x # cachelane: ignore[a]\nFROM x\n"),
            [true]
        );
        assert_eq!(
            guards("# cachelane: ignore-file[a]\n# x # cachelane: ignore[a]\n# syntax=x\nFROM x\n"),
            [false]
        );
    }

    #[test]
    fn blocks_of_yaml_stand_within_one_another() {
        let mut source = "# cachelane: ignore[shared-lock]\njob:\n".to_owned();
        for step in 0..70 {
            source.push_str(&format!(
                "  # cachelane: ignore[early-arg]\n  s{step}:\n    x: 1\n"
            ));
        }
        source.push_str("  last:\n    x: 2\nother:\n");
        let found = read_outline(source.as_bytes());
        let table = Table::new(&found);
        let at = |text: &str| source.find(text).map(|at| Span::new(at, at + 1)).unwrap();
        assert!(
            table.suppressing(RuleId::SharedLock, at("x: 2")).is_some()
                && table.suppressing(RuleId::EarlyArg, at("x: 2")).is_none()
        );
        assert!(
            table.suppressing(RuleId::SharedLock, at("s3:")).is_some()
                && table.suppressing(RuleId::EarlyArg, at("s3:")).is_some()
        );
        assert!(table.suppressing(RuleId::SharedLock, at("other")).is_none());
    }

    #[test]
    fn a_list_belongs_to_the_key_above_it() {
        let covered = |source: &str, text: &str| {
            let found = read_outline(source.as_bytes());
            let at = source.find(text).unwrap();
            Table::new(&found)
                .suppressing(RuleId::SharedLock, Span::new(at, at + 1))
                .is_some()
        };
        let list = "job:\n  # cachelane: ignore[shared-lock]\n  script:\n  - one\n  - two\n  after:\n  - three\n";
        assert!(covered(list, "one") && covered(list, "two") && !covered(list, "three"));
        let item = "steps:\n# cachelane: ignore[shared-lock]\n- one\n  more\n- two\n";
        assert!(covered(item, "one") && covered(item, "more") && !covered(item, "two"));
        assert!(!covered(
            "# cachelane: ignore[shared-lock]\nkey: text\n- one\n",
            "one"
        ));
    }

    #[test]
    fn names_go_out_of_a_list() {
        let source = "FROM x\n# cachelane: ignore[a, b,c] why\nRUN a\n";
        let found = ignores(source);
        let after = |unused: &[usize]| {
            let fix = crate::fix::Fix::safe("", remove(&found[0], unused));
            String::from_utf8(crate::fix::apply(source.as_bytes(), &[&fix]).bytes).unwrap()
        };
        assert_eq!(
            after(&[1]),
            "FROM x\n# cachelane: ignore[a, c] why\nRUN a\n"
        );
        assert_eq!(after(&[0, 1, 2]), "FROM x\nRUN a\n");
    }
}
