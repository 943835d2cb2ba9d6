//! Dockerfile text in files that are none: what is found in it, with places in those files. Nothing of it is rewritten.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::dockerfile::{Dockerfile, Fault, FaultKind};
use crate::embedded::{self, Holder, Kind, Piece};
use crate::finding::{Finding, Severity};
use crate::fix::Applicability;
use crate::index::Site;
use crate::rules::caches::PLATFORM_ARGS;
use crate::rules::{self, Cache, Context, Settings, lane};
use crate::suppress::{self, Covers, Ignore};
use crate::text::{LineIndex, Span};

use super::{Checked, FileReport};

/// The rules that can be sure of a piece of a Dockerfile: the others ask what stands around it.
const RULES: &[&str] = &["shared-lock", "mixed-sharing", "invalid-mount"];

/// What is found in the Dockerfile text within a file of this `kind`; `None` where there is none.
#[must_use]
pub fn check_embedded(
    path: &Path,
    kind: Kind,
    source: &[u8],
    settings: &Arc<Settings>,
) -> Option<FileReport> {
    if !embedded::is_of_interest(source) {
        return None;
    }
    let settings = Arc::new(narrowed(kind, settings));
    let mut checked = Checked::default();
    let units = collect(kind, source, &settings, &[], &mut checked);
    if checked.findings.is_empty() && checked.sites.is_empty() {
        return None;
    }
    if suppress::is_marked(source) {
        checked.ignores = suppress::read_outline(source);
        widen(&mut checked.ignores, &units, kind);
    }
    Some(FileReport {
        path: path.to_path_buf(),
        source: source.to_vec(),
        settings,
        checked,
        wires: None,
    })
}

/// Adds to the report on a workflow, a pipeline or a Compose file what is found in the scripts within it.
pub fn add_embedded(report: &mut FileReport) {
    let Some(wires) = report
        .wires
        .as_ref()
        .filter(|_| embedded::is_of_interest(&report.source))
    else {
        return;
    };
    let known: Vec<Span> = wires
        .wiring
        .inline
        .iter()
        .map(|inline| inline.span)
        .collect();
    let settings = narrowed(Kind::Yaml, &report.settings);
    let units = collect(
        Kind::Yaml,
        &report.source,
        &settings,
        &known,
        &mut report.checked,
    );
    widen(&mut report.checked.ignores, &units, Kind::Yaml);
}

/// The settings for such text. An example in Markdown is built by nobody: what is found there never fails a build.
fn narrowed(kind: Kind, settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.rules = Some(
        RULES
            .iter()
            .copied()
            .filter(|name| settings.is_on(name))
            .collect(),
    );
    if kind == Kind::Markdown {
        settings.severities.clear();
    }
    settings
}

/// Adds what is found in `source`, but for what stands in one of the spans `known`; gives the bytes of each piece and of
/// each instruction in it, ordered.
fn collect(
    kind: Kind,
    source: &[u8],
    settings: &Settings,
    known: &[Span],
    checked: &mut Checked,
) -> Vec<Unit> {
    let lines = LineIndex::new(source);
    let mut units = Vec::new();
    // By where they begin; none overlaps another.
    let mut done: BTreeMap<usize, usize> =
        known.iter().map(|span| (span.start, span.end)).collect();
    for piece in embedded::find(kind, source) {
        units.push(Unit {
            span: piece.extent,
            is_piece: true,
        });
        for region in embedded::regions(&piece) {
            let span = region.span(0, region.bytes().len());
            if done
                .range(..span.end)
                .next_back()
                .is_some_and(|(_, end)| span.start < *end)
            {
                continue;
            }
            done.insert(span.start, span.end);
            let text = Text {
                piece: &piece,
                kind,
                region: &region,
                source,
                lines: &lines,
            };
            text.check(settings, checked, &mut units);
        }
    }
    checked
        .findings
        .sort_by_key(|finding| (finding.span, finding.rule));
    units.sort_by_key(|unit: &Unit| unit.span);
    units
}

/// Bytes of the file that belong together for whoever suppresses something.
struct Unit {
    span: Span,
    /// Whether it is all of a string, a heredoc, a block; an instruction in one otherwise.
    is_piece: bool,
}

/// Makes each suppression speak for all of the string or instruction that begins in what it covers. One for the file that
/// stands in a string is the string's.
fn widen(ignores: &mut [Ignore], units: &[Unit], kind: Kind) {
    for ignore in ignores {
        match &mut ignore.covers {
            Covers::Instruction(span) => {
                let first = units.partition_point(|unit| unit.span.start < span.start);
                let within = units[first..]
                    .iter()
                    .take_while(|unit| unit.span.start < span.end);
                span.end = within.map(|unit| unit.span.end).fold(span.end, usize::max);
            }
            Covers::File => {
                let at = ignore.comment.start;
                let around = units
                    .iter()
                    .find(|unit| unit.is_piece && unit.span.contains(at));
                match around {
                    Some(around) => ignore.covers = Covers::Instruction(around.span),
                    // A heading.
                    None if kind == Kind::Markdown => ignore.covers = Covers::Nothing,
                    None => {}
                }
            }
            Covers::Nothing => {}
        }
    }
}

/// Instructions within a file.
struct Text<'t> {
    piece: &'t Piece,
    kind: Kind,
    region: &'t crate::dockerfile::Mapped<'static>,
    source: &'t [u8],
    lines: &'t LineIndex,
}

impl Text<'_> {
    fn check(&self, settings: &Settings, checked: &mut Checked, units: &mut Vec<Unit>) {
        let mut bytes = self.region.bytes().to_vec();
        if Dockerfile::read(&bytes).is_err() {
            // The rest of a heredoc is put in by the program.
            let marks: Vec<usize> = memchr::memmem::find_iter(&bytes, b"<<").collect();
            for at in marks {
                bytes[at..at + 2].fill(b' ');
            }
        }
        let Ok(file) = Dockerfile::read(&bytes) else {
            return;
        };
        let cx = Context::new(&file, settings);
        let place = |span: Span| self.region.span(span.start, span.end);
        units.extend(file.instructions.iter().map(|one| Unit {
            span: place(one.span),
            is_piece: false,
        }));
        let caches: HashMap<Span, &Cache<'_>> = cx
            .caches()
            .iter()
            .map(|cache| (cache.mount.id_span(), cache))
            .collect();
        let certain = self.certain_faults(&file);
        let is_certain =
            |found: &Finding| found.rule != "invalid-mount" || certain.contains(&found.span);
        checked.findings.extend(
            rules::check(&cx)
                .into_iter()
                .filter(is_certain)
                .map(|found| {
                    let cache = caches.get(&found.span).copied();
                    let help = cache
                        .filter(|_| found.rule == "shared-lock")
                        .map(|cache| self.help(&cx, cache));
                    self.moved(found, help)
                }),
        );
        if self.kind == Kind::Markdown {
            return;
        }
        // Instructions are counted over all the texts of the file.
        let first = checked.sites.last().map_or(0, |site| site.instruction + 1);
        checked.sites.extend(cx.caches().iter().map(|cache| {
            let site = cache.site(&file);
            let span = place(site.span);
            let line = self.lines.line(span.start);
            Site {
                span,
                line,
                instruction: first + site.instruction,
                mode_edit: None,
                id_end: None,
                ..site
            }
        }));
    }

    /// Where a mount is wrong whatever stands around the text.
    fn certain_faults(&self, file: &Dockerfile<'_>) -> HashSet<Span> {
        if self.kind == Kind::Markdown {
            return HashSet::new();
        }
        let is_known = |fault: &&Fault| {
            matches!(
                fault.kind,
                FaultKind::UnknownOption(..)
                    | FaultKind::UnknownValue(..)
                    | FaultKind::NotForType(..)
            )
        };
        let is_whole = |index: usize| {
            let instruction = &file.instructions[index];
            // What a program only compares with, or puts together, has no command.
            let written = !instruction.text.bytes()[..instruction.args]
                .iter()
                .any(|b| b"${}%*<>()[]".contains(b));
            written && !instruction.arguments().is_empty()
        };
        let faulty = file
            .mounts()
            .filter(|(index, mount)| !mount.faults.is_empty() && is_whole(*index));
        faulty
            .flat_map(|(_, mount)| mount.faults.iter().filter(is_known).map(|fault| fault.span))
            .collect()
    }

    /// `found` with its places in the file.
    fn moved(&self, found: Finding, help: Option<String>) -> Finding {
        let place = |span: Span| self.region.span(span.start, span.end);
        let labels = found.labels.into_iter().map(|mut label| {
            label.span = place(label.span);
            label
        });
        let labels = labels.collect();
        let message = match self.piece.holder {
            Holder::PythonFormat => found.message.replace("{{", "{").replace("}}", "}"),
            _ => found.message,
        };
        let message = format!("{message} (in {})", self.name());
        let severity = if self.kind == Kind::Markdown {
            Severity::Info
        } else {
            found.severity
        };
        let unfixed = Some(format!("it stands in {}: change it by hand", self.name()));
        let help = help.or(found.help);
        // An example takes no lock.
        let lock = found.lock.filter(|_| self.kind != Kind::Markdown);
        Finding {
            span: place(found.span),
            message,
            labels,
            help,
            severity,
            fix: None,
            unfixed,
            lock,
            ..found
        }
    }

    /// What the text is, for people.
    fn name(&self) -> &'static str {
        if self.kind == Kind::Markdown {
            return "an example";
        }
        match self.piece.holder {
            Holder::PythonString => "a Python string",
            Holder::PythonFormat => "a Python format string",
            Holder::ShellString | Holder::ShellExpandingString => "a shell string",
            Holder::Heredoc | Holder::ExpandingHeredoc => "a heredoc",
            Holder::Yaml => "a YAML text",
            Holder::Fence => "a code block",
        }
    }

    /// What to write by hand, as it has to stand in the file.
    fn help(&self, cx: &Context<'_>, cache: &Cache<'_>) -> String {
        let arg = &cx.settings.arg;
        let suffix = lane::suffix(cx.settings, arg);
        let (suffix, why) = match self.piece.holder {
            Holder::PythonFormat => (
                suffix.replace('{', "{{").replace('}', "}}"),
                " (in a format string, braces are doubled)",
            ),
            Holder::ExpandingHeredoc | Holder::ShellExpandingString => (
                suffix.replace('$', "\\$"),
                " (with the backslash: without it, the shell puts its own variable in)",
            ),
            _ => (suffix, ""),
        };
        // An id of its own stands there as it is to be written.
        let span = cache.mount.id_span();
        let own = self.region.span(span.start, span.end).of(self.source);
        let own = std::str::from_utf8(own)
            .ok()
            .filter(|own| cache.mount.id().is_some() && !own.contains('\n'));
        let id = own.map_or_else(|| cache.id(), str::to_owned);
        let mut help = if cache.mount.torn {
            format!("put `{suffix}` behind the id{why}")
        } else {
            format!("write `id={id}{suffix}`{why}")
        };
        if cx
            .declaring(arg, cache.instruction, Applicability::Safe)
            .is_some()
        {
            let default = if cx.settings.keep_default {
                String::new()
            } else {
                format!("={}", cx.settings.default)
            };
            help.push_str(&format!(
                ", and `ARG {arg}{default}` on a line of its own in the stage, above the RUN"
            ));
        }
        help.push_str(&format!(
            "\nand give each job its own `--build-arg {arg}=…`"
        ));
        if let Some(tool) = cache.concurrent_tool() {
            help.push_str(&format!(
                "\n(or drop `sharing=locked`: {tool} is made for several builds at once)"
            ));
        }
        let mut is_made = cache.mount.templated && cache.id().contains("{{");
        cache.word.each_variable(&mut |variable| {
            is_made |= !PLATFORM_ARGS.contains(&variable.name.as_str())
        });
        if is_made {
            help.push_str("\n(if what is put into the id sets your jobs apart, list its name under `isolating-args` in cachelane.toml)");
        }
        help
    }
}
