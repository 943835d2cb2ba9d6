//! Templates around a Dockerfile: empy, Jinja, Go's `text/template`, Handlebars, ERB.
//!
//! BuildKit does not know their lines; another tool removes them before the build. The block of each line matters, since
//! a declaration inside `@[if x]` does not serve a RUN outside of it.

use crate::budget;
use crate::text::Span;

use super::expression::{self, Reach};
use super::lines::{Lines, is_comment, trim_end, trim_start};

/// A branch in the tree of blocks: the file ([`BranchId::FILE`]) or a branch of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(usize);

impl BranchId {
    pub const FILE: Self = Self(0);
}

#[derive(Clone, Debug)]
struct Branch {
    /// The branch around its block, and the block's index; `None` for the file.
    of: Option<(BranchId, usize)>,
    /// The last branch within it, or itself: nested branches are numbered consecutively.
    last: usize,
}

/// A block, from its opening to its closing line.
#[derive(Clone, Debug)]
pub struct Block {
    /// The lines of the block; to the end of the file where nothing closes it.
    pub span: Span,
    /// The branches in order: one, and one more for each `else`.
    pub branches: Vec<BranchId>,
    /// True where the last branch is a plain `else`, so that one is always taken.
    pub exhaustive: bool,
}

#[derive(Clone, Debug)]
pub struct Blocks {
    branches: Vec<Branch>,
    all: Vec<Block>,
    /// The first byte of each stretch and its branch, ordered by byte.
    bounds: Vec<(usize, BranchId)>,
}

/// Returns whether `source` seems to hold a template expression.
pub fn is_template(source: &[u8]) -> bool {
    // At most two passes over the file: every mark starts with one of four bytes.
    memchr::memchr3_iter(b'{', b'@', b'<', source).any(|at| {
        matches!(
            &source[at..],
            [b'{', b'{' | b'%', ..] | [b'@', b'(' | b'[' | b'{', ..] | [b'<', b'%', ..]
        )
    }) || is_template_by_mounts(source)
}

/// Returns whether a line of `source` begins with a template's expression, or a FROM holds one.
pub fn has_tags(source: &[u8]) -> bool {
    is_template(source)
        && Lines::new(source).any(|line| {
            let text = trim_start(line.text.of(source));
            let is_from = text
                .get(..5)
                .is_some_and(|word| word.eq_ignore_ascii_case(b"from "));
            expression::at(text, 0).is_some() || is_from && expression::all(text).next().is_some()
        })
}

/// Returns whether a line with a mount holds an expression of a kind that shells use otherwise, for example `[[ x ]]`.
fn is_template_by_mounts(source: &[u8]) -> bool {
    memchr::memmem::find_iter(source, b"--mount=").any(|at| {
        let rest = &source[at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        expression::all(line).any(|(_, reach)| reach != Reach::Open)
    })
}

/// Returns whether `line`, within an instruction, holds only block tags and comments of a template, which the engine
/// removes.
pub fn is_control_line(line: &[u8]) -> bool {
    let line = trim_end(trim_start(line));
    let (end, _) = skip_tags(line, 0);
    // Empy's `@` before a line break removes the break.
    end > 0 && matches!(&line[end..], [] | [b'@'])
}

/// Skips the tags, comments and blanks at byte `at` of `text`; returns their end, and whether they stay within the blocks
/// they open.
pub(super) fn skip_tags(text: &[u8], at: usize) -> (usize, bool) {
    let (mut end, mut next, mut depth, mut inside) = (at, at, 0_usize, true);
    while let Some(Reach::Closed(behind)) = expression::at(text, next) {
        match tag_of(&text[next..behind]) {
            Some(Tag::Open) => depth += 1,
            Some(Tag::Else { .. }) => inside &= depth > 0,
            Some(Tag::Close) => {
                inside &= depth > 0;
                depth = depth.saturating_sub(1);
            }
            None if is_silent(&text[next..behind]) => {}
            None => break,
        }
        end = behind;
        next = text.len() - trim_start(&text[behind..]).len();
    }
    (end, inside)
}

/// Returns whether the expression at byte `at` of `text` makes a FROM: its first string begins with one, as in
/// `@(f"FROM {base}")`.
pub(super) fn makes_from(text: &[u8], at: usize) -> bool {
    let Some(Reach::Closed(end)) = expression::at(text, at) else {
        return false;
    };
    let body = &text[at..end];
    let string = body.iter().position(|b| matches!(b, b'"' | b'\''));
    makes_text(body) && string.is_some_and(|quote| begins_with_from(&body[quote + 1..]))
}

/// Returns whether `line`, which is no instruction, may become a FROM: it begins, its tags aside, with one or with an
/// expression.
pub(super) fn may_be_from(line: &[u8]) -> bool {
    let (behind, _) = skip_tags(line, line.len() - trim_start(line).len());
    let rest = trim_start(&line[behind..]);
    begins_with_from(rest) || makes_text(rest)
}

fn begins_with_from(text: &[u8]) -> bool {
    let (word, rest) = text.split_at_checked(4).unwrap_or_default();
    word.eq_ignore_ascii_case(b"from") && rest.first().is_some_and(u8::is_ascii_whitespace)
}

/// Returns whether `expression` opens, parts or closes a block.
pub fn is_tag(expression: &[u8]) -> bool {
    tag_of(expression).is_some()
}

/// Returns whether `text` begins with an expression that leaves text behind.
pub fn makes_text(text: &[u8]) -> bool {
    let body = text.get(2..).unwrap_or_default();
    let body = body.strip_prefix(b"-").unwrap_or(body).trim_ascii_start();
    match text {
        [b'{', b'{', ..] => {
            let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
            // Go's `{{ $name := value }}` sets it.
            tag_of(line).is_none() && memchr::memmem::find(line, b":=").is_none()
        }
        [b'{', b'%', ..] => body.starts_with(b"include"),
        [b'<', b'%', ..] => body.starts_with(b"="),
        [b'[', b'[', ..] => true,
        [b'@', next, ..] => *next == b'(' || next.is_ascii_alphabetic() || *next == b'_',
        _ => false,
    }
}

/// Returns whether `expression` is no block tag and leaves no text behind.
fn is_silent(expression: &[u8]) -> bool {
    let body = expression.get(2..).unwrap_or_default();
    let trimmed = body.strip_prefix(b"-").unwrap_or(body).trim_ascii_start();
    match expression {
        [b'{', b'#', ..] => true,
        [b'<', b'%', ..] => trimmed.starts_with(b"#"),
        [b'{', b'{', ..] => trimmed.starts_with(b"!") || trimmed.starts_with(b"/*"),
        [b'{', b'%', ..] => trimmed.starts_with(b"set "),
        _ => false,
    }
}

impl Blocks {
    /// Returns the blocks of `source`; none unless it is a template.
    pub fn read(source: &[u8], template: bool) -> Self {
        let mut blocks = Self {
            branches: vec![Branch { of: None, last: 0 }],
            all: Vec::new(),
            bounds: vec![(0, BranchId::FILE)],
        };
        if !template {
            return blocks;
        }
        let mut here = BranchId::FILE;
        for line in Lines::new(source) {
            let before = here;
            for tag in tags(line.text.of(source)) {
                here = blocks.step(here, tag, line.full, source.len());
            }
            if here != before {
                blocks.bounds.push((line.full.end, here));
            }
        }
        for branch in (1..blocks.branches.len()).rev() {
            let Branch { of, last } = blocks.branches[branch];
            let (BranchId(parent), _) = of.unwrap_or((BranchId::FILE, 0));
            let around = &mut blocks.branches[parent].last;
            *around = last.max(*around);
        }
        blocks
    }

    /// Returns the branch behind `tag` in the branch `here`; `line` is the tag's line, `end` the file's end.
    fn step(&mut self, here: BranchId, tag: Tag, line: Span, end: usize) -> BranchId {
        match (tag, self.branches[here.0].of) {
            (Tag::Open, _) => {
                self.all.push(Block {
                    span: Span::new(line.start, end),
                    branches: Vec::new(),
                    exhaustive: false,
                });
                self.branch(here, self.all.len() - 1)
            }
            (Tag::Else { plain }, Some((parent, block))) => {
                self.all[block].exhaustive = plain;
                self.branch(parent, block)
            }
            (Tag::Close, Some((parent, block))) => {
                self.all[block].span.end = line.end;
                parent
            }
            _ => here,
        }
    }

    fn branch(&mut self, parent: BranchId, block: usize) -> BranchId {
        let branch = BranchId(self.branches.len());
        self.branches.push(Branch {
            of: Some((parent, block)),
            last: branch.0,
        });
        self.all[block].branches.push(branch);
        branch
    }

    /// Returns the branch of byte `offset`.
    pub fn at(&self, offset: usize) -> BranchId {
        let next = self.bounds.partition_point(|(start, _)| *start <= offset);
        self.bounds[next.max(1) - 1].1
    }

    /// Returns whether `inner` is reached only through `outer`, so that declarations in `outer` serve it.
    pub fn encloses(&self, outer: BranchId, inner: BranchId) -> bool {
        (outer.0..=self.branches[outer.0].last).contains(&inner.0)
    }

    /// Returns the innermost branch that encloses both.
    pub fn common(&self, a: BranchId, b: BranchId) -> BranchId {
        self.outwards(a)
            .find(|branch| self.encloses(*branch, b))
            .unwrap_or(BranchId::FILE)
    }

    /// Returns the block of `branch`; `None` for the file.
    pub fn block(&self, branch: BranchId) -> Option<&Block> {
        let (_, block) = self.branches[branch.0].of?;
        self.all.get(block)
    }

    /// Returns the branch around the block of `branch`; `None` for the file.
    pub fn parent(&self, branch: BranchId) -> Option<BranchId> {
        self.branches[branch.0].of.map(|(parent, _)| parent)
    }

    /// Returns `branch` and all branches around it, out to the file.
    pub fn outwards(&self, branch: BranchId) -> impl Iterator<Item = BranchId> + '_ {
        std::iter::successors(Some(branch), |branch| {
            self.parent(*branch).filter(|_| budget::spend(1))
        })
    }
}

/// The effect of an expression on the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Open,
    /// Begins another branch.
    Else {
        /// True where it is taken wherever the others are not.
        plain: bool,
    },
    Close,
}

/// Returns the tags of a line. Where the line does not start with a tag, `{{ if }}` may be an argument of a command, so
/// only the other engines' tags count.
fn tags(line: &[u8]) -> impl Iterator<Item = Tag> + '_ {
    let text = trim_start(line);
    let starts = matches!(
        text,
        [b'{', b'%' | b'{', ..] | [b'@', b'[', ..] | [b'<', b'%', ..]
    );
    let text = if is_comment(line) { &[] } else { text };
    expression::all(text).filter_map(move |(at, reach)| {
        let end = match reach {
            Reach::Closed(end) => end,
            Reach::Open if starts => text.len(),
            Reach::Open => return None,
        };
        tag_of(&text[at..end]).filter(|_| starts || !text[at..].starts_with(b"{{"))
    })
}

/// Returns the effect of the expression `text` on the blocks, if any.
pub(super) fn tag_of(text: &[u8]) -> Option<Tag> {
    let (mark, body) = text.split_at_checked(2)?;
    let close: &[u8] = match mark {
        b"{%" => b"%}",
        b"{{" => b"}}",
        b"@[" => b"]",
        b"<%" => b"%>",
        _ => return None,
    };
    tag(mark, body.strip_suffix(close).unwrap_or(body))
}

fn tag(mark: &[u8], body: &[u8]) -> Option<Tag> {
    let body = body.trim_ascii_start();
    let body = body
        .strip_prefix(b"-")
        .or_else(|| body.strip_prefix(b"+"))
        .unwrap_or(body)
        .trim_ascii();
    let body = body.strip_suffix(b"-").unwrap_or(body).trim_ascii_end();
    let len = body
        .iter()
        .position(|b| !b.is_ascii_alphabetic())
        .unwrap_or(body.len());
    let (word, rest) = body.split_at(len);
    let plain = Tag::Else {
        plain: rest.trim_ascii().is_empty(),
    };
    match (mark, word) {
        (
            b"{%",
            b"if" | b"for" | b"macro" | b"call" | b"filter" | b"block" | b"with" | b"autoescape"
            | b"raw",
        )
        | (b"{{", b"if" | b"range" | b"with" | b"define" | b"block")
        | (b"@[", b"if" | b"for" | b"while" | b"try" | b"def")
        | (b"<%", b"if" | b"unless" | b"for" | b"while" | b"case") => Some(Tag::Open),
        (b"{{", b"") if matches!(body.first(), Some(b'#' | b'^')) => Some(Tag::Open),
        (b"{{", b"") if body.first() == Some(&b'/') => Some(Tag::Close),
        (b"<%", _) if body.ends_with(b" do") || body.ends_with(b"|") => Some(Tag::Open),
        (_, b"else") => Some(plain),
        (_, b"elif" | b"elsif" | b"when" | b"except") => Some(Tag::Else { plain: false }),
        (b"{%", word) if word.starts_with(b"end") => Some(Tag::Close),
        (_, b"end") => Some(Tag::Close),
        _ => None,
    }
}
