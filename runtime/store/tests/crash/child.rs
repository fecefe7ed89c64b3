//! This test program started again, to be killed or to abort.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a child is to do; the words after it stand in further lines.
const ROLE: &str = "HANDBOX_TEST_CRASH_CHILD";

pub(crate) fn command(role: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role.join("\n")).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Says something to the test that started this, on a line of its own.
pub(crate) fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Not a test of its own: what the other tests start.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Vec<_> = role.lines().collect();
    match role[..] {
        ["kill", folder, round] => crate::kill::write(Path::new(folder), round.parse().unwrap()),
        ["flips", file, seed, from] => {
            crate::flips::look(Path::new(file), seed.parse().unwrap(), from.parse().unwrap());
        }
        _ => panic!("{role:?}"),
    }
}
