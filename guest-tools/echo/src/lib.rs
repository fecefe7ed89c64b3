//! Says what it is told: the guest of the benchmarks.

use handbox_tool::{Fault, tool};

/// What to say.
#[handbox_tool::input]
struct Echo {
    /// What to say.
    text: String,
}

/// Says what it is told.
#[tool(read_only, idempotent)]
fn echo(input: Echo) -> Result<String, Fault> {
    Ok(input.text)
}

handbox_tool::export!(echo);
