//! Calls the host without end. Each call is cheap and does nothing.

use handbox_tool::{Fault, tool};
use std::time::Instant;

/// Asks for the time.
#[tool]
fn attack() -> Result<String, Fault> {
    loop {
        std::hint::black_box(Instant::now());
    }
}

handbox_tool::export!(attack);
