//! Values as people give them: never as an argument, which others could see and a shell would keep.

use crate::failure::Failure;
use handbox_vault::{Secret, SecretError};
use std::io::{IsTerminal, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes that are read of a value or a passphrase.
const BYTES_MAX: u64 = 64 * 1024;

/// Where a value is read from, once.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Value")]
pub(super) struct Once {
    /// Read the value from standard input, instead of asking for it
    #[arg(long)]
    pub(super) stdin: bool,
    /// Read the value from this file now, and keep it in the vault
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    pub(super) file: Option<std::path::PathBuf>,
    /// Not a place for a value: see [`refuse_typed`].
    #[arg(hide = true, num_args = 0.., value_name = "NOTHING")]
    pub(super) typed: Vec<String>,
}

impl Once {
    /// The value.
    pub(super) fn read(&self, name: &str) -> Result<Secret, Failure> {
        refuse_typed(&self.typed, name)?;
        let text = match (&self.file, self.stdin) {
            (Some(file), _) => {
                regular(file)?;
                text_of(file)?
            }
            (None, true) => standard_input()?,
            (None, false) => ask(&format!("Value of {name} (not shown): "))?,
        };
        secret(&text)
    }
}

/// Refuses what would be waited for: opening a FIFO takes somebody who writes it.
fn regular(file: &Path) -> Result<(), Failure> {
    // What is not there is told of by whoever opens it.
    if std::fs::metadata(file).is_ok_and(|about| !about.is_file()) {
        let message = format!("{} is no regular file", file.display());
        return Err(Failure::usage(message)
            .hint("pipe what a program prints: COMMAND | handbox vault …, with --stdin in the place of --file"));
    }
    Ok(())
}

/// Refuses a value that was typed, without repeating it.
pub(super) fn refuse_typed(typed: &[String], name: &str) -> Result<(), Failure> {
    if typed.is_empty() {
        return Ok(());
    }
    let message =
        "a value is never typed as an argument: other users see it in the list of processes, and your shell keeps it";
    Err(Failure::usage(message).hint(format!(
        "leave it away, and it is asked for; or: handbox vault set {name} --stdin < FILE. If what you typed was a real value, get another one from whoever gave it"
    )))
}

/// A value that can be searched for and sent.
pub(super) fn secret(text: &str) -> Result<Secret, Failure> {
    Secret::new(text.as_bytes()).map_err(|error| {
        let hint = match error {
            SecretError::TooShort => "get a longer one: a short one cannot be told from other text in what comes back",
            SecretError::TooLong => "a key or token is shorter; was a whole file given?",
            _ => "give the value alone: no line breaks, spaces, quotes or names before it",
        };
        Failure::usage(error.to_string()).hint(hint)
    })
}

/// Asks for a value on the terminal, without showing what is typed.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("standard input is no terminal, so nobody can be asked")
            .hint("add --stdin to read it from there, or --file FILE"));
    }
    prompted(prompt)
}

/// Asks for a passphrase, also while standard input brings something else.
pub(super) fn ask_beside(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    match std::io::stdin().is_terminal() || std::io::stderr().is_terminal() {
        true => prompted(prompt),
        false => Err(Failure::usage("there is no terminal")),
    }
}

fn prompted(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let answer = rpassword::prompt_password(prompt).map(Zeroizing::new);
    answer
        .map_err(|error| Failure::usage(format!("the terminal cannot be read: {error}")).hint("use --stdin or --file"))
}

/// The first line of a file, or of standard input for `-`.
pub(super) fn line_of(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = if file == Path::new("-") { standard_input()? } else { text_of(file)? };
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn standard_input() -> Result<Zeroizing<String>, Failure> {
    text(std::io::stdin().lock(), "standard input")
}

fn text_of(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let name = file.display().to_string();
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|error| Failure::usage(format!("{name}: {error}")).hint("correct the path"))?;
    text(opened, &name)
}

fn text(from: impl Read, name: &str) -> Result<Zeroizing<String>, Failure> {
    // Large enough from the start: a buffer that grows leaves what it held behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(BYTES_MAX).unwrap_or(0) + 1));
    from.take(BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|_| Failure::usage(format!("{name} cannot be read as text")).hint("give the value alone, as text"))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!("{name} is larger than {BYTES_MAX} bytes")).hint("give the value alone"));
    }
    Ok(text)
}
