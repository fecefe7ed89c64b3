//! What the machine must have.

use crate::command;
use std::path::Path;
use std::process::Command;

const PROGRAMS: &[&str] = &["unshare", "losetup", "mkfs.ext4", "mount", "umount", "dd", "sync"];
const CONTROL: &str = "/dev/loop-control";

/// A program that starts another where its mounts are its own and those of others are still seen to go.
pub(crate) fn apart() -> std::io::Result<Command> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "slave", "--"]);
    Ok(command)
}

/// All that is missing, each as one says it; what only shows when it is tried, is tried by
/// [`Disk::try_out`](crate::disk::Disk::try_out).
pub(crate) fn missing() -> Vec<String> {
    if std::env::consts::OS != "linux" {
        return vec![format!("Linux; this is {}", std::env::consts::OS)];
    }
    let mut missing = Vec::new();
    if !is_root() {
        missing.push("root: only root may set up loop devices and mount".to_owned());
    }
    for program in PROGRAMS.iter().filter(|program| !is_there(program)) {
        missing.push(format!("the program {program} (of util-linux, e2fsprogs or coreutils) in PATH"));
    }
    if let Err(error) = std::fs::File::options().read(true).write(true).open(CONTROL) {
        missing.push(format!("{CONTROL}, by which loop devices are made: {error}"));
    }
    if !Path::new("/sys/block").is_dir() {
        missing.push("/sys/block, which tells what was written to a device".to_owned());
    }
    if missing.is_empty() {
        let tried = apart().map_err(Into::into).and_then(|mut apart| command::finish(apart.arg("true")));
        match tried {
            Ok((status, ..)) if status.success() => {}
            Ok((_, _, said)) => missing.push(format!("the right to have mounts of its own: {}", said.trim())),
            Err(error) => missing.push(format!("the right to have mounts of its own: {error:#}")),
        }
    }
    missing
}

fn is_root() -> bool {
    // The second number is the effective one.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
