//! Named pipes that only their owner may open. Written with the documentation; never run.

use super::super::holder::Place;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::named_pipe::{PipeListenerOptions, pipe_mode};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use std::io;
use std::path::Path;
use widestring::u16cstr;

pub(in super::super) type Stream = DuplexPipeStream<pipe_mode::Bytes>;
pub(in super::super) type ReadHalf = tokio::io::ReadHalf<Stream>;
pub(in super::super) type WriteHalf = tokio::io::WriteHalf<Stream>;

/// Whether the other side is this user. The pipe's own list of who may open it has decided that already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Peer {
    Owner,
    #[expect(dead_code, reason = "the system refuses strangers before they are seen")]
    Stranger,
}

impl Peer {
    pub(in super::super) fn of(_: &Stream) -> io::Result<Self> {
        Ok(Self::Owner)
    }
}

/// A pipe that waits for clients. It goes with the process; there is no file to be left over.
pub(in super::super) struct Listener(PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>);

/// What is on the disk for a pipe: nothing.
pub(in super::super) struct Files;

impl Listener {
    /// Makes the pipe. Only while the store's lock is held.
    pub(in super::super) fn bind(place: &Place) -> io::Result<(Self, Files)> {
        std::fs::create_dir_all(place.folder())?;
        // Protected from inheritance; everything for the owner, nothing for anybody else.
        let owner_only = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)"))?;
        let name = pipe_name(place)?;
        let options = PipeListenerOptions::new().path(name.as_str()).accept_remote(false);
        let options = options.security_descriptor(Some(owner_only));
        let listener = options.create_tokio_duplex::<pipe_mode::Bytes>()?;
        Ok((Self(listener), Files))
    }

    pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await
    }
}

impl Files {
    /// A pipe's name follows from the data folder.
    pub(in super::super) fn elsewhere(&self) -> Option<&Path> {
        None
    }
}

/// Connects to the holder.
pub(in super::super) async fn connect(place: &Place) -> io::Result<Stream> {
    let name = pipe_name(place)?;
    Stream::connect_by_path(name.as_str()).await
}

/// Both directions of a connection.
pub(in super::super) fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    tokio::io::split(stream)
}

/// Pipes have names of their own beside the file system's, so the data folder is in it as a hash.
fn pipe_name(place: &Place) -> io::Result<String> {
    let folder = place.folder().canonicalize()?;
    let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    Ok(format!(r"\\.\pipe\handbox-{}", &hash[..32]))
}
