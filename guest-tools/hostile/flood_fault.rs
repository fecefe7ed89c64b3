//! Fails with more text than anybody reads.

use handbox_tool::{Fault, tool};

/// How much.
#[handbox_tool::input]
struct Attack {
    /// How many bytes of text.
    bytes: usize,
}

/// Fails at length.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    Err(Fault::failed("x".repeat(input.bytes)))
}

handbox_tool::export!(attack);
