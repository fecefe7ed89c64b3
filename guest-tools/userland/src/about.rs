//! What is known of a file, its permission bits among it: WASI has none, so that they are asked for apart.

use rustix::fs::{AtFlags, CWD, Stat, Timespec, Timestamps};
use std::io;

/// What the environment calls the mask of new files where it is not the usual one.
const UMASK: &str = "HANDBOX_UMASK";
const UMASK_USUAL: u32 = 0o022;
/// Following more links than this is going in circles.
const LINKS_MAX: usize = 40;
/// Blocks of a disk are counted in units of this.
pub(crate) const BLOCK_BYTES: u64 = 512;

/// A moment: seconds since 1970, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
    }

    // How wide the nanoseconds are depends on the system; below 10⁹ they fit all.
    fn spec(self) -> Timespec {
        Timespec { tv_sec: self.seconds, tv_nsec: self.nanos as _ }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    Device,
    Pipe,
    Socket,
}

impl Kind {
    /// As the first letter of a line of `ls -l`.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::File => '-',
            Self::Folder => 'd',
            Self::Link => 'l',
            Self::Device => 'c',
            Self::Pipe => 'p',
            Self::Socket => 's',
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) kind: Kind,
    /// The permission bits, up to 0o7777.
    pub(crate) mode: u32,
    pub(crate) links: u64,
    pub(crate) inode: u64,
    pub(crate) device: u64,
    pub(crate) size: u64,
    pub(crate) accessed: Moment,
    pub(crate) modified: Moment,
    pub(crate) changed: Moment,
}

impl About {
    /// Of what a path leads to.
    pub(crate) fn of(path: &str) -> io::Result<Self> {
        let mut about = Self::looked_up(path, |path| rustix::fs::stat(path))?;
        // A host may give the number of the link, and all else of what it leads to.
        if cfg!(target_os = "wasi")
            && let Ok(target) = rustix::fs::lstat(led_to(path))
        {
            about.inode = target.st_ino;
        }
        Ok(about)
    }

    /// Of what stands at a path, if it is a link too.
    pub(crate) fn of_link(path: &str) -> io::Result<Self> {
        Self::looked_up(path, |path| rustix::fs::lstat(path))
    }

    fn looked_up(path: &str, look: impl Fn(&str) -> rustix::io::Result<Stat>) -> io::Result<Self> {
        match look(path) {
            Ok(stat) => Ok(Self::new(path, &stat)),
            // WASI lets no path lead out of the folder that it begins in, even into another one that was granted.
            Err(error) if path.split('/').any(|part| part == "..") => {
                let path = without_upward(path);
                look(&path).map(|stat| Self::new(&path, &stat)).map_err(|_| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn new(path: &str, stat: &Stat) -> Self {
        // The same numbers everywhere; not every system has a name for each.
        let kind = match stat.st_mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Link,
            0o010_000 => Kind::Pipe,
            0o140_000 => Kind::Socket,
            _ => Kind::Device,
        };
        let [accessed, modified, changed] = moments(stat);
        Self {
            kind,
            mode: system::mode(path, kind, stat),
            links: stat.st_nlink,
            inode: stat.st_ino,
            device: stat.st_dev,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            accessed,
            modified,
            changed,
        }
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    pub(crate) fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    pub(crate) fn same_file(&self, other: &Self) -> bool {
        // Where the system gives no numbers, none is the same.
        self.inode != 0 && (self.device, self.inode) == (other.device, other.inode)
    }

    /// What a disk with blocks of 4 KiB would take for it: WASI does not say.
    pub(crate) fn blocks(&self) -> u64 {
        match self.kind {
            Kind::File => self.size.div_ceil(4096) * (4096 / BLOCK_BYTES),
            Kind::Folder => 4096 / BLOCK_BYTES,
            _ => 0,
        }
    }

    /// `drwxr-xr-x`.
    pub(crate) fn letters(&self) -> String {
        format!("{}{}", self.kind.letter(), crate::mode::letters(self.mode))
    }
}

/// Where links lead from a path.
pub(crate) fn led_to(path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&path) else { break };
        let folder = path.rfind('/').map_or("", |at| &path[..=at]);
        path = if target.is_absolute() { String::new() } else { folder.to_owned() } + &target.to_string_lossy();
    }
    path
}

/// A path from the root, with its `..` worked off.
fn without_upward(path: &str) -> String {
    let mut out = std::path::PathBuf::new();
    for part in std::env::current_dir().unwrap_or_default().join(path).components() {
        if part == std::path::Component::ParentDir {
            out.pop();
        } else {
            out.push(part);
        }
    }
    out.to_string_lossy().into_owned()
}

#[cfg(not(target_os = "wasi"))]
fn moments(stat: &Stat) -> [Moment; 3] {
    let moment = |seconds: i64, nanos: u64| Moment { seconds, nanos: u32::try_from(nanos).unwrap_or(0) };
    [
        moment(stat.st_atime, stat.st_atime_nsec),
        moment(stat.st_mtime, stat.st_mtime_nsec),
        moment(stat.st_ctime, stat.st_ctime_nsec),
    ]
}

#[cfg(target_os = "wasi")]
fn moments(stat: &Stat) -> [Moment; 3] {
    [&stat.st_atim, &stat.st_mtim, &stat.st_ctim]
        .map(|time| Moment { seconds: time.tv_sec, nanos: u32::try_from(time.tv_nsec).unwrap_or(0) })
}

/// Sets when a file was read and written.
pub(crate) fn set_times(path: &str, accessed: Moment, modified: Moment, link: bool) -> io::Result<()> {
    let times = Timestamps { last_access: accessed.spec(), last_modification: modified.spec() };
    let flags = if link { AtFlags::SYMLINK_NOFOLLOW } else { AtFlags::empty() };
    Ok(rustix::fs::utimensat(CWD, path, &times, flags)?)
}

/// Sets the permission bits of what a path leads to.
pub(crate) fn set_mode(path: &str, mode: u32) -> io::Result<()> {
    system::set_mode(path, mode)
}

/// The bits that new files do not get.
pub(crate) fn umask() -> u32 {
    let given = std::env::var(UMASK).ok();
    given.and_then(|mask| u32::from_str_radix(&mask, 8).ok()).map_or(UMASK_USUAL, |mask| mask & 0o777)
}

/// Gives a file that was just made what the mask leaves: the host takes the mask's bits away by itself, but the mask of the
/// whole host may have taken more, and a copy may have brought others.
pub(crate) fn masked(path: &str) {
    let mask = umask();
    if mask != UMASK_USUAL {
        // It is there and has other bits at worst.
        let _ = set_mode(path, 0o666 & !mask);
    }
}

/// As [`masked`], of a folder.
pub(crate) fn masked_folder(path: &str) {
    let mask = umask();
    if mask != UMASK_USUAL {
        let _ = set_mode(path, 0o777 & !mask);
    }
}

/// Whether it can be read, written or run. The first two are tried: who may is not said by the bits alone.
pub(crate) fn readable(path: &str, about: &About) -> bool {
    if about.is_folder() { std::fs::read_dir(path).is_ok() } else { std::fs::File::open(path).is_ok() }
}

pub(crate) fn writable(path: &str, about: &About) -> bool {
    if about.is_folder() {
        // Where nothing may be removed, that is said before it is seen that there is nothing.
        let nothing = std::fs::remove_file(format!("{path}/.\u{1}"));
        return nothing.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    }
    std::fs::OpenOptions::new().append(true).open(path).is_ok()
}

pub(crate) fn executable(about: &About) -> bool {
    about.mode & 0o111 != 0
}

#[cfg(not(target_os = "wasi"))]
mod system {
    use super::{Kind, Stat};
    use std::os::unix::fs::PermissionsExt;

    pub(super) fn mode(_: &str, _: Kind, stat: &Stat) -> u32 {
        stat.st_mode & 0o7777
    }

    pub(super) fn set_mode(path: &str, mode: u32) -> std::io::Result<()> {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
    }
}

#[cfg(target_os = "wasi")]
mod system {
    use super::{Kind, Stat};
    use crate::contract::handbox::process::permissions;
    use crate::contract::handbox::process::processes::StreamFault;
    use rustix::io::Errno;
    use std::io;

    fn absolute(path: &str) -> String {
        let folder = std::env::current_dir().unwrap_or_default();
        folder.join(path).to_string_lossy().into_owned()
    }

    pub(super) fn mode(path: &str, kind: Kind, _: &Stat) -> u32 {
        match kind {
            Kind::Link => 0o777,
            Kind::File | Kind::Folder => {
                permissions::get(&absolute(path)).map_or(if kind == Kind::Folder { 0o755 } else { 0o644 }, u32::from)
            }
            _ => 0o666,
        }
    }

    pub(super) fn set_mode(path: &str, mode: u32) -> io::Result<()> {
        let bits = u16::try_from(mode & 0o777).unwrap_or(0);
        permissions::set(&absolute(path), bits).map_err(|fault| match fault {
            StreamFault::NotFound => Errno::NOENT.into(),
            StreamFault::NotDirectory => Errno::NOTDIR.into(),
            StreamFault::Denied => Errno::PERM.into(),
            other => io::Error::other(format!("{other:?}")),
        })
    }
}
