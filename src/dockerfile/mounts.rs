//! Reads the option list of `RUN --mount=…`.
//!
//! The list is CSV with one row (`github.com/tonistiigi/go-csvvalue`), split after quotes and escapes of the flag are
//! gone; options and the order in which they are looked at follow `parseMount` in
//! `frontend/dockerfile/instructions/commands_runmount.go`.

use std::borrow::Cow;

use bstr::ByteSlice as _;

use crate::text::{Mapped, Span};

use super::ast::{Behind, Fault, FaultKind, Field, Flag, Mount, MountKind, Sharing};
use super::expression::{self, Reach};
use super::faults;
use super::mount_options::{clean, kind_of, option};
use super::words::Word;

impl<'a> Mount<'a> {
    /// Reads the value of the `--mount` flag `flag`; `behind` is the text after the RUN's last flag.
    pub fn read(
        flag: &Flag<'a>,
        source: &[u8],
        escape: u8,
        templated: bool,
        behind: Option<Behind<'_>>,
    ) -> Self {
        let mut expressions = expression::all(flag.text.bytes());
        let is_open = |at| expression::within(&flag.text, at) == Some(Reach::Open);
        let torn = expressions.any(|(at, _)| is_open(at));
        let no_value = Fault {
            span: flag.span,
            kind: FaultKind::NoValue,
        };
        let mut mount = Self {
            span: flag.span,
            text: Mapped::empty(flag.span.end),
            fields: Vec::new(),
            kind: MountKind::Unknown,
            faults: vec![no_value],
            templated: templated || torn,
            torn,
            conditional: flag.conditional,
            escape,
        };
        if let Some(value) = flag.value() {
            let bad_quote = mount.split(&value, source);
            mount.kind = mount.value("type").map_or(MountKind::Bind, kind_of);
            mount.faults = if mount.templated {
                Vec::new()
            } else {
                faults::find(&mount, flag, bad_quote, behind)
            };
        }
        mount
    }

    /// Cuts `value` at commas outside quotes and template expressions; returns a quote that CSV does not allow.
    fn split(&mut self, value: &Mapped<'a>, source: &[u8]) -> Option<Span> {
        let bytes = value.bytes();
        let mut text = Mapped::empty(value.source(0));
        let mut bad_quote = None;
        let mut at = 0;
        loop {
            let (from, start) = (at, text.bytes().len());
            let mut quoted = bytes.get(at) == Some(&b'"');
            at += usize::from(quoted);
            while let Some(byte) = bytes.get(at) {
                match (byte, quoted, bytes.get(at + 1)) {
                    (b'"', false, _) => bad_quote = bad_quote.or(Some(value.span(at, at + 1))),
                    (b'"', true, Some(b'"')) => at += 1,
                    (b'"', true, Some(b',') | None) => {
                        quoted = false;
                        at += 1;
                        continue;
                    }
                    (b',', false, _) | (b'"', true, _) => break,
                    _ => {}
                }
                let end = match self.templated.then(|| expression::within(value, at)) {
                    Some(Some(Reach::Closed(end))) => end,
                    Some(_) => at + 1,
                    None => {
                        let rest = &bytes[at + 1..];
                        at + 1 + memchr::memchr2(b',', b'"', rest).unwrap_or(rest.len())
                    }
                };
                text.append(value, at, end);
                at = end;
            }
            if quoted {
                bad_quote = bad_quote.or(Some(value.span(from, at)));
                at = bytes.len();
            }
            let all = text.bytes();
            let equals = memchr::memchr(b'=', &all[start..]).map(|n| start + n);
            self.fields.push(Field {
                option: option(&all[start..equals.unwrap_or(all.len())]),
                start,
                equals,
                end: all.len(),
                next: self.place_behind(value, from, at, source),
            });
            if at >= bytes.len() {
                self.text = text;
                return bad_quote;
            }
            text.append(value, at, at + 1);
            at += 1;
        }
    }

    /// Returns the byte of the file where another field fits behind `value[from..to]`: before the next comma, or behind
    /// a quote that opened within the field.
    fn place_behind(&self, value: &Mapped<'_>, from: usize, to: usize, source: &[u8]) -> usize {
        if to < value.bytes().len() {
            return value.source(to);
        }
        let span = value.span(from, to);
        let closes = source.get(span.end).filter(|_| span.end < self.span.end);
        let closes = closes.filter(|b| matches!(b, b'\'' | b'"'));
        let opened = closes.is_some_and(|quote| span.of(source).contains(quote));
        span.end + usize::from(opened)
    }

    /// Returns whether a template's expression may give the value of `option` (its full name), or another option.
    pub fn hides(&self, option: &str) -> bool {
        let is_made = |text: &[u8]| expression::all(text).next().is_some() || text.contains(&b'@');
        let unknown = || self.fields.iter().any(|field| field.option.is_none());
        self.templated
            && match self.value(option) {
                Some(value) => is_made(value),
                None => self.torn || unknown(),
            }
    }

    /// Returns the last field for `option` (its full name); aliases count, case does not.
    pub fn field(&self, option: &str) -> Option<Field> {
        let mut fields = self.fields.iter().rev();
        fields.find(|field| field.option == Some(option)).copied()
    }

    /// Returns the value of `option` (its full name), unquoted, variables not expanded; `None` where it is absent.
    pub fn value(&self, option: &str) -> Option<&[u8]> {
        self.value_of(self.field(option)?)
    }

    pub(super) fn value_of(&self, field: Field) -> Option<&[u8]> {
        Some(&self.text.bytes()[field.equals? + 1..field.end])
    }

    /// Returns the target as BuildKit cleans it, variables not expanded; `.` without one.
    pub fn target(&self) -> Cow<'_, [u8]> {
        clean(self.value("target").unwrap_or_default())
    }

    pub fn value_span(&self, field: Field) -> Span {
        self.text
            .span(field.equals.map_or(field.end, |at| at + 1), field.end)
    }

    /// Returns the `id` option; an empty one counts as none, as in BuildKit, which takes off the quotes and escapes that
    /// the flag's own leave.
    pub fn id(&self) -> Option<&[u8]> {
        let is_quoted = |id: &[u8]| Word::read(id, self.escape).is_ok_and(|id| id.is_empty());
        self.value("id").filter(|id| !is_quoted(id))
    }

    /// Returns the id before variables are expanded: the option, or else the cleaned target.
    pub fn effective_id(&self) -> Cow<'_, [u8]> {
        if let Some(id) = self.id() {
            return id.into();
        }
        let target = self.value("target").unwrap_or_default();
        // `..` next to a variable means nothing before that is expanded, and in an expression it is no path.
        let known = if self.templated {
            !target.contains_str("//") && !target.contains_str("/.")
        } else {
            !target.contains(&b'$') || (!target.contains_str("..") && !slash_in_braces(target))
        };
        if known { clean(target) } else { target.into() }
    }

    /// Returns the place of the id: the option's value, the target's, or the whole flag.
    pub fn id_span(&self) -> Span {
        let id = self.field("id").filter(|_| self.id().is_some());
        let field = id.or_else(|| self.field("target"));
        field.map_or(self.span, |field| self.value_span(field))
    }

    /// Returns the id as text and variables; `None` where BuildKit could not expand it.
    pub fn id_word(&self) -> Option<Word> {
        Word::read(&self.effective_id(), self.escape).ok()
    }

    /// Returns the sharing mode; `None` where a variable gives it.
    pub fn sharing(&self) -> Option<Sharing> {
        let value = self.value("sharing");
        value.map_or(Some(Sharing::Shared), Sharing::by_name)
    }

    /// Returns the fault of `option` (its full name) with `value`, in which no variable is left.
    pub fn fault_of(&self, option: &'static str, value: &[u8]) -> Option<FaultKind> {
        faults::of_value(option, value, self.kind, self.escape)
    }

    /// Returns whether some builder takes it, though BuildKit may refuse it.
    pub fn is_accepted(&self) -> bool {
        self.faults.iter().all(|fault| fault.kind.is_excusable())
    }
}

fn slash_in_braces(target: &[u8]) -> bool {
    let open = target.find("${");
    open.is_some_and(|open| {
        target[open..]
            .rfind_byte(b'}')
            .is_some_and(|end| target[open..open + end].contains(&b'/'))
    })
}
