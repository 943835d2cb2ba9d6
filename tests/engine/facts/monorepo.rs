//! A repository whose workflow builds several Dockerfiles, as cachelane finds and leaves it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use yaml_serde::Value;

use crate::Outcome;
use crate::build::{BASE, Job};
use crate::engine::Engine;

use super::Record;
use super::locks::with_lanes;
use super::timing::{self, Relation};

const WORKFLOW: &str = ".github/workflows/images.yml";

const IMAGES: &str = "\
on: [push]
jobs:
  images:
    runs-on: self-hosted
    strategy:
      matrix:
        service: [api, web, worker]
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with:
          context: services/${{ matrix.service }}
";

pub fn locked_id(engine: &Engine, record: &mut Record) -> Outcome {
    let repository = Repository::new().map_err(|error| error.to_string())?;
    timing::pair(
        engine,
        record,
        "three Dockerfiles, as written",
        &repository.builds()?,
        Relation::Wait,
    )?;
    fix(repository.0.path())?;
    timing::pair(
        engine,
        record,
        "fixed, with what the fixed workflow passes",
        &repository.builds()?,
        with_lanes(engine),
    )
}

struct Repository(TempDir);

impl Repository {
    fn new() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        fs::create_dir(root.join(".git"))?;
        fs::create_dir_all(root.join(".github/workflows"))?;
        fs::write(root.join(WORKFLOW), IMAGES)?;
        for service in ["api", "web", "worker"] {
            let folder = root.join("services").join(service);
            fs::create_dir_all(&folder)?;
            let mount = "--mount=type=cache,id=monorepo,target=/c,sharing=locked";
            // What is the same runs once.
            let run = format!("RUN {mount} probe hold 3 && probe nothing {service}");
            let text = format!("{BASE}FROM base\nARG FRESH\n{run}\n");
            fs::write(folder.join("Dockerfile"), text)?;
        }
        Ok(Self(folder))
    }

    /// The builds of the workflow as it is now, one for each row of its matrix.
    fn builds(&self) -> Outcome<Vec<Job>> {
        let workflow = read(&self.0.path().join(WORKFLOW))?;
        let workflow: Value = yaml_serde::from_str(&workflow).map_err(|error| error.to_string())?;
        let job = &workflow["jobs"]["images"];
        let rows = job["strategy"]["matrix"]["service"].as_sequence();
        let rows = rows.ok_or("the workflow has no matrix")?;
        let steps = job["steps"].as_sequence().into_iter().flatten();
        let mut inputs = steps.map(|step| &step["with"]);
        let inputs = inputs.find(|with| !with["context"].is_null());
        let inputs = inputs.ok_or("the workflow builds nothing")?;
        let rows = rows.iter().filter_map(Value::as_str);
        rows.map(|row| self.build(inputs, row)).collect()
    }

    /// The build of the action with these inputs in a row of the matrix.
    fn build(&self, inputs: &Value, row: &str) -> Outcome<Job> {
        let input = |name: &str| {
            let text = inputs[name].as_str().unwrap_or_default();
            let text = text.replace("${{ matrix.service }}", row);
            let is_known = !text.contains("${{");
            is_known
                .then_some(text)
                .ok_or_else(|| format!("`{name}` has other expressions"))
        };
        let dockerfile = self.0.path().join(input("context")?).join("Dockerfile");
        let args = input("build-args")?;
        let args = args.lines().filter_map(|line| line.split_once('='));
        let job = Job::whole(read(&dockerfile)?);
        Ok(args.fold(job, |job, (name, value)| job.arg(name, value)))
    }
}

/// Lets cachelane fix all of a repository.
pub(super) fn fix(root: &Path) -> Outcome {
    let mut cachelane = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let output = cachelane.arg("fix").current_dir(root).output();
    let output = output.map_err(|error| format!("cachelane: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (said, left) = (&output.stderr, &output.stdout);
    let text = [said.as_slice(), left].concat();
    Err(format!("cachelane: {}", String::from_utf8_lossy(&text)))
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
