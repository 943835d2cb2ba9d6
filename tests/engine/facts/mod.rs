//! The facts. A new one is a function, and its line in [`FACTS`].

mod caches;
mod callers;
pub mod container;
mod ids;
mod layers;
mod locks;
mod monorepo;
mod mounts;
mod rocker;
mod timing;

use crate::Outcome;
use crate::engine::{Engine, Version};

/// A claim about engines, and what proves it.
pub struct Fact {
    /// Its name, to choose it by.
    pub name: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// On which engines.
    pub on: &'static [Version],
    /// Whether it compares times, and so wants its engine to itself.
    pub quiet: bool,
    /// Measures it; an error says why it does not hold.
    pub run: fn(&Engine, &mut Record) -> Outcome,
}

/// What a fact has measured.
#[derive(Default)]
pub struct Record {
    /// A line for each measurement.
    pub lines: Vec<String>,
}

impl Record {
    /// Keeps a measurement.
    pub fn note(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Keeps what was `found`, and fails unless that is `expected`.
    ///
    /// # Errors
    /// What was expected.
    pub fn equal(&mut self, what: &str, found: &str, expected: &str) -> Outcome {
        self.note(format!("{what}: {}", shown(found)));
        if found == expected {
            Ok(())
        } else {
            Err(format!("{what}: {} expected", shown(expected)))
        }
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() {
        "nothing".into()
    } else {
        format!("`{value}`")
    }
}

const BOTH: &[Version] = &Version::ALL;
const NEWER: &[Version] = &[Version::D26];

/// All facts, in the order of `docs/engine-measured.md`.
pub const FACTS: &[Fact] = &[
    Fact {
        name: "locked-id",
        claim: "Two jobs on a locked id wait for each other; with a lane each they do not, but on Docker 20.10, whose \
                frontend does not expand the id",
        on: BOTH,
        quiet: true,
        run: locks::locked_id,
    },
    Fact {
        name: "locked-target",
        claim: "The same for a locked mount without an id: its target is the id",
        on: BOTH,
        quiet: true,
        run: locks::locked_target,
    },
    Fact {
        name: "monorepo",
        claim: "The rows of a matrix that build three Dockerfiles with one locked id take the lock one after the other; built \
                as `cachelane fix` leaves the Dockerfiles and the workflow, they run at once, but on Docker 20.10",
        on: BOTH,
        quiet: true,
        run: monorepo::locked_id,
    },
    Fact {
        name: "callers",
        claim: "What `make`, a script and `docker compose` build of a fixed repository uses the cache of the lane that \
                `CACHE_ID` of their environment names, and none of another lane; without it that of the lane `default`",
        on: NEWER,
        quiet: false,
        run: callers::lanes,
    },
    Fact {
        name: "namespace-time",
        claim: "A `BUILDKIT_CACHE_MOUNT_NS` of its own isolates a job on a locked id",
        on: BOTH,
        quiet: true,
        run: locks::namespace,
    },
    Fact {
        name: "run-lane",
        claim: "Two jobs that build by `cachelane run` do not wait for each other, each in the lane that its CI's names give",
        on: NEWER,
        quiet: true,
        run: locks::run_lane,
    },
    Fact {
        name: "run-namespace",
        claim: "With `cachelane run --via namespace` they do not either, on a file with a locked id as it was written",
        on: BOTH,
        quiet: true,
        run: locks::run_namespace,
    },
    Fact {
        name: "stages",
        claim: "Two independent stages of one build with one locked id run one after the other, with a lane too; with two \
                ids they run at once",
        on: BOTH,
        quiet: true,
        run: locks::stages,
    },
    Fact {
        name: "split-cache",
        claim: "The same id with `uid=1000` is another cache with another lock",
        on: BOTH,
        quiet: true,
        run: locks::split_cache,
    },
    Fact {
        name: "lock-order",
        claim: "Two RUNs that take two locks in opposite target order wait for each other for ever; not if the targets \
                agree, nor (on Docker 26.1) in lanes of their own",
        on: BOTH,
        quiet: false,
        run: locks::lock_order,
    },
    Fact {
        name: "default-lane",
        claim: "A fixed file builds without the build argument, in the lane `default`, and the next build finds its files",
        on: BOTH,
        quiet: false,
        run: caches::default_lane,
    },
    Fact {
        name: "keep-default",
        claim: "With `keep-default` the fixed file, built without the build argument, finds what builds before the fix left \
                there, and lanes have ids of their own; Docker 20.10, whose frontend takes the id as it stands, starts \
                with an empty cache",
        on: BOTH,
        quiet: false,
        run: caches::keep_default,
    },
    Fact {
        name: "keep-default-time",
        claim: "Two jobs with a lane each do not wait for each other there either, nor for a build that passes nothing; two \
                that pass nothing do",
        on: NEWER,
        quiet: true,
        run: locks::keep_default,
    },
    Fact {
        name: "mixed-sharing",
        claim: "A `shared` and a `private` mount beside a running locked holder of the id start empty; the id has \
                several caches from then on",
        on: BOTH,
        quiet: false,
        run: caches::mixed_sharing,
    },
    Fact {
        name: "private-cache",
        claim: "A `private` mount finds the files again when nobody holds them, and starts empty beside a holder; \
                locked in a lane (`cachelane fix --unsafe`) it does not",
        on: BOTH,
        quiet: false,
        run: caches::private_cache,
    },
    Fact {
        name: "no-cache",
        claim: "`--no-cache` empties the caches of the RUNs that it builds anew, for all later builds; `--no-cache-filter` does so \
                for its stages only, and a changed build argument for none",
        on: BOTH,
        quiet: false,
        run: caches::no_cache,
    },
    Fact {
        name: "id-collision",
        claim: "One id at two targets of one RUN is one directory seen twice; `cachelane fix --unsafe` makes it two",
        on: BOTH,
        quiet: false,
        run: caches::id_collision,
    },
    Fact {
        name: "early-arg",
        claim: "An `ARG CACHE_ID` before RUNs that do not need it makes each job build them again; right before the RUN \
                that needs it, where cachelane puts it, they are reused",
        on: BOTH,
        quiet: false,
        run: layers::early_arg,
    },
    Fact {
        name: "namespace-layers",
        claim: "With `BUILDKIT_CACHE_MOUNT_NS` jobs share all layers where mounts have an id, but on Docker 20.10, where the RUN \
                with the mount is run again",
        on: BOTH,
        quiet: false,
        run: layers::namespace,
    },
    Fact {
        name: "id-in-key",
        claim: "An `id` option is no part of a layer's key, but on Docker 20.10: a RUN that differs in it only is not run again",
        on: BOTH,
        quiet: false,
        run: layers::id_in_key,
    },
    Fact {
        name: "scope",
        claim: "An id sees the variables of its stage at that line: what `id=a-${CACHE_ID}` is with `--build-arg \
                CACHE_ID=py310`, and where that is said without it",
        on: NEWER,
        quiet: false,
        run: ids::scope,
    },
    Fact {
        name: "forms",
        claim: "How a reference may be written, and what it becomes without and with `--build-arg CACHE_ID=py310`",
        on: NEWER,
        quiet: false,
        run: ids::forms,
    },
    Fact {
        name: "odd-ids",
        claim: "Ids that are empty, missing, doubled, or not ASCII: of the latter, each byte becomes a character",
        on: NEWER,
        quiet: false,
        run: ids::odd,
    },
    Fact {
        name: "no-target",
        claim: "A cache mount without a target is refused, but covers the WORKDIR where there is one",
        on: BOTH,
        quiet: false,
        run: mounts::no_target,
    },
    Fact {
        name: "odd-targets",
        claim: "A relative target stands below the WORKDIR; one that is not ASCII is mounted somewhere else, each of \
                its bytes a character",
        on: BOTH,
        quiet: false,
        run: mounts::odd_targets,
    },
    Fact {
        name: "rocker-call",
        claim: "rocker's own build call, which the classic builder serves, has the lane of the extension `cache_id`: in the \
                Dockerfile that it prints, in the build's arguments, and in the image's history",
        on: BOTH,
        quiet: false,
        run: rocker::call,
    },
    Fact {
        name: "rocker-lanes",
        claim: "Two jobs that build the Dockerfile that rocker writes, in a lane each, do not wait for each other, and find \
                their own files again",
        on: NEWER,
        quiet: true,
        run: rocker::lanes,
    },
    Fact {
        name: "rocker-buildkit",
        claim: "rocker itself builds in lanes with BuildKit, where deps-rocker has it call the docker client \
                (`DOCKER_BUILDKIT=1`)",
        on: NEWER,
        quiet: false,
        run: rocker::buildkit,
    },
    Fact {
        name: "container",
        claim: "The container of a release, built of nothing but the program, checks and fixes a repository that is mounted at \
                `/repo`",
        on: BOTH,
        quiet: false,
        run: container::image,
    },
];
