//! Wants files made in the place of one that another guest takes away at that moment.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use std::time::{Duration, Instant};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

/// Which of the two guests it is.
#[handbox_tool::input]
#[serde(rename_all = "snake_case")]
enum Role {
    /// Makes the file, or opens it if it is there.
    Maker,
    /// Takes it away, and puts it back if it has not been made again.
    Mover,
}

/// Where, which and for how long.
#[handbox_tool::input]
struct Attack {
    /// A granted folder.
    folder: String,
    /// Which of the two guests it is.
    role: Role,
    /// For how long, in milliseconds.
    millis: u64,
}

/// Plays its part, and says how often that worked.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let until = Instant::now() + Duration::from_millis(input.millis);
    let mut count = 0_u64;
    while Instant::now() < until {
        let worked = match input.role {
            Role::Maker => make(&root),
            Role::Mover => take(&root, &format!("loot-{count}")),
        };
        count += u64::from(worked);
    }
    Ok(format!("{count} times"))
}

fn make(root: &Descriptor) -> bool {
    root.open_at(PathFlags::empty(), "x", OpenFlags::CREATE, DescriptorFlags::WRITE).is_ok()
}

fn take(root: &Descriptor, loot: &str) -> bool {
    if root.rename_at("x", root, "away").is_err() {
        return false;
    }
    let is_made_again = root.stat_at(PathFlags::empty(), "x").is_ok();
    let to = if is_made_again { loot } else { "x" };
    root.rename_at("away", root, to).is_ok() && is_made_again
}

handbox_tool::export!(attack);
