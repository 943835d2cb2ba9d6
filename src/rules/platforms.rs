//! Which locks the platforms of one build share.

use bstr::ByteSlice as _;

use crate::dockerfile::{Dockerfile, Sharing};

use super::caches::Cache;
use super::context::Context;
use super::lane::has_room;
use super::platform_args::PLATFORM_ARGS;

/// Whether the file is built for several platforms and the locked id of `cache` names none: the platforms of one build
/// wait for each other.
#[must_use]
pub fn lacks_platform(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    if cache.sharing != Some(Sharing::Locked) || cache.mount.templated {
        return false;
    }
    let named = cache.word.variables().any(|variable| {
        let name = variable.name.to_ascii_uppercase();
        // BUILDARCH and its kin are the same for all platforms of a build.
        (name.contains("ARCH") || name.contains("PLATFORM")) && !name.starts_with("BUILD")
    });
    !named && has_room(cx.settings, cache, "TARGETARCH") && !runs_once(cx.file, cache.instruction)
}

/// Whether the RUN `index` is the same for all platforms: its stage is pinned to one and sees no target platform.
fn runs_once(file: &Dockerfile<'_>, index: usize) -> bool {
    let froms = file.ancestors(index).filter_map(|stage| stage.from);
    let mut flags = froms.flat_map(|from| &file.instructions[from].flags);
    let pinned =
        flags.any(|flag| flag.name() == b"platform" && !flag.text.bytes().contains_str("TARGET"));
    let sees = |name: &str| name.starts_with("TARGET") && file.visible(name, index).is_some();
    pinned && !PLATFORM_ARGS.iter().any(|name| sees(name))
}
