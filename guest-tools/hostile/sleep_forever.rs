//! Waits in the host.

use handbox_tool::{Fault, tool};
use std::time::Duration;

/// Sleeps.
#[tool]
fn attack() -> Result<String, Fault> {
    loop {
        std::thread::sleep(Duration::MAX);
    }
}

handbox_tool::export!(attack);
