//! What the engines need of this machine.

use std::fs;
use std::path::PathBuf;

use crate::Outcome;
use crate::guard::Guard;

/// The folder that keeps the engines' Debian trees from one run to the next.
fn cache() -> PathBuf {
    std::env::var_os("CACHELANE_ENGINE_CACHE")
        .map_or_else(|| "/var/cache/cachelane-engine".into(), PathBuf::from)
}

/// Whether it is a failure when the engines cannot run.
pub fn required() -> bool {
    let set = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    set("CI", "true") || set("CACHELANE_ENGINE", "required")
}

/// Makes sure that the engines' trees are there.
///
/// # Errors
/// Why the engines cannot run here.
pub fn prepare() -> Outcome<PathBuf> {
    if !cfg!(target_os = "linux") {
        return Err("The engines need Linux.".into());
    }
    if !is_root() {
        return Err("The engines need root.".into());
    }
    let cache = cache();
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    eprintln!(
        "engine: the Debian trees in {} (made on the first run: a minute or two)",
        cache.display()
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/provision.sh");
    let mut guard = Guard::start("provision", &cache, &[script.as_ref(), cache.as_os_str()])?;
    guard
        .wait()
        .map_err(|log| format!("The engines' Debian trees could not be made:\n{log}"))?;
    Ok(cache)
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Says, not to be missed, that nothing was proved.
pub fn banner(reason: &str, advice: &str, fails: bool) {
    let line = "=".repeat(78);
    let end = if fails {
        "This run requires them, and fails."
    } else {
        "Nothing was proved on a real engine."
    };
    eprintln!("\n{line}\nTHE ENGINE TESTS DID NOT RUN\n\n{reason}\n{advice}\n{end}\n{line}\n");
}
