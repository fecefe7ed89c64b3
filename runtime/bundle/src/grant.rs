//! What an operator gives, and what is left of it for one bundle.

use crate::error::{BundleError, shown};
use handbox_hand::Destination;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// Where a granted folder is seen if nobody says otherwise.
pub const GUEST_PATH_DEFAULT: &str = "/workspace";

/// Where every call finds its scratch folder. Handbox makes it; it cannot be granted.
pub const SCRATCH_PATH: &str = "/tmp";

/// Where every call leaves files for the user. Handbox makes it; it cannot be granted.
pub const OUTPUTS_PATH: &str = "/mnt/session/outputs";

/// What file systems take for a path, so that a guest path always fits.
const GUEST_PATH_BYTES_MAX: usize = 1024;

/// Whether a folder may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    #[serde(rename = "ro")]
    /// Contents may be read.
    ReadOnly,
    #[serde(rename = "rw")]
    /// Contents may be read, changed, created and deleted.
    ReadWrite,
}

impl Mode {
    /// `ro` or `rw`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "ro",
            Self::ReadWrite => "rw",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = BundleError;

    fn from_str(text: &str) -> Result<Self, BundleError> {
        match text {
            "ro" => Ok(Self::ReadOnly),
            "rw" => Ok(Self::ReadWrite),
            other => {
                let message = format!("`{}` is not a mode", shown(other));
                Err(BundleError::invalid(message, "write ro (read only) or rw (read and write)"))
            }
        }
    }
}

/// A folder of the host, seen by a guest under a path of its own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FolderGrant {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Absolute path in the guest, such as `/workspace`.
    pub guest: String,
    /// Whether it may be changed.
    pub mode: Mode,
}

/// What an operator gives to a hand. Nothing that is not in here exists for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Folders, most specific guest path wins.
    pub folders: Vec<FolderGrant>,
    /// Environment values, by name.
    pub env: Vec<(String, String)>,
    /// Where requests may go.
    pub hosts: Vec<Destination>,
}

/// What a part of a folder grant is when it is not written.
#[derive(Clone, Copy, Debug)]
pub struct FolderDefaults<'a> {
    /// Relative host paths are resolved against this folder. Absolute.
    pub cwd: &'a Path,
    /// Guest path, usually [`GUEST_PATH_DEFAULT`].
    pub guest: &'a str,
    /// Mode, usually read-only.
    pub mode: Mode,
}

impl FolderGrant {
    /// Reads `HOST[:GUEST][:ro|rw]`. Nothing is looked up on disk; see [`Grants::checked`].
    ///
    /// A drive letter (`C:\work:/data:rw`) is part of the host path on Windows. A host path
    /// with another colon cannot be written this way; use the configuration.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] for an empty host path, a bad guest path or a bad mode.
    pub fn parse(text: &str, defaults: FolderDefaults<'_>) -> Result<Self, BundleError> {
        let drive = if cfg!(windows) { drive_prefix(text) } else { 0 };
        let Parts { host, guest, mode } = split(text, drive)?;
        Self::new(Path::new(host), guest.unwrap_or(defaults.guest), mode.unwrap_or(defaults.mode), defaults.cwd)
    }

    /// A grant from its parts, as a configuration has them.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] if `host` is empty or `guest` is not a valid guest path.
    pub fn new(host: &Path, guest: &str, mode: Mode, cwd: &Path) -> Result<Self, BundleError> {
        let text = host.to_string_lossy();
        if text.is_empty() || text.contains('\0') {
            return Err(BundleError::invalid("a folder grant has no usable host path", FOLDER_FORM));
        }
        check_guest_path(guest)?;
        // `..` stays: only the file system knows where it leads once links are involved.
        let host = cwd.join(host).components().filter(|part| *part != Component::CurDir).collect();
        Ok(Self { host, guest: guest.to_owned(), mode })
    }

    /// The flag that grants this.
    pub fn to_flag(&self) -> String {
        format!("--dir {}:{}:{}", self.host.display(), self.guest, self.mode)
    }
}

const FOLDER_FORM: &str = "write HOST[:GUEST][:ro|rw], such as ./data:/data:ro";

/// A folder grant as typed.
struct Parts<'t> {
    host: &'t str,
    guest: Option<&'t str>,
    mode: Option<Mode>,
}

/// The length of `C:` or `\\?\C:` at the start of `text`, if there is one.
fn drive_prefix(text: &str) -> usize {
    let rest = text.strip_prefix(r"\\?\").unwrap_or(text);
    match rest.as_bytes() {
        [letter, b':', b'\\' | b'/', ..] | [letter, b':'] if letter.is_ascii_alphabetic() => {
            text.len() - rest.len() + 2
        }
        _ => 0,
    }
}

fn split(text: &str, drive: usize) -> Result<Parts<'_>, BundleError> {
    let (drive, rest) = text.split_at(drive);
    let mut fields = rest.split(':');
    let host = fields.next().unwrap_or_default();
    let (mut guest, mut mode) = (None, None);
    for field in fields {
        if mode.is_none() && (field == "ro" || field == "rw") {
            mode = Some(field.parse()?);
        } else if guest.is_none() && mode.is_none() && field.starts_with('/') {
            guest = Some(field);
        } else {
            let message = format!("`{}`: `{}` is neither a guest path nor a mode", shown(text), shown(field));
            let hint = format!(
                "{FOLDER_FORM}; a guest path starts with /, and a host path with a colon goes into config.toml"
            );
            return Err(BundleError::invalid(message, hint));
        }
    }
    let host = &text[..drive.len() + host.len()];
    Ok(Parts { host, guest, mode })
}

/// Checks that `path` can be where a guest sees a granted folder: absolute, normalised,
/// at most 1024 bytes, and not one that Handbox fills itself.
///
/// # Errors
///
/// [`BundleError::Invalid`] with the reason.
pub fn check_guest_path(path: &str) -> Result<(), BundleError> {
    let fault = |why: &str, hint: &str| Err(BundleError::invalid(format!("guest path `{}` {why}", shown(path)), hint));
    let Some(rest) = path.strip_prefix('/') else {
        return fault("is not absolute", "start it with /, such as /workspace or /data");
    };
    if path.len() > GUEST_PATH_BYTES_MAX {
        return fault("is longer than 1024 bytes", "choose a shorter one; it need not resemble the host's");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return fault("has a backslash or a control character", "use / and printable characters, on every platform");
    }
    if rest.is_empty() {
        return fault("is the root, which holds what Handbox itself provides", "choose a folder, such as /workspace");
    }
    if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return fault("is not normalised", "leave out empty parts, `.`, `..` and a / at the end");
    }
    for own in [SCRATCH_PATH, OUTPUTS_PATH] {
        if covers(own, path) || covers(path, own) {
            return fault(
                &format!("overlaps {own}, which Handbox provides to every call"),
                "choose another, such as /data",
            );
        }
    }
    Ok(())
}

/// Whether guest path `outer` is `inner` or a folder above it.
pub(crate) fn covers(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads `NAME=VALUE`, as `--env` takes it. The value may be empty and may hold `=`.
///
/// # Errors
///
/// [`BundleError::Invalid`] without `=` or with a name that no program could look up. The
/// value is never in the text: it may be secret.
pub fn parse_env(text: &str) -> Result<(String, String), BundleError> {
    let Some((name, value)) = text.split_once('=') else {
        let message = format!("`{}` has no `=`", shown(text));
        return Err(BundleError::invalid(
            message,
            "write NAME=VALUE; nothing is taken over from Handbox's own environment",
        ));
    };
    check_env_name(name)?;
    if value.contains('\0') {
        return Err(BundleError::invalid(format!("the value of `{name}` has a NUL character"), "leave it out"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) fn check_env_name(name: &str) -> Result<(), BundleError> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || c == '=';
    if name.is_empty() || name.len() > 256 || name.contains(bad) {
        let message = format!("`{}` cannot name an environment value", shown(name));
        return Err(BundleError::invalid(message, "use 1 to 256 characters without spaces and `=`, such as LANG"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (&str, Option<&str>, Option<Mode>) {
        let Parts { host, guest, mode } = split(text, drive_prefix(text)).unwrap();
        (host, guest, mode)
    }

    #[test]
    fn a_drive_letter_is_part_of_the_host_path_on_windows() {
        assert_eq!(parts(r"C:\work:/data:rw"), (r"C:\work", Some("/data"), Some(Mode::ReadWrite)));
        assert_eq!(parts("C:/work:/data"), ("C:/work", Some("/data"), None));
        assert_eq!(parts(r"\\?\D:\w:ro"), (r"\\?\D:\w", None, Some(Mode::ReadOnly)));
        assert_eq!(parts("c:"), ("c:", None, None));
        assert_eq!(parts("cc:/work"), ("cc", Some("/work"), None));
    }
}
