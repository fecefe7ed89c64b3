//! Reads what was not granted, by the exact path that it is given.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

/// What to read.
#[handbox_tool::input]
struct Attack {
    /// The granted folder to start from.
    folder: String,
    /// The path to open from there.
    path: String,
    /// First make this symbolic link there, to `path`, and open that instead.
    link: Option<String>,
}

/// Reads it, and says what it got.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let mut path = &input.path;
    if let Some(link) = &input.link {
        root.symlink_at(path, link).map_err(|code| Fault::denied(format!("symlink: {}", code.name())))?;
        path = link;
    }
    let file = root.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ);
    let file = file.map_err(|code| Fault::denied(format!("open: {}", code.name())))?;
    let (bytes, _) = file.read(4096, 0).map_err(|code| Fault::denied(format!("read: {}", code.name())))?;
    Ok(format!("read: {}", String::from_utf8_lossy(&bytes)))
}

handbox_tool::export!(attack);
