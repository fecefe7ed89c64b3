//! Unix domain sockets, in a folder that only their owner may enter.

use super::super::holder::Place;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream, unix};

pub(in super::super) type Stream = UnixStream;
pub(in super::super) type ReadHalf = unix::OwnedReadHalf;
pub(in super::super) type WriteHalf = unix::OwnedWriteHalf;

/// The longest path that is given to the system as it is: 104 bytes with the closing zero on macOS, 108 on Linux.
const PATH_BYTES_MAX: usize = 100;
/// Where a socket is called by the number of an open folder. Linux has it.
const DESCRIPTORS: &str = "/proc/self/fd";
/// Where a folder with a short name is made if there is no such place.
const SHORT: &str = "/tmp";
const SHORT_PREFIX: &str = "handbox-";

/// Whether the other side is this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Peer {
    Owner,
    Stranger,
}

impl Peer {
    pub(in super::super) fn of(stream: &Stream) -> io::Result<Self> {
        let own = rustix::process::geteuid().as_raw();
        Ok(if stream.peer_cred()?.uid() == own { Self::Owner } else { Self::Stranger })
    }
}

/// A socket that waits for clients.
pub(in super::super) struct Listener(UnixListener);

/// What is on the disk for a socket. Dropping it takes that away, so drop it before the store is given up: later it could
/// be the next holder's.
pub(in super::super) struct Files {
    socket: PathBuf,
    /// The folder of a socket that could not be in the data folder.
    short: Option<PathBuf>,
}

impl Files {
    /// Where the socket is if clients do not find it in the data folder.
    pub(in super::super) fn elsewhere(&self) -> Option<&Path> {
        self.short.is_some().then_some(&self.socket)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Nothing can be done about a file that stays; the next holder replaces it.
        let _ = fs::remove_file(&self.socket);
        if let Some(folder) = &self.short {
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Listener {
    /// Binds, replacing what an earlier holder left. Only while the store's lock is held.
    pub(in super::super) fn bind(place: &Place) -> io::Result<(Self, Files)> {
        private_folder(place.folder())?;
        if let Some(left) = place.elsewhere() {
            remove_short(&left);
        }
        let socket = place.socket();
        if is_short(&socket) || by_descriptor() {
            let name = file_name(&socket)?;
            return Self::bind_in(place.folder(), name, None);
        }
        let folder = make_short()?;
        Self::bind_in(&folder, "holder", Some(folder.clone()))
    }

    /// Binds under a name that nobody looks for and moves the socket into its place once only its owner may use it.
    fn bind_in(folder: &Path, name: &str, short: Option<PathBuf>) -> io::Result<(Self, Files)> {
        let (fresh, socket) = (folder.join("new"), folder.join(name));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let callable = Callable::new(&fresh)?;
        let listener = UnixListener::bind(&callable.path)?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
        fs::rename(&fresh, &socket)?;
        Ok((Self(listener), Files { socket, short }))
    }

    pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

/// Connects to the holder, who must be the same user.
pub(in super::super) async fn connect(place: &Place) -> io::Result<Stream> {
    let elsewhere = place.elsewhere().filter(|socket| is_own_short(socket));
    let callable = Callable::new(&elsewhere.unwrap_or_else(|| place.socket()))?;
    let stream = UnixStream::connect(&callable.path).await?;
    match Peer::of(&stream)? {
        Peer::Owner => Ok(stream),
        Peer::Stranger => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the holder is another user")),
    }
}

/// Both directions of a connection.
pub(in super::super) fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    stream.into_split()
}

/// A path that the system takes for a socket, whatever the length of the real one.
struct Callable {
    path: PathBuf,
    /// Open as long as the path is used.
    _folder: Option<File>,
}

impl Callable {
    fn new(socket: &Path) -> io::Result<Self> {
        if is_short(socket) {
            return Ok(Self { path: socket.to_owned(), _folder: None });
        }
        let folder = File::open(socket.parent().unwrap_or(Path::new(".")))?;
        let path = Path::new(DESCRIPTORS).join(folder.as_raw_fd().to_string()).join(file_name(socket)?);
        Ok(Self { path, _folder: Some(folder) })
    }
}

fn file_name(path: &Path) -> io::Result<&str> {
    path.file_name().and_then(|name| name.to_str()).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn is_short(path: &Path) -> bool {
    path.as_os_str().len() <= PATH_BYTES_MAX
}

fn by_descriptor() -> bool {
    Path::new(DESCRIPTORS).is_dir()
}

/// Makes a folder that only its owner may enter, or makes sure that it is one.
fn private_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    if !is_own_folder(folder) {
        let what = format!("{} is not a folder of this user", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

fn is_own_folder(folder: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == own)
}

/// A new folder with a short name that nobody can guess, so that nobody can be there first.
fn make_short() -> io::Result<PathBuf> {
    let mut name = [0; 12];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let folder = Path::new(SHORT).join(format!("{SHORT_PREFIX}{}", data_encoding::HEXLOWER.encode(&name)));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Whether this is a socket in a folder as [`make_short`] makes them, of this user and entered by nobody else.
fn is_own_short(socket: &Path) -> bool {
    let Some(folder) = socket.parent() else { return false };
    let named = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(SHORT_PREFIX));
    let private = fs::symlink_metadata(folder).is_ok_and(|found| found.mode() & 0o077 == 0);
    folder.parent() == Some(Path::new(SHORT)) && named && private && is_own_folder(folder)
}

/// Takes away what a holder that died left outside of the data folder.
fn remove_short(socket: &Path) {
    if is_own_short(socket) {
        drop(Files { socket: socket.to_owned(), short: socket.parent().map(Path::to_owned) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::holder::Holder;

    #[tokio::test]
    async fn a_socket_is_for_its_owner_only_and_goes_with_its_holder() {
        let data = tempfile::tempdir().expect("a folder");
        let place = Place::new(data.path());
        let (_listener, files) = Listener::bind(&place).expect("bound");
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(place.folder()), mode(&place.socket())), (0o700, 0o600));
        drop(files);
        assert!(!place.socket().exists());
    }

    #[tokio::test]
    async fn a_socket_with_a_short_name_elsewhere_is_found_and_taken_away() {
        let data = tempfile::tempdir().expect("a folder");
        let place = Place::new(data.path());
        private_folder(place.folder()).expect("made");
        let folder = make_short().expect("made");
        let (listener, files) = Listener::bind_in(&folder, "holder", Some(folder.clone())).expect("bound");
        let file = Holder::new("test", files.elsewhere()).write(&place).expect("written");
        assert!(!place.socket().exists(), "it is only elsewhere");

        let (near, far) = tokio::join!(connect(&place), listener.accept());
        assert!(near.is_ok() && far.is_ok());

        // A holder that is killed leaves its folder; the next one takes it away.
        std::mem::forget((files, file));
        let _next = Listener::bind(&place).expect("bound");
        assert!(!folder.exists());
    }

    #[test]
    fn a_socket_elsewhere_is_not_trusted_by_its_name_alone() {
        assert!(!is_own_short(Path::new("/tmp/handbox-none/holder")));
        assert!(!is_own_short(Path::new("/etc/passwd")));
    }
}
