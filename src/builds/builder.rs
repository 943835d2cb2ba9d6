//! The builders that the steps of a job use.
//!
//! By Docker's documents: `docker build` stays with the builder of its daemon whatever buildx has chosen, unless
//! `docker buildx install` makes it buildx's; an option goes before `BUILDX_BUILDER`. buildx's driver `docker-container`,
//! its default, starts a BuildKit of its own for each builder, and so does `kubernetes`; a builder without a name gets
//! one that nobody else has.

use std::sync::Arc;

pub use super::changes::{CalledAction, Change, Create, NamedBuilder};
use super::changes::{inner, input, is_open, value_of};
pub use super::elsewhere::Elsewhere;
use super::elsewhere::is_remote;
pub use super::own_builder::{Daemon, OwnBuilder};
use super::tool::BuildTool;
use crate::budget;

/// The builder that a build runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Builder {
    /// The machine's, which other jobs may use at the same time.
    #[default]
    Shared,
    /// One that nobody but this run uses.
    Own(OwnBuilder),
    /// One that the file names, elsewhere: other jobs may use it, whatever machine this one runs on.
    Elsewhere(Elsewhere),
    /// Any of these, for this reason.
    Unknown(Arc<str>),
    /// The machine's, which the callers of the file choose.
    OfCaller(Arc<CallersMachine>),
    /// One that a step makes by a driver that the callers of the file choose.
    OfDriver(Arc<CallersDriver>),
    /// The machine's, for each row of the job's matrix: some have one of their own, others share one.
    OfRow(Arc<[Self]>),
    /// One that an action of the repository may have made, in a step of the job before.
    AfterActions(Arc<AfterActions>),
}

/// The builder of a build behind actions of the same repository, which may make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterActions {
    /// The actions, in order.
    pub actions: Vec<CalledAction>,
    /// The builder that the build names.
    named: Option<String>,
    /// The builder where none of them makes one.
    pub before: Builder,
    machine: Builder,
}

/// A machine by an input of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallersMachine {
    pub input: String,
    /// The builder of callers that leave the input out.
    pub default: Builder,
}

/// A builder by a driver that an input of the file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallersDriver {
    pub input: String,
    create: Create,
    before: Builders,
}

impl CallersDriver {
    /// Returns the builder where the input has this value; `None` for one that only a run knows.
    pub fn by(&self, driver: Option<&str>) -> Builder {
        let Some(driver) = driver else {
            let why = format!("only a run knows its driver, the input `{}`", self.input);
            return Builder::Unknown(why.into());
        };
        let create = Create {
            driver: Some(driver.to_owned()).filter(|driver| !driver.is_empty()),
            ..self.create.clone()
        };
        let made = self.before.created(&create);
        made.unwrap_or_else(|| self.before.machine.clone())
    }
}

impl Builder {
    pub const fn own(&self) -> Option<&OwnBuilder> {
        if let Self::Own(own) = self {
            Some(own)
        } else {
            None
        }
    }

    /// Returns the reason why it may be any.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(why) => Some(why),
            _ => None,
        }
    }

    /// Returns either of two, of which only a run knows which.
    pub fn or(&self, other: &Self, why: &Arc<str>) -> Self {
        if self == other || (self.own().is_some() && other.own().is_some()) {
            return self.clone();
        }
        Self::Unknown(Arc::clone(why))
    }

    /// Returns whether this is known to be another one than `other`.
    pub fn is_other(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Elsewhere(one), Self::Elsewhere(other)) => one.is_other(other),
            (Self::Elsewhere(one), Self::Shared) | (Self::Shared, Self::Elsewhere(one)) => {
                *one == Elsewhere::Service
            }
            _ => false,
        }
    }

    /// Returns the builder in this row of the job's matrix.
    pub fn in_row(&self, row: usize) -> Self {
        match self {
            Self::OfRow(rows) => rows.get(row).cloned().unwrap_or_default(),
            Self::AfterActions(after) => {
                let mut own = AfterActions {
                    before: after.before.in_row(row),
                    machine: after.machine.in_row(row),
                    ..AfterActions::clone(after)
                };
                own.actions.retain(|action| action.runs_in(row));
                if own.actions.is_empty() {
                    return own.before;
                }
                Self::AfterActions(Arc::new(own))
            }
            _ => self.clone(),
        }
    }

    /// Returns that of a service of the job.
    pub fn of_daemon(daemon: &Daemon) -> Self {
        let images = daemon.images.iter();
        let of = |image: &Arc<str>| Self::Own(OwnBuilder::Service(Arc::clone(image)));
        Self::of_rows(&images.map(of).collect::<Vec<_>>())
    }

    /// Makes that of a job with these in the rows of its matrix.
    fn of_rows(rows: &[Self]) -> Self {
        match rows {
            [first, others @ ..] if others.iter().all(|other| other == first) => first.clone(),
            _ => Self::OfRow(rows.into()),
        }
    }
}

/// The builders that a step sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builders {
    machine: Builder,
    daemons: Vec<Daemon>,
    /// The one that buildx has chosen, if that is not the machine's.
    chosen: Option<Builder>,
    /// True where a step has chosen the machine's.
    is_machine_chosen: bool,
    /// Those that the job has made, by name; `None` for one that others may have made before, on the same machine.
    made: Vec<(String, Option<Builder>)>,
    /// True where `docker build` is buildx's.
    is_installed: bool,
    /// The actions of the repository since one was chosen.
    actions: Vec<CalledAction>,
}

impl Builders {
    /// Makes those of the first step of a job.
    pub fn new(machine: Builder, daemons: Vec<Daemon>) -> Self {
        Self {
            machine,
            daemons,
            ..Self::default()
        }
    }

    /// Makes those of a job with these in the rows of its matrix, one at least.
    pub fn of_rows(rows: &[Self]) -> Self {
        let Some(first) = rows.first() else {
            return Self::default();
        };
        if !budget::spend(64 * rows.len()) || rows.iter().all(|other| other == first) {
            return first.clone();
        }
        let all = |of: &dyn Fn(&Self) -> Builder| {
            Builder::of_rows(&rows.iter().map(of).collect::<Vec<_>>())
        };
        let or_machine =
            |one: &Self, builder: Option<&Builder>| builder.unwrap_or(&one.machine).clone();
        let daemons = (0..first.daemons.len()).filter_map(|at| {
            let all: Vec<&Daemon> = rows.iter().filter_map(|one| one.daemons.get(at)).collect();
            Daemon::of_rows(&all).filter(|_| all.len() == rows.len())
        });
        let is_chosen = rows.iter().any(|one| one.chosen.is_some());
        let made = first.made.iter().map(|(name, _)| {
            let of_name = |one: &Self| or_machine(one, one.made(name).and_then(Option::as_ref));
            (name.clone(), Some(all(&of_name)))
        });
        Self {
            machine: all(&|one| one.machine.clone()),
            daemons: daemons.collect(),
            chosen: is_chosen.then(|| all(&|one| or_machine(one, one.chosen.as_ref()))),
            is_machine_chosen: rows.iter().all(|one| one.is_machine_chosen),
            made: made.collect(),
            is_installed: rows.iter().any(|one| one.is_installed),
            actions: first.actions.clone(),
        }
    }

    /// Returns those in this row of the job's matrix.
    #[must_use]
    pub fn in_row(&self, row: usize) -> Self {
        let made = self.made.iter();
        let actions = self.actions.iter().filter(|action| action.runs_in(row));
        Self {
            actions: actions.cloned().collect(),
            daemons: self.daemons.iter().map(|one| one.in_row(row)).collect(),
            machine: self.machine.in_row(row),
            chosen: self.chosen.as_ref().map(|chosen| chosen.in_row(row)),
            made: made
                .map(|(name, made)| (name.clone(), made.as_ref().map(|made| made.in_row(row))))
                .collect(),
            ..self.clone()
        }
    }

    /// Returns whether they differ between the rows of the job's matrix.
    pub fn differ(&self) -> bool {
        let is_of_row = |builder: &Builder| matches!(builder, Builder::OfRow(_));
        let made = self.made.iter().filter_map(|(_, made)| made.as_ref());
        let mut all = [&self.machine].into_iter().chain(&self.chosen).chain(made);
        all.any(is_of_row)
            || self.actions.iter().any(CalledAction::is_of_rows)
            || self.daemons.iter().any(Daemon::is_of_rows)
    }

    /// Returns the builder of a `tool` that names none.
    pub fn of(&self, tool: BuildTool) -> &Builder {
        let by_buildx = tool.is_buildx() || (self.is_installed && tool == BuildTool::Docker);
        match &self.chosen {
            Some(chosen) if by_buildx => chosen,
            _ => &self.machine,
        }
    }

    /// Returns the builder of a build. `env` gives the values of variables, where the file sets them.
    pub fn used(
        &self,
        tool: BuildTool,
        named: Option<&NamedBuilder>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Builder {
        let before = self.used_by_itself(tool, named, env);
        let name = match named {
            Some(NamedBuilder::Buildx(name)) => Some(value_of(name, env)),
            _ => env("BUILDX_BUILDER").filter(|name| !name.is_empty()),
        };
        let is_known = name
            .as_ref()
            .is_some_and(|name| name == "default" || self.made(name).is_some());
        let is_other = matches!(named, Some(NamedBuilder::Service | NamedBuilder::Daemon(_)));
        if self.actions.is_empty() || tool.is_buildah() || is_known || is_other {
            return before;
        }
        Builder::AfterActions(Arc::new(AfterActions {
            actions: self.actions.clone(),
            named: name,
            before,
            machine: self.machine_of(env),
        }))
    }

    /// Returns the builder of a build behind an action whose steps leave these; `None` where they make none for it.
    pub fn given(&self, tool: BuildTool, after: &AfterActions) -> Option<Builder> {
        let fixed = after.named.as_ref().filter(|name| !is_open(name));
        let by_buildx = tool.is_buildx() || (self.is_installed && tool == BuildTool::Docker);
        let given = match fixed {
            Some(name) => self
                .made(name)
                .map(|made| made.as_ref().unwrap_or(&after.machine)),
            None => self
                .chosen
                .as_ref()
                .or(self.is_machine_chosen.then_some(&after.machine))
                .filter(|_| by_buildx || after.named.is_some()),
        };
        // A machine of its own says more.
        let is_weaker = |given: &&Builder| given.own().is_some() || given.unknown().is_some();
        let given = given.filter(|given| after.before.own().is_none() || !is_weaker(given));
        if given.is_none() && !self.actions.is_empty() {
            return Some(Builder::AfterActions(Arc::new(AfterActions {
                actions: self.actions.clone(),
                ..after.clone()
            })));
        }
        given.cloned()
    }

    fn used_by_itself(
        &self,
        tool: BuildTool,
        named: Option<&NamedBuilder>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Builder {
        let by_name = match named {
            Some(NamedBuilder::Service) => return Builder::Elsewhere(Elsewhere::Service),
            Some(NamedBuilder::Buildx(name)) => Some(value_of(name, env)),
            _ if tool.is_buildah() => None,
            _ => env("BUILDX_BUILDER").filter(|name| !name.is_empty()),
        };
        let daemon = match named {
            Some(NamedBuilder::Daemon(daemon)) => Some(daemon.as_str()),
            _ => None,
        };
        let machine = || match daemon {
            Some(daemon) => self.daemon(daemon),
            None if tool.is_buildah() => self.machine.clone(),
            None => self.machine_of(env),
        };
        let Some(name) = by_name else {
            let of_tool = self.of(tool);
            let is_machine = *of_tool == self.machine;
            return if is_machine {
                machine()
            } else {
                of_tool.clone()
            };
        };
        match self.made(&name) {
            Some(Some(made)) => made.clone(),
            Some(None) => machine(),
            None if name == "default" => machine(),
            None if is_open(&name) => self.of(tool).clone(),
            None => Builder::Elsewhere(Elsewhere::Name(name.into())),
        }
    }

    /// Returns the machine's builder with the variables of `env`.
    fn machine_of(&self, env: &dyn Fn(&str) -> Option<String>) -> Builder {
        let set = |name: &&str| env(name).filter(|value| !value.is_empty());
        let names = ["DOCKER_HOST", "DOCKER_CONTEXT", "BUILDKIT_HOST"];
        match names.iter().find_map(set) {
            Some(address) => self.daemon(&address),
            None => self.machine.clone(),
        }
    }

    /// Returns the builders as seen from within an action that is called with the variables of `env`.
    pub fn within(&self, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let machine = self.machine_of(env);
        let chosen = self.used_by_itself(BuildTool::Buildx, None, env);
        Self {
            chosen: (chosen != machine).then_some(chosen),
            machine,
            ..self.clone()
        }
    }

    fn daemon(&self, address: &str) -> Builder {
        let host = address.split_once("://").map_or("", |(_, host)| host);
        let host = host.split([':', '/']).next().unwrap_or_default();
        let is_named = |daemon: &&Daemon| daemon.hosts.iter().any(|name| name == host);
        match self.daemons.iter().find(is_named) {
            Some(daemon) => Builder::of_daemon(daemon),
            None if self.machine.unknown().is_some() => self.machine.clone(),
            None if is_remote(address) => Builder::Elsewhere(Elsewhere::Daemon(address.into())),
            None => self.machine.clone(),
        }
    }

    fn made(&self, name: &str) -> Option<&Option<Builder>> {
        budget::spend(self.made.len());
        let mut made = self.made.iter().rev();
        Some(&made.find(|(made, _)| made == inner(name))?.1)
    }

    /// Takes `change` in.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(create) => {
                let made = self.created(create);
                for name in [&create.name, &create.output].into_iter().flatten() {
                    // Each step behind it has a list of them.
                    if budget::spend(64 * (1 + self.made.len()) + name.len()) {
                        self.made.push((inner(name).to_owned(), made.clone()));
                    }
                }
                if create.is_chosen {
                    self.choose(made);
                    self.actions.clear();
                }
                self.is_installed |= create.is_installed;
            }
            Change::Choose(name) => match self.made(name) {
                Some(made) => self.choose(made.clone()),
                None if is_open(name) => {}
                None => self.choose(
                    (name != "default")
                        .then(|| Builder::Elsewhere(Elsewhere::Name(name.as_str().into()))),
                ),
            },
            Change::Context(name) if !is_open(name) && name != "default" => {
                self.machine = Builder::Elsewhere(Elsewhere::Daemon(name.as_str().into()));
            }
            Change::Context(_) => {}
            Change::Install => self.is_installed = true,
            Change::Action(action) => {
                if budget::spend(64 + 16 * self.actions.len()) {
                    self.actions.push(action.clone());
                }
            }
            Change::Service => {
                self.actions.clear();
                self.choose(Some(Builder::Elsewhere(Elsewhere::Service)));
                self.is_installed = true;
            }
        }
    }

    /// Returns these where a step does not run that leaves `behind`, and those where it does: only a run knows whether it
    /// does, for this reason.
    #[must_use]
    pub fn or(&self, behind: &Self, why: &Arc<str>) -> Self {
        let chosen = |one: &Self| one.chosen.clone().unwrap_or_else(|| one.machine.clone());
        let made = behind.made.iter().map(|(name, made)| {
            let other = self
                .made(name)
                .unwrap_or(&None)
                .as_ref()
                .unwrap_or(&self.machine);
            let made = made.as_ref().unwrap_or(&behind.machine);
            (name.clone(), Some(made.or(other, why)))
        });
        Self {
            machine: self.machine.or(&behind.machine, why),
            chosen: if self.chosen == behind.chosen {
                self.chosen.clone()
            } else {
                Some(chosen(self).or(&chosen(behind), why))
            },
            made: made.collect(),
            is_machine_chosen: self.is_machine_chosen && behind.is_machine_chosen,
            ..behind.clone()
        }
    }

    fn choose(&mut self, chosen: Option<Builder>) {
        self.is_machine_chosen = chosen.is_none();
        self.chosen = chosen;
    }

    /// Returns the builder that `create` makes; `None` for one that is the machine's as much as the daemon's own.
    fn created(&self, create: &Create) -> Option<Builder> {
        let endpoint = create.endpoint.as_deref();
        let address = endpoint.filter(|endpoint| endpoint.contains("://"));
        let is_far = |address: &str| matches!(self.daemon(address), Builder::Elsewhere(_));
        let is_far = address.is_some_and(is_far);
        // A machine of its own says more.
        let is_alone = self.machine.own().is_some() && !is_far;
        let input = create.driver.as_deref().and_then(input);
        if let Some(input) = input.filter(|_| !is_alone) {
            return Some(Builder::OfDriver(Arc::new(CallersDriver {
                input: input.to_owned(),
                create: create.clone(),
                before: Self::new(self.machine.clone(), self.daemons.clone()),
            })));
        }
        let is_fixed = create.name.as_ref().is_some_and(|name| !is_open(name));
        match create.driver.as_deref() {
            Some(driver) if is_open(driver) => {
                let why = format!("only a run knows the driver of its builder: `{driver}`");
                return (!is_alone).then(|| Builder::Unknown(why.into()));
            }
            // Whatever daemon the endpoint names, the builder is a container there, or a pod, with the builder's name.
            None | Some("docker-container" | "kubernetes") if !(is_far && is_fixed) => {}
            Some("docker") => return None,
            // Its endpoint is here.
            Some("remote") if address.is_some() && !is_far => return None,
            _ => return Some(Builder::Elsewhere(Elsewhere::Driver)),
        }
        // A daemon of the job's own has nobody else's builders.
        let is_in_service = matches!(self.machine.own(), Some(OwnBuilder::Service(_)));
        let is_plain = !is_fixed && !is_alone;
        (is_plain || is_in_service).then_some(Builder::Own(OwnBuilder::Made(create.by)))
    }
}
