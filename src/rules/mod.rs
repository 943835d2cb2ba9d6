//! The rules: one file each, declared in [`crate::finding::RuleId`].
//!
//! A rule looks at one subject ([`crate::finding::Subject`]) and adds findings to a list; it knows no other rule, no
//! disk and no terminal. Shared code is in files by subject, which `docs/architecture.md` lists.

mod apt;
mod becomes;
pub mod build_context;
mod builder_ids;
mod cache_as_state;
pub mod caches;
mod commands;
pub mod context;
pub mod declare;
pub mod eligibility;
mod environment;
pub mod exempt;
pub mod frontend;
pub mod guards;
pub mod lane;
pub mod lane_requirements;
pub mod locks;
pub mod plan;
pub mod profile;
pub mod registry;
pub mod serial_builds;
pub mod settings;
mod side_by_side;
pub mod values;
pub mod variables;

mod early_arg;
mod id_collision;
mod invalid_mount;
mod lane_never_reused;
pub mod lock_order;
mod missing_default;
mod mixed_sharing;
mod needless_lock;
mod no_cache_clears;
pub mod old_frontend;
mod platform_lock;
mod private_cache;
mod serial_stages;
mod shadowed_arg;
pub mod shared_lock;
pub mod slot;
mod split_cache;
mod syntax_error;
pub mod templated_mount;
pub mod tools;
mod undeclared_arg;
mod unlock;
mod unlocked_apt;
mod unlocked_cache;
pub mod unpassed_arg;
mod unused_ignore;

pub use context::Context;
pub use exempt::{Exemptions, PatternError, PatternErrors};
pub use profile::Profile;
pub use settings::{Learned, OwnLanes, PlatformBuild, Settings, Unpassed};
pub use unused_ignore::Idle;
