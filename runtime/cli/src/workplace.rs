//! Where a bundle's tools work: what is granted, their folders, and their way out.

use crate::args;
use crate::config::{Config, Source};
use crate::failure::Failure;
use crate::grants::{self, Asking};
use crate::network::{Reach, Way, holder, needs_placeholders};
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::vault;
use handbox_bundle::{Bundle, Profile};
use handbox_hands::{Environment, Temporary, live_programs, open_up};
use handbox_vault::keep::Keep;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What a command line wants of it.
pub(crate) struct Wanted<'a> {
    /// The command, as a destination's record names it.
    pub(crate) by: &'static str,
    pub(crate) bundle: &'a Bundle,
    /// The bundle's name in the configuration, if it has one there.
    pub(crate) name: Option<&'a str>,
    pub(crate) typed: &'a args::Grants,
    pub(crate) outputs: Option<&'a Path>,
    pub(crate) config: &'a Config,
    pub(crate) paths: &'a Paths,
    pub(crate) cwd: &'a Path,
}

/// How long what was abandoned has to end.
const ABANDON_TIME: Duration = Duration::from_millis(300);

/// See the module.
pub(crate) struct Workplace {
    pub(crate) environment: Environment,
    /// Whether --write would make every granted folder writable.
    pub(crate) write_helps: bool,
    folders: Folders,
    keep: Keep,
}

impl Workplace {
    /// Works out the grants, says what is odd about them, and makes the folders.
    pub(crate) fn make(wanted: Wanted<'_>, quiet: bool) -> Result<Self, Failure> {
        let Wanted { by, bundle, name, typed, outputs, config, paths, cwd } = wanted;
        let asking = Asking { typed, config, bundle: name, links: &bundle.links, paths, cwd };
        let mut effective = grants::effective(asking)?;
        effective.warn_of_unasked(typed, bundle, cwd);
        let write_helps = write_helps(&effective, typed);
        effective.warn(quiet);
        let folders = Folders::make(outputs)?;
        if outputs.is_some() {
            grants::check_outputs(asking, &folders.outputs)?;
        }
        let keep = vault::keep(paths);
        let way = Way::new(keep.clone(), config.operator.ranges.clone(), quiet)?;
        let holder = holder(bundle, config);
        let network = way.network(by, &holder, bundle, &Reach { grants: &effective.grants, pinned: None });
        if needs_placeholders(bundle) {
            way.placeholders(&holder)?.into_iter().for_each(|pair| lay(&mut effective.grants.env, pair));
        }
        let environment = Environment {
            grants: effective.grants,
            limits: effective.limits,
            scratch: Some(folders.scratch.path().to_owned()),
            outputs: Some(folders.outputs.clone()),
            protected: effective.protected,
            network: Some(network),
            ..Environment::bare(Profile::default())
        };
        Ok(Self { environment, write_helps, folders, keep })
    }

    /// Ends what still runs and waits for it a moment, so that its folders go; then goes.
    pub(crate) fn abandon(self, runtime: Runtime) {
        runtime.block_on(vault::settle(&self.keep, true));
        until_programs_ended(&runtime);
        runtime.shutdown_timeout(ABANDON_TIME);
    }

    /// Ends what still runs, and gives the files that were left for the user. `hushed` says nothing of what is thrown away.
    pub(crate) fn leave(self, runtime: Runtime, quiet: bool, hushed: bool) -> Vec<PathBuf> {
        runtime.block_on(vault::settle(&self.keep, quiet));
        // What runs beside may write to a folder that goes.
        until_programs_ended(&runtime);
        // A call that was ended may still sit in a file operation of the system; it is not waited for.
        runtime.shutdown_background();
        let left = self.folders.left_over(hushed);
        // What hands have that were not dropped yet.
        Temporary::remove_all();
        left
    }

    /// What makes the folders go that are this process's own, while another thread still has them.
    pub(crate) fn sweeper(&self) -> impl FnOnce() + Send + 'static {
        let outputs = self.folders.temporary.as_ref().map(|temporary| temporary.path().to_owned());
        move || {
            Temporary::remove_all();
            // Only if nothing was left in it.
            let _ = outputs.map(std::fs::remove_dir);
        }
    }
}

/// Waits a moment for what the hands started: they end it as they go.
fn until_programs_ended(runtime: &Runtime) {
    let ended = async {
        while live_programs() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // Who does not end in time is ended with the runtime.
    let _ = runtime.block_on(async { tokio::time::timeout(ABANDON_TIME, ended).await });
}

/// Waits until somebody wants this process to end, and gives the signal's number: temporary folders are removed first.
pub(crate) async fn told_to_end() -> u8 {
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => 2,
        signal = told_by_others() => signal,
    }
}

/// The same, but for the interrupt from the keyboard.
#[cfg(unix)]
pub(crate) async fn told_by_others() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        // Then the system ends the process.
        Err(_) => std::future::pending().await,
    };
    let hangs_up = !ignores_hangup();
    tokio::select! {
        () = wait(SignalKind::terminate()) => 15,
        () = wait(SignalKind::hangup()), if hangs_up => 1,
    }
}

/// Whether SIGHUP was ignored when this began, as `nohup` has it: then it stays so. Known on Linux (proc(5), `SigIgn`).
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

/// As above.
#[cfg(not(unix))]
pub(crate) async fn told_by_others() -> u8 {
    std::future::pending().await
}

/// An environment value that nobody gave otherwise.
pub(crate) fn lay(env: &mut Vec<(String, String)>, pair: (String, String)) {
    if env.iter().all(|(name, _)| *name != pair.0) {
        env.push(pair);
    }
}

/// Whether --write would make every granted folder writable: it speaks for the current folder
/// and for those of --dir without a mode.
fn write_helps(effective: &grants::Effective, typed: &args::Grants) -> bool {
    let own = |source: &Source| matches!(source, Source::CurrentFolder | Source::Flag("--dir"));
    effective.sources.folders.iter().all(own) && !typed.dir.iter().any(|dir| grants::typed_mode(dir).is_some())
}

/// The scratch folder and the outputs of one call.
pub(crate) struct Folders {
    pub(crate) scratch: Temporary,
    pub(crate) outputs: PathBuf,
    /// What lay in it before.
    before: HashMap<PathBuf, Stamp>,
    /// Without --outputs they are kept only if there are any.
    temporary: Option<tempfile::TempDir>,
}

/// What differs if a file was written: when, and how long it is.
type Stamp = Option<(std::time::SystemTime, u64)>;

impl Folders {
    pub(crate) fn make(outputs: Option<&Path>) -> Result<Self, Failure> {
        let failed = |error| {
            Failure::usage(format!("no scratch folder can be made: {error}")).hint("set TMPDIR to a writable folder")
        };
        let scratch = Temporary::make().map_err(failed)?;
        if let Some(outputs) = outputs {
            let failed = |error| Failure::usage(format!("--outputs {}: {error}", outputs.display()));
            if outputs.exists() && !outputs.is_dir() {
                let message = format!("--outputs: {} is a file", outputs.display());
                return Err(Failure::usage(message).hint("name a folder; what the tool leaves for you is put into it"));
            }
            std::fs::create_dir_all(outputs).map_err(failed)?;
            let outputs = outputs.canonicalize().map_err(failed)?;
            return Ok(Self { scratch, before: entries(&outputs).collect(), outputs, temporary: None });
        }
        // Under another name than what is removed when its process was killed: it may hold what somebody wants.
        let temporary = private("handbox-outputs-").map_err(failed)?;
        let outputs = temporary.path().to_owned();
        Ok(Self { scratch, outputs, before: HashMap::new(), temporary: Some(temporary) })
    }

    /// The files that the call left for the user, by name. Keeps their folder if there are any.
    pub(crate) fn left_over(self, quiet: bool) -> Vec<PathBuf> {
        let changed = entries(&self.outputs).filter(|(path, stamp)| self.before.get(path) != Some(stamp));
        let mut left: Vec<PathBuf> = changed.map(|(path, _)| path).collect();
        left.sort();
        left.iter().for_each(|path| open_up(path));
        if let (Some(temporary), false) = (self.temporary, left.is_empty()) {
            let _ = temporary.keep();
        }
        let scratch = self.scratch.path().to_owned();
        if !quiet && entries(&scratch).next().is_some() {
            let text = "note: the tool left files in its own /tmp, which is thrown away and is not this machine's; what it leaves in \
                        /mnt/session/outputs is kept";
            output::note(Tone::Note, text);
        }
        if let Err(error) = self.scratch.remove() {
            let scratch = scratch.display();
            output::note(Tone::Warning, &format!("the tool's scratch folder {scratch} could not be removed: {error}"));
        }
        left
    }
}

/// A new folder for temporary files that nobody else of this machine may look into.
fn private(prefix: &str) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, Stamp)> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| {
        let about = entry.metadata().ok();
        (entry.path(), about.and_then(|about| Some((about.modified().ok()?, about.len()))))
    })
}
