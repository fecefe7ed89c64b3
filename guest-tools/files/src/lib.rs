//! The standard tools `read`, `write` and `edit`, with the names, inputs and limits of
//! `agent_toolset_20260401`.

mod editing;
mod kind;
mod reading;
mod writing;

use handbox_guest_support::Workspace;
use handbox_tool::{Fault, Output, input, tool};

/// The largest text that is read or edited whole.
const TEXT_BYTES_MAX: u64 = 256 * 1024;

/// Input of `read`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The file to read. Relative paths start in the working folder.
    file_path: String,
    /// The first and the last line to show, counted from 1, both included. A last line of 0
    /// or less means the end of the file. Only for text.
    view_range: Option<[i64; 2]>,
}

/// Input of `write`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// The file to write. Relative paths start in the working folder. Missing folders are
    /// made.
    file_path: String,
    /// All that the file will hold.
    content: String,
}

/// Input of `edit`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file to change. Relative paths start in the working folder.
    file_path: String,
    /// The exact text to replace, with its whitespace. It must occur once, unless
    /// replace_all is true: take in enough of the lines around it.
    old_string: String,
    /// The text to put there.
    new_string: String,
    /// Replace every occurrence instead of exactly one.
    replace_all: Option<bool>,
}

/// Reads a file: text, an image (PNG, JPEG, GIF or WebP) or a PDF.
///
/// Text comes back as it is, without line numbers. A text file over 256 KiB needs a
/// view_range. Use glob to list a folder, and grep to find the lines worth reading in a
/// large file.
#[tool(read_only, idempotent)]
fn read(input: Read) -> Result<Output, Fault> {
    reading::run(&Workspace::current()?, &input)
}

/// Writes a file, replacing all that it held. Makes the folders on the way.
///
/// To change a part of a file, use edit.
#[tool(idempotent, destructive)]
fn write(input: Write) -> Result<String, Fault> {
    writing::run(&Workspace::current()?, &input)
}

/// Replaces exact text in a file.
///
/// old_string must match the file character for character, with its indentation, and occur
/// once, unless replace_all is true. Read the file first. To make a new file, use write.
#[tool(destructive)]
fn edit(input: Edit) -> Result<String, Fault> {
    editing::run(&Workspace::current()?, &input)
}

handbox_tool::export!(read, write, edit);

#[cfg(test)]
mod testing {
    use handbox_guest_support::Workspace;
    use tempfile::TempDir;

    /// A folder that is granted as `/workspace`.
    pub(crate) struct Granted {
        pub(crate) folder: TempDir,
        pub(crate) workspace: Workspace,
    }

    impl Granted {
        pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
            let folder = TempDir::new().unwrap();
            for (name, content) in files {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content).unwrap();
            }
            let folders = vec![("/workspace".to_owned(), folder.path().to_owned())];
            let workspace = Workspace::new(folders, None).unwrap();
            Self { folder, workspace }
        }

        pub(crate) fn content(&self, name: &str) -> Vec<u8> {
            std::fs::read(self.folder.path().join(name)).unwrap()
        }
    }
}
