//! Over `handbox:process`.

use super::{Ended, Wanted, Way};
use generated::handbox::process::permissions as bits;
use generated::handbox::process::processes::{self, Capture, Ending, Input, Output, SpawnFault, StreamFault};

mod generated {
    wit_bindgen::generate!({ path: "wit/process", world: "starts-programs", generate_all });
}

/// How much is kept of what a program writes; the rest is dropped.
const KEPT_BYTES_MAX: u64 = 16 << 20;
/// Sources of a capture that are shown to nobody: those of 1 and 2 are.
const OUTPUT: u8 = 3;

pub(super) fn run(wanted: Wanted) -> Result<Ended, &'static str> {
    let name = wanted.program.rsplit('/').next().unwrap_or_default().to_owned();
    let mut args = vec![wanted.program.clone()];
    args.extend(wanted.args);
    let mut env = wanted.env;
    env.retain(|(name, _)| name != "PWD");
    env.push(("PWD".to_owned(), wanted.folder));
    let command = processes::Command { program: name, args, env, handed: Vec::new() };
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
