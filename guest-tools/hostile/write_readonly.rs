//! Changes what it may only read, in every way there is.

use handbox_hostile::{folder, line};
use handbox_tool::{Fault, tool};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags};

/// What to change.
#[handbox_tool::input]
struct Attack {
    /// The granted folder.
    folder: String,
    /// A file in it.
    file: String,
    /// Another granted folder, which may be written: links and renames go there too.
    other: Option<String>,
}

/// Tries everything, and says line by line what was done and what refused.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let root = folder(&input.folder)?;
    let file = input.file.as_str();
    let open = |flags, how| root.open_at(PathFlags::SYMLINK_FOLLOW, file, flags, how);
    let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
    let mut report = String::new();
    report += &line("truncate", open(OpenFlags::TRUNCATE, write));
    report += &line("truncate for reading", open(OpenFlags::TRUNCATE, read));
    report += &line("create", root.open_at(PathFlags::empty(), "new", OpenFlags::CREATE, write));
    report += &line("create for reading", root.open_at(PathFlags::empty(), "new2", OpenFlags::CREATE, read));
    report += &line("write", open(OpenFlags::empty(), write).and_then(|file| file.write(b"changed", 0)));
    report += &on_a_reader("a reader", open(OpenFlags::empty(), read));
    report += &line("rename", root.rename_at(file, &root, "renamed"));
    report += &line("link", root.link_at(PathFlags::empty(), file, &root, "linked"));
    report += &line("symlink", root.symlink_at(file, "symlinked"));
    report += &line("folder", root.create_directory_at("folder"));
    let now = NewTimestamp::Now;
    report += &line("times", root.set_times_at(PathFlags::empty(), file, now, now));
    if let Some(other) = &input.other {
        let other = folder(other)?;
        report += &line("link out", root.link_at(PathFlags::empty(), file, &other, "linked-out"));
        report += &line("write through the link", written(&other, "linked-out"));
        report += &line("rename out", root.rename_at(file, &other, "renamed-out"));
    }
    report += &line("unlink", root.unlink_file_at(file));
    Ok(report)
}

fn on_a_reader(name: &str, opened: Result<Descriptor, ErrorCode>) -> String {
    let file = match opened {
        Ok(file) => file,
        Err(code) => return line::<()>(name, Err(code)),
    };
    let now = NewTimestamp::Now;
    line("write to a reader", file.write(b"changed", 0))
        + &line("append to a reader", file.append_via_stream().map(drop))
        + &line("stream to a reader", file.write_via_stream(0).map(drop))
        + &line("size of a reader", file.set_size(0))
        + &line("times of a reader", file.set_times(now, now))
}

fn written(folder: &Descriptor, name: &str) -> Result<(), ErrorCode> {
    let file = folder.open_at(PathFlags::empty(), name, OpenFlags::empty(), DescriptorFlags::WRITE)?;
    file.write(b"changed", 0).map(drop)
}

handbox_tool::export!(attack);
