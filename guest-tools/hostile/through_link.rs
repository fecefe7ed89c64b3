//! Changes a file through a folder that another guest makes a link by turns.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// What to change.
#[handbox_tool::input]
struct Attack {
    /// A granted folder.
    folder: String,
    /// The path of the file in it.
    path: String,
    /// For how long, in milliseconds.
    millis: u64,
}

/// Tries every way again and again, and says how often each was answered how.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let until = Instant::now() + Duration::from_millis(input.millis);
    let mut answers = BTreeMap::<_, u64>::new();
    while Instant::now() < until {
        for (name, attempt) in WAYS {
            let answer = match attempt(&root, &input.path) {
                Ok(()) => "done",
                Err(ErrorCode::NotPermitted) => "refused",
                Err(_) => "missed",
            };
            *answers.entry((name, answer)).or_default() += 1;
        }
    }
    Ok(answers.iter().map(|((way, answer), count)| format!("{way} {answer}: {count}\n")).collect())
}

type Way = fn(&Descriptor, &str) -> Result<(), ErrorCode>;

const WAYS: [(&str, Way); 8] = [
    ("write", |root, path| written(root, path, OpenFlags::empty())),
    ("create", |root, path| written(root, path, OpenFlags::CREATE)),
    ("truncate", |root, path| written(root, path, OpenFlags::CREATE | OpenFlags::TRUNCATE)),
    ("rename over", |root, path| {
        written(root, "evil", OpenFlags::CREATE)?;
        root.rename_at("evil", root, path)
    }),
    ("rename away", |root, path| root.rename_at(path, root, "stolen")),
    ("link away", |root, path| {
        let _ = root.unlink_file_at("linked");
        root.link_at(PathFlags::empty(), path, root, "linked")?;
        written(root, "linked", OpenFlags::empty())
    }),
    ("unlink", |root, path| root.unlink_file_at(path)),
    // So that there is something to reach in the honest folder, too.
    ("create again", |root, path| written(root, path, OpenFlags::CREATE)),
];

fn written(root: &Descriptor, path: &str, open: OpenFlags) -> Result<(), ErrorCode> {
    let file = root.open_at(PathFlags::SYMLINK_FOLLOW, path, open, DescriptorFlags::WRITE)?;
    file.write(b"changed by a guest", 0).map(drop)
}

handbox_tool::export!(attack);
