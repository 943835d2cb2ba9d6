//! Which job is this, and what is its lane: what `cachelane id` prints and `cachelane run` passes.
//!
//! A lane is made of names that stay the same from one run of a job to the next: never of a run's number, a commit or a
//! time. The cases in `integrations/lane-cases.json` say what comes out; other tools that find the same lane read them too.

mod clean;
mod matrix;
mod table;

pub use clean::{LONGEST, is_lane};
pub use matrix::MatrixError;
pub use table::{CIS, Ci, Part};

use matrix::Matrix;

/// The variables that hold a lane, the first one first.
pub const VARIABLES: [&str; 2] = ["CACHE_ID", "ROCKER_CACHE_ID"];

/// The variable that holds a job's matrix values, as JSON.
pub const MATRIX: &str = "CACHELANE_MATRIX";

/// The lane where nothing says which job this is.
pub const DEFAULT: &str = "default";

/// The lane and the matrix that were typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    pub lane: Option<&'a [u8]>,
    /// The values of the job's matrix, as JSON.
    pub matrix: Option<&'a [u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLane {
    /// The lane: [`is_lane`] holds for it.
    pub name: String,
    pub source: Source,
    /// Notes for people, a sentence each.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Argument,
    /// One of [`VARIABLES`].
    Variable(&'static str),
    /// The CI's own variables.
    Ci {
        name: &'static str,
        /// The variables that had a part in it.
        variables: Vec<&'static str>,
        /// True where the values of a matrix are part of it.
        matrix: bool,
    },
    /// The values of a matrix, and nothing else.
    Matrix,
    /// There is none: [`DEFAULT`].
    Nothing,
}

impl Source {
    /// Returns where the lane comes from, for people.
    pub fn explain(&self) -> String {
        match self {
            Self::Argument => "it was given as an argument".into(),
            Self::Variable(name) => format!("it is in the environment: {name}"),
            Self::Ci {
                name,
                variables,
                matrix,
            } => {
                let more = if *matrix { " and the matrix" } else { "" };
                format!(
                    "{name} says which job this is: {}{more}",
                    variables.join(", ")
                )
            }
            Self::Matrix => "it is made of the matrix".into(),
            Self::Nothing => format!(
                "no argument, no {}, and no CI that is known",
                VARIABLES.join(", no ")
            ),
        }
    }
}

/// Returns the lane of the job in whose environment `variable` looks up names. What is blank counts as not set.
///
/// # Errors
/// If a matrix is given that is no JSON object.
pub fn lane(
    typed: Typed<'_>,
    variable: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<JobLane, MatrixError> {
    let variable = |name: &str| variable(name).filter(|value| !is_blank(value));
    let typed_matrix = typed.matrix.filter(|matrix| !is_blank(matrix));
    let matrix = typed_matrix
        .map(<[u8]>::to_vec)
        .or_else(|| variable(MATRIX));
    let told = matrix.is_some();
    let matrix = matrix.as_deref().map(Matrix::read).transpose()?.flatten();

    if let Some(lane) = typed.lane.filter(|lane| !is_blank(lane)) {
        return Ok(given(
            lane,
            Source::Argument,
            "the lane",
            typed_matrix.is_some(),
        ));
    }
    for name in VARIABLES {
        if let Some(value) = variable(name) {
            return Ok(given(
                &value,
                Source::Variable(name),
                name,
                typed_matrix.is_some(),
            ));
        }
    }
    let mut notes = Vec::new();
    for ci in CIS.iter().filter(|ci| ci.runs(&variable)) {
        let (parts, variables) = ci.name_job(&variable);
        if variables.is_empty() {
            notes.push(format!(
                "{} runs this, but does not say which job it is",
                ci.name
            ));
            continue;
        }
        notes.extend(ci.sharing.filter(|_| !told).map(str::to_owned));
        let source = Source::Ci {
            name: ci.name,
            variables,
            matrix: matrix.is_some(),
        };
        return Ok(JobLane {
            name: named(&parts, matrix.as_ref()),
            source,
            notes,
        });
    }
    let source = if matrix.is_some() {
        Source::Matrix
    } else {
        Source::Nothing
    };
    Ok(JobLane {
        name: named(&[], matrix.as_ref()),
        source,
        notes,
    })
}

/// Returns the lane that somebody chose: `what` names it.
fn given(value: &[u8], source: Source, what: &str, idle_matrix: bool) -> JobLane {
    let name = clean::one(value);
    let mut notes = Vec::new();
    if name.as_bytes() != value {
        notes.push(format!(
            "{what} `{}` cannot be a lane as it is (letters, digits, `_`, `.` and `-`, at most {LONGEST}, and neither `.` nor \
             `-` first): `{name}`",
            String::from_utf8_lossy(value)
        ));
    }
    if idle_matrix {
        notes.push(format!(
            "{what} says which lane this is: the matrix has no part in it"
        ));
    }
    JobLane {
        name,
        source,
        notes,
    }
}

/// Returns the lane of the job that is called `parts`, each of which has its place, whether it is there or not.
fn named(parts: &[Option<Vec<u8>>], matrix: Option<&Matrix>) -> String {
    match (parts, matrix) {
        ([], None) => DEFAULT.into(),
        ([Some(part), others @ ..], None) if others.iter().all(Option::is_none) => clean::one(part),
        _ => {
            let shown = matrix.iter().map(|matrix| matrix.shown.as_bytes());
            let shown: Vec<&[u8]> = parts
                .iter()
                .flatten()
                .map(Vec::as_slice)
                .chain(shown)
                .collect();
            let whole = matrix.iter().map(|matrix| matrix.canonical.as_bytes());
            let whole: Vec<&[u8]> = parts
                .iter()
                .map(|part| part.as_deref().unwrap_or_default())
                .chain(whole)
                .collect();
            // No variable holds a zero byte, and no JSON does.
            clean::with_hash(&shown.join(&b'-'), &whole.join(&0))
        }
    }
}

/// Returns whether nobody can have meant `value`.
fn is_blank(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
}
