//! The standard tools `glob` and `grep`, with the names and inputs of
//! `agent_toolset_20260401`.

mod finding;
mod ignoring;
mod matching;
mod tree;

use handbox_guest_support::Workspace;
use handbox_tool::{Fault, input, tool};

/// Input of `glob`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Glob {
    /// Which files, as in **/*.rs or src/{a,b}/*.txt. A * stays within one folder, ** goes
    /// through any number of them.
    pattern: String,
    /// The folder to look in, if not the working folder.
    path: Option<String>,
}

/// Input of `grep`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Grep {
    /// A regular expression in Rust's syntax, matched within single lines. Case matters,
    /// unless it begins with (?i).
    pattern: String,
    /// The file or folder to search, if not the working folder.
    path: Option<String>,
}

/// Lists files and folders by a pattern, the newest first, one path a line.
///
/// Folders end in a slash. Hidden and ignored files are listed too, but nothing in .git.
/// The pattern * lists one folder.
#[tool(read_only, idempotent)]
fn glob(input: Glob) -> Result<String, Fault> {
    finding::run(&Workspace::current()?, &input)
}

/// Searches the contents of files for a regular expression. Each match is a line of
/// path:line:text, sorted by path.
///
/// In folders, hidden files, binary files and files named in .gitignore, .ignore or
/// .rgignore are left out; give such a file's own path to search it.
#[tool(read_only, idempotent)]
fn grep(input: Grep) -> Result<String, Fault> {
    matching::run(&Workspace::current()?, &input)
}

handbox_tool::export!(glob, grep);

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
    }
}
