//! When each credential last went along. Kept beside the vault, so that a request never rewrites secrets.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The file, in the data folder. Holds names and times.
const FILE: &str = "vault-used.json";
/// How often it is written, at most. What is lost by a crash is a time of no consequence.
const PAUSE: Duration = Duration::from_secs(60);
/// The most bytes that are read of it.
const BYTES_MAX: u64 = 1024 * 1024;

type Times = BTreeMap<String, u64>;

/// When each was last used.
pub(super) struct Used {
    path: PathBuf,
    /// Held while times are on their way from memory to the file, where nobody would find them.
    writing: Mutex<()>,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    times: Times,
    written: Option<Instant>,
}

impl Used {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE), writing: Mutex::default(), pending: Mutex::default() }
    }

    /// Notes that one was used now. Whether it is time to [`write`](Self::write).
    pub(super) fn note(&self, name: &str) -> bool {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.times.insert(name.to_owned(), super::now());
        let due = pending.written.is_none_or(|at| at.elapsed() >= PAUSE);
        if due {
            pending.written = Some(Instant::now());
        }
        due
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes when one was used.
    pub(super) fn note_at(&self, name: &str, time: u64) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).times.insert(name.to_owned(), time);
    }

    /// Writes what was noted. A failure loses times of no consequence, so none is told.
    pub(super) fn write(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = std::mem::take(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner).times);
        if noted.is_empty() {
            return;
        }
        let mut times = self.stored();
        for (name, time) in noted {
            let known = times.entry(name).or_default();
            *known = time.max(*known);
        }
        let write = || -> std::io::Result<()> {
            let mut new = super::beside::create(&self.path)?;
            new.write_all(&serde_json::to_vec(&times)?)?;
            new.persist(&self.path).map(drop).map_err(|error| error.error)
        };
        let _ = write();
    }

    /// The times, those that are not written yet among them.
    pub(super) fn times(&self) -> Times {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times = self.stored();
        times.extend(self.pending.lock().unwrap_or_else(PoisonError::into_inner).times.clone());
        times
    }

    fn stored(&self) -> Times {
        use std::io::Read as _;
        let read = || {
            let mut text = String::new();
            let file = std::fs::File::open(&self.path).ok()?;
            file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
            serde_json::from_str(&text).ok()
        };
        read().unwrap_or_default()
    }
}
