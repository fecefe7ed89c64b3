//! Makes files until it is refused.

use handbox_tool::{Fault, tool};
use std::fs;
use std::path::Path;

/// How many, of what, and where.
#[handbox_tool::input]
struct Attack {
    /// The folder.
    path: String,
    /// How many; until it is refused if none.
    count: Option<u64>,
    /// Folders, each in the one before, instead of files.
    folders: Option<bool>,
}

/// Makes many files, and says how many.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let mut made = 0;
    let mut path = Path::new(&input.path).to_owned();
    while input.count.is_none_or(|count| made < count) {
        let result = if input.folders == Some(true) {
            path.push("d");
            fs::create_dir(&path)
        } else {
            fs::write(path.join(format!("f{made}")), "")
        };
        if let Err(error) = result {
            return Ok(format!("{made} made, then {error}"));
        }
        made += 1;
    }
    Ok(format!("{made} made"))
}

handbox_tool::export!(attack);
