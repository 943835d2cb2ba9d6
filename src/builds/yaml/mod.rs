//! YAML with places, for the readers of workflows, pipelines and Compose files.
//!
//! [`Yaml::read`] returns a tree in which every value knows its bytes in the file. Aliases and merge keys are followed
//! lazily, without copies; every value that they bring is paid for when the file is read, which bounds every walk over
//! the tree.

mod alias_paths;
mod kept;
mod node;
mod place;
mod scalar;
mod tree;

pub(super) use alias_paths::AliasPaths;
pub use kept::{Addition, is_kept};
pub use node::{Entry, Node, Style, Yaml};
pub use place::NewValue;
pub use scalar::quoted;
