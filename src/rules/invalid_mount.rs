//! `invalid-mount`: a mount that BuildKit refuses.

use crate::dockerfile::{FaultKind, MountKind, Word};
use crate::finding::{Finding, RuleId, Severity};
use crate::text::Span;

use super::builder_ids;
use super::context::Context;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for (_, mount) in cx.file.mounts() {
        for fault in &mount.faults {
            findings.push(refused(fault.span, &fault.kind));
        }
    }
    by_default(cx, findings);
    builder_ids::check(cx, findings);
}

fn refused(span: Span, kind: &FaultKind) -> Finding {
    let (fault, help) = explain(kind);
    let unless = match kind {
        FaultKind::NoTargetNoWorkdir => " unless the base image sets a WORKDIR",
        FaultKind::RootTargetNoWorkdir => " unless the base image sets a WORKDIR further down",
        _ => "",
    };
    let message = format!("the build fails here{unless}: {fault}");
    let mut finding = Finding::new(RuleId::InvalidMount, span, message).help(help);
    finding.only_buildkit = matches!(kind, FaultKind::BuildahOption(_));
    if !unless.is_empty() {
        finding.severity = Severity::Warning;
    }
    finding
}

/// Adds the options that BuildKit refuses with the values of a build without arguments.
fn by_default(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    const OPTIONS: &[&str] = &[
        "type",
        "sharing",
        "uid",
        "gid",
        "mode",
        "readonly",
        "readwrite",
    ];
    for (index, mount) in cx.file.mounts().filter(|(_, mount)| !mount.templated) {
        for option in OPTIONS {
            let field = mount.field(option);
            let Some((field, written)) = field.zip(mount.value(option)) else {
                continue;
            };
            let word = Word::read(written, mount.escape).unwrap_or_default();
            // The base image may set what is not declared here.
            let (mut unpassed, mut known) = (None, word.has_variable());
            let value = word.expand(&mut |name| {
                let value = cx.file.default_value(name, index);
                if value.is_none() {
                    known &= cx.file.visible(name, index).is_some();
                    unpassed = Some(name.to_owned());
                }
                value
            });
            let Some(value) = value.filter(|_| known) else {
                continue;
            };
            let span = mount.value_span(field);
            match unpassed {
                Some(name) if value.is_empty() => {
                    let message = format!(
                        "a build that passes no `{name}` fails here: `{option}` is empty then"
                    );
                    let mut finding = Finding::new(RuleId::InvalidMount, span, message)
                        .help(format!("give it a default: `ARG {name}=…`"));
                    finding.severity = Severity::Warning;
                    findings.push(finding);
                }
                Some(_) => {}
                None => {
                    let fault = mount.fault_of(option, &value);
                    findings.extend(fault.map(|kind| refused(span, &kind)));
                }
            }
        }
    }
}

/// Returns the fault and the advice.
fn explain(fault: &FaultKind) -> (String, String) {
    let or = |nearest: Option<&str>, otherwise: &str| {
        nearest.map_or_else(
            || otherwise.to_owned(),
            |nearest| format!("did you mean `{nearest}`?"),
        )
    };
    match fault {
        FaultKind::NoValue => {
            ("`--mount` has no value".into(), "write `--mount=type=cache,target=…`, with an `=` and no space".into())
        }
        FaultKind::Quote => (
            "a quote stands where the option list allows none".into(),
            "quote a whole option with escaped quotes (`\\\"id=a,b\\\"`), or drop the quote".into(),
        ),
        FaultKind::EmptyField => {
            ("an option is empty".into(), "drop the comma too many (options are separated by one comma)".into())
        }
        FaultKind::SpaceAfterComma(false) => (
            "the space after the comma ends the flag, and what follows it is run as a command".into(),
            "drop the space: options are separated by a comma alone".into(),
        ),
        FaultKind::SpaceAfterComma(true) => (
            "the indented next line ends the flag, and what stands there is run as a command".into(),
            "keep the flag on one line, or start the next line at column 1".into(),
        ),
        FaultKind::OpenQuote => (
            "a quote in the flag is never closed, so that the rest of the instruction became part of it".into(),
            "close the quote".into(),
        ),
        FaultKind::EmptySecret => {
            ("the secret mount names no secret".into(), "add `id=…`, `source=…` or `target=…`".into())
        }
        FaultKind::TwoSecrets => ("a secret mount takes `source` or `id`, not both".into(), "drop one of them".into()),
        FaultKind::BareOption(name) => (
            format!("`{name}` is not an option that stands without a value"),
            "write `name=value` (only ro, rw, readonly, readwrite and required stand alone)".into(),
        ),
        FaultKind::UnknownOption(name, nearest) => (
            format!("a mount has no option `{name}`"),
            or(*nearest, "the options are type, id, target, source, from, sharing, readonly, uid, gid and mode"),
        ),
        FaultKind::UnknownValue(option, value, nearest) => {
            (format!("`{option}` cannot be `{value}`"), or(*nearest, values(option)))
        }
        FaultKind::NotForType(option, kind) => {
            let help = match kind {
                MountKind::Bind => format!(
                    "add `type=cache` in front if it should be a cache (without a type it is a bind), or drop `{option}`"
                ),
                _ => format!("drop `{option}`, or change the type"),
            };
            (format!("a {} mount takes no `{option}`", kind_name(*kind)), help)
        }
        FaultKind::VariableInFrom => (
            "`from` takes no variable".into(),
            "name a stage (`FROM image:${TAG} AS base`), and write `from=base`".into(),
        ),
        FaultKind::OwnStage => (
            "`from` names the stage itself".into(),
            "drop `from`, or name an earlier stage".into(),
        ),
        FaultKind::LaterStage(name) => (
            format!("`from` names `{name}`, a stage further down"),
            "move that stage above this one".into(),
        ),
        FaultKind::BadVariable(option) => {
            (format!("the variable in `{option}` cannot be read"), "write `${NAME}` or `${NAME:-default}`".into())
        }
        FaultKind::BuildahOption(name) => {
            let write = match name.as_str() {
                "shared" | "private" => format!("write `sharing={name}` for a cache's mode"),
                _ => "drop it".into(),
            };
            (
                format!("BuildKit refuses `{name}`, an option of podman and buildah"),
                format!("{write}, or build the file with podman alone and call it `Containerfile`"),
            )
        }
        FaultKind::NoTargetNoWorkdir => ("the mount has no target".into(), "add `target=/path`".into()),
        FaultKind::NoTarget => (
            "the mount has no target, and the WORKDIR, which BuildKit would take instead, is `/`".into(),
            "add `target=/path`".into(),
        ),
        FaultKind::RootTarget | FaultKind::RootTargetNoWorkdir => ("the target cannot be `/`".into(), "mount it on a folder below `/`".into()),
    }
}

fn values(option: &str) -> &'static str {
    match option {
        "type" => "it is one of bind, cache, tmpfs, secret and ssh",
        "sharing" => "it is one of shared, private and locked",
        "mode" => "it is an octal number such as `0755`",
        "uid" | "gid" => "it is a number: names are not looked up",
        "size" => "it is a number with a unit such as `512m`",
        _ => "it is true or false",
    }
}

const fn kind_name(kind: MountKind) -> &'static str {
    match kind {
        MountKind::Bind | MountKind::Unknown => "bind",
        MountKind::Cache => "cache",
        MountKind::Tmpfs => "tmpfs",
        MountKind::Secret => "secret",
        MountKind::Ssh => "ssh",
    }
}
