//! The component's system: `handbox:process`.

use super::{Command, Ending, Fault, Kept, SpawnFault, Writing};
use crate::text::{from_bytes, to_bytes};
use std::time::Duration;

mod generated {
    wit_bindgen::generate!({ path: "wit/process", world: "starts-programs", generate_all });
}

use generated::handbox::process::permissions;
use generated::handbox::process::processes as wit;

impl From<wit::StreamFault> for Fault {
    fn from(fault: wit::StreamFault) -> Self {
        match fault {
            wit::StreamFault::Closed => Self::Closed,
            wit::StreamFault::NotFound => Self::NotFound,
            wit::StreamFault::IsDirectory => Self::IsDirectory,
            wit::StreamFault::NotDirectory => Self::NotDirectory,
            wit::StreamFault::Exists => Self::Exists,
            wit::StreamFault::Denied => Self::Denied,
            wit::StreamFault::Other(why) => Self::Other(why),
        }
    }
}

/// How much is written in one call, in bytes: what a pipe holds.
const WRITTEN_BYTES_MAX: usize = 64 << 10;

/// An end to read from.
pub(crate) struct Input(wit::Input);

impl Input {
    pub(crate) fn own() -> Self {
        Self(wit::Input::stdin())
    }

    pub(crate) fn empty() -> Self {
        Self(wit::Input::empty())
    }

    /// These bytes: see [`crate::scratch::input_of`] for more than one piece may hold.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(wit::Input::of_bytes(bytes))
    }

    pub(crate) fn open(path: &str) -> Result<Self, Fault> {
        Ok(Self(wit::Input::open(path)?))
    }

    /// Whether something can be read, or the end is there, before so much time is over.
    pub(crate) fn ready(&self, most: Option<Duration>) -> bool {
        self.0.ready(most.map(nanoseconds))
    }

    /// Bytes as they come; none at the end.
    pub(crate) fn read(&self, max: u32) -> Result<Vec<u8>, Fault> {
        Ok(self.0.read(max)?)
    }

    /// Bytes up to this one; no more than `max` or 64 KiB.
    pub(crate) fn read_until(&self, delimiter: u8, max: u32) -> Result<Vec<u8>, Fault> {
        Ok(self.0.read_until(delimiter, max)?)
    }
}

/// An end to write to.
pub(crate) struct Output(wit::Output);

impl Output {
    pub(crate) fn own() -> Self {
        Self(wit::Output::stdout())
    }

    pub(crate) fn own_error() -> Self {
        Self(wit::Output::stderr())
    }

    pub(crate) fn discard() -> Self {
        Self(wit::Output::discard())
    }

    pub(crate) fn open(path: &str, how: Writing) -> Result<Self, Fault> {
        let how = match how {
            Writing::Truncate => wit::Writing::Truncate,
            Writing::Append => wit::Writing::Append,
            Writing::CreateNew => wit::Writing::CreateNew,
            Writing::Overwrite => wit::Writing::Overwrite,
        };
        Ok(Self(wit::Output::open(path, how)?))
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        // One crossing of the border carries only so much.
        bytes.chunks(WRITTEN_BYTES_MAX).try_for_each(|piece| Ok(self.0.write(piece)?))
    }
}

/// A pipe of 64 KiB.
pub(crate) fn pipe() -> Result<(Output, Input), Fault> {
    let (output, input) = wit::pipe();
    Ok((Output(output), Input(input)))
}

/// Keeps what is written.
pub(crate) struct Capture(wit::Capture);

impl Capture {
    pub(crate) fn new(max: u64) -> Result<Self, Fault> {
        Ok(Self(wit::Capture::new(max)))
    }

    /// An end to write to; what comes by those of different sources is told apart.
    pub(crate) fn output(&self, source: u8) -> Result<Output, Fault> {
        Ok(Output(self.0.output(source)))
    }

    /// What was written since this was last asked.
    pub(crate) fn take(&self) -> Kept {
        let wit::Kept { bytes, sources } = self.0.take();
        Kept { bytes, sources }
    }

    /// It is for the call that runs now.
    pub(crate) fn renew(&self) {
        self.0.renew();
    }

    /// How many bytes were too many since it was last asked for what was written.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

/// A process that was started.
pub(crate) struct Child(wit::Child);

impl Child {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn wait(&self, most: Option<Duration>) -> Option<Ending> {
        self.0.wait(most.map(nanoseconds)).map(|ending| match ending {
            wit::Ending::Exited(status) => Ending::Exited(status),
            wit::Ending::Killed(signal) => Ending::Killed(signal),
            wit::Ending::Trapped(why) => Ending::Trapped(why),
        })
    }

    pub(crate) fn kill(&self, signal: u8) {
        self.0.kill(signal);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Starts a program by name; one that runs `beside` this process may outlive the call.
pub(crate) fn spawn(command: &Command, io: (&Input, &Output, &Output), beside: bool) -> Result<Child, SpawnFault> {
    let text = |text: &String| from_lossy(text);
    let command = wit::Command {
        program: command.program.clone(),
        args: command.args.iter().map(text).collect(),
        env: command.env.iter().map(|(name, value)| (name.clone(), from_lossy(value))).collect(),
        handed: command.handed.clone(),
    };
    let start = if beside { wit::spawn_beside } else { wit::spawn };
    match start(&command, &io.0.0, &io.1.0, &io.2.0) {
        Ok(child) => Ok(Child(child)),
        Err(wit::SpawnFault::NotFound) => Err(SpawnFault::NotFound),
        Err(wit::SpawnFault::TooMany) => Err(SpawnFault::TooMany),
        Err(wit::SpawnFault::Failed(why)) => Err(SpawnFault::Failed(why)),
    }
}

/// Ends all that runs beside this process.
pub(crate) fn end_beside() {
    wit::end_beside();
}

/// WASI's arguments are Unicode: what is not is shown as such.
fn from_lossy(text: &str) -> String {
    String::from_utf8(to_bytes(text)).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The first of these that ends, at most so late.
pub(crate) fn wait_any(children: &[&Child], most: Option<Duration>) -> Option<usize> {
    let children: Vec<&wit::Child> = children.iter().map(|child| &child.0).collect();
    wit::wait_any(&children, most.map(nanoseconds)).and_then(|at| usize::try_from(at).ok())
}

/// What the parent gave.
pub(crate) fn handed() -> Vec<u8> {
    wit::handed()
}

/// Whether nobody waits for the end of what is going on.
pub(crate) fn interrupted() -> bool {
    wit::interrupted()
}

/// The programs that can be started, sorted.
pub(crate) fn programs() -> Vec<String> {
    wit::programs()
}

/// Where a program would be, for `type` and `command -v`.
pub(crate) fn find_program(name: &str, _path: &str) -> Option<String> {
    programs().binary_search_by(|known| known.as_str().cmp(name)).ok().map(|_| format!("/usr/bin/{name}"))
}

/// The environment this process was given.
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), from_bytes(value.as_encoded_bytes())))
        .collect()
}

/// This process's number.
pub(crate) fn process_id() -> u32 {
    wit::numbers().0
}

/// The number of who started it.
pub(crate) fn parent_id() -> u32 {
    wit::numbers().1
}

/// Sends a signal to a process by its number; 0 asks whether it lives. False if there is none, and if it cannot be reached so.
pub(crate) fn send(number: u32, signal: u8) -> bool {
    wit::send(number, signal)
}

/// Which signals are told and do not end this process.
pub(crate) fn catch(signals: &[u8]) {
    wit::catch(signals);
}

/// Those of them that came.
pub(crate) fn caught() -> Vec<u8> {
    wit::caught()
}

/// Whether a file or a folder may be written to.
pub(crate) fn writable(path: &str, about: &std::fs::Metadata) -> bool {
    if about.is_dir() {
        // Where nothing may be removed, that is said before it is seen that there is nothing.
        let nothing = std::fs::remove_file(format!("{path}/.\u{1}"));
        return nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    }
    std::fs::OpenOptions::new().append(true).open(path).is_ok()
}

/// Whether it is a file that may be run.
pub(crate) fn executable(path: &str) -> bool {
    std::path::Path::new(path).is_file() && permits_running(path)
}

/// Whether somebody may run it, or go through it.
pub(crate) fn permits_running(path: &str) -> bool {
    permissions::get(path).map_or_else(|_| std::path::Path::new(path).is_dir(), |bits| bits & 0o111 != 0)
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(path: &str, mode: u32) -> Result<(), Fault> {
    Ok(permissions::set(path, u16::try_from(mode & 0o777).unwrap_or(0))?)
}

/// Whether two paths lead to one file.
pub(crate) fn same_file(left: &str, right: &str) -> bool {
    // Of a link that is followed the host may give the link's own number.
    let identity = |path: &str| {
        std::fs::metadata(path).ok()?;
        rustix::fs::lstat(led_to(path)).map(|about| (about.st_dev, about.st_ino)).ok()
    };
    identity(left).is_some() && identity(left) == identity(right)
}

/// Where links lead from a path; not further than one can go without going in circles.
fn led_to(path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..40 {
        let Ok(target) = std::fs::read_link(&path) else { break };
        let folder = path.rfind('/').map_or("", |at| &path[..=at]);
        path = if target.is_absolute() { String::new() } else { folder.to_owned() } + &target.to_string_lossy();
    }
    path
}
