//! Natively, which is only for tests.

use super::{Ended, Wanted, Way};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(super) fn run(wanted: Wanted) -> Result<Ended, &'static str> {
    let stdio = |index: usize| match wanted.ways[index] {
        Way::Inherit => Stdio::inherit(),
        Way::Nowhere => Stdio::null(),
        Way::Kept => Stdio::piped(),
    };
    let mut command = Command::new(&wanted.program);
    command.args(&wanted.args).env_clear().envs(wanted.env.iter().cloned()).current_dir(&wanted.folder);
    command.stdin(stdio(0)).stdout(stdio(1)).stderr(stdio(2));
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => "EACCES",
        _ => "ENOENT",
    })?;
    let input = child.stdin.take().map(|mut stdin| {
        let input = wanted.input.clone();
        // Who does not read all of it is no error.
        std::thread::spawn(move || drop(stdin.write_all(&input)))
    });
    let output = child.stdout.take().map(|stdout| std::thread::spawn(move || all(stdout)));
    let errors = child.stderr.take().map(|stderr| std::thread::spawn(move || all(stderr)));
    let begun = Instant::now();
    let mut late = false;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if wanted.time.is_some_and(|time| begun.elapsed() > time) => {
                late = true;
                let _ = child.kill();
            }
            Ok(None) => {}
            Err(_) => return Err("ECHILD"),
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |thread: Option<std::thread::JoinHandle<Vec<u8>>>| {
        thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    };
    drop(input);
    let signal = if late { Some(15) } else { status.signal().and_then(|signal| u8::try_from(signal).ok()) };
    Ok(Ended { status: status.code(), signal, late, output: read(output), errors: read(errors) })
}

fn all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error counts.
    let _ = from.read_to_end(&mut bytes);
    bytes
}
