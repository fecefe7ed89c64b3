//! Holds lists of a folder, each of which the host has to keep.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, DirectoryEntryStream, ErrorCode, OpenFlags, PathFlags};

/// Which folder.
#[handbox_tool::input]
struct Attack {
    /// A granted folder.
    folder: String,
    /// A large folder in it.
    large: String,
}

/// Takes lists until it is refused: at first, after it let one go, and after it let all go.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let failed = |code: ErrorCode| Fault::failed(code.name());
    let large = root.open_at(PathFlags::empty(), &input.large, OpenFlags::DIRECTORY, DescriptorFlags::READ);
    let large = large.map_err(failed)?;
    let mut lists = Vec::new();
    let mut report = String::new();
    for name in ["at first", "one less", "none"] {
        let (more, code) = fill(&large, &mut lists);
        report += &format!("{name}: {more} more, then {}\n", code.name());
        if name == "at first" {
            lists.pop();
        } else {
            lists.clear();
        }
    }
    // The last ones are left for the host to clear away.
    fill(&large, &mut lists);
    std::mem::forget(lists);
    Ok(report)
}

fn fill(large: &Descriptor, lists: &mut Vec<DirectoryEntryStream>) -> (usize, ErrorCode) {
    let before = lists.len();
    loop {
        let list = large.read_directory().and_then(|list| list.read_directory_entry().map(|_| list));
        match list {
            Ok(list) => lists.push(list),
            Err(code) => return (lists.len() - before, code),
        }
    }
}

handbox_tool::export!(attack);
