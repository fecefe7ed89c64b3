//! Standard input, of which no more is taken than is asked for: the rest is for whoever reads it next, as in
//! `{ head -n 1; sort; } < file`. Never together with [`std::io::stdin`], which reads ahead.

use std::io::{self, Read};

#[cfg(target_os = "wasi")]
mod system {
    use crate::contract::handbox::process::processes::Input;
    use std::io;

    pub(super) struct End(Input);

    impl End {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(Input::stdin()))
        }

        /// Nothing at the end.
        pub(super) fn read(&mut self, most: usize) -> io::Result<Vec<u8>> {
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            self.0.read(most).map_err(|fault| io::Error::other(format!("{fault:?}")))
        }

        /// At most so much up to this byte, and it too.
        pub(super) fn read_until(&mut self, end: u8, most: usize) -> io::Result<Vec<u8>> {
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            self.0.read_until(end, most).map_err(|fault| io::Error::other(format!("{fault:?}")))
        }
    }
}

#[cfg(not(target_os = "wasi"))]
mod system {
    use std::fs::File;
    use std::io::{self, Read};
    use std::os::fd::AsFd as _;

    pub(super) struct End(File);

    impl End {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(File::from(io::stdin().as_fd().try_clone_to_owned()?)))
        }

        pub(super) fn read(&mut self, most: usize) -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; most.min(super::PIECE_BYTES)];
            let length = self.0.read(&mut bytes)?;
            bytes.truncate(length);
            Ok(bytes)
        }

        pub(super) fn read_until(&mut self, end: u8, most: usize) -> io::Result<Vec<u8>> {
            let (mut bytes, mut byte) = (Vec::new(), [0]);
            while bytes.len() < most && bytes.last() != Some(&end) && self.0.read(&mut byte)? > 0 {
                bytes.push(byte[0]);
            }
            Ok(bytes)
        }
    }
}

/// How much is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What is left of standard input.
pub(crate) struct Stdin(system::End);

impl Stdin {
    pub(crate) fn new() -> io::Result<Self> {
        system::End::new().map(Self)
    }

    /// A piece of what comes up to this byte, and it too; nothing at the end.
    pub(crate) fn piece(&mut self, end: u8) -> io::Result<Vec<u8>> {
        self.0.read_until(end, PIECE_BYTES)
    }

    /// Appends everything up to this byte and it too, or what there is before the end. How much that was: 0 at the end.
    pub(crate) fn read_until(&mut self, end: u8, into: &mut Vec<u8>) -> io::Result<usize> {
        let begun = into.len();
        loop {
            let piece = self.piece(end)?;
            into.extend_from_slice(&piece);
            if piece.is_empty() || piece.last() == Some(&end) {
                return Ok(into.len() - begun);
            }
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.read(into.len())?;
        into[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}
