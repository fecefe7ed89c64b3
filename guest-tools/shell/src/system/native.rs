//! The machine's own system, for tests.

use super::{Command, Ending, Fault, Kept, SpawnFault, Writing};
use crate::text::{from_bytes, to_bytes};
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Names the file with what the parent hands over.
const HANDED: &str = "HANDBOX_SHELL_HANDED";

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::Closed,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::IsADirectory => Self::IsDirectory,
            ErrorKind::NotADirectory => Self::NotDirectory,
            ErrorKind::AlreadyExists => Self::Exists,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Denied,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// An end to read from.
pub(crate) struct Input(File);

impl Input {
    pub(crate) fn own() -> Self {
        std::io::stdin().as_fd().try_clone_to_owned().map_or_else(|_| Self::empty(), |fd| Self(fd.into()))
    }

    pub(crate) fn empty() -> Self {
        Self(File::open("/dev/null").expect("/dev/null opens"))
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let written = tempfile::tempfile().and_then(|mut file| {
            file.write_all(bytes)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        });
        written.map_or_else(|_| Self::empty(), Self)
    }

    pub(crate) fn open(path: &str) -> Result<Self, Fault> {
        Ok(Self(File::open(os(path))?))
    }

    /// Whether something can be read, or the end is there, before so much time is over.
    pub(crate) fn ready(&self, most: Option<Duration>) -> bool {
        let most = most.and_then(|most| rustix::event::Timespec::try_from(most).ok());
        let mut ends = [rustix::event::PollFd::new(&self.0, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut ends, most.as_ref()).is_ok_and(|ready| ready > 0)
    }

    pub(crate) fn read(&self, max: u32) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; max.min(65_536) as usize];
        let read = (&self.0).read(&mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    pub(crate) fn read_until(&self, delimiter: u8, max: u32) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while bytes.len() < max.min(65_536) as usize && (&self.0).read(&mut byte)? == 1 {
            bytes.push(byte[0]);
            if byte[0] == delimiter {
                break;
            }
        }
        Ok(bytes)
    }
}

/// An end to write to.
pub(crate) struct Output(File);

impl Output {
    pub(crate) fn own() -> Self {
        std::io::stdout().as_fd().try_clone_to_owned().map_or_else(|_| Self::discard(), |fd| Self(fd.into()))
    }

    pub(crate) fn own_error() -> Self {
        std::io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Self::discard(), |fd| Self(fd.into()))
    }

    pub(crate) fn discard() -> Self {
        Self(OpenOptions::new().write(true).open("/dev/null").expect("/dev/null opens"))
    }

    pub(crate) fn open(path: &str, how: Writing) -> Result<Self, Fault> {
        let mut options = OpenOptions::new();
        match how {
            Writing::Truncate => options.write(true).create(true).truncate(true),
            Writing::Append => options.append(true).create(true),
            Writing::CreateNew => options.write(true).create_new(true),
            Writing::Overwrite => options.write(true).create(true),
        };
        Ok(Self(options.open(os(path))?))
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        Ok((&self.0).write_all(bytes)?)
    }
}

fn os(text: &str) -> OsString {
    OsString::from_vec(to_bytes(text))
}

/// A pipe.
pub(crate) fn pipe() -> Result<(Output, Input), Fault> {
    let (reader, writer) = std::io::pipe()?;
    Ok((Output(OwnedFd::from(writer).into()), Input(OwnedFd::from(reader).into())))
}

/// Keeps what is written, in a file.
pub(crate) struct Capture {
    file: File,
    reader: File,
    at: Cell<u64>,
}

impl Capture {
    pub(crate) fn new(_max: u64) -> Result<Self, Fault> {
        let named = tempfile::NamedTempFile::new()?;
        let file = OpenOptions::new().append(true).open(named.path())?;
        let reader = named.reopen()?;
        Ok(Self { file, reader, at: Cell::new(0) })
    }

    /// Sources are not told apart here.
    pub(crate) fn output(&self, _source: u8) -> Result<Output, Fault> {
        Ok(Output(self.file.try_clone()?))
    }

    pub(crate) fn take(&self) -> Kept {
        let mut bytes = Vec::new();
        let mut reader = &self.reader;
        if reader.seek(SeekFrom::Start(self.at.get())).is_ok() && reader.read_to_end(&mut bytes).is_ok() {
            self.at.set(self.at.get() + bytes.len() as u64);
        }
        Kept { sources: vec![(1, bytes.len() as u64)], bytes }
    }

    /// Calls are not told apart here.
    pub(crate) fn renew(&self) {}

    pub(crate) fn dropped(&self) -> u64 {
        0
    }
}

/// A process that was started.
pub(crate) struct Child {
    process: RefCell<std::process::Child>,
    handed: Option<tempfile::TempPath>,
}

impl Child {
    pub(crate) fn id(&self) -> u32 {
        self.process.borrow().id()
    }

    pub(crate) fn wait(&self, most: Option<Duration>) -> Option<Ending> {
        let _ = &self.handed;
        let until = most.map(|most| Instant::now() + most);
        loop {
            let mut process = self.process.borrow_mut();
            let ended = if until.is_none() { process.wait().map(Some) } else { process.try_wait() };
            match ended {
                Ok(Some(status)) => {
                    return Some(status.signal().map_or_else(
                        || Ending::Exited(status.code().unwrap_or(1) as u8),
                        |signal| Ending::Killed(signal as u8),
                    ));
                }
                Ok(None) if until.is_some_and(|until| Instant::now() >= until) => return None,
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Err(error) => return Some(Ending::Trapped(error.to_string())),
            }
        }
    }

    pub(crate) fn kill(&self, signal: u8) {
        if self.wait(Some(Duration::ZERO)).is_none() {
            let id = self.id().to_string();
            let _ = std::process::Command::new("kill").arg(format!("-{signal}")).arg(id).status();
        }
    }
}

/// Starts a program by name.
pub(crate) fn spawn(command: &Command, io: (&Input, &Output, &Output), _beside: bool) -> Result<Child, SpawnFault> {
    let value = |name: &str| command.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let path = value("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let mut handed = None;
    let mut process = if command.handed.is_empty() && !matches!(command.program.as_str(), "sh" | "bash") {
        let program = find_program(&command.program, path).ok_or(SpawnFault::NotFound)?;
        std::process::Command::new(program)
    } else {
        std::process::Command::new(std::env::current_exe().map_err(failed)?)
    };
    process.arg0(os(command.args.first().unwrap_or(&command.program)));
    process.args(command.args.iter().skip(1).map(|arg| os(arg)));
    process.env_clear().envs(command.env.iter().map(|(name, value)| (name, os(value))));
    if !command.handed.is_empty() {
        let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
        file.write_all(&command.handed).map_err(failed)?;
        process.env(HANDED, file.path());
        handed = Some(file.into_temp_path());
    }
    if let Some(folder) = value("PWD").filter(|folder| Path::new(folder).is_dir()) {
        process.current_dir(os(folder));
    }
    let stdio = |file: &File| file.try_clone().map(Stdio::from).map_err(failed);
    process.stdin(stdio(&io.0.0)?).stdout(stdio(&io.1.0)?).stderr(stdio(&io.2.0)?);
    let process = process.spawn().map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => SpawnFault::TooMany,
        _ => failed(error),
    })?;
    Ok(Child { process: RefCell::new(process), handed })
}

/// What a shell started ends by its own hand here.
pub(crate) fn end_beside() {}

fn failed(error: impl std::fmt::Display) -> SpawnFault {
    SpawnFault::Failed(error.to_string())
}

/// The first of these that ends, at most so late.
pub(crate) fn wait_any(children: &[&Child], most: Option<Duration>) -> Option<usize> {
    let until = most.map(|most| Instant::now() + most);
    loop {
        if let Some(at) = children.iter().position(|child| child.wait(Some(Duration::ZERO)).is_some()) {
            return Some(at);
        }
        if children.is_empty() || until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the parent gave.
pub(crate) fn handed() -> Vec<u8> {
    std::env::var_os(HANDED).and_then(|path| std::fs::read(path).ok()).unwrap_or_default()
}

/// Whether nobody waits for the end of what is going on: signals end a native one.
pub(crate) fn interrupted() -> bool {
    false
}

/// The programs that can be started are not listed here.
pub(crate) fn programs() -> Vec<String> {
    Vec::new()
}

/// Where a program is.
pub(crate) fn find_program(name: &str, path: &str) -> Option<String> {
    path.split(':').map(|folder| format!("{folder}/{name}")).find(|path| executable(path))
}

/// The environment this process was given.
pub(crate) fn environment() -> Vec<(String, String)> {
    let text = |os: OsString| from_bytes(&os.into_vec());
    std::env::vars_os().filter(|(name, _)| name != HANDED).map(|(name, value)| (text(name), text(value))).collect()
}

/// This process's number.
pub(crate) fn process_id() -> u32 {
    std::process::id()
}

pub(crate) fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

/// Signals of the machine are left alone.
pub(crate) fn send(_number: u32, _signal: u8) -> bool {
    false
}

pub(crate) fn catch(_signals: &[u8]) {}

pub(crate) fn caught() -> Vec<u8> {
    Vec::new()
}

/// Whether a file or a folder may be written to.
pub(crate) fn writable(_path: &str, about: &std::fs::Metadata) -> bool {
    !about.permissions().readonly()
}

/// Whether it is a file that may be run.
pub(crate) fn executable(path: &str) -> bool {
    std::fs::metadata(os(path)).is_ok_and(|about| about.is_file()) && permits_running(path)
}

/// Whether somebody may run it, or go through it.
pub(crate) fn permits_running(path: &str) -> bool {
    std::fs::metadata(os(path)).is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(path: &str, mode: u32) -> Result<(), Fault> {
    Ok(std::fs::set_permissions(os(path), std::fs::Permissions::from_mode(mode))?)
}

/// Whether two paths lead to one file.
pub(crate) fn same_file(left: &str, right: &str) -> bool {
    let identity = |path: &str| std::fs::metadata(os(path)).map(|about| (about.dev(), about.ino())).ok();
    identity(left).is_some() && identity(left) == identity(right)
}
