//! The tools that build images.

/// A tool that builds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuildTool {
    BuildPushAction,
    BakeAction,
    /// `docker build`, `docker image build`, `docker builder build`
    Docker,
    Buildx,
    Bake,
    /// `docker compose build`, `docker compose up --build`, and a service of a Compose file
    Compose,
    /// `podman compose` and `podman-compose`: Podman builds the services.
    PodmanCompose,
    Podman,
    /// `buildah build`, `buildah bud`
    Buildah,
    Nerdctl,
    Devcontainer,
    Rocker,
    /// `make`, which runs the recipes of a Makefile
    Make,
    /// A shell script of the repository
    Script,
}

impl BuildTool {
    /// Returns the words that users type, or the name of the action.
    #[cfg(feature = "cli")]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuildPushAction => "docker/build-push-action",
            Self::BakeAction => "docker/bake-action",
            Self::Docker => "docker build",
            Self::Buildx => "docker buildx build",
            Self::Bake => "docker buildx bake",
            Self::Compose => "docker compose",
            Self::PodmanCompose => "podman compose",
            Self::Podman => "podman build",
            Self::Buildah => "buildah build",
            Self::Nerdctl => "nerdctl build",
            Self::Devcontainer => "devcontainer build",
            Self::Rocker => "rocker",
            Self::Make => "make",
            Self::Script => "a script",
        }
    }

    /// Returns whether it runs the commands of another file, some of which may build.
    pub const fn runs_others(self) -> bool {
        matches!(self, Self::Make | Self::Script)
    }

    pub const fn is_bake(self) -> bool {
        matches!(self, Self::Bake | Self::BakeAction)
    }

    pub const fn is_compose(self) -> bool {
        matches!(self, Self::Compose | Self::PodmanCompose)
    }

    /// Returns whether files of its own name the Dockerfiles, and what is passed.
    pub const fn has_files(self) -> bool {
        self.is_bake() || self.is_compose() || matches!(self, Self::Devcontainer)
    }

    /// Returns whether the tool builds with the builder that buildx has chosen.
    pub const fn is_buildx(self) -> bool {
        matches!(
            self,
            Self::BuildPushAction | Self::BakeAction | Self::Buildx | Self::Bake | Self::Compose
        )
    }

    /// Returns whether Buildah builds: it has mount options of its own, and looks for a `Containerfile` first.
    pub const fn is_buildah(self) -> bool {
        matches!(self, Self::Podman | Self::PodmanCompose | Self::Buildah)
    }

    /// Returns whether a namespace reaches BuildKit, which alone knows it.
    pub const fn takes_namespace(self) -> bool {
        !self.is_buildah() && !matches!(self, Self::Rocker)
    }
}
