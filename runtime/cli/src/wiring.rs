//! Builds what a command needs, in order: engine, cache, toolbox.

use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_hands::{Allocation, Cache, Engine, Library, LoadWatcher, Toolbox};
use std::sync::Arc;

/// What `--version` says.
pub(crate) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nbuild ",
    env!("HANDBOX_BUILD"),
    "\ncontract handbox:hand@0.1.0\nengine wasmtime ",
    env!("HANDBOX_ENGINE"),
    " (WASI 0.2)"
);

/// The same for programs.
pub(crate) fn version_json() -> serde_json::Value {
    serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "build": env!("HANDBOX_BUILD"),
        "contract": "handbox:hand@0.1.0",
        "engine": concat!("wasmtime ", env!("HANDBOX_ENGINE")),
    })
}

/// An empty toolbox for a process that makes one call and ends.
pub(crate) fn toolbox(paths: &Paths, quiet: bool) -> Result<Toolbox, Failure> {
    Ok(Toolbox::new(library(paths, quiet)?))
}

/// Loads components, for a process that does not make many calls at once.
pub(crate) fn library(paths: &Paths, quiet: bool) -> Result<Arc<Library>, Failure> {
    let engine = Engine::new(Allocation::OnDemand)?;
    let cache = match Cache::open(&paths.cache) {
        Ok(cache) => Some(cache),
        Err(error) => {
            output::note(Tone::Warning, &format!("{error}; every call compiles its component"));
            None
        }
    };
    Ok(Library::new(engine, cache, Arc::new(Progress { quiet })))
}

/// Says on a terminal what takes so long.
struct Progress {
    quiet: bool,
}

impl LoadWatcher for Progress {
    fn compiling(&self, digest: &str, bytes: usize) {
        if !self.quiet {
            output::transient(&format!("compiling {} ({} KiB), once …", &digest[..digest.len().min(19)], bytes / 1024));
        }
    }
}

/// Threads for what blocks. Each call and each process that touches files has one to itself until it ends, and the session
/// log wants some, too: it must not wait behind programs that sleep.
const BLOCKING_THREADS_MAX: usize = 4096;

/// A runtime for a shell: its programs run beside each other.
pub(crate) fn wide_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build();
    built.map_err(|error| Failure::internal(format!("no async runtime: {error}")))
}

/// A runtime for one command.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build();
    built.map_err(|error| Failure::internal(format!("no async runtime: {error}")))
}
