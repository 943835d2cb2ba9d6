//! What each CI says about a job, by its own documentation.

/// A CI, and which of its variables name a job.
#[derive(Debug)]
pub struct Ci {
    /// What people call it.
    pub name: &'static str,
    /// The variables of which one is set where it runs, with the value that it has to have, if any will not do.
    pub signs: &'static [(&'static str, Option<&'static str>)],
    /// What names a job.
    pub parts: &'static [Part],
    /// What to say where no matrix is given: who will share a lane.
    pub sharing: Option<&'static str>,
}

/// A part of a job's name.
#[derive(Debug)]
pub enum Part {
    /// The first of these variables that is set.
    First(&'static [&'static str]),
    /// Which of several equal jobs it is, where there are several.
    Index {
        /// The variable with its number.
        index: &'static str,
        /// The one with how many there are.
        total: &'static str,
    },
    /// What stands behind the last dot: before it is the run's number.
    BehindDot(&'static str),
    /// A path without its last name, where that is the branch: a lane for each branch would start cold.
    WithoutBranch {
        /// The variable with the path.
        path: &'static str,
        /// The one with the branch.
        branch: &'static str,
    },
}

use Part::{BehindDot, First, Index, WithoutBranch};

/// All of them. Where several run at once, the first one counts.
pub const CIS: &[Ci] = &[
    Ci {
        name: "GitHub Actions",
        signs: &[("GITHUB_ACTIONS", None)],
        // A called workflow has its caller's GITHUB_WORKFLOW and its own GITHUB_JOB.
        parts: &[First(&["GITHUB_WORKFLOW"]), First(&["GITHUB_JOB"])],
        sharing: Some(
            "GitHub Actions does not tell a process the values of its job's matrix: if there is one, all its jobs share this \
             lane. Put `CACHELANE_MATRIX: ${{ toJSON(matrix) }}` into the environment",
        ),
    },
    Ci {
        name: "GitLab CI",
        signs: &[("GITLAB_CI", None)],
        // The values of `parallel:matrix` and the number of `parallel` are in the name. The slug is cut at 63 characters,
        // so that jobs of a matrix may have the same.
        parts: &[First(&["CI_JOB_NAME", "CI_JOB_NAME_SLUG"])],
        sharing: None,
    },
    Ci {
        name: "CircleCI",
        signs: &[("CIRCLECI", None)],
        parts: &[
            First(&["CIRCLE_JOB"]),
            Index {
                index: "CIRCLE_NODE_INDEX",
                total: "CIRCLE_NODE_TOTAL",
            },
        ],
        sharing: None,
    },
    Ci {
        name: "Buildkite",
        signs: &[("BUILDKITE", None)],
        // The label has the matrix's values, the key may not.
        parts: &[
            First(&["BUILDKITE_PIPELINE_SLUG"]),
            First(&["BUILDKITE_STEP_KEY"]),
            First(&["BUILDKITE_LABEL"]),
            Index {
                index: "BUILDKITE_PARALLEL_JOB",
                total: "BUILDKITE_PARALLEL_JOB_COUNT",
            },
        ],
        sharing: None,
    },
    Ci {
        name: "Jenkins",
        signs: &[("JENKINS_URL", None), ("JENKINS_HOME", None)],
        // The axes of a matrix project are in JOB_NAME, those of a pipeline's matrix are variables of any name.
        parts: &[
            WithoutBranch {
                path: "JOB_NAME",
                branch: "BRANCH_NAME",
            },
            First(&["STAGE_NAME"]),
        ],
        sharing: None,
    },
    Ci {
        name: "Azure Pipelines",
        signs: &[("TF_BUILD", None)],
        // The phase is the job as written, the job the one of its matrix.
        parts: &[
            First(&["BUILD_DEFINITIONNAME"]),
            First(&["SYSTEM_STAGENAME"]),
            First(&["SYSTEM_PHASENAME"]),
            First(&["SYSTEM_JOBNAME", "AGENT_JOBNAME"]),
            Index {
                index: "SYSTEM_JOBPOSITIONINPHASE",
                total: "SYSTEM_TOTALJOBSINPHASE",
            },
        ],
        sharing: None,
    },
    Ci {
        name: "Travis CI",
        signs: &[("TRAVIS", None)],
        // 123.2 is the second job of run 123.
        parts: &[
            First(&["TRAVIS_BUILD_STAGE_NAME"]),
            First(&["TRAVIS_JOB_NAME"]),
            BehindDot("TRAVIS_JOB_NUMBER"),
        ],
        sharing: None,
    },
    Ci {
        name: "Bitbucket Pipelines",
        signs: &[("BITBUCKET_BUILD_NUMBER", None)],
        // A step has no name in its environment, and its UUID is another one in each run. Steps that are not parallel run
        // one after another.
        parts: &[
            First(&["BITBUCKET_REPO_SLUG"]),
            Index {
                index: "BITBUCKET_PARALLEL_STEP",
                total: "BITBUCKET_PARALLEL_STEP_COUNT",
            },
        ],
        sharing: None,
    },
    Ci {
        name: "Woodpecker",
        signs: &[("CI", Some("woodpecker"))],
        // A workflow's number depends on which others run with it.
        parts: &[First(&["CI_WORKFLOW_NAME"]), First(&["CI_STEP_NAME"])],
        sharing: Some(
            "Woodpecker does not say which of a process's variables are a matrix's: if there is one, all its workflows share \
             this lane. Set CACHE_ID from the matrix's values",
        ),
    },
    Ci {
        name: "Drone",
        signs: &[("DRONE", None)],
        parts: &[First(&["DRONE_STAGE_NAME"]), First(&["DRONE_STEP_NAME"])],
        sharing: None,
    },
    Ci {
        name: "TeamCity",
        signs: &[("TEAMCITY_VERSION", None)],
        parts: &[
            First(&["TEAMCITY_PROJECT_NAME"]),
            First(&["TEAMCITY_BUILDCONF_NAME"]),
        ],
        sharing: None,
    },
    Ci {
        name: "AppVeyor",
        signs: &[("APPVEYOR", None)],
        // The name has the matrix's values.
        parts: &[
            First(&["APPVEYOR_PROJECT_SLUG"]),
            First(&["APPVEYOR_JOB_NAME", "APPVEYOR_JOB_NUMBER"]),
        ],
        sharing: None,
    },
    Ci {
        name: "Semaphore",
        signs: &[("SEMAPHORE", None)],
        // The name has the matrix's values.
        parts: &[
            First(&["SEMAPHORE_PROJECT_NAME"]),
            First(&["SEMAPHORE_BLOCK_NAME"]),
            First(&["SEMAPHORE_JOB_NAME"]),
            Index {
                index: "SEMAPHORE_JOB_INDEX",
                total: "SEMAPHORE_JOB_COUNT",
            },
        ],
        sharing: None,
    },
];

impl Ci {
    /// Whether it runs the process in whose environment `variable` looks up names.
    pub(super) fn runs(&self, variable: &impl Fn(&str) -> Option<Vec<u8>>) -> bool {
        self.signs.iter().any(|(name, wanted)| {
            variable(name).is_some_and(|value| match wanted {
                Some(wanted) => value == wanted.as_bytes(),
                None => !matches!(value.to_ascii_lowercase().as_slice(), b"false" | b"0"),
            })
        })
    }

    /// The parts of the job's name, and the variables that those come from that are there.
    pub(super) fn name_job(
        &self,
        variable: &impl Fn(&str) -> Option<Vec<u8>>,
    ) -> (Vec<Option<Vec<u8>>>, Vec<&'static str>) {
        let read: Vec<_> = self.parts.iter().map(|part| part.read(variable)).collect();
        let variables = read.iter().flatten().map(|(_, name)| *name).collect();
        (
            read.into_iter().map(|part| Some(part?.0)).collect(),
            variables,
        )
    }
}

impl Part {
    fn read(&self, variable: &impl Fn(&str) -> Option<Vec<u8>>) -> Option<(Vec<u8>, &'static str)> {
        let (value, name) = match self {
            Self::First(names) => names
                .iter()
                .find_map(|name| Some((variable(name)?, *name)))?,
            Self::Index { index, total } => {
                let total: u64 = std::str::from_utf8(&variable(total)?)
                    .ok()?
                    .trim()
                    .parse()
                    .ok()?;
                (variable(index).filter(|_| total > 1)?, *index)
            }
            Self::BehindDot(name) => {
                let value = variable(name)?;
                let dot = value.iter().rposition(|byte| *byte == b'.')?;
                (value[dot + 1..].to_vec(), *name)
            }
            Self::WithoutBranch { path, branch } => {
                let mut value = variable(path)?;
                let slash = value.iter().rposition(|byte| *byte == b'/');
                if let Some(slash) = slash.filter(|slash| *slash > 0)
                    && variable(branch).is_some_and(|branch| branch == decoded(&value[slash + 1..]))
                {
                    value.truncate(slash);
                }
                (value, *path)
            }
        };
        (!value.is_empty()).then_some((value, name))
    }
}

/// `text` with its `%2F` read.
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| {
        char::from(*byte?)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let code = digit(text.get(at + 1))
            .zip(digit(text.get(at + 2)))
            .filter(|_| text[at] == b'%');
        plain.push(code.map_or(text[at], |(high, low)| high * 16 + low));
        at += if code.is_some() { 3 } else { 1 };
    }
    plain
}
