//! The lane that a fix passes to a build, and what its value is made of.

#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    pub arg: &'a str,
    /// The value for builds that pass none.
    pub default: &'a str,
    pub parts: &'a Parts,
}

/// The parts that a lane needs besides the values of the matrix, to differ between all runs that can overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The job's name.
    pub job: bool,
    /// The workflow's name: jobs of several files have one name.
    pub workflow: bool,
    /// An input that each caller of the file sets to another value.
    pub input: Option<String>,
    /// A text that no other file has: a job of another file has the same name in the same run.
    pub file: Option<String>,
    /// The values that choose the Dockerfile, too: runs that build another one take the same lock.
    pub other_files: bool,
    pub joint: Joint,
}

/// The sign between the values of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joint {
    /// `-`
    #[default]
    Short,
    /// `--`, where values can meet when `-` joins them: `x` and `y-z`, `x-y` and `z`.
    Long,
}

impl Joint {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Short => "-",
            Self::Long => "--",
        }
    }
}

impl Parts {
    /// Nothing more than the values of the matrix.
    pub const NONE: &'static Self = &Self {
        job: false,
        workflow: false,
        input: None,
        file: None,
        other_files: false,
        joint: Joint::Short,
    };
    /// The job's name.
    #[cfg(feature = "internals")]
    pub const JOB: &'static Self = &Self {
        job: true,
        workflow: false,
        input: None,
        file: None,
        other_files: false,
        joint: Joint::Short,
    };
}
