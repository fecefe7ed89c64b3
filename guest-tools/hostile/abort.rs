//! Ends its own instance: by a trap, or as if it were a program.

use handbox_tool::{Fault, tool};

/// How to end.
#[handbox_tool::input]
struct Attack {
    /// Exit with this status instead of aborting.
    exit: Option<i32>,
}

/// Ends.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    match input.exit {
        Some(status) => std::process::exit(status),
        None => std::process::abort(),
    }
}

handbox_tool::export!(attack);
