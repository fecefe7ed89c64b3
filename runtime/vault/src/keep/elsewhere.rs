//! Where values come from that are not in the vault.

use super::out::{Outgoing, exchange};
use crate::Secret;
use async_trait::async_trait;
use handbox_hand::{HttpRequest, RequestBody};
use serde_json::Value;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest that a command may take.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Between two looks whether it ended.
const PAUSE: Duration = Duration::from_millis(5);
/// The most bytes that are read of what it prints: more is no credential.
const BYTES_MAX: u64 = 8 * 1024 + 2;
/// Variables that a command does not get, since they hold values or lead to them.
const WITHHELD: [&str; 4] =
    ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "HANDBOX_VAULT_PASSPHRASE_FILE", "HANDBOX_VAULT_KEY_FILE"];

/// A place that values are read from.
#[async_trait]
pub(super) trait Source: Send + Sync {
    /// The value as it is now. The error says why not, and repeats nothing of what was read.
    async fn read(&self) -> Result<Secret, String>;
}

/// What a command prints.
pub(super) struct CommandSource(pub(super) Vec<String>);

#[async_trait]
impl Source for CommandSource {
    async fn read(&self) -> Result<Secret, String> {
        let words = self.0.clone();
        let running = Arc::<Running>::default();
        // When nobody waits for it any more, it ends.
        let _waiter = Waiter(Arc::clone(&running));
        let run = tokio::task::spawn_blocking(move || run(&words, &running));
        run.await.map_err(|_| "the command was not run".to_owned())?
    }
}

/// Runs a command to its end, or to the time limit.
fn run(words: &[String], running: &Arc<Running>) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in WITHHELD {
        command.env_remove(name);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _end = Waiter(Arc::clone(running));
    let end = Instant::now() + TIME_MAX;
    let out = running.start(&mut command).map_err(failed)?;
    let (sender, printed) = std::sync::mpsc::channel();
    // Ends with the command's output; only a command that outlives its death keeps it.
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(BYTES_MAX).unwrap_or(0) + 1));
        let read = out.take(BYTES_MAX + 1).read_to_end(&mut text);
        // Whoever does not wait any more does not want it.
        let _ = sender.send(read.map(|_| text));
    });
    let late = || format!("{program} did not end within {} s", TIME_MAX.as_secs());
    let text = printed.recv_timeout(TIME_MAX).map_err(|_| late())?.map_err(failed)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(format!("{program} printed more than a credential can be"));
    }
    loop {
        match running.ended().map_err(failed)? {
            Some(status) if status.success() => break,
            Some(status) => return Err(format!("{program} failed ({status})")),
            None if Instant::now() > end => return Err(late()),
            None => std::thread::sleep(PAUSE),
        }
    }
    Secret::new(text.to_vec()).map_err(|error| format!("what {program} printed: {error}"))
}

/// A command, which whoever waits for it and whoever reads its output may end.
#[derive(Default)]
struct Running(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Before,
    Now(Child),
    Over,
}

impl Running {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, unless nobody waits for it already; gives its output.
    fn start(&self, command: &mut Command) -> io::Result<ChildStdout> {
        let mut stage = self.stage();
        if matches!(*stage, Stage::Over) {
            return Err(gone());
        }
        let mut child = command.spawn()?;
        let out = child.stdout.take();
        *stage = Stage::Now(child);
        out.ok_or_else(|| io::Error::other("its output cannot be read"))
    }

    /// How it ended, if it did. What it started and left running stays: agents are started so.
    fn ended(&self) -> io::Result<Option<ExitStatus>> {
        let mut stage = self.stage();
        let Stage::Now(child) = &mut *stage else { return Err(gone()) };
        let status = child.try_wait()?;
        if status.is_some() {
            *stage = Stage::Over;
        }
        Ok(status)
    }

    /// Kills it, with all that it started. It was not waited for before, so its number is no other process's yet.
    fn kill(&self) {
        if let Stage::Now(mut child) = std::mem::replace(&mut *self.stage(), Stage::Over) {
            #[cfg(unix)]
            if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("nobody waits for it any more")
}

/// Ends a command when this goes, if it did not end before.
struct Waiter(Arc<Running>);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// What a file holds.
pub(super) struct FileSource(pub(super) PathBuf);

#[async_trait]
impl Source for FileSource {
    async fn read(&self) -> Result<Secret, String> {
        let path = self.0.clone();
        let read = tokio::task::spawn_blocking(move || {
            // Asked before opening, because opening a FIFO would wait for a writer.
            match std::fs::metadata(&path) {
                Ok(about) if about.is_file() => Secret::from_file(&path).map_err(|error| error.to_string()),
                Ok(_) => Err(format!("{} is not a regular file", path.display())),
                Err(error) => Err(format!("{}: {error}", path.display())),
            }
        });
        read.await.map_err(|_| "the file was not read".to_owned())?.map(|read| read.secret)
    }
}

/// A field of a secret of a server that speaks `HashiCorp` Vault's API.
pub(super) struct HttpSource {
    pub(super) out: Arc<dyn Outgoing>,
    pub(super) url: String,
    pub(super) field: String,
    pub(super) token: Option<Secret>,
}

#[async_trait]
impl Source for HttpSource {
    async fn read(&self) -> Result<Secret, String> {
        let text = |secret: &Secret| String::from_utf8_lossy(secret.reveal()).into_owned();
        let token = self.token.as_ref().map(|token| ("x-vault-token".to_owned(), text(token)));
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: self.url.clone(),
            headers: [("accept".to_owned(), "application/json".to_owned())].into_iter().chain(token).collect(),
            body: RequestBody::from(Vec::new()),
        };
        let answer = exchange(&*self.out, request).await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("{} answers {}", self.url, answer.status));
        }
        // The parser's error could quote what it read.
        let read: Result<Value, _> = serde_json::from_slice(&answer.body);
        let mut read = read.map_err(|_| format!("{} answers no JSON", self.url))?;
        let data = &read["data"];
        // Version 2 has the fields one level deeper.
        let found = data["data"].get(&self.field).or(data.get(&self.field)).and_then(Value::as_str);
        let secret = match found {
            Some(text) => Secret::new(text).map_err(|error| format!("{}#{}: {error}", self.url, self.field)),
            None => Err(format!("{} has no field {} that is text", self.url, self.field)),
        };
        wipe(&mut read);
        secret
    }
}

/// Overwrites the texts of a value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::process::{Pid, test_kill_process};

    /// Waits at most ten seconds.
    fn until(mut holds: impl FnMut() -> bool) -> bool {
        (0..1000).any(|_| {
            holds() || {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        })
    }

    #[tokio::test]
    async fn a_command_ends_with_all_that_it_started_when_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 97 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let source = CommandSource(["/bin/sh", "-c", &script].map(str::to_owned).to_vec());
        let waits = tokio::spawn(async move { source.read().await.map(drop) });
        let (path, mut pid) = (file.clone(), None);
        let began = tokio::task::spawn_blocking(move || {
            let read = || std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            until(|| {
                pid = read().and_then(Pid::from_raw);
                pid.is_some()
            });
            pid
        });
        let pid = began.await.unwrap().expect("it was started");
        assert!(test_kill_process(pid).is_ok());
        waits.abort();
        // One that was killed and that nobody has waited for yet is no process that runs.
        let ended = move || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            test_kill_process(pid).is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
        };
        assert!(tokio::task::spawn_blocking(move || until(ended)).await.unwrap(), "it goes on");
    }
}
