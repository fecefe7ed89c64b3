//! Not hostile: writes a file, and can say afterwards whether it did.

use handbox_tool::{Call, Fault, Outcome, tool};
use std::fs;

/// Where to write.
#[handbox_tool::input]
struct Attack {
    /// A folder.
    path: String,
    /// Trap after the file was written, but before saying so.
    trap: Option<bool>,
}

/// Writes a file named for the call.
#[tool(reconcile = happened)]
fn attack(input: Attack, call: &Call) -> Result<String, Fault> {
    fs::write(format!("{}/{}", input.path, call.id), call.attempt.to_string())?;
    assert!(input.trap != Some(true), "on purpose");
    Ok(format!("written at attempt {}", call.attempt))
}

fn happened(call: &Call) -> Outcome {
    let Ok(input) = call.parse::<Attack>() else { return Outcome::Unknown };
    match fs::read_to_string(format!("{}/{}", input.path, call.id)) {
        Ok(attempt) => Outcome::Committed(format!("written at attempt {attempt}").into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Outcome::NotStarted,
        Err(_) => Outcome::Unknown,
    }
}

handbox_tool::export!(attack; recover);
