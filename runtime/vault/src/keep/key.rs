//! The key that opens the vault.
//!
//! It lies in a file for its owner alone, outside the data folder, so that whoever gets a copy of the data has nothing.
//! That file holds an `age` identity, or one that a passphrase closes.

use super::beside::{self, folder_of};
use super::error::KeepError;
use age::secrecy::{ExposeSecret as _, SecretString};
use age::x25519::Identity;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The most bytes of a key file. A closed one has some 300.
const KEY_FILE_BYTES_MAX: u64 = 16 * 1024;
/// The fewest characters of a passphrase: it is all that stands between a copy of the key file and the vault.
const PASSPHRASE_CHARS_MIN: usize = 8;
/// The work of scrypt for a passphrase, as the power of two: 128 MiB of memory, and some tenths of a second. Fixed, since what
/// `age` measures by itself depends on how busy the machine is: a key closed on an idle one was refused on a busy one.
const WORK: u8 = 17;
/// The most that is done for a key that was closed elsewhere: 1 GiB.
const WORK_MAX: u8 = 20;
/// What a file that a passphrase closes begins with.
const CLOSED: &[u8] = b"age-encryption.org/";
/// What an identity begins with.
const IDENTITY: &str = "AGE-SECRET-KEY-1";

/// Asks somebody for the passphrase. The error is what could not be asked.
pub type AskPassphrase = Arc<dyn Fn() -> Result<Zeroizing<String>, String> + Send + Sync>;

/// Reads the key.
pub(super) fn open(path: &Path, ask: Option<&AskPassphrase>) -> Result<Identity, KeepError> {
    let bytes = read(path)?;
    let broken = |what: &str| {
        let message = format!("{} is no key of a vault: {what}", path.display());
        KeepError::closed(message, "put the right file back from your backup; without it, nobody can open the vault")
    };
    if !bytes.starts_with(CLOSED) {
        return parse(&bytes).ok_or_else(|| broken("it holds no age identity"));
    }
    let ask = ask.ok_or_else(|| {
        let hint = "run it on a terminal, or name a file with the passphrase: HANDBOX_VAULT_PASSPHRASE_FILE";
        KeepError::unavailable(format!("{} is closed by a passphrase, and nobody can be asked", path.display()), hint)
    })?;
    let passphrase = ask().map_err(|why| {
        let hint = "run it on a terminal, or name a file with the passphrase: HANDBOX_VAULT_PASSPHRASE_FILE";
        KeepError::unavailable(format!("there is no passphrase for {}: {why}", path.display()), hint)
    })?;
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.as_str()));
    identity.set_max_work_factor(WORK_MAX);
    match decrypt(&bytes, &identity) {
        Ok(plain) => parse(&plain).ok_or_else(|| broken("what the passphrase opens is no age identity")),
        Err(age::DecryptError::ExcessiveWork { .. }) => Err(broken("it was closed with more work than is done here")),
        Err(age::DecryptError::InvalidHeader | age::DecryptError::Io(_)) => Err(broken("it is damaged")),
        Err(_) => Err(KeepError::closed(format!("that passphrase does not open {}", path.display()), "try it again")),
    }
}

/// How a new key rests.
#[derive(Clone, Default)]
pub enum Rest {
    /// As it is, in a file that nobody else can read.
    #[default]
    Plain,
    /// Closed by a passphrase.
    Passphrase(Zeroizing<String>),
}

/// Makes a key where there is none.
pub(super) fn make(path: &Path, rest: &Rest) -> Result<Identity, KeepError> {
    let identity = Identity::generate();
    if write(path, &identity, rest, Over::Nothing)? {
        return Ok(identity);
    }
    // Another process was faster.
    open(path, None)
}

/// Keeps a key in another way.
pub(super) fn change(path: &Path, identity: &Identity, rest: &Rest) -> Result<(), KeepError> {
    write(path, identity, rest, Over::Old).map(drop)
}

/// Whether what is there may be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Nothing,
    Old,
}

fn write(path: &Path, identity: &Identity, rest: &Rest, over: Over) -> Result<bool, KeepError> {
    let text = identity.to_string();
    let plain = Zeroizing::new(format!("{}\n", text.expose_secret()));
    let bytes = match rest {
        Rest::Plain => plain.as_bytes().to_vec().into(),
        Rest::Passphrase(passphrase) => close(path, &plain, passphrase)?,
    };
    let folder = folder_of(path);
    let failed = |error: &std::io::Error| KeepError::file(path, error);
    private_folder(folder).map_err(|error| failed(&error))?;
    check_folder(folder, "the vault's key")?;
    let mut new = beside::create(path).map_err(|error| failed(&error))?;
    new.write_all(&bytes).and_then(|()| new.as_file().sync_all()).map_err(|error| failed(&error))?;
    let kept = match over {
        Over::Old => new.persist(path).map(|_| true).map_err(|error| error.error),
        Over::Nothing => match new.persist_noclobber(path) {
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|_| true).map_err(|error| error.error),
        },
    };
    let kept = kept.map_err(|error| failed(&error))?;
    super::file::sync_folder(folder).map_err(|error| failed(&error))?;
    Ok(kept)
}

fn close(path: &Path, plain: &str, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeepError> {
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        let message = format!("a passphrase has at least {PASSPHRASE_CHARS_MIN} characters");
        return Err(KeepError::invalid(message, "several words are easy to keep and hard to guess"));
    }
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(WORK);
    let closed = age::encrypt(&recipient, plain.as_bytes());
    closed.map(Zeroizing::new).map_err(|error| KeepError::unavailable(format!("{}: {error}", path.display()), ""))
}

fn parse(bytes: &[u8]) -> Option<Identity> {
    let text = std::str::from_utf8(bytes).ok()?;
    // As `age-keygen` writes them: lines of comment before the identity.
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identity = lines.next().filter(|line| line.starts_with(IDENTITY))?;
    if lines.next().is_some() {
        return None;
    }
    identity.parse().ok()
}

/// What an identity opens, in a buffer that is overwritten.
pub(super) fn decrypt(bytes: &[u8], identity: &impl age::Identity) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let decryptor = age::Decryptor::new_buffered(bytes)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity as &dyn age::Identity))?;
    // What is encrypted is longer than what is in it, so this buffer is never outgrown.
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeepError> {
    let failed = |error: std::io::Error| KeepError::file(path, &error);
    // Asked before opening, because opening a FIFO would wait for a writer.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let message = format!("{} is not a regular file", path.display());
        return Err(KeepError::closed(message, "name the file that holds the key of the vault"));
    }
    let file = File::open(path).map_err(failed)?;
    check_file(&file, path)?;
    check_folder(folder_of(path), "the vault's key")?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Makes a folder for its owner alone, if there is none.
pub(super) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses a key that others can read, or that is another's.
#[cfg(unix)]
fn check_file(file: &File, path: &Path) -> Result<(), KeepError> {
    use std::os::unix::fs::MetadataExt as _;
    let about = file.metadata().map_err(|error| KeepError::file(path, &error))?;
    let shown = path.display();
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        let message = format!("{shown} can be read or changed by others (mode {mode:03o}), and holds the vault's key");
        return Err(KeepError::Unsafe { message, hint: format!("chmod 600 {shown}") });
    }
    check_owner(&about, path)
}

/// Refuses a folder in which others could put something else in the place of `what`.
#[cfg(unix)]
pub(super) fn check_folder(folder: &Path, what: &str) -> Result<(), KeepError> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(folder).map_err(|error| KeepError::file(folder, &error))?;
    let shown = folder.display();
    if about.mode() & 0o022 != 0 {
        let message =
            format!("others may write the folder {shown}, where {what} is: they could put another in its place");
        return Err(KeepError::Unsafe { message, hint: format!("chmod 700 {shown}") });
    }
    check_owner(&about, folder)
}

#[cfg(unix)]
fn check_owner(about: &std::fs::Metadata, path: &Path) -> Result<(), KeepError> {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    if about.uid() == me || about.uid() == 0 {
        return Ok(());
    }
    let message = format!("{} belongs to another user ({})", path.display(), about.uid());
    let hint = "use a vault and a key of your own: HANDBOX_DATA, HANDBOX_VAULT_KEY_FILE";
    Err(KeepError::Unsafe { message, hint: hint.to_owned() })
}

#[cfg(not(unix))]
fn check_file(_: &File, _: &Path) -> Result<(), KeepError> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn check_folder(_: &Path, _: &str) -> Result<(), KeepError> {
    Ok(())
}
