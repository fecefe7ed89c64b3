//! Writes one file until it is refused.

use handbox_tool::{Fault, tool};
use std::fs::{self, File};
use std::io::Write as _;

/// How much, and where.
#[handbox_tool::input]
struct Attack {
    /// The file.
    path: String,
    /// How many bytes; until it is refused if none.
    bytes: Option<u64>,
    /// Set the size instead of writing.
    sparse: Option<bool>,
    /// Delete the file after every MiB, so that little is ever there at once.
    delete: Option<bool>,
    /// Once it is refused, write a byte to this file, too.
    then: Option<String>,
}

/// Fills the disk, and says how far it got.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let mut file = File::create(&input.path)?;
    let chunk = vec![b'x'; 64 * 1024];
    let mut written = 0;
    while input.bytes.is_none_or(|bytes| written < bytes) {
        let next = written + chunk.len() as u64;
        let result = if input.sparse == Some(true) { file.set_len(next) } else { file.write_all(&chunk) };
        if let Err(error) = result {
            let then = input.then.map(|path| fs::write(path, "x").map_err(|error| error.kind()));
            let then = then.map(|then| format!(", then {then:?}")).unwrap_or_default();
            return Ok(format!("{written} bytes, then {error}{then}"));
        }
        written = next;
        if input.delete == Some(true) && written.is_multiple_of(1024 * 1024) {
            fs::remove_file(&input.path)?;
            file = File::create(&input.path)?;
        }
    }
    Ok(format!("{written} bytes"))
}

handbox_tool::export!(attack);
