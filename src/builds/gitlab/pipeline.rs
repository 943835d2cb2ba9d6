use std::collections::HashSet;
use std::sync::Arc;

use super::file::File;
use super::matrix;
use crate::budget;
use crate::builds::builder::{Builder, Builders, Daemon, OwnBuilder};
use crate::builds::format::{FilePath, Format, Insertion, PathBase};
use crate::builds::jobs::{
    self, FoundBuild, Gatherer, Job, Language, Looked, Pipeline, Source, Step, StepScope, of_job,
};
use crate::builds::model::{AxisPath, Call, Env, Lane, Ordered, Queue, Runs, Unknown};
use crate::builds::paths::Text;
use crate::builds::shell::Lookup;
use crate::builds::yaml::{Addition, Node};
use crate::text::marks::same;
use crate::text::split_variable;

/// The variable that holds the lane of a job, and its greatest length in bytes.
const SLUG: &str = "CI_JOB_NAME_SLUG";
const SLUG_LEN: usize = 63;

#[derive(Debug)]
pub struct Gitlab;

impl Format for Gitlab {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.stem.is_some_and(|stem| stem.ends_with(".gitlab-ci")) || path.is_yaml_in(".gitlab/ci")
    }

    fn base(&self) -> PathBase {
        PathBase::Above(".gitlab")
    }

    fn adds(&self) -> Option<Addition> {
        Some(Addition::Text)
    }

    fn is_joined(&self) -> bool {
        true
    }
}

impl Language for Gitlab {
    fn root(&self) -> &'static str {
        "CI_PROJECT_DIR"
    }

    fn axis(&self, need: Lookup<'_>) -> Option<AxisPath> {
        match need {
            Lookup::Variable(name) => Some(name.into()),
            Lookup::Expression(_) => None,
        }
    }

    /// Returns the value of a variable by GitLab's "Predefined CI/CD variables": some differ between jobs, and those of
    /// the runner are unknown.
    fn predefined(&self, scope: &StepScope<'_>, name: &str) -> Option<String> {
        match name {
            "CI_JOB_NAME_SLUG" if !scope.job.matrix.open => Self::slug_of(scope),
            "CI_JOB_NAME" | "CI_JOB_NAME_SLUG" | "CI_NODE_INDEX" | "CI_JOB_ID" | "CI_JOB_URL" => {
                Some(scope.own_name())
            }
            "CI_JOB_STAGE" | "CI_JOB_IMAGE" => None,
            _ if name.starts_with("CI_RUNNER") || name.starts_with("CI_CONCURRENT") => None,
            _ => name.starts_with("CI_").then(|| same(name)),
        }
    }

    /// Replaces variables, whose values may name others.
    fn filled(
        &self,
        scope: &StepScope<'_>,
        text: &str,
        looked: Option<&Looked<'_>>,
    ) -> Option<Text> {
        let mut parts = text.split('$');
        let mut filled = Text::from(parts.next().unwrap_or_default());
        for part in parts {
            let (name, behind) = split_variable(part)?;
            filled.push(&scope.lookup(Lookup::Variable(name), looked)?)?;
            filled.text.push_str(behind);
        }
        Some(filled)
    }
}

impl Gitlab {
    fn slug_of(scope: &StepScope<'_>) -> Option<String> {
        Some(slug(&matrix::name(scope.job.name.as_deref()?, scope.row)))
    }
}

impl Pipeline for Gitlab {
    fn words(&self) -> &'static [&'static str] {
        &["include"]
    }

    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        let Source::Yaml(yaml) = source else {
            return;
        };
        let Some(root) = yaml.root() else {
            return;
        };
        let Some(file) = File::new(yaml, gatherer.over, gatherer.under) else {
            gatherer.unknown.push(Unknown::no_mapping(root.span()));
            return;
        };
        for node in file.includes() {
            call(gatherer, node, None);
        }
        let mut order = Order::new(&file);
        // Templates that no job of the file uses count as jobs, since another file may use them.
        let (templates, all): (Vec<_>, Vec<_>) = file
            .jobs()
            .into_iter()
            .partition(|(name, _)| name.starts_with('.'));
        for (name, nodes) in all.into_iter().chain(templates) {
            job(gatherer, &file, &mut order, name, &nodes);
        }
        gatherer.order = order.finish();
    }

    /// Passes the job's own lane variable: `--build-arg CACHE_ID="$CI_JOB_NAME_SLUG"`.
    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        let mut seen = HashSet::new();
        for runs in &found.runs {
            let job = runs.job.name.as_deref().unwrap_or_default();
            let names: HashSet<String> = runs.rows().map(|row| matrix::name(job, row)).collect();
            if !names.iter().all(|name| seen.insert(slug(name))) {
                return Err(format!(
                    "${SLUG} has small letters and digits, is cut to {SLUG_LEN} characters, and would be the same for several \
                     jobs"
                ));
            }
        }
        if !found.all_listed() {
            return Err(format!(
                "whether ${SLUG} differs for each job cannot be seen here"
            ));
        }
        jobs::insertion(found, lane, format!("${SLUG}"))
    }
}

fn slug(name: &str) -> String {
    let all = name.to_lowercase();
    let is_kept = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit();
    let clean = |ch: char| if is_kept(ch) { ch } else { '-' };
    let cut: String = all.chars().map(clean).take(SLUG_LEN).collect();
    cut.trim_matches('-').to_owned()
}

fn job<'y>(
    gatherer: &mut Gatherer<'y>,
    file: &File<'y>,
    order: &mut Order<'y>,
    name: &str,
    nodes: &[Node<'y>],
) {
    let chain = file.chain(nodes);
    let template = name.starts_with('.');
    if !template {
        order.add(file, &chain, name);
    }
    let mut job = Job {
        name: Some(name.to_owned()),
        env: file.variables(&chain),
        matrix: matrix::read(file, &chain),
        template,
        labels: tags(file, &chain).map(str::to_owned).collect(),
        queues: file
            .own(&chain, "resource_group")
            .and_then(Node::text)
            .map(|name| Queue {
                name: name.to_owned(),
                whole: false,
            })
            .into_iter()
            .collect(),
        ..Job::default()
    };
    job.builders = builders(gatherer.language, file, &chain, &job);
    let job = Arc::new(job);
    if let Some(trigger) = file.own(&chain, "trigger") {
        let started = trigger.get("include").map(Node::listed).unwrap_or_default();
        for node in started.into_iter().filter(|node| file.is_own(*node)) {
            call(gatherer, node, Some(&job));
        }
        return;
    }
    let word = if template { "template" } else { "job" };
    let step = Step::new(&job, format!("{word} `{name}`"), nodes[0]);
    for lines in file.scripts(&chain) {
        gatherer.script(&lines, &step);
    }
    for run in file.own(&chain, "run").into_iter().flat_map(Node::items) {
        let lines = run.get("script").map(Node::scalars).unwrap_or_default();
        gatherer.script(&lines, &step);
    }
}

fn tags<'y>(file: &File<'y>, chain: &[Node<'y>]) -> impl Iterator<Item = &'y str> {
    let tags = file.with_default(chain, "tags");
    let tags = tags.map(Node::scalars).unwrap_or_default().into_iter();
    tags.filter_map(Node::text)
}

/// Returns the builders that a job sees at first, in each row of its matrix.
fn builders<'y>(
    language: &dyn Language,
    file: &File<'y>,
    chain: &[Node<'y>],
    job: &Job,
) -> Builders {
    let rows = job.matrix.rows.iter().enumerate();
    let rows = rows.take_while(|(at, _)| *at == 0 || budget::spend(256));
    let of_row = rows.map(|(_, row)| {
        let scope = StepScope {
            language,
            env: &job.env,
            handed: &Env::default(),
            job,
            row,
            run: None,
            keeps_inputs: false,
        };
        builders_in(file, chain, &|text| partly(&scope, text))
    });
    Builders::of_rows(&of_row.collect::<Vec<_>>())
}

/// Returns `text` with the variables put in that are known.
fn partly(scope: &StepScope<'_>, text: &str) -> String {
    let mut parts = text.split('$');
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = split_variable(part).and_then(|(name, behind)| {
            let value = scope.known(Lookup::Variable(name))?.plain()?;
            budget::spend(value.len() + behind.len()).then(|| value + behind)
        });
        all += &value.unwrap_or_else(|| format!("${part}"));
    }
    all
}

/// Returns those of a row, whose variables `resolved` puts in. By GitLab's documents: its hosted runners, whose tags begin
/// with `saas-`, give each job a new machine; a service has the name of its image, or its `alias`; Docker's image goes to
/// the host `docker` unless `DOCKER_HOST` says else.
fn builders_in<'y>(
    file: &File<'y>,
    chain: &[Node<'y>],
    resolved: &dyn Fn(&str) -> String,
) -> Builders {
    let image = |node: Node<'y>| node.text().or_else(|| node.get_text("name")).map(resolved);
    let container = file.with_default(chain, "image").and_then(image);
    let services = file.with_default(chain, "services");
    let services = services.map(Node::items).unwrap_or_default().into_iter();
    let services = services
        .filter_map(|item| file.followed(item))
        .flat_map(Node::listed);
    let services: Vec<(String, Node<'_>)> = services
        .filter_map(|service| Some((image(service)?, service)))
        .collect();
    let daemons = services.iter().filter_map(|(image, service)| {
        let name = image.split(':').next().unwrap_or_default();
        let aliases = service.get_text("alias").unwrap_or_default();
        let hosts = ["docker", "localhost"].into_iter();
        let hosts = hosts.chain(aliases.split([',', ' '])).map(str::to_owned);
        let by_image = ["-", "__"].map(|joint| name.replace('/', joint));
        Daemon::of(image, hosts.chain(by_image).collect())
    });
    let daemons: Vec<Daemon> = daemons.collect();
    let tags: Vec<String> = tags(file, chain).map(resolved).collect();
    let hosted = tags.iter().find(|tag| tag.starts_with("saas-"));
    let hosted = hosted.map(|tag| Builder::Own(OwnBuilder::Machine(tag.as_str().into())));
    let own = daemons.first().map(Builder::of_daemon).or(hosted);
    let why = "a part of its job stands in a file that is not in the repository";
    let is_lost = file.is_open(chain).then(|| why.to_owned());
    let mut names = services.iter().map(|(image, _)| image);
    let is_open = |image: &&String| {
        image
            .split(':')
            .next()
            .is_some_and(|name| name.contains('$'))
    };
    let is_unknown = || {
        let image = names.find(is_open)?;
        Some(format!(
            "only a run knows whether its service `{image}` is a Docker daemon"
        ))
    };
    let unknown = is_lost.or_else(is_unknown);
    let machine = own
        .or_else(|| OwnBuilder::within(container.as_deref()).map(Builder::Own))
        .or_else(|| unknown.map(|why| Builder::Unknown(why.into())));
    Builders::new(machine.unwrap_or_default(), daemons)
}

/// Records a file of the repository that this one includes, or that a job starts as a pipeline of its own.
fn call(gatherer: &mut Gatherer<'_>, node: Node<'_>, job: Option<&Arc<Job>>) {
    let local = if node.is_map() {
        node.get("local")
    } else {
        Some(node)
    };
    let Some((span, path)) = local.and_then(|local| Some((local.span(), local.text()?))) else {
        return;
    };
    if path.contains('$') && !path.contains("://") {
        let why = format!("which files `{path}` includes depends");
        gatherer.unknown.push(Unknown { span, why });
    } else if !path.is_empty() && !path.contains("://") {
        gatherer.calls.push(Call {
            span,
            job: job.and_then(|job| job.name.clone()),
            path: path.trim_start_matches('/').to_owned(),
            runs: job.map_or(Runs::Once, |job| {
                gatherer.language.job_runs(job, &job.matrix.all())
            }),
            legs: job
                .map(|job| of_job(gatherer.language, job, job.matrix.all()))
                .unwrap_or_default(),
            inputs: Vec::new(),
            builders: Builders::default(),
            machines: Vec::new(),
        });
    }
}

/// The order of jobs: each waits for those of `needs`, or else for all stages before its own.
struct Order<'y> {
    stages: Vec<&'y str>,
    members: Vec<Vec<Ordered>>,
    found: Vec<(Ordered, Vec<Ordered>)>,
}

fn before(stage: usize) -> Option<Ordered> {
    stage.checked_sub(1).map(Ordered::Stage)
}

impl<'y> Order<'y> {
    fn new(file: &File<'y>) -> Self {
        let listed = file.get("stages").map(Node::scalars).unwrap_or_default();
        let mut stages: Vec<&str> = listed.into_iter().filter_map(Node::text).collect();
        if stages.is_empty() {
            stages.extend(["build", "test", "deploy"]);
        }
        stages.insert(0, ".pre");
        stages.push(".post");
        let members = vec![Vec::new(); stages.len()];
        Self {
            stages,
            members,
            found: Vec::new(),
        }
    }

    fn add(&mut self, file: &File<'y>, chain: &[Node<'y>], name: &str) {
        let own = file.own(chain, "stage").and_then(Node::text);
        let own = own.unwrap_or("test");
        let at = self.stages.iter().position(|stage| *stage == own);
        // A file that is not known lists it: it is before or behind each of the others.
        let at = at.unwrap_or_else(|| {
            self.stages.push(own);
            self.members.push(Vec::new());
            self.stages.len() - 1
        });
        let job = |name: &str| Ordered::Job(name.to_owned());
        self.members[at].push(job(name));
        let after = if chain.iter().any(|map| map.get("needs").is_some()) {
            let needs = file.own(chain, "needs").map(Node::items);
            // Those of other pipelines have ended.
            let is_here = |need: &Node<'_>| {
                ["pipeline", "project"]
                    .iter()
                    .all(|key| need.get(key).is_none())
            };
            let needs = needs.unwrap_or_default().into_iter().filter(is_here);
            let names = needs.filter_map(|need| need.text().or(need.get_text("job")));
            let names: Vec<&str> = names.collect();
            // One that is in no known file may wait for any stage before.
            let is_lost = names.iter().any(|name| file.named(name).is_empty());
            let stage = before(at).filter(|_| is_lost);
            names.into_iter().map(job).chain(stage).collect()
        } else {
            before(at).into_iter().collect()
        };
        self.found.push((job(name), after));
    }

    fn finish(mut self) -> Vec<(Ordered, Vec<Ordered>)> {
        for (at, mut members) in self.members.into_iter().enumerate() {
            members.extend(before(at));
            self.found.push((Ordered::Stage(at), members));
        }
        self.found
    }
}
