//! The one place that knows what a local socket is on which system.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Files, Listener, Peer, Stream, WriteHalf, connect, split};
#[cfg(windows)]
pub(super) use windows::{Files, Listener, Peer, Stream, WriteHalf, connect, split};
