//! What the shell stands on: streams, pipes and programs.
//!
//! In a component this is `handbox:process`; elsewhere the machine's own, so that the
//! shell can be compared with the machine's bash. Both modules have the same items.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasi;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasi::*;

/// Why a stream could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody will read what is written.
    Closed,
    NotFound,
    IsDirectory,
    NotDirectory,
    Exists,
    Denied,
    Other(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "Broken pipe",
            Self::NotFound => "No such file or directory",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::Exists => "File exists",
            Self::Denied => "Permission denied",
            Self::Other(why) => why,
        })
    }
}

/// What a capture kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// As it was written.
    pub(crate) bytes: Vec<u8>,
    /// Whose the bytes are, in their order: a source, and how many.
    pub(crate) sources: Vec<(u8, u64)>,
}

impl Kept {
    /// The bytes of one source, in pieces.
    pub(crate) fn runs(&self, source: u8) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = self.bytes.as_slice();
        let runs = self.sources.iter().map(move |(from, length)| {
            let length = usize::try_from(*length).unwrap_or(usize::MAX).min(rest.len());
            let (run, after) = rest.split_at(length);
            rest = after;
            (*from, run)
        });
        runs.filter(move |(from, _)| *from == source).map(|(_, run)| run)
    }
}

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Truncate,
    Append,
    /// The file must not be there yet.
    CreateNew,
    Overwrite,
}

/// What to start. `PWD` in the environment is the working directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    pub(crate) program: String,
    /// With the name it sees as its own, first.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) handed: Vec<u8>,
}

impl Command {
    /// What all of it takes, in bytes, each text with a word for where it lies.
    pub(crate) fn size(&self) -> usize {
        let args: usize = self.args.iter().map(|arg| arg.len() + 8).sum();
        let env: usize = self.env.iter().map(|(name, value)| name.len() + value.len() + 16).sum();
        args + env + self.handed.len()
    }
}

/// Why nothing was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpawnFault {
    NotFound,
    TooMany,
    Failed(String),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Exited(u8),
    Killed(u8),
    /// The sandbox ended it, in words.
    Trapped(String),
}

impl Ending {
    /// As `$?` shows it.
    pub(crate) fn status(&self) -> i32 {
        match self {
            Self::Exited(status) => i32::from(*status),
            Self::Killed(signal) => 128 + i32::from(*signal),
            Self::Trapped(_) => 134,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn what_two_sources_wrote_is_told_apart() {
        let kept = Kept { bytes: b"abcde".to_vec(), sources: vec![(1, 2), (2, 1), (1, 2)] };
        let of = |source| kept.runs(source).collect::<Vec<_>>().concat();
        assert_eq!((of(1), of(2), of(3)), (b"abde".to_vec(), b"c".to_vec(), Vec::new()));
    }
}
