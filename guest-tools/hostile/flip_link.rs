//! Makes one name a folder and a link by turns, for another guest to go through.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use std::time::{Duration, Instant};
use wasip2::filesystem::types::ErrorCode;

/// What the name is by turns.
#[handbox_tool::input]
struct Attack {
    /// A granted folder.
    folder: String,
    /// The name.
    name: String,
    /// An honest folder in it.
    decoy: String,
    /// The folder beside it that is to be reached.
    target: String,
    /// For how long, in milliseconds.
    millis: u64,
}

/// Flips the name, and says how often.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let (name, decoy, target) = (input.name.as_str(), input.decoy.as_str(), input.target.as_str());
    let until = Instant::now() + Duration::from_millis(input.millis);
    let flip = || -> Result<(), ErrorCode> {
        // The folder itself, then a link, then a link to the folder that replaces it at once.
        root.rename_at(decoy, &root, name)?;
        root.rename_at(name, &root, decoy)?;
        for to in [target, decoy, target, decoy] {
            root.symlink_at(to, "next")?;
            root.rename_at("next", &root, name)?;
        }
        root.unlink_file_at(name)
    };
    let (mut flips, mut failed) = (0_u64, 0_u64);
    while Instant::now() < until {
        match flip() {
            Ok(()) => flips += 1,
            Err(_) => {
                // The other guest came between: begin again.
                failed += 1;
                let _ = root.rename_at(name, &root, decoy);
                let _ = root.unlink_file_at(name);
                let _ = root.unlink_file_at("next");
            }
        }
    }
    Ok(format!("{flips} flips, {failed} failed"))
}

handbox_tool::export!(attack);
