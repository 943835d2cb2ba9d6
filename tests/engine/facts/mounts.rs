pub use super::ids::forms as no_target;
pub use super::ids::forms as odd_targets;
