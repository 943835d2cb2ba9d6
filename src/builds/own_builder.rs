//! The reasons for which a job has a builder of its own.

use std::fmt;
use std::sync::Arc;

/// The reason why nobody else uses a builder. It is written as `cachelane builds` shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnBuilder {
    /// The job has a machine to itself, with these labels.
    Machine(Arc<str>),
    /// An action or a command of the job makes a builder.
    Made(&'static str),
    /// A service of the job, with this image, is its daemon.
    Service(Arc<str>),
    /// The tool works without a daemon, in the job's own container, which has this image.
    Container(Arc<str>),
    /// The configuration says that each job has one.
    Configured,
}

impl OwnBuilder {
    /// Returns the builder of a job within a container of this image, if its tool keeps all in there.
    pub fn within(image: Option<&str>) -> Option<Self> {
        let tools = ["buildah", "kaniko", "podman"];
        let image = image.filter(|image| tools.iter().any(|tool| image.contains(tool)))?;
        Some(Self::Container(image.into()))
    }

    /// Returns the name of what gives the job its builder: labels, an action, an image, a file.
    pub fn by(&self) -> &str {
        match self {
            Self::Machine(by) | Self::Service(by) | Self::Container(by) => by,
            Self::Made(by) => by,
            Self::Configured => "cachelane.toml",
        }
    }
}

impl fmt::Display for OwnBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.by();
        match self {
            Self::Machine(_) => write!(f, "runs on a machine of its own ({by})"),
            Self::Made(_) => write!(f, "{by} makes a builder for the job"),
            Self::Service(_) => write!(f, "{by} is the job's own daemon"),
            Self::Container(_) => write!(f, "builds within the job's container ({by})"),
            Self::Configured => write!(f, "{by} says that each job has a builder of its own"),
        }
    }
}

/// A service of a job that is a Docker daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Its image; one for each row of the job's matrix where they differ.
    pub images: Vec<Arc<str>>,
    /// The names that the job has for it.
    pub hosts: Vec<String>,
}

impl Daemon {
    /// Makes the service with this image, which the job knows by `hosts`; `None` for another than Docker. Docker's own image
    /// with a version that only a run knows is a daemon, since as a service it is good for nothing else.
    pub fn of(image: &str, hosts: Vec<String>) -> Option<Self> {
        let (path, tag) = image.rsplit_once(':').unwrap_or((image, ""));
        let is_open = tag.contains('$') && path.rsplit('/').next() == Some("docker");
        let is_daemon = is_open || image.contains("dind");
        is_daemon.then(|| Self {
            images: vec![image.into()],
            hosts,
        })
    }

    pub fn is_of_rows(&self) -> bool {
        self.images.len() > 1
    }

    /// Returns the service in this row of the job's matrix.
    pub fn in_row(&self, row: usize) -> Self {
        let own = self.images.get(row).filter(|_| self.is_of_rows());
        let images = own.map_or_else(|| self.images.clone(), |own| vec![Arc::clone(own)]);
        Self {
            images,
            hosts: self.hosts.clone(),
        }
    }

    /// Makes the service that has these in the rows of a matrix.
    pub fn of_rows(rows: &[&Self]) -> Option<Self> {
        let first = rows.first()?;
        let images = rows.iter().flat_map(|row| &row.images);
        let is_one = rows.iter().all(|row| row.images == first.images);
        Some(Self {
            images: if is_one {
                first.images.clone()
            } else {
                images.cloned().collect()
            },
            hosts: first.hosts.clone(),
        })
    }
}
