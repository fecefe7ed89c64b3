//! Files of the shell's own, in `/tmp`.

use crate::system::{Fault, Input, Output, Writing};
use std::hash::{BuildHasher, Hasher};

/// How much may be given to the host in one piece, in bytes. More than it allows is the end of the caller.
pub(crate) const PIECE_BYTES_MAX: usize = 1 << 20;

/// How many names are tried.
const TRIES: usize = 16;

/// A number that nobody foresees.
pub(crate) fn chance() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// Makes a file under a name that is nobody else's.
///
/// # Errors
///
/// No file can be made.
pub(crate) fn create() -> Result<(String, Output), Fault> {
    let mut last = Fault::Exists;
    for _ in 0..TRIES {
        let path = format!("/tmp/.sh-{:016x}", chance());
        match Output::open(&path, Writing::CreateNew) {
            Ok(output) => return Ok((path, output)),
            Err(Fault::Exists) => {}
            Err(fault) => {
                last = fault;
                break;
            }
        }
    }
    Err(last)
}

/// Makes a file that holds this.
pub(crate) fn holding(bytes: &[u8]) -> Result<String, Fault> {
    let (path, output) = create()?;
    match output.write(bytes) {
        Ok(()) => Ok(path),
        Err(fault) => {
            remove(&path);
            Err(fault)
        }
    }
}

/// Removes one. What is left goes away with its folder.
pub(crate) fn remove(path: &str) {
    let _ = std::fs::remove_file(path);
}

/// An end to read these bytes from: those that are too many lie in a file without a name.
///
/// # Errors
///
/// There are too many, and no file can hold them.
pub(crate) fn input_of(bytes: &[u8]) -> Result<Input, Fault> {
    if bytes.len() <= PIECE_BYTES_MAX {
        return Ok(Input::of_bytes(bytes));
    }
    let path = holding(bytes)?;
    let input = Input::open(&path);
    remove(&path);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_one_piece_is_read_from_a_file() {
        let bytes = vec![b'x'; PIECE_BYTES_MAX + 5];
        let input = input_of(&bytes).unwrap();
        let mut read = 0;
        loop {
            let more = input.read(65_536).unwrap().len();
            if more == 0 {
                break;
            }
            read += more;
        }
        assert_eq!(read, bytes.len());
    }

    #[test]
    fn two_files_have_two_names() {
        let (first, second) = (create().unwrap().0, create().unwrap().0);
        assert_ne!(first, second);
        remove(&first);
        remove(&second);
    }
}
