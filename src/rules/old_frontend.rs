//! `old-frontend`: a pinned Dockerfile frontend that does not expand variables in ids.

use bstr::ByteSlice as _;

use crate::dockerfile::directives;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::Span;

use super::{Context, Rule};

pub(super) struct OldFrontend;

static META: RuleMeta = RuleMeta {
    name: "old-frontend",
    severity: Severity::Error,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "the pinned frontend does not expand variables in ids: lanes silently do nothing",
    doc: r"## What it does
Finds `# syntax=docker/dockerfile:` with a version before 1.3 (also `experimental` and `1.x-experimental`) in a file with a
variable in a cache id.

## Why
Variables in a mount's id are expanded since Dockerfile frontend 1.3. An older one prints the expanded text in its log but
mounts the literal id, `apt-${CACHE_ID}`, for every job (measured on Docker 20.10, whose built-in frontend is that old: two
jobs with different CACHE_ID waited for each other).

## Example
```dockerfile
# syntax=docker/dockerfile:1.2
FROM debian
ARG CACHE_ID=default
RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
Unsafe, since a newer frontend may read other things differently: `docker/dockerfile:1`. None where the frontend is pinned
by digest or comes from another registry.

## When to ignore it
When the pinned frontend is a patched one that expands ids.
",
};

impl Rule for OldFrontend {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(cache) = cx.caches().iter().find(|cache| cache.word.has_variable()) else { return };
        let Some(syntax) = directives::syntax(cx.file.source) else { return };
        let value = syntax.value.of(cx.file.source);
        // BuildKit takes the first word for the image.
        let len = value.find_byte(b' ').unwrap_or(value.len());
        let span = Span::new(syntax.value.start, syntax.value.start + len);
        let Some(image) = Image::read(&value[..len]) else { return };
        if !image.is_old() {
            return;
        }
        // `// syntax=` is found before the file is read, and is no comment to the frontend that it names.
        let slashes = !cx.file.directives.iter().any(|directive| directive.value == syntax.value);
        let message =
            format!("this frontend does not expand variables: every job uses the literal id `{}`", cache.id());
        findings.push(
            Finding::new(&META, span, message)
                .help(image.advice())
                .label(cache.mount.id_span(), "not expanded")
                .fix(if slashes { Err("BuildKit cannot read such a file with it".into()) } else { image.newer(span) }),
        );
    }
}

/// An image reference of a Dockerfile frontend.
struct Image<'a> {
    /// What stands before `docker/dockerfile`: a registry, or nothing.
    registry: &'a str,
    tag: &'a str,
    digest: bool,
}

impl<'a> Image<'a> {
    /// Reads `value` as `[registry/]docker/dockerfile[-upstream]:tag[@digest]`.
    fn read(value: &'a [u8]) -> Option<Self> {
        let value = value.to_str().ok()?;
        let (reference, digest) = value.split_once('@').map_or((value, false), |(reference, _)| (reference, true));
        let slash = reference.rfind('/')?;
        let (path, tag) = match reference[slash..].split_once(':') {
            Some((name, tag)) => (&reference[..slash + name.len()], tag),
            None => (reference, "latest"),
        };
        let registry =
            path.strip_suffix("docker/dockerfile").or_else(|| path.strip_suffix("docker/dockerfile-upstream"))?;
        (registry.is_empty() || registry.ends_with('/')).then_some(Self { registry, tag, digest })
    }

    /// Whether the tag is one from before 1.3, or of the channel that ended before it.
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

    fn advice(&self) -> String {
        match self.registry {
            "" | "docker.io/" if self.digest => "pin a frontend of 1.3 or later".into(),
            "" | "docker.io/" => "write `# syntax=docker/dockerfile:1`".into(),
            registry => format!("write `# syntax={registry}docker/dockerfile:` with a version of 1.3 or later"),
        }
    }

    fn newer(&self, span: Span) -> Result<Fix, String> {
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
        Ok(Fix::needs_review(format!("use the frontend `{image}`"), vec![Edit::replace(span, image)]))
    }
}

#[cfg(test)]
mod tests {
    use super::Image;

    #[test]
    fn tags_before_1_3_are_old() {
        let is_old = |image: &str| Image::read(image.as_bytes()).is_some_and(|image| image.is_old());
        for image in [
            "docker/dockerfile:1.2",
            "docker/dockerfile:1.0.2",
            "docker/dockerfile:1.2-labs",
            "docker.io/docker/dockerfile:experimental",
            "docker/dockerfile:1.1-experimental",
            "docker/dockerfile:1-experimental",
            "docker/dockerfile-upstream:1.2.1",
            "localhost:5000/docker/dockerfile:1.2@sha256:0",
        ] {
            assert!(is_old(image), "{image}");
        }
        for image in [
            "docker/dockerfile:1",
            "docker/dockerfile:1.3",
            "docker/dockerfile:1.10",
            "docker/dockerfile",
            "docker/dockerfile:master",
            "docker/dockerfile:labs",
            "docker/dockerfile:1-labs",
            "example.org/my-frontend:1.2",
            "mydocker/dockerfile:1.2",
        ] {
            assert!(!is_old(image), "{image}");
        }
    }
}
