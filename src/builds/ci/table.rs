//! The variables by which each CI identifies a job, by its own documentation.

#[derive(Debug)]
pub struct Ci {
    pub name: &'static str,
    /// The signs of this CI, of which one is set: `NAME`, or `NAME=value` where only that value counts.
    pub signs: &'static [&'static str],
    pub parts: &'static [Part],
    /// The note where no matrix is given: it says which jobs will share a lane.
    pub sharing: Option<&'static str>,
    /// The variables that the note is needless with.
    pub told: &'static [&'static str],
    /// The note on jobs that share a lane even where the matrix is given.
    pub always: Option<&'static str>,
    /// The variable that names the repository, where `parts` have no name of it; `None` where no variable does.
    pub repository: Option<&'static str>,
}

#[derive(Debug)]
pub enum Part {
    Is(&'static str),
    /// The first of the two that is set.
    Either(&'static str, &'static str),
    /// The number of one of several equal jobs: the variable with that number, and the one with their count.
    Index(&'static str, &'static str),
    /// The part behind the last dot: before it is the run's number.
    BehindDot(&'static str),
    /// A path without its last name, where that is the branch, which the second variable holds: a lane for each branch
    /// would start cold.
    WithoutBranch(&'static str, &'static str),
}

use Part::{BehindDot, Either, Index, Is, WithoutBranch};

/// All CIs, of which the first that matches counts.
pub const CIS: &[Ci] = &[
    // A called workflow has its caller's GITHUB_WORKFLOW and its own GITHUB_JOB.
    ci(
        "GitHub Actions",
        &["GITHUB_ACTIONS"],
        &[Is("GITHUB_WORKFLOW"), Is("GITHUB_JOB")],
    )
    .sharing(
        "GitHub Actions does not tell a process the values of its job's matrix: if there is one, \
         all its jobs share this lane. Put `CACHELANE_MATRIX: ${{ toJSON(matrix) }}` into the \
         environment",
        &[],
    )
    .always(
        "if this is a job of a reusable workflow, all its callers in a run share this lane: let each pass another input, and \
         set CACHE_ID to that",
    )
    .repository("GITHUB_REPOSITORY"),
    // The name has the values of `parallel:matrix` and the number of `parallel`. The slug is cut at 63 characters, so
    // that jobs of a matrix may have the same.
    ci(
        "GitLab CI",
        &["GITLAB_CI"],
        &[Either("CI_JOB_NAME", "CI_JOB_NAME_SLUG")],
    )
    .repository("CI_PROJECT_PATH"),
    ci(
        "CircleCI",
        &["CIRCLECI"],
        &[
            Is("CIRCLE_JOB"),
            Index("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"),
        ],
    )
    .repository("CIRCLE_PROJECT_REPONAME"),
    // The label has the matrix's values, the key may not.
    ci(
        "Buildkite",
        &["BUILDKITE"],
        &[
            Is("BUILDKITE_PIPELINE_SLUG"),
            Is("BUILDKITE_STEP_KEY"),
            Is("BUILDKITE_LABEL"),
            Index("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"),
        ],
    )
    .sharing(
        "Buildkite knows this step by no name: all steps without `key` and `label` share this lane. Give it a `key`",
        &["BUILDKITE_STEP_KEY", "BUILDKITE_LABEL"],
    )
    .repository("BUILDKITE_REPO"),
    // The axes of a matrix project are in JOB_NAME, those of a pipeline's matrix are variables of any name.
    ci(
        "Jenkins",
        &["JENKINS_URL", "JENKINS_HOME"],
        &[WithoutBranch("JOB_NAME", "BRANCH_NAME"), Is("STAGE_NAME")],
    ),
    // The phase is the job as written, the job the one of its matrix.
    ci(
        "Azure Pipelines",
        &["TF_BUILD"],
        &[
            Is("BUILD_DEFINITIONNAME"),
            Is("SYSTEM_STAGENAME"),
            Is("SYSTEM_PHASENAME"),
            Either("SYSTEM_JOBNAME", "AGENT_JOBNAME"),
            Index("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE"),
        ],
    )
    .repository("BUILD_REPOSITORY_NAME"),
    // 123.2 is the second job of run 123.
    ci(
        "Travis CI",
        &["TRAVIS"],
        &[
            Is("TRAVIS_BUILD_STAGE_NAME"),
            Is("TRAVIS_JOB_NAME"),
            BehindDot("TRAVIS_JOB_NUMBER"),
        ],
    )
    .repository("TRAVIS_REPO_SLUG"),
    // A step has no name in its environment, and its UUID differs in each run. Steps that are not parallel run one
    // after another.
    ci(
        "Bitbucket Pipelines",
        &["BITBUCKET_BUILD_NUMBER"],
        &[
            Is("BITBUCKET_REPO_SLUG"),
            Index("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"),
        ],
    )
    .sharing(
        "Bitbucket Pipelines does not tell a process which step it is: all steps outside of `parallel` share this lane. \
         Set CACHE_ID in a step whose build may run beside another one's",
        &["BITBUCKET_PARALLEL_STEP"],
    )
    .repository("BITBUCKET_REPO_FULL_NAME"),
    // A workflow's number depends on which others run with it.
    ci(
        "Woodpecker",
        &["CI=woodpecker"],
        &[Is("CI_WORKFLOW_NAME"), Is("CI_STEP_NAME")],
    )
    .sharing(
        "Woodpecker does not say which of a process's variables are a matrix's: if there is one, \
         all its workflows share this lane. Set CACHE_ID from the matrix's values",
        &[],
    )
    .repository("CI_REPO"),
    ci(
        "Drone",
        &["DRONE"],
        &[Is("DRONE_STAGE_NAME"), Is("DRONE_STEP_NAME")],
    )
    .repository("DRONE_REPO"),
    ci(
        "TeamCity",
        &["TEAMCITY_VERSION"],
        &[Is("TEAMCITY_PROJECT_NAME"), Is("TEAMCITY_BUILDCONF_NAME")],
    ),
    ci(
        "AppVeyor",
        &["APPVEYOR"],
        &[
            Is("APPVEYOR_PROJECT_SLUG"),
            Either("APPVEYOR_JOB_NAME", "APPVEYOR_JOB_NUMBER"),
        ],
    )
    .repository("APPVEYOR_REPO_NAME"),
    ci(
        "Semaphore",
        &["SEMAPHORE"],
        &[
            Is("SEMAPHORE_PROJECT_NAME"),
            Is("SEMAPHORE_BLOCK_NAME"),
            Is("SEMAPHORE_JOB_NAME"),
            Index("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT"),
        ],
    )
    .repository("SEMAPHORE_GIT_REPO_SLUG"),
];

const fn ci(name: &'static str, signs: &'static [&'static str], parts: &'static [Part]) -> Ci {
    Ci {
        name,
        signs,
        parts,
        sharing: None,
        told: &[],
        always: None,
        repository: None,
    }
}

impl Ci {
    const fn always(self, note: &'static str) -> Self {
        Self {
            always: Some(note),
            ..self
        }
    }

    const fn sharing(self, note: &'static str, told: &'static [&'static str]) -> Self {
        Self {
            sharing: Some(note),
            told,
            ..self
        }
    }

    const fn repository(self, variable: &'static str) -> Self {
        Self {
            repository: Some(variable),
            ..self
        }
    }

    /// Returns whether this CI runs the process in whose environment `variable` looks up names.
    pub(super) fn runs(&self, variable: &impl Fn(&str) -> Option<Vec<u8>>) -> bool {
        self.signs.iter().any(|sign| match sign.split_once('=') {
            Some((name, wanted)) => variable(name).is_some_and(|value| value == wanted.as_bytes()),
            None => variable(sign).is_some_and(|value| {
                !matches!(value.to_ascii_lowercase().as_slice(), b"false" | b"0")
            }),
        })
    }

    /// Returns the parts of the job's name, and those of their variables that are set.
    pub(super) fn name_job(
        &self,
        variable: &impl Fn(&str) -> Option<Vec<u8>>,
    ) -> (Vec<Option<Vec<u8>>>, Vec<&'static str>) {
        let mut variables = Vec::new();
        let parts = self.parts.iter().map(|part| {
            let (value, name) = part.read(variable)?;
            variables.push(name);
            Some(value)
        });
        (parts.collect(), variables)
    }
}

impl Part {
    fn read(&self, variable: &impl Fn(&str) -> Option<Vec<u8>>) -> Option<(Vec<u8>, &'static str)> {
        let (value, name) = match self {
            Self::Is(name) => (variable(name)?, *name),
            Self::Either(name, other) => match variable(name) {
                Some(value) => (value, *name),
                None => (variable(other)?, *other),
            },
            Self::Index(index, total) => {
                let total = String::from_utf8(variable(total)?).ok()?;
                let total: u64 = total.trim().parse().ok()?;
                (variable(index).filter(|_| total > 1)?, *index)
            }
            Self::BehindDot(name) => {
                let value = variable(name)?;
                let dot = value.iter().rposition(|byte| *byte == b'.')?;
                (value[dot + 1..].to_vec(), *name)
            }
            Self::WithoutBranch(path, branch) => {
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

/// Decodes the `%2F` of `text` and the like.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut parts = text.split(|byte| *byte == b'%');
    let mut plain = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits[0] != b'+');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                plain.push(code);
                plain.extend(&part[2..]);
            }
            None => plain.extend([b"%", part].concat()),
        }
    }
    plain
}
