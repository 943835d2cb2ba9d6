//! Services of Compose and targets of bake, by brute force: the commands of jobs that build them meet where two take one
//! lock at once, and what no command builds may meet itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cachelane::{Applicability, Project, RuleId};
use proptest::prelude::*;
use proptest::sample::select;

use crate::effort::cases;

/// The caches of the Dockerfiles `d0/Dockerfile`, `d1/Dockerfile` and `d2/Dockerfile`.
const CACHES: [&str; 3] = ["apt", "apt", "pip"];

const ROWS: [&str; 2] = ["a", "b"];

#[derive(Clone, Debug)]
struct World {
    is_bake: bool,
    services: Vec<Service>,
    jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
struct Service {
    /// The number of its Dockerfile.
    file: usize,
    /// True where it hands the lane of its caller on.
    is_handed_on: bool,
    place: Place,
}

/// The file that a service stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Own,
    Included,
    Extended,
}

#[derive(Clone, Debug)]
struct Job {
    has_matrix: bool,
    /// True where it waits for the job above.
    waits: bool,
    services: BTreeSet<usize>,
    lane: Lane,
}

/// The lane in the environment of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lane {
    None,
    Constant,
    Job,
    Row,
}

fn world() -> impl Strategy<Value = World> {
    let places = select(vec![
        Place::Own,
        Place::Own,
        Place::Included,
        Place::Extended,
    ]);
    let service = (0..CACHES.len(), any::<bool>(), places);
    let lanes = select(vec![
        Lane::None,
        Lane::None,
        Lane::Constant,
        Lane::Job,
        Lane::Row,
    ]);
    let services = prop::collection::btree_set(0..3_usize, 1..3);
    let job = (any::<bool>(), prop::bool::weighted(0.3), services, lanes);
    let parts = (
        any::<bool>(),
        prop::collection::vec(service, 1..4),
        prop::collection::vec(job, 0..4),
    );
    parts.prop_map(|(is_bake, services, jobs)| {
        let services = services
            .into_iter()
            .map(|(file, is_handed_on, place)| Service {
                file,
                is_handed_on,
                place: if is_bake { Place::Own } else { place },
            });
        let services: Vec<Service> = services.collect();
        let jobs = jobs.into_iter().enumerate();
        let jobs = jobs.map(|(number, (has_matrix, waits, named, lane))| Job {
            has_matrix,
            waits: waits && number > 0,
            services: named
                .into_iter()
                .map(|name| name % services.len())
                .collect(),
            lane: if has_matrix || lane != Lane::Row {
                lane
            } else {
                Lane::Job
            },
        });
        let jobs = jobs.collect();
        World {
            is_bake,
            services,
            jobs,
        }
    })
}

impl World {
    fn services(&self, place: Place) -> impl Iterator<Item = (usize, &Service)> {
        let all = self.services.iter().enumerate();
        all.filter(move |(_, service)| service.place == place)
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (number, cache) in CACHES.iter().enumerate() {
            let text = format!(
                "FROM debian\nARG CACHE_ID=default\n\
                 RUN --mount=type=cache,id={cache}-${{CACHE_ID}},target=/c,sharing=locked true\n"
            );
            files.push((format!("d{number}/Dockerfile"), text));
        }
        if self.is_bake {
            files.push(("docker-bake.hcl".to_owned(), self.bake()));
        } else {
            let mut own = String::new();
            if self.services(Place::Included).next().is_some() {
                own += "include: [compose.more.yml]\n";
            }
            own += "services:\n";
            own += &built(self.services(Place::Own), "s");
            for (number, _) in self.services(Place::Extended) {
                let extends = format!("{{file: compose.base.yml, service: b{number}}}");
                writeln!(own, "  s{number}:\n    extends: {extends}").unwrap();
            }
            files.push(("compose.yml".to_owned(), own));
            let more = [
                ("more", Place::Included, "s"),
                ("base", Place::Extended, "b"),
            ];
            for (name, place, start) in more {
                let services = built(self.services(place), start);
                if !services.is_empty() {
                    files.push((
                        format!("compose.{name}.yml"),
                        format!("services:\n{services}"),
                    ));
                }
            }
        }
        if !self.jobs.is_empty() {
            files.push((".github/workflows/ci.yml".to_owned(), self.workflow()));
        }
        files
    }

    fn bake(&self) -> String {
        let mut text = String::new();
        if self.services.iter().any(|service| service.is_handed_on) {
            text += "variable \"CACHE_ID\" {\n  default = \"default\"\n}\n";
        }
        for (number, service) in self.services.iter().enumerate() {
            writeln!(
                text,
                "target \"s{number}\" {{\n  context = \"d{}\"",
                service.file
            )
            .unwrap();
            if service.is_handed_on {
                text += "  args = {\n    CACHE_ID = CACHE_ID\n  }\n";
            }
            text += "}\n";
        }
        text
    }

    fn workflow(&self) -> String {
        let mut text = "on: push\njobs:\n".to_owned();
        for (number, job) in self.jobs.iter().enumerate() {
            writeln!(text, "  j{number}:\n    runs-on: self-hosted").unwrap();
            if job.waits {
                writeln!(text, "    needs: j{}", number - 1).unwrap();
            }
            if job.has_matrix {
                writeln!(text, "    strategy: {{matrix: {{py: {ROWS:?}}}}}").unwrap();
            }
            let tool = if self.is_bake {
                "buildx bake"
            } else {
                "compose build"
            };
            let names = job.services.iter().map(|service| format!(" s{service}"));
            let names: String = names.collect();
            writeln!(
                text,
                "    steps:\n      - run: docker {tool}{names} # {number}"
            )
            .unwrap();
            let lane = match job.lane {
                Lane::None => continue,
                Lane::Constant => "x",
                Lane::Job => "${{ github.job }}",
                Lane::Row => "${{ matrix.py }}",
            };
            writeln!(text, "        env:\n          CACHE_ID: {lane}").unwrap();
        }
        text
    }

    fn rows(&self, job: usize) -> &[&str] {
        if self.jobs[job].has_matrix {
            &ROWS
        } else {
            &ROWS[..1]
        }
    }

    /// Returns the lock that a run of a job takes for a service.
    fn lock(&self, job: usize, row: &str, service: usize) -> String {
        let own = &self.services[service];
        let lane = match self.jobs[job].lane {
            _ if !own.is_handed_on => "default".to_owned(),
            Lane::None => "default".to_owned(),
            Lane::Constant => "x".to_owned(),
            Lane::Job => format!("j{job}"),
            Lane::Row => row.to_owned(),
        };
        format!("{}-{lane}", CACHES[own.file])
    }

    /// Returns the jobs that wait, each with the service that it waits for.
    fn waiting(&self) -> BTreeSet<(usize, usize)> {
        let runs =
            (0..self.jobs.len()).flat_map(|job| self.rows(job).iter().map(move |row| (job, *row)));
        let runs: Vec<(usize, &str)> = runs.collect();
        let mut waiting = BTreeSet::new();
        for (job, row) in &runs {
            for (other, theirs) in &runs {
                let (first, last) = (*job.min(other), *job.max(other));
                let is_ordered =
                    first != last && (first + 1..=last).all(|job| self.jobs[job].waits);
                if (job, row) == (other, theirs) || is_ordered {
                    continue;
                }
                for service in &self.jobs[*job].services {
                    let lock = self.lock(*job, row, *service);
                    let mut others = self.jobs[*other].services.iter();
                    if others.any(|service| self.lock(*other, theirs, *service) == lock) {
                        waiting.insert((*job, *service));
                    }
                }
            }
        }
        waiting
    }
}

/// Returns the services of a Compose file that build something.
fn built<'s>(services: impl Iterator<Item = (usize, &'s Service)>, start: &str) -> String {
    let mut text = String::new();
    for (number, service) in services {
        let context = service.file;
        writeln!(
            text,
            "  {start}{number}:\n    build:\n      context: d{context}"
        )
        .unwrap();
        if service.is_handed_on {
            text += "      args:\n        CACHE_ID: ${CACHE_ID:-default}\n";
        }
    }
    text
}

/// What a finding is about: a job's command, or a service.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Job(usize),
    Service(usize),
}

/// Returns the subjects of the findings, each with whether a fix is offered or left out with a reason.
fn found(project: &Project) -> Vec<(Subject, bool)> {
    let mut found = Vec::new();
    let report = project.check();
    assert_eq!(report.errors, []);
    for file in report.files {
        let bytes = project.bytes(&file.path).unwrap();
        let text = std::str::from_utf8(bytes).unwrap();
        let all = file.findings.iter();
        for finding in all.filter(|finding| finding.rule == RuleId::UnpassedArg) {
            let line = text[..finding.span.start]
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let line = text[line..].lines().next().unwrap();
            let number = |text: &str| {
                let digits = text.trim_matches(|ch: char| !ch.is_ascii_digit());
                digits.parse().unwrap()
            };
            let subject = match line.split_once("# ") {
                Some((_, job)) => Subject::Job(number(job)),
                None => Subject::Service(number(line)),
            };
            assert!(finding.is_fixable() || finding.unfixed.is_some(), "{line}");
            found.push((subject, finding.is_fixable()));
        }
    }
    found.sort();
    found
}

fn hold(world: &World) {
    let mut project = Project::with_config("").unwrap();
    for (path, text) in world.files() {
        project.replace(path, text);
    }
    let waiting = world.waiting();
    let jobs = waiting.iter().map(|(job, _)| Subject::Job(*job));
    let services = world
        .services
        .iter()
        .enumerate()
        .filter(|(number, service)| {
            let is_built = world.jobs.iter().any(|job| job.services.contains(number));
            let waits = waiting.iter().any(|(_, service)| service == number);
            !service.is_handed_on && (waits || !is_built)
        });
    let expected: BTreeSet<Subject> = jobs
        .chain(services.map(|(number, _)| Subject::Service(number)))
        .collect();
    let found_now = found(&project);
    let named = found_now.iter().map(|(subject, _)| subject);
    assert!(named.eq(&expected), "{found_now:?} and not {expected:?}");
    for file in project.fix(Applicability::Safe).files {
        assert_eq!(file.dropped, []);
        project.replace(file.path, file.bytes);
    }
    for file in project.fix(Applicability::Safe).files {
        assert_eq!(file.made.len(), 0, "fixing what is fixed changes it");
    }
    let left = found(&project);
    assert!(left.iter().all(|(_, is_fixable)| !is_fixable), "{left:?}");
    // A lane that several jobs have is not taken from them.
    let is_shared = |job: &Job| match job.lane {
        Lane::None => false,
        Lane::Constant | Lane::Row => true,
        Lane::Job => job.has_matrix,
    };
    if !world.jobs.iter().any(is_shared) {
        assert_eq!(left, []);
    }
}

proptest! {
    #![proptest_config(cases(25))]

    #[test]
    fn services_and_targets_that_meet_are_found_and_parted(world in world()) {
        hold(&world);
    }
}
