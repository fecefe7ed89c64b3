//! What is refused even to an operator: folders whose grant gives away more than they
//! seem to hold, and grants that contradict each other.

use crate::error::BundleError;
use crate::grant::{FolderGrant, Grants, Mode, check_env_name, check_guest_path, covers};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Folders that hold keys, wherever they are.
const KEY_FOLDERS: [&str; 7] = [".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store"];

/// Folders that mark the one above them as somebody's home.
const HOME_MARKS: [&str; 3] = [".ssh", ".gnupg", ".aws"];

/// Where the kernel and daemons answer as files: whoever reaches the Docker socket is root.
const SYSTEM_FOLDERS: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/var/run"];

/// Whether folders that are refused for what they hold may be granted all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dangerous {
    /// They may not.
    #[default]
    Refuse,
    /// The operator said so with the long flag. Writing to [`Fence::protected`] stays refused.
    Allow,
}

/// What grants are checked against.
#[derive(Clone, Debug, Default)]
pub struct Fence {
    /// The user's home folder, if known.
    pub home: Option<PathBuf>,
    /// Folders and files of Handbox itself: configuration, cache, data. They need not exist.
    ///
    /// A whole grant is refused if one of these is in it, so single files that lie in the
    /// middle of somebody's work (a project's bundle) are better protected one by one while
    /// a call runs; see [`crate::Bundle::files`].
    pub protected: Vec<PathBuf>,
    /// Files that open what is secret, such as the vault's key. No grant may hold one of them, in any mode, and the long
    /// flag changes nothing: whoever reads one has everything.
    pub secret: Vec<PathBuf>,
    /// Whether dangerous folders are refused.
    pub dangerous: Dangerous,
}

/// The flag that a hint names.
const FORCE: &str = "if you really mean it, add --allow-dangerous-folders";

impl Grants {
    /// Makes every host path canonical and checks all grants together.
    ///
    /// Folders may overlap as long as no promise is broken: the most specific guest path
    /// wins, so a read-only folder may hold a read-write one that lies at the same place in
    /// both (`src` at `/w`, `src/out` at `/w/out`). Whatever is granted read-only must not
    /// be writable under another path, also through links.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] for a bad or repeated guest path or name,
    /// [`BundleError::NotFound`] if a host folder is not there, and [`BundleError::Refused`]
    /// for dangerous folders and for a read-only folder that another grant makes writable.
    pub fn checked(&self, fence: &Fence) -> Result<Self, BundleError> {
        let mut folders: Vec<FolderGrant> = Vec::new();
        for grant in &self.folders {
            check_guest_path(&grant.guest)?;
            if let Some(twin) = folders.iter().find(|other| other.guest == grant.guest) {
                let message = format!(
                    "guest path {} is given twice: for {} and for {}",
                    grant.guest,
                    twin.host.display(),
                    grant.host.display()
                );
                return Err(BundleError::invalid(message, "give one of them another guest path: --dir HOST:/other"));
            }
            let grant = FolderGrant { host: canonical_folder(&grant.host)?, ..grant.clone() };
            fence.check(&grant)?;
            folders.push(grant);
        }
        check_aliases(&folders)?;
        let mut names = BTreeMap::new();
        for (name, value) in &self.env {
            check_env_name(name)?;
            if names.insert(name, value).is_some() {
                let message = format!("environment value `{name}` is given twice");
                return Err(BundleError::invalid(message, "keep one of them"));
            }
        }
        Ok(Self { folders, env: self.env.clone(), hosts: self.hosts.clone() })
    }
}

fn canonical_folder(host: &Path) -> Result<PathBuf, BundleError> {
    let real = host.canonicalize().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => BundleError::NotFound {
            message: format!("there is no folder {}", host.display()),
            hint: "create it first, or correct the path".to_owned(),
        },
        _ => BundleError::Unreadable { path: host.to_owned(), source },
    })?;
    if !real.is_dir() {
        let message = format!("{} is not a folder", real.display());
        return Err(BundleError::invalid(message, "only folders can be granted: name the one that holds it"));
    }
    Ok(real)
}

fn check_aliases(folders: &[FolderGrant]) -> Result<(), BundleError> {
    let writable = folders.iter().filter(|folder| folder.mode == Mode::ReadWrite);
    for rw in writable {
        for ro in folders.iter().filter(|folder| folder.mode == Mode::ReadOnly) {
            let contradiction = ro.host.starts_with(&rw.host)
                || rw.host.strip_prefix(&ro.host).is_ok_and(|below| !same_place(ro, rw, below));
            if contradiction {
                let reason = format!(
                    "{} ({}) is granted read-only, but {} ({}) would make {} writable",
                    ro.host.display(),
                    ro.guest,
                    rw.host.display(),
                    rw.guest,
                    if ro.host.starts_with(&rw.host) { "it" } else { "a part of it" },
                );
                let hint =
                    format!("grant both with the same mode, or leave one out:\n{}\n{}", ro.to_flag(), rw.to_flag());
                return Err(BundleError::refused(reason, hint));
            }
        }
    }
    Ok(())
}

/// Whether `rw`, which is `below` inside `ro` on the host, is there in the guest as well.
fn same_place(ro: &FolderGrant, rw: &FolderGrant, below: &Path) -> bool {
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.is_some_and(|parts| covers(&ro.guest, &rw.guest) && rw.guest == format!("{}/{}", ro.guest, parts.join("/")))
}

impl Fence {
    /// Whether one grant, its host path canonical, may stand.
    fn check(&self, grant: &FolderGrant) -> Result<(), BundleError> {
        let host = &grant.host;
        for protected in self.protected.iter().map(|path| canonical_as_far_as_it_exists(path)) {
            let inside = host.starts_with(&protected);
            if grant.mode == Mode::ReadWrite && (inside || protected.starts_with(host)) {
                let reason = format!(
                    "{} cannot be granted for writing: Handbox itself loads {}, and whoever can write that can widen every grant",
                    host.display(),
                    protected.display()
                );
                let to_read = FolderGrant { mode: Mode::ReadOnly, ..grant.clone() };
                let hint = match self.check(&to_read) {
                    Ok(()) => "grant a folder that does not hold it, or grant this one with :ro",
                    Err(_) => "change to a project, or grant another folder: --dir FOLDER:rw",
                };
                return Err(BundleError::refused(reason, hint));
            }
            if inside && self.dangerous == Dangerous::Refuse {
                let reason = format!("{} is Handbox's own: no tool needs to read it", host.display());
                return Err(BundleError::refused(reason, FORCE));
            }
        }
        match self.danger(host) {
            Some(reason) if self.dangerous == Dangerous::Refuse => {
                let hint = format!("grant only the folder that the tool works on; {FORCE}");
                Err(BundleError::refused(format!("{} is not granted: {reason}", host.display()), hint))
            }
            _ => self.check_secret(host),
        }
    }

    /// Whatever flag is given.
    fn check_secret(&self, host: &Path) -> Result<(), BundleError> {
        let mut secret = self.secret.iter().map(|path| canonical_as_far_as_it_exists(path));
        match secret.find(|secret| secret.starts_with(host) || host.starts_with(secret)) {
            Some(secret) => {
                let reason =
                    format!("{} cannot be granted: no tool may reach the vault ({})", host.display(), secret.display());
                Err(BundleError::refused(reason, "grant a folder that does not hold it"))
            }
            None => Ok(()),
        }
    }

    fn danger(&self, host: &Path) -> Option<String> {
        if host.parent().is_none() {
            return Some("it is the whole file system".to_owned());
        }
        let home = self.home.as_deref().map(canonical_as_far_as_it_exists);
        if home.is_some_and(|home| home.starts_with(host)) {
            return Some("it is your home folder or holds it, with every key in it".to_owned());
        }
        let is_key_folder = |part: &Component<'_>| KEY_FOLDERS.iter().any(|name| is_named(part, name));
        if let Some(part) = host.components().find(is_key_folder) {
            return Some(format!("{} holds keys", part.as_os_str().to_string_lossy()));
        }
        if let Some(mark) = HOME_MARKS.iter().find(|mark| host.join(mark).is_dir()) {
            return Some(format!("it holds {mark}, so it is somebody's home folder"));
        }
        let system = SYSTEM_FOLDERS.iter().find(|folder| host.starts_with(folder));
        system.map(|folder| format!("what is in {folder} is not files but the system itself"))
    }
}

/// Compares without case: on some platforms `.SSH` is the same folder.
fn is_named(part: &Component<'_>, name: &str) -> bool {
    part.as_os_str().to_str().is_some_and(|part| part.eq_ignore_ascii_case(name))
}

/// `path` with links resolved in the part of it that exists.
fn canonical_as_far_as_it_exists(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(real) = existing.canonicalize() {
            return missing.iter().rev().fold(real, |whole, part| whole.join(part));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name.to_owned());
                existing = parent;
            }
            _ => return path.to_owned(),
        }
    }
}
