//! `syntax-error`: a file that cannot be read as BuildKit would.

use crate::dockerfile::SyntaxError;
use crate::finding::{Finding, RuleMeta, Severity};

use super::{Context, Rule};

pub(super) struct SyntaxErrorRule;

static META: RuleMeta = RuleMeta {
    name: "syntax-error",
    severity: Severity::Error,
    fix: None,
    goes_first: false,
    summary: "a file that BuildKit cannot read: it is left as it is",
    doc: r"## What it does
Finds a file that cannot be read as BuildKit would: a heredoc without an end, a parser directive given twice, an escape
character that is none, a JSON array of other things than strings, a line of more than 65,535 bytes, no instruction at all.

## Why
BuildKit refuses the file, so nothing can be said about its mounts. It is left as it is, and the other files go on. Files
without `--mount` are not read at all, and nothing is said about them.

## Example
```dockerfile
FROM debian
RUN --mount=type=cache,target=/x <<EOF
make
```

## Fix
None.

## When to ignore it
Never.
",
};

impl Rule for SyntaxErrorRule {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    /// A file that can be looked at has been read: see [`finding`].
    fn check(&self, _: &Context<'_>, _: &mut Vec<Finding>) {}
}

/// The finding for a file that could not be read.
pub(super) fn finding(error: &SyntaxError) -> Finding {
    Finding::new(&META, error.span, error.kind.to_string()).help(error.kind.help())
}
