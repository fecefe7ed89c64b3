//! Starts programs: over `handbox:process` in a component.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod sandbox;

#[cfg(not(target_os = "wasi"))]
use native as system;
#[cfg(target_os = "wasi")]
use sandbox as system;

use std::ffi::OsString;
pub(crate) use system::{Child, programs};

/// What a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// What this one reads.
    Own,
    Empty,
    /// What is written to [`Child::take_stdin`].
    Write,
}

/// Where a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Where this one writes.
    Own,
    /// What [`Child::take_stdout`] reads.
    Read,
}

/// Why a program was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotFound,
    Other(String),
}

impl Refused {
    /// What a shell says and which status it gives.
    pub(crate) fn explain(&self, program: &str) -> (String, u8) {
        match self {
            Self::NotFound => (format!("{program}: No such file or directory"), 127),
            Self::Other(reason) => (format!("{program}: {reason}"), 126),
        }
    }
}

/// Starts a program by its name; the environment is this one's, unless another is given.
pub(crate) fn start(
    command: &[OsString],
    environment: Option<Vec<(OsString, OsString)>>,
    stdin: Stdin,
    stdout: Stdout,
) -> Result<Child, Refused> {
    system::start(command, environment, stdin, stdout)
}

/// Folders in which programs are found although no file is there.
pub(crate) const PROGRAM_FOLDERS: [&str; 6] =
    ["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"];

/// The file that a name without a folder means on the search path: it stands before the programs' folders, or behind them and
/// no program has its name.
pub(crate) fn file_on_path(name: &str, path: &str, is_program: bool) -> Option<String> {
    let folders = path.split(':').filter(|folder| !folder.is_empty());
    for folder in folders {
        if PROGRAM_FOLDERS.contains(&folder) {
            if is_program {
                return None;
            }
            continue;
        }
        let file = format!("{}/{name}", folder.trim_end_matches('/'));
        if std::path::Path::new(&file).is_file() {
            return Some(file);
        }
    }
    None
}

/// Starts a shell with this command. What is wrong in words.
pub(crate) fn start_shell(command: &str, stdin: Stdin, stdout: Stdout) -> Result<Child, String> {
    let command: Vec<OsString> = ["sh", "-c", command].iter().map(OsString::from).collect();
    start(&command, None, stdin, stdout).map_err(|refused| refused.explain("sh").0)
}

#[cfg(test)]
mod tests {
    use super::file_on_path;

    #[test]
    fn a_file_on_the_path_is_found_before_programs_or_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let own = folder.path().to_string_lossy().into_owned();
        let file = Some(format!("{own}/mine"));
        assert_eq!(file_on_path("mine", &format!("{own}:/usr/bin"), true), file);
        assert_eq!(file_on_path("mine", &format!("/usr/bin:{own}"), false), file);
        assert_eq!(file_on_path("mine", &format!("/usr/bin:{own}"), true), None);
        assert_eq!(file_on_path("other", &own, false), None);
    }
}
