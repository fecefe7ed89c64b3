//! Over `handbox:process`.

use super::{Ended, Wanted, Way};
use generated::handbox::process::permissions as bits;
use generated::handbox::process::processes::{self, Capture, Ending, Input, Output, SpawnFault, StreamFault};
use std::path::{Path, PathBuf};

mod generated {
    wit_bindgen::generate!({ path: "wit/process", world: "starts-programs", generate_all });
}

/// How much is kept of what a program writes; the rest is dropped.
const KEPT_BYTES_MAX: u64 = 16 << 20;
/// Sources of a capture that are shown to nobody: those of 1 and 2 are.
const OUTPUT: u8 = 3;

/// Folders that a program may be named in although they are not there.
const PROGRAM_FOLDERS: [&str; 5] = ["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin"];

/// The program and its words. What is named by a path, or stands in a folder of the caller's own `PATH`, is a script for the
/// shell to run.
fn command_of(wanted: &Wanted) -> Result<(String, Vec<String>), &'static str> {
    let name = &wanted.program;
    let words = |first: &str| std::iter::once(first.to_owned()).chain(wanted.args.iter().cloned());
    let file = match name.rsplit_once('/') {
        None if processes::programs().contains(name) => return Ok((name.clone(), words(name).collect())),
        None => in_path(name, &wanted.env).ok_or("ENOENT")?,
        Some((folder, last)) => {
            let file = Path::new(&wanted.folder).join(name);
            if PROGRAM_FOLDERS.contains(&folder) && !file.exists() {
                return Ok((last.to_owned(), words(name).collect()));
            }
            file
        }
    };
    let found = file.metadata().map_err(|_| "ENOENT")?;
    let file = file.to_string_lossy();
    if found.is_dir() || permissions(&file).is_some_and(|bits| bits & 0o111 == 0) {
        return Err("EACCES");
    }
    let start = ["sh", "-c", "exec \"$0\" \"$@\""].map(str::to_owned);
    // A name alone would be looked for as a program once more.
    let first = if name.contains('/') { name } else { &*file };
    Ok(("sh".to_owned(), start.into_iter().chain(words(first)).collect()))
}

fn in_path(name: &str, env: &[(String, String)]) -> Option<PathBuf> {
    let (_, folders) = env.iter().find(|(key, _)| key == "PATH")?;
    folders.split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.is_file())
}

pub(super) fn run(wanted: Wanted) -> Result<Ended, &'static str> {
    let (program, args) = command_of(&wanted)?;
    let mut env = wanted.env;
    // Who was given no PWD is told none.
    let name = if env.iter().any(|(name, _)| name == "PWD") { "PWD" } else { "=PWD" };
    env.retain(|(name, _)| name != "PWD");
    env.push((name.to_owned(), wanted.folder));
    let command = processes::Command { program, args, env, handed: Vec::new() };
    let input = match wanted.ways[0] {
        Way::Inherit => Input::stdin(),
        Way::Nowhere => Input::empty(),
        Way::Kept => Input::of_bytes(&wanted.input),
    };
    let kept = [Capture::new(KEPT_BYTES_MAX), Capture::new(KEPT_BYTES_MAX)];
    let output = |way, own: fn() -> Output, capture: &Capture| match way {
        Way::Inherit => own(),
        Way::Nowhere => Output::discard(),
        Way::Kept => capture.output(OUTPUT),
    };
    let to = output(wanted.ways[1], Output::stdout, &kept[0]);
    let errors_to = output(wanted.ways[2], Output::stderr, &kept[1]);
    let child = processes::spawn(&command, &input, &to, &errors_to).map_err(|fault| match fault {
        SpawnFault::NotFound => "ENOENT",
        SpawnFault::TooMany => "EAGAIN",
        SpawnFault::Failed(_) => "EACCES",
    })?;
    let time = wanted.time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let mut ending = child.wait(time);
    let late = ending.is_none();
    if late {
        child.kill(15);
        ending = child.wait(None);
    }
    let (status, signal) = match ending {
        Some(Ending::Exited(status)) => (Some(i32::from(status)), None),
        Some(Ending::Killed(signal)) => (None, Some(signal)),
        Some(Ending::Trapped(_)) | None => (None, Some(6)),
    };
    let [output, errors] = kept.map(|capture| capture.take().bytes);
    Ok(Ended { status, signal, late, output, errors })
}

/// The permission bits of what stands at a path.
pub(crate) fn permissions(path: &str) -> Option<u32> {
    bits::get(path).ok().map(u32::from)
}

/// Sets them.
pub(crate) fn set_permissions(path: &str, mode: u32) -> std::io::Result<()> {
    let mode = u16::try_from(mode & 0o777).unwrap_or_default();
    bits::set(path, mode).map_err(|fault| match fault {
        StreamFault::NotFound => std::io::ErrorKind::NotFound.into(),
        _ => std::io::ErrorKind::PermissionDenied.into(),
    })
}
