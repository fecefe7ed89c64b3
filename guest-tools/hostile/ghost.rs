//! Deletes files that it keeps open, so that they take room that nobody sees.

use handbox_hostile::{folder, put};
use handbox_tool::{Fault, tool};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasip2::io::streams::{InputStream, OutputStream};

/// What keeps a file there.
#[handbox_tool::input]
#[serde(rename_all = "snake_case")]
enum Hold {
    /// The descriptor that wrote it.
    Writer,
    /// Another descriptor, which only reads.
    Reader,
    /// A stream that reads it, without any descriptor.
    ReadStream,
    /// A stream that writes it, without any descriptor.
    WriteStream,
}

/// What keeps files there, and how large they are.
#[handbox_tool::input]
struct Attack {
    /// A granted folder.
    folder: String,
    /// What keeps a file there.
    hold: Hold,
    /// Pieces that are written before a file is deleted.
    before: u64,
    /// Pieces that are written after.
    after: u64,
    /// Let each file go before the next.
    let_go: Option<bool>,
}

/// Bytes of one piece.
const PIECE: [u8; 4096] = [b'x'; 4096];
/// Where it gives up: fewer files than may be open at once.
const GHOSTS_MAX: u64 = 200;

/// What is never read, only held.
#[expect(dead_code, reason = "holding it is what it is for")]
enum Held {
    Descriptor(Descriptor),
    Reader(InputStream),
    Writer(OutputStream),
}

/// Writes as much as it can, and says how much that was.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let mut held = Vec::new();
    let mut pieces = 0;
    for _ in 0..GHOSTS_MAX {
        match ghost(&root, &input, &mut pieces) {
            Ok(ghost) => held.push(ghost),
            Err(code) => return Ok(format!("{pieces} pieces, then {}", code.name())),
        }
        if input.let_go == Some(true) {
            held.clear();
        }
    }
    Ok(format!("{pieces} pieces"))
}

fn ghost(root: &Descriptor, input: &Attack, pieces: &mut u64) -> Result<Held, ErrorCode> {
    let open = |flags, access| root.open_at(PathFlags::empty(), "ghost", flags, access);
    let file = open(OpenFlags::CREATE, DescriptorFlags::WRITE)?;
    let stream = file.write_via_stream(0)?;
    let mut write = |count| {
        (0..count).try_for_each(|_| {
            put(&stream, &PIECE)?;
            *pieces += 1;
            Ok(())
        })
    };
    write(input.before)?;
    let reader = open(OpenFlags::empty(), DescriptorFlags::READ)?;
    let read_stream = reader.read_via_stream(0)?;
    root.unlink_file_at("ghost")?;
    write(input.after)?;
    Ok(match input.hold {
        Hold::Writer => Held::Descriptor(file),
        Hold::Reader => Held::Descriptor(reader),
        Hold::ReadStream => Held::Reader(read_stream),
        Hold::WriteStream => Held::Writer(stream),
    })
}

handbox_tool::export!(attack);
