//! Dockerfile frontends of `# syntax=`, and whether they expand variables in ids.

use bstr::ByteSlice as _;

use crate::dockerfile::{Dockerfile, Key, directives};
use crate::fix::{Edit, Fix};
use crate::text::{Span, bom, line_ending};

/// The line for a frontend newer than the engine's own.
pub const SYNTAX_LINE: &str = "# syntax=docker/dockerfile:1";

/// Returns whether `file` names no frontend and could: a snippet is put into a file that may name one.
pub fn has_no_syntax_line(file: &Dockerfile<'_>) -> bool {
    directives::syntax(file.source).is_none()
        && file.stages.iter().any(|stage| stage.from.is_some())
}

/// Returns the fix that adds a frontend: as the first line, or below `#!…`, where BuildKit looks. Fails with the reason.
pub fn name_one(file: &Dockerfile<'_>) -> Result<Fix, String> {
    if file
        .directives
        .iter()
        .any(|directive| directive.key == Key::Syntax)
    {
        return Err(
            "its `# syntax=` line starts with a blank, and so does nothing: take that away".into(),
        );
    }
    let mark = bom(file.source);
    let text = &file.source[mark..];
    let shebang = if text.starts_with(b"#!") {
        text.find_byte(b'\n').map_or(text.len(), |at| at + 1)
    } else {
        0
    };
    let line = format!("{SYNTAX_LINE}{}", line_ending(file.source, mark));
    Ok(Fix::needs_review(
        format!("write `{SYNTAX_LINE}` at the top"),
        vec![Edit::insert(mark + shebang, line)],
    ))
}

/// An image reference of a Dockerfile frontend.
pub struct Frontend<'a> {
    /// The registry before `docker/dockerfile` with its slash, or nothing.
    registry: &'a str,
    tag: &'a str,
    digest: bool,
}

impl<'a> Frontend<'a> {
    /// Returns the frontend that `file` pins and its place, where it is older than 1.3.
    pub fn old(file: &Dockerfile<'a>) -> Option<(Self, Span)> {
        let value = directives::syntax(file.source)?.value;
        // BuildKit takes the first word for the image.
        let len = value.of(file.source).find_byte(b' ').unwrap_or(value.len());
        let span = Span::new(value.start, value.start + len);
        let frontend = Self::read(span.of(file.source))?;
        frontend.is_old().then_some((frontend, span))
    }

    /// Reads `value` as `[registry/]docker/dockerfile[-upstream]:tag[@digest]`.
    fn read(value: &'a [u8]) -> Option<Self> {
        let value = value.to_str().ok()?;
        let (reference, digest) = value
            .split_once('@')
            .map_or((value, false), |(reference, _)| (reference, true));
        let slash = reference.rfind('/')?;
        let (path, tag) = match reference[slash..].split_once(':') {
            Some((name, tag)) => (&reference[..slash + name.len()], tag),
            None => (reference, "latest"),
        };
        let registry = path
            .strip_suffix("docker/dockerfile")
            .or_else(|| path.strip_suffix("docker/dockerfile-upstream"))?;
        (registry.is_empty() || registry.ends_with('/')).then_some(Self {
            registry,
            tag,
            digest,
        })
    }

    /// Returns whether the tag is older than 1.3, or of the channel that ended before it.
    fn is_old(&self) -> bool {
        let version = self.tag.split('-').next().unwrap_or_default();
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let experimental = self.tag == "experimental" || self.tag.ends_with("-experimental");
        match (numbers.next(), numbers.next()) {
            _ if experimental => true,
            (Some(Ok(0)), _) => true,
            (Some(Ok(1)), Some(Ok(minor))) => minor < 3,
            _ => false,
        }
    }

    /// Returns the advice.
    pub fn advice(&self) -> String {
        match self.registry {
            "" | "docker.io/" if self.digest => "pin a frontend of 1.3 or later".into(),
            "" | "docker.io/" => format!("write `{SYNTAX_LINE}`"),
            registry => format!(
                "write `# syntax={registry}docker/dockerfile:` with a version of 1.3 or later"
            ),
        }
    }

    /// Returns the fix that names a newer frontend at `span`, or why a person has to pick one.
    pub fn newer(&self, file: &Dockerfile<'_>, span: Span) -> Result<Fix, String> {
        // `// syntax=` is found before the file is read, and is no comment to the frontend that it names.
        if !file
            .directives
            .iter()
            .any(|directive| directive.value.start == span.start)
        {
            return Err("BuildKit cannot read such a file with it".into());
        }
        if self.digest {
            return Err("it is pinned by digest: only you can pick another".into());
        }
        if !matches!(self.registry, "" | "docker.io/") {
            return Err(format!(
                "it comes from `{}`: look which versions are there",
                self.registry.trim_end_matches('/')
            ));
        }
        let image = format!("{}docker/dockerfile:1", self.registry);
        Ok(Fix::needs_review(
            format!("use the frontend `{image}`"),
            vec![Edit::replace(span, image)],
        ))
    }
}
