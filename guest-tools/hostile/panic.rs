//! Panics.

use handbox_tool::{Fault, tool};

/// Panics.
#[tool]
fn attack() -> Result<String, Fault> {
    panic!("on purpose")
}

handbox_tool::export!(attack);
