//! Wants disk quota back that it never took.

use handbox_hostile::{folder, put};
use handbox_tool::{Fault, tool};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// What it does before every piece that it writes.
#[handbox_tool::input]
#[serde(rename_all = "snake_case")]
enum Trick {
    /// Deletes a file that was there.
    Unlink,
    /// Replaces a file that was there by another that was there.
    RenameOver,
    /// Empties a file that was there, and deletes it.
    Truncate,
    /// Gives a file that was there two more names, and deletes all three.
    Link,
    /// Gives its own file two more names, and deletes those, one of them twice.
    LinkOwn,
    /// Makes a file large, small, large and small again, and deletes it.
    Resize,
    /// Makes a symbolic link to a very long path, and deletes it.
    Symlink,
    /// Deletes a folder that was there.
    Folder,
    /// Fails to make anything, in every way there is.
    Fail,
}

/// Which trick, and for what.
#[handbox_tool::input]
struct Attack {
    /// A granted folder with files `old-0`, `old-1` and so on in it, or folders.
    folder: String,
    /// What it does before every piece.
    trick: Trick,
    /// Make empty files instead of writing bytes.
    files: Option<bool>,
}

/// Bytes of one piece, and of the file that changes its size.
const PIECE: [u8; 4096] = [b'x'; 4096];
/// Where it gives up.
const PIECES_MAX: u64 = 5000;

/// Takes as much as it gets, and says how much that was.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let failed = |code: ErrorCode| Fault::failed(code.name());
    let big = new(&root, "big").map_err(failed)?;
    let stream = big.write_via_stream(0).map_err(failed)?;
    let is_files = input.files == Some(true);
    for piece in 0..PIECES_MAX {
        // What is refused of a trick is not of interest: what it gains is.
        let _ = play(&root, &input.trick, piece);
        let taken = if is_files { new(&root, &format!("f{piece}")).map(drop) } else { put(&stream, &PIECE) };
        if let Err(code) = taken {
            return Ok(format!("{piece} pieces, then {}", code.name()));
        }
    }
    Ok(format!("{PIECES_MAX} pieces"))
}

fn new(root: &Descriptor, name: &str) -> Result<Descriptor, ErrorCode> {
    root.open_at(PathFlags::empty(), name, OpenFlags::CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::WRITE)
}

fn play(root: &Descriptor, trick: &Trick, round: u64) -> Result<(), ErrorCode> {
    let old = format!("old-{round}");
    let none = PathFlags::empty();
    match trick {
        Trick::Unlink => root.unlink_file_at(&old),
        Trick::RenameOver => root.rename_at(&old, root, &format!("old-{}", round + 1)),
        Trick::Truncate => {
            root.open_at(none, &old, OpenFlags::TRUNCATE, DescriptorFlags::WRITE)?;
            root.unlink_file_at(&old)
        }
        Trick::Link => {
            root.link_at(none, &old, root, "one")?;
            root.link_at(none, &old, root, "two")?;
            [old.as_str(), "one", "two"].into_iter().try_for_each(|name| root.unlink_file_at(name))
        }
        Trick::LinkOwn => {
            root.link_at(none, "big", root, "one")?;
            root.link_at(none, "big", root, "two")?;
            ["one", "two", "one"].into_iter().try_for_each(|name| root.unlink_file_at(name))
        }
        Trick::Resize => {
            let file = new(root, "sized")?;
            let size = PIECE.len() as u64;
            [size, 0, size, 1].into_iter().try_for_each(|size| file.set_size(size))?;
            drop(file);
            root.unlink_file_at("sized")
        }
        Trick::Symlink => {
            // The longest path that Linux takes.
            root.symlink_at(&"t/".repeat(2047), "far")?;
            root.unlink_file_at("far")
        }
        Trick::Folder => root.remove_directory_at(&old),
        Trick::Fail => fail(root),
    }
}

fn fail(root: &Descriptor) -> Result<(), ErrorCode> {
    let tries = [
        root.create_directory_at("big"),
        root.create_directory_at("missing/folder"),
        root.symlink_at("anything", "big"),
        root.link_at(PathFlags::empty(), "missing", root, "linked"),
        root.link_at(PathFlags::empty(), "big", root, "big"),
        root.unlink_file_at("missing"),
        root.remove_directory_at("big"),
        root.rename_at("big", root, "missing/big"),
        new(root, "big").map(drop),
        new(root, "missing/file").map(drop),
    ];
    tries.into_iter().collect()
}

handbox_tool::export!(attack);
