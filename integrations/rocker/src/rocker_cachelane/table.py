"""What each CI says about a job, by its own documentation. docs/lane.md of cachelane has the same table."""

import re
from dataclasses import dataclass
from typing import Callable, Optional, Union
from urllib.parse import unquote_to_bytes

# Looks up a variable of the environment.
Variable = Callable[[str], Optional[bytes]]


@dataclass(frozen=True)
class First:
    """The first of these variables that is set."""

    names: tuple[str, ...]

    def read(self, variable: Variable) -> Optional[bytes]:
        """Find this part of the job's name."""
        return next((value for value in map(variable, self.names) if value is not None), None)


@dataclass(frozen=True)
class Index:
    """Which of several equal jobs it is, where there are several."""

    index: str
    total: str

    def read(self, variable: Variable) -> Optional[bytes]:
        """Find this part of the job's name."""
        total = variable(self.total)
        several = total is not None and re.fullmatch(rb"\+?[0-9]{1,19}", total.strip()) and int(total) > 1
        return variable(self.index) if several else None


@dataclass(frozen=True)
class BehindDot:
    """What stands behind the last dot: before it is the run's number."""

    name: str

    def read(self, variable: Variable) -> Optional[bytes]:
        """Find this part of the job's name."""
        _, dot, last = (variable(self.name) or b"").rpartition(b".")
        return last if dot and last else None


@dataclass(frozen=True)
class WithoutBranch:
    """A path without its last name, where that is the branch: a lane for each branch would start cold."""

    path: str
    branch: str

    def read(self, variable: Variable) -> Optional[bytes]:
        """Find this part of the job's name."""
        path = variable(self.path)
        if path is None:
            return None
        folder, _, last = path.rpartition(b"/")
        return folder if folder and unquote_to_bytes(last) == variable(self.branch) else path


Part = Union[First, Index, BehindDot, WithoutBranch]


@dataclass(frozen=True)
class Ci:
    """A CI, and which of its variables name a job."""

    name: str
    # The variables of which one is set where it runs, with the value that it has to have, if any will not do.
    signs: tuple[tuple[str, Optional[bytes]], ...]
    parts: tuple[Part, ...]
    # What to say where no matrix is given: who will share a lane.
    sharing: Optional[str] = None
    # The variables that this is needless with.
    told: tuple[str, ...] = ()
    # What to say about who shares a lane even where a matrix is given.
    always: Optional[str] = None

    def runs(self, variable: Variable) -> bool:
        """Whether it runs the process in whose environment `variable` looks up names."""
        for name, wanted in self.signs:
            value = variable(name)
            if value is not None and (value.lower() not in (b"false", b"0") if wanted is None else value == wanted):
                return True
        return False


# All of them. Where several run at once, the first one counts.
CIS = (
    Ci(
        "GitHub Actions",
        (("GITHUB_ACTIONS", None),),
        (First(("GITHUB_WORKFLOW",)), First(("GITHUB_JOB",))),
        "GitHub Actions does not tell a process the values of its job's matrix: if there is one, all its jobs share "
        "this lane. Put `CACHELANE_MATRIX: ${{ toJSON(matrix) }}` into the environment",
        always="if this is a job of a reusable workflow, all its callers in a run share this lane: let each pass "
        "another input, and set CACHE_ID to that",
    ),
    Ci("GitLab CI", (("GITLAB_CI", None),), (First(("CI_JOB_NAME", "CI_JOB_NAME_SLUG")),)),
    Ci("CircleCI", (("CIRCLECI", None),), (First(("CIRCLE_JOB",)), Index("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"))),
    Ci(
        "Buildkite",
        (("BUILDKITE", None),),
        (
            First(("BUILDKITE_PIPELINE_SLUG",)),
            First(("BUILDKITE_STEP_KEY",)),
            First(("BUILDKITE_LABEL",)),
            Index("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"),
        ),
        "Buildkite knows this step by no name: all steps without `key` and `label` share this lane. Give it a `key`",
        ("BUILDKITE_STEP_KEY", "BUILDKITE_LABEL"),
    ),
    Ci(
        "Jenkins",
        (("JENKINS_URL", None), ("JENKINS_HOME", None)),
        (WithoutBranch("JOB_NAME", "BRANCH_NAME"), First(("STAGE_NAME",))),
    ),
    Ci(
        "Azure Pipelines",
        (("TF_BUILD", None),),
        (
            First(("BUILD_DEFINITIONNAME",)),
            First(("SYSTEM_STAGENAME",)),
            First(("SYSTEM_PHASENAME",)),
            First(("SYSTEM_JOBNAME", "AGENT_JOBNAME")),
            Index("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE"),
        ),
    ),
    Ci(
        "Travis CI",
        (("TRAVIS", None),),
        (First(("TRAVIS_BUILD_STAGE_NAME",)), First(("TRAVIS_JOB_NAME",)), BehindDot("TRAVIS_JOB_NUMBER")),
    ),
    Ci(
        "Bitbucket Pipelines",
        (("BITBUCKET_BUILD_NUMBER", None),),
        (First(("BITBUCKET_REPO_SLUG",)), Index("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT")),
        "Bitbucket Pipelines does not tell a process which step it is: all steps outside of `parallel` share this "
        "lane. Set CACHE_ID in a step whose build may run beside another one's",
        ("BITBUCKET_PARALLEL_STEP",),
    ),
    Ci(
        "Woodpecker",
        (("CI", b"woodpecker"),),
        (First(("CI_WORKFLOW_NAME",)), First(("CI_STEP_NAME",))),
        "Woodpecker does not say which of a process's variables are a matrix's: if there is one, all its workflows "
        "share this lane. Set CACHE_ID from the matrix's values",
    ),
    Ci("Drone", (("DRONE", None),), (First(("DRONE_STAGE_NAME",)), First(("DRONE_STEP_NAME",)))),
    Ci(
        "TeamCity",
        (("TEAMCITY_VERSION", None),),
        (First(("TEAMCITY_PROJECT_NAME",)), First(("TEAMCITY_BUILDCONF_NAME",))),
    ),
    Ci(
        "AppVeyor",
        (("APPVEYOR", None),),
        (First(("APPVEYOR_PROJECT_SLUG",)), First(("APPVEYOR_JOB_NAME", "APPVEYOR_JOB_NUMBER"))),
    ),
    Ci(
        "Semaphore",
        (("SEMAPHORE", None),),
        (
            First(("SEMAPHORE_PROJECT_NAME",)),
            First(("SEMAPHORE_BLOCK_NAME",)),
            First(("SEMAPHORE_JOB_NAME",)),
            Index("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT"),
        ),
    ),
)
