//! A value that nobody may see.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The fewest bytes of a secret: anything shorter occurs by chance in what is searched for it.
const BYTES_MIN: usize = 8;
/// The fewest different bytes of a secret.
const DIFFERENT_MIN: usize = 4;
/// The most bytes of a secret. Servers refuse longer headers.
const BYTES_MAX: usize = 8 * 1024;

/// A credential: 8 bytes to 8 KiB of visible ASCII.
///
/// It is overwritten when its last copy is dropped. That does not reach the copies that the HTTP library makes for a
/// request, nor the environment or file that it came from.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

/// A secret from a file, and what is wrong with that file.
#[derive(Clone, Debug)]
pub struct FromFile {
    /// The secret.
    pub secret: Secret,
    /// That others on this machine may read the file, with the command that changes it.
    pub warning: Option<String>,
}

impl Secret {
    /// Takes a value. White space around it is left away, since keys are often pasted with it.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it is too short, too long or not visible ASCII.
    pub fn new(value: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let value = Zeroizing::new(value.into());
        let own = Zeroizing::new(value.trim_ascii().to_vec());
        if own.len() < BYTES_MIN {
            return Err(SecretError::TooShort);
        }
        if own.len() > BYTES_MAX {
            return Err(SecretError::TooLong);
        }
        // One byte over and over is found everywhere and nowhere, and costs whoever searches for it a lot.
        if own.iter().collect::<BTreeSet<_>>().len() < DIFFERENT_MIN {
            return Err(SecretError::TooPlain);
        }
        if !own.iter().all(u8::is_ascii_graphic) {
            return Err(SecretError::NotVisible);
        }
        Ok(Self(Arc::new(own)))
    }

    /// Reads it from a variable of the environment; `None` if that is not set or empty.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_env(name: &str) -> Result<Option<Self>, SecretError> {
        match std::env::var_os(name) {
            Some(value) if !value.is_empty() => Self::new(value.into_encoded_bytes()).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads it from a file that holds nothing else.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`SecretError::Unreadable`].
    pub fn from_file(path: &Path) -> Result<FromFile, SecretError> {
        let unreadable = |error: std::io::Error| SecretError::Unreadable(format!("{}: {error}", path.display()));
        // Asked before opening, because opening a FIFO would wait for a writer.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(SecretError::Unreadable(format!("{}: it is no regular file", path.display())));
        }
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let warning = readable_by_others(&file, path);
        let mut value = Zeroizing::new(Vec::with_capacity(BYTES_MAX + 2));
        file.take(BYTES_MAX as u64 + 2).read_to_end(&mut value).map_err(unreadable)?;
        Ok(FromFile { secret: Self::new(std::mem::take(&mut *value))?, warning })
    }

    /// The value.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(unix)]
fn readable_by_others(file: &std::fs::File, path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!("{path} can be read by others (mode {mode:03o}); change that with: chmod 600 {path}")
    })
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::File, _: &Path) -> Option<String> {
    None
}

/// Why something is no secret. The texts hold nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It would be found where it is not.
    #[error("a credential has at least {BYTES_MIN} bytes; leave it away for an endpoint that needs none")]
    TooShort,
    /// It is hardly a secret.
    #[error("a credential has at least {DIFFERENT_MIN} different characters")]
    TooPlain,
    /// No server takes it.
    #[error("a credential has at most {BYTES_MAX} bytes")]
    TooLong,
    /// It cannot be sent in a header.
    #[error("a credential is visible ASCII, without spaces or line breaks inside")]
    NotVisible,
    /// Its file cannot be read.
    #[error("cannot read the credential from {0}")]
    Unreadable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::new(" sk-canary-0123\n").unwrap();
        assert_eq!(secret.reveal(), b"sk-canary-0123");
        assert_eq!(format!("{secret:?} {secret:#?}"), "**** ****");
    }

    #[test]
    fn what_cannot_be_searched_for_or_sent_is_refused() {
        assert_eq!(Secret::new("EMPTY").unwrap_err(), SecretError::TooShort);
        assert_eq!(Secret::new("x".repeat(8193)).unwrap_err(), SecretError::TooLong);
        assert_eq!(Secret::new("\\".repeat(64)).unwrap_err(), SecretError::TooPlain);
        for value in ["sk-one\nsk-two", "sk-one sk-two", "sk-one\0two", "schlüssel-1"] {
            assert_eq!(Secret::new(value).unwrap_err(), SecretError::NotVisible, "{value:?}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_no_secret() {
        assert!(Secret::from_env("HANDBOX_TEST_NEVER_SET").unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_can_read_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "sk-canary-0123\n").unwrap();
        #[cfg(unix)]
        for (mode, warned) in [(0o600, false), (0o640, true), (0o604, true)] {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let warning = Secret::from_file(&path).unwrap().warning;
            assert_eq!(warning.is_some(), warned, "{mode:o}");
            assert!(warning.is_none_or(|text| text.contains("chmod 600") && !text.contains("canary")));
        }
        assert_eq!(Secret::from_file(&path).unwrap().secret.reveal(), b"sk-canary-0123");
        let missing = Secret::from_file(&folder.path().join("none")).unwrap_err();
        assert!(matches!(missing, SecretError::Unreadable(_)));
        let none = Secret::from_file(folder.path()).unwrap_err();
        assert!(none.to_string().ends_with("it is no regular file"), "{none}");
    }
}
