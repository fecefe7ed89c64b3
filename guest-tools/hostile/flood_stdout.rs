//! Prints without end.

use handbox_tool::{Fault, tool};
use std::io::Write as _;

/// How much, and where.
#[handbox_tool::input]
struct Attack {
    /// How many bytes; without end if none.
    bytes: Option<u64>,
    /// To standard error instead.
    stderr: Option<bool>,
}

/// Prints, and says how much it could.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let chunk = [b'x'; 4096];
    let mut printed = 0;
    while input.bytes.is_none_or(|bytes| printed < bytes) {
        if input.stderr == Some(true) {
            std::io::stderr().write_all(&chunk)?;
        } else {
            std::io::stdout().write_all(&chunk)?;
        }
        printed += chunk.len() as u64;
    }
    Ok(format!("{printed} bytes"))
}

handbox_tool::export!(attack);
