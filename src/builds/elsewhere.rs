//! Builders that a file names, on other machines than the job's.

use std::sync::Arc;

/// A builder that something elsewhere names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// A service of its own, such as Depot.
    Service,
    /// The address or the context of a daemon.
    Daemon(Arc<str>),
    /// A name of buildx's.
    Name(Arc<str>),
    /// A driver or an endpoint.
    Driver,
}

impl Elsewhere {
    /// Returns whether this is known to be another one than `other`.
    pub fn is_other(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Daemon(a), Self::Daemon(b)) | (Self::Name(a), Self::Name(b)) => {
                // A context may be of any address, and what a run makes is any text.
                let is_address = |text: &str| text.contains("://");
                let is_known = |text: &str| !text.contains(|ch: char| ch == '$' || ch.is_control());
                a != b && is_address(a) == is_address(b) && is_known(a) && is_known(b)
            }
            (Self::Service, Self::Daemon(_) | Self::Name(_))
            | (Self::Daemon(_) | Self::Name(_), Self::Service) => true,
            _ => false,
        }
    }
}

/// Returns whether an address or a context names a daemon on another machine. What a command prints may be anything.
pub fn is_remote(address: &str) -> bool {
    let (scheme, host) = address.split_once("://").unwrap_or(("", address));
    let is_here = match scheme {
        "" => address.is_empty() || address == "default",
        "tcp" | "http" | "https" | "ssh" => {
            let is_loopback = |name: &&str| host.starts_with(*name);
            ["localhost", "127.0.0.1", "[::1]"].iter().any(is_loopback)
        }
        "unix" | "npipe" | "fd" | "docker-container" | "podman-container" => true,
        _ => false,
    };
    !is_here && !address.starts_with("$(") && !address.starts_with('`')
}
