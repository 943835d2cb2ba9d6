//! Builds that take nothing from earlier ones.

use crate::text::Span;

/// The option by which a build runs its steps anew, though an earlier build has run them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCache {
    pub span: Span,
    /// The stages that it is limited to, in the words of the file; none for all.
    pub stages: Vec<String>,
}

impl NoCache {
    /// Makes it of a list of stages, separated by commas; `None` for an empty one.
    pub(super) fn of_stages(list: &str, span: Span) -> Option<Self> {
        let stages = list.split(',').map(str::trim);
        let stages = stages.filter(|stage| !stage.is_empty());
        let stages: Vec<String> = stages.map(str::to_owned).collect();
        (!stages.is_empty()).then_some(Self { span, stages })
    }
}
