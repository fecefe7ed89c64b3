//! The guests' own tests. They are a workspace of their own, so that `cargo test` here would not run them.

use handbox_tests::{finish, repository};
use std::process::Command;
use std::time::Duration;

/// The first run compiles what they depend on.
const TIME_MAX: Duration = Duration::from_secs(20 * 60);

#[test]
fn the_guests_pass_their_own_tests() {
    let tests = passed_in("guest-tools");
    assert!(tests >= 40, "only {tests} tests ran");
}

#[test]
fn the_javascript_guest_passes_its_own_tests() {
    let tests = passed_in("guest-tools/javascript");
    assert!(tests >= 3, "only {tests} tests ran");
}

/// How many tests passed in the workspace of this folder; all did.
fn passed_in(folder: &str) -> usize {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository().join(folder)).args(["test", "--workspace", "--quiet"]);
    // Cargo's settings for this test are not those of that workspace.
    command.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET");
    let ran = finish(command, Vec::new(), TIME_MAX).ok();
    ran.out().lines().filter_map(passed).sum()
}

/// How many tests a line `test result: ok. 12 passed; …` speaks of.
fn passed(line: &str) -> Option<usize> {
    line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse().ok()
}
