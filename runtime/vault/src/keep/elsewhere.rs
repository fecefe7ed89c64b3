//! Where values come from that are not in the vault.

use super::out::{Outgoing, exchange};
use crate::Secret;
use async_trait::async_trait;
use handbox_hand::{HttpRequest, RequestBody};
use serde_json::Value;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
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
        // Ends by itself, at the time limit at last, also if nobody waits for it any more.
        let run = tokio::task::spawn_blocking(move || run(&words));
        run.await.map_err(|_| "the command was not run".to_owned())?
    }
}

/// Runs a command to its end, or to the time limit.
fn run(words: &[String]) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in WITHHELD {
        command.env_remove(name);
    }
    let mut child = Running(command.spawn().map_err(failed)?);
    let end = Instant::now() + TIME_MAX;
    let out = child.0.stdout.take().ok_or("its output cannot be read")?;
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
        match child.0.try_wait().map_err(failed)? {
            Some(status) if status.success() => break,
            Some(status) => return Err(format!("{program} failed ({status})")),
            None if Instant::now() > end => return Err(late()),
            None => std::thread::sleep(PAUSE),
        }
    }
    Secret::new(text.to_vec()).map_err(|error| format!("what {program} printed: {error}"))
}

/// A command that is killed if it was not waited for.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
