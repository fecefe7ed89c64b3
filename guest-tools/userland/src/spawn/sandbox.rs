//! Over `handbox:process`.

use super::{PROGRAM_FOLDERS, Refused, Stdin, Stdout, file_on_path};
use crate::contract::handbox::process::processes::{self, Ending, Input, Output, SpawnFault};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// A program that was started.
pub(crate) struct Child {
    child: processes::Child,
    stdin: Option<Output>,
    stdout: Option<Input>,
}

struct Writer(Output);
struct Reader(Input);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let read = self.0.read(most).map_err(|fault| io::Error::other(format!("{fault:?}")))?;
        bytes[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }
}

impl Child {
    pub(crate) fn take_stdin(&mut self) -> Option<Box<dyn Write>> {
        self.stdin.take().map(|stdin| Box::new(Writer(stdin)) as Box<dyn Write>)
    }

    pub(crate) fn take_stdout(&mut self) -> Option<Box<dyn Read>> {
        self.stdout.take().map(|stdout| Box::new(Reader(stdout)) as Box<dyn Read>)
    }

    /// Waits for its end: its status, or what a shell gives for the signal that ended it.
    pub(crate) fn wait(self) -> i32 {
        self.child.wait(None).map_or(137, status)
    }

    /// As [`Child::wait`]; None if it lives on after so long.
    pub(crate) fn wait_for(&mut self, time: Duration) -> Option<i32> {
        self.child.wait(Some(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))).map(status)
    }

    /// Ends it.
    pub(crate) fn kill(&mut self, signal: u8) {
        self.child.kill(signal);
    }
}

fn status(ending: Ending) -> i32 {
    match ending {
        Ending::Exited(status) => i32::from(status),
        Ending::Killed(signal) => 128 + i32::from(signal),
        Ending::Trapped(why) => {
            eprintln!("{why}");
            134
        }
    }
}

/// The name on the program path and the words it gets: what is named by a path is a script, for the shell to run.
fn program_of(mut words: Vec<String>, path: Option<&str>) -> (String, Vec<String>) {
    if !words[0].contains('/')
        && let Some(file) = path.and_then(|path| file_on_path(&words[0], path, programs().contains(&words[0])))
    {
        words[0] = file;
    }
    match words[0].rsplit_once('/') {
        None => (words[0].clone(), words),
        Some((folder, name)) if PROGRAM_FOLDERS.contains(&folder) && !Path::new(&words[0]).exists() => {
            (name.to_owned(), words)
        }
        Some(_) => {
            let start = ["sh", "-c", "exec \"$0\" \"$@\""].map(str::to_owned);
            ("sh".to_owned(), start.into_iter().chain(words).collect())
        }
    }
}

pub(super) fn start(
    command: &[OsString],
    environment: Option<Vec<(OsString, OsString)>>,
    stdin: Stdin,
    stdout: Stdout,
) -> Result<Child, Refused> {
    let text = |text: &OsString| text.to_string_lossy().into_owned();
    let mut environment: Vec<(String, String)> = environment
        .unwrap_or_else(|| std::env::vars_os().collect())
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    if !environment.iter().any(|(name, _)| name == "PWD")
        && let Ok(folder) = std::env::current_dir()
    {
        environment.push(("=PWD".to_owned(), folder.to_string_lossy().into_owned()));
    }
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_str());
    let (program, args) = program_of(command.iter().map(text).collect(), path);
    let wanted = processes::Command { program, args, env: environment, handed: Vec::new() };
    let (input, to) = match stdin {
        Stdin::Own => (Input::stdin(), None),
        Stdin::Empty => (Input::empty(), None),
        Stdin::Write => {
            let (to, input) = processes::pipe();
            (input, Some(to))
        }
    };
    let (output, from) = match stdout {
        Stdout::Own => (Output::stdout(), None),
        Stdout::Read => {
            let (output, from) = processes::pipe();
            (output, Some(from))
        }
    };
    let child = processes::spawn(&wanted, &input, &output, &Output::stderr()).map_err(|fault| match fault {
        SpawnFault::NotFound => Refused::NotFound,
        SpawnFault::TooMany => Refused::Other("Resource temporarily unavailable".to_owned()),
        SpawnFault::Failed(reason) => Refused::Other(reason),
    })?;
    Ok(Child { child, stdin: to, stdout: from })
}

/// The programs that can be started.
pub(crate) fn programs() -> Vec<String> {
    processes::programs()
}
