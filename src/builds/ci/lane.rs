//! The lane of a job: as typed, or from its environment or its CI.

use super::clean::{self, LONGEST};
use super::matrix::{Matrix, MatrixError};
use super::table::CIS;

/// The variables that hold a lane, the first one first.
pub const VARIABLES: [&str; 2] = ["CACHE_ID", "ROCKER_CACHE_ID"];

/// The variable that holds a job's matrix values, as JSON.
pub const MATRIX: &str = "CACHELANE_MATRIX";

/// The lane where nothing identifies the job.
pub const DEFAULT: &str = "default";

#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    pub lane: Option<&'a [u8]>,
    pub matrix: Option<&'a [u8]>,
    /// True where the repository is to be part of the lane.
    pub repository: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLane {
    /// The lane, for which `is_lane` is true.
    pub name: String,
    pub source: Source,
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
        variables: Vec<&'static str>,
        matrix: bool,
    },
    /// Only the values of a matrix.
    Matrix,
    /// There is none: [`DEFAULT`].
    Nothing,
}

impl Source {
    pub fn explain(&self) -> String {
        match self {
            Self::Argument => "it was given as an argument".into(),
            Self::Variable(name) => format!("it is in the environment: {name}"),
            Self::Ci {
                name,
                variables,
                matrix,
            } => {
                let variables = variables.join(", ");
                let more = if *matrix { " and the matrix" } else { "" };
                format!("{name} says which job this is: {variables}{more}")
            }
            Self::Matrix => "it is made of the matrix".into(),
            Self::Nothing => format!(
                "no argument, no {}, and no CI that is known",
                VARIABLES.join(", no ")
            ),
        }
    }
}

/// Returns the lane of the job in whose environment `variable` looks up names; blank values count as not set. Fails
/// where a matrix is given that is no JSON object.
pub fn lane(
    typed: Typed<'_>,
    variable: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<JobLane, MatrixError> {
    let variable = |name: &str| variable(name).filter(|value| !is_blank(value));
    let typed_matrix = typed.matrix.filter(|matrix| !is_blank(matrix));
    let matrix = typed_matrix.map(<[u8]>::to_vec);
    let matrix = matrix.or_else(|| variable(MATRIX));
    let is_told = matrix.is_some();
    let matrix = matrix.as_deref().map(Matrix::read).transpose()?.flatten();

    let typed_repository = typed.repository;
    let typed = typed.lane.filter(|lane| !is_blank(lane));
    let typed = typed.map(|lane| (lane.to_vec(), Source::Argument, "the lane"));
    let mut names = VARIABLES.into_iter();
    let set = || names.find_map(|name| Some((variable(name)?, Source::Variable(name), name)));
    if let Some((value, source, what)) = typed.or_else(set) {
        return Ok(given(&value, source, what, typed_matrix.is_some()));
    }
    let mut lane = JobLane {
        name: named(&[], matrix.as_ref()),
        source: if matrix.is_some() {
            Source::Matrix
        } else {
            Source::Nothing
        },
        notes: Vec::new(),
    };
    for ci in CIS.iter().filter(|ci| ci.runs(&variable)) {
        let (mut parts, mut variables) = ci.name_job(&variable);
        if !variables.is_empty() {
            if typed_repository {
                match ci.repository.and_then(|name| Some((name, variable(name)?))) {
                    Some((name, value)) => {
                        parts.insert(0, Some(value));
                        variables.insert(0, name);
                    }
                    None => lane.notes.push(format!(
                        "{} does not tell a process its repository: the lane is without it",
                        ci.name
                    )),
                }
            }
            let is_told = is_told || ci.told.iter().any(|name| variable(name).is_some());
            let note = ci.sharing.filter(|_| !is_told);
            let notes = note.into_iter().chain(ci.always);
            lane.notes.extend(notes.map(str::to_owned));
            lane.name = named(&parts, matrix.as_ref());
            lane.source = Source::Ci {
                name: ci.name,
                variables,
                matrix: matrix.is_some(),
            };
            break;
        }
        let name = ci.name;
        lane.notes.push(format!(
            "{name} runs this, but does not say which job it is"
        ));
    }
    Ok(lane)
}

/// Returns the lane that a user chose: `what` names its source.
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

/// Returns the lane of the job with these name parts, each of which keeps its position, even if missing.
fn named(parts: &[Option<Vec<u8>>], matrix: Option<&Matrix>) -> String {
    match (parts, matrix) {
        ([], None) => DEFAULT.into(),
        ([Some(part), others @ ..], None) if others.iter().all(Option::is_none) => clean::one(part),
        _ => {
            let shown = parts.iter().flatten().map(Vec::as_slice);
            let shown = shown.chain(matrix.map(|matrix| matrix.shown.as_bytes()));
            let shown: Vec<&[u8]> = shown.collect();
            let whole = parts.iter().map(|part| part.as_deref().unwrap_or_default());
            let whole = whole.chain(matrix.map(|matrix| matrix.canonical.as_bytes()));
            let whole: Vec<&[u8]> = whole.collect();
            // Neither a variable nor JSON can contain a zero byte.
            clean::with_hash(&shown.join(&b'-'), &whole.join(&0))
        }
    }
}

fn is_blank(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
}
