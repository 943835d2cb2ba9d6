//! Things that others run by their names: a service, a target, a recipe, a script.

use super::args::Arg;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// True where it only adds to a build of its name in another file: it names neither Dockerfile nor context.
    pub partial: bool,
    /// The profiles of Compose one of which has to be on; without any it is always built.
    pub profiles: Vec<String>,
    /// The names of others whose images it is made of: those are built first.
    pub after: Vec<String>,
    /// The legs of a bake target's matrix; none where it has no matrix.
    pub legs: Vec<TargetLeg>,
    /// The names of that matrix.
    pub axes: Vec<String>,
    /// True for the target of a Makefile, and for a script: its commands run one after the other, whenever somebody calls
    /// it.
    pub of_script: bool,
    pub paths_from: PathsFrom,
}

/// The folder that the paths of a script's command start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathsFrom {
    #[default]
    Caller,
    /// That of the script itself.
    OwnFolder,
    /// The root of the repository.
    Repository,
}

impl Service {
    /// Makes that of a target of a Makefile, or of a script, which has no name.
    pub fn of_script(name: String) -> Self {
        Self {
            name,
            of_script: true,
            ..Self::default()
        }
    }
}

/// A build of a bake target for one combination of its matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLeg {
    pub name: String,
    pub args: Vec<Arg>,
}
