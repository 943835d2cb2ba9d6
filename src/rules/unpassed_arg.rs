//! `unpassed-arg`: a build that stays in the default lane, since nobody passes it another.

use crate::builds::{BuildTool, Runs};
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::Rule;
use super::wired::{Others, Wired};

pub(super) struct UnpassedArg;

static META: RuleMeta = RuleMeta {
    name: "unpassed-arg",
    severity: Severity::Error,
    fix: Some(Applicability::Safe),
    goes_first: false,
    summary: "a build passes no lane: all jobs use the default one, and still wait for each other",
    doc: r#"## What it does
Finds a build in a workflow, pipeline, Compose or bake file that uses a Dockerfile with lanes and passes neither the
lane argument nor `BUILDKIT_CACHE_MOUNT_NS`. An error where the build runs in a matrix; a warning where several jobs
build the Dockerfile, and in Compose and bake files, which cannot hand a lane on.

It is silent where there is nobody to part a build from: a Dockerfile that one job alone builds; jobs that run one
after the other, by `needs` or GitLab's stages, since a lane of its own would only keep a later
job from the layers of an earlier one; and GitHub's hosted runners (`ubuntu-*`, `windows-*`, `macos-*`), which give
each job a new machine, unless the job names a builder elsewhere (`driver: remote`, `DOCKER_HOST` and the like).
`cachelane builds` still lists all of these.

## Why
`id=apt-${CACHE_ID}` parts jobs only when each passes a value of its own. Without one, every job gets the lane
`default`, and they wait for each other as before.

## Example
```yaml
jobs:
  test:
    runs-on: self-hosted
    strategy:
      matrix:
        python: [py310, py313]
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: .
```

## Fix
Safe: the argument is passed where the build stands. For `docker/build-push-action`, `CACHE_ID=${{ matrix.python }}`
under `build-args`, with `${{ github.job }}-` before it where several jobs build the Dockerfile; for a script of
GitHub Actions, the value in the step's `env` and `--build-arg CACHE_ID="$CACHE_ID"` in the command (an expression in
a script would let its value run as code); for GitLab, `--build-arg CACHE_ID="$CI_JOB_NAME_SLUG"`; for Compose,
`CACHE_ID: ${CACHE_ID:-default}` under `args`; for bake, a variable and `CACHE_ID = CACHE_ID` in `args`. What stands
there for `default` is what the Dockerfile itself has (`ARG CACHE_ID=main`; nothing where ids take the argument by
`:+`), so that whoever passes nothing finds the cache that is there. There is none where the format has no name for
the job, an expression is the whole matrix, the arguments come from a variable, or the variable has a value there
already that several jobs share; nor in a bake file whose `variable` of that name says something else, or where an
attribute has the name, which no job can set. It needs review (`--unsafe`) where the Dockerfile uses the argument for
more than cache ids, in a FROM line say: builds that pass a lane would come out otherwise.

## When to ignore it
When each job has a builder of its own in a way that cachelane cannot see: then nothing waits, with or without lanes.
"#,
};

impl Rule for UnpassedArg {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn other_severity(&self) -> Option<&'static str> {
        Some("\"warning\" outside of a matrix")
    }

    fn compares(&self) -> bool {
        true
    }

    fn wired(&self, wired: &Wired<'_>) -> Option<Finding> {
        let settings = wired.settings;
        let build = wired.build;
        if !wired.stays {
            return None;
        }
        let (arg, lane) = (&settings.arg, &wired.lanes.default);
        let (severity, who) = match wired.runs {
            Runs::Matrix(axes) if axes.is_empty() => {
                (Severity::Error, "every job of the matrix".to_owned())
            }
            Runs::Matrix(axes) => (
                Severity::Error,
                format!("every job of the matrix over {}", list(axes)),
            ),
            Runs::Once if wired.others != Others::None => {
                (Severity::Warning, "every job that builds this".to_owned())
            }
            Runs::Once if build.tool == BuildTool::Bake && build.service.is_some() => {
                (Severity::Warning, "every build of this target".to_owned())
            }
            Runs::Once if build.service.is_some() => (
                Severity::Warning,
                "every build through this file".to_owned(),
            ),
            Runs::Once => return None,
        };
        // What a bake file's attribute says, say: passed, and no job's own.
        let same = build
            .args
            .iter()
            .find(|own| own.name == *arg)
            .and_then(|own| own.value.as_ref());
        let lane = same.unwrap_or(lane);
        let own = if same.is_some() {
            " that a job can set"
        } else {
            ""
        };
        let stays = if lane.is_empty() {
            "has no lane".to_owned()
        } else {
            format!("uses the lane `{lane}`")
        };
        let message = format!(
            "{} passes no `{arg}`{own}: {who} {stays}, and they wait for each other",
            build.name
        );
        let fix = wired.pass();
        let help = match &fix {
            Ok(fix) => fix.title().to_owned(),
            Err(_) => format!("pass `{arg}` with a value that each job has for itself"),
        };
        let mut finding = Finding::new(&META, build.span, message).help(help).fix(fix);
        finding.severity = severity;
        finding.elsewhere.push(wired.asks());
        Some(finding)
    }
}

fn list(axes: &[String]) -> String {
    axes.iter()
        .map(|axis| format!("`{axis}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
