//! What a guest can do with files: exactly what `wasi:filesystem` offers, metered.
//!
//! wasmtime-wasi does the work and keeps every path inside its folder. This decorator
//! stands in front of it and adds what it has no hook for: bytes, files and open
//! descriptors are metered, the files that Handbox itself loads cannot be changed, and
//! anything but a regular file or a folder is refused before it is opened (opening a
//! FIFO would hang).

mod checks;
mod decorate;
mod folders;
mod ledger;
mod modes;
mod opening;
mod protect;
mod root;
mod streams;
mod temporary;

pub(crate) use folders::{Folders, Relative};
pub(crate) use protect::Protected;
pub(crate) use root::Devices;
pub use temporary::{Temporary, open_up};

use crate::hop::Hop;
use crate::meter::Meter;
use crate::process::Held;
use handbox_hand::Limit;
use ledger::{Ledger, Refund};
use protect::Identity;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use wasmtime::component::HasData;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::types::DirectoryEntry;

/// What the decorator remembers for one store.
pub(crate) struct FileState {
    pub(crate) meter: Arc<Meter>,
    /// The same, as streams have it: one that was opened in an earlier call of a kept store is charged to the running one.
    of_streams: SharedMeter,
    pub(crate) hop: Arc<Hop>,
    protected: Arc<Protected>,
    /// Whether the running call may change nothing: its tool says that it only reads.
    pub(crate) read_only: Arc<AtomicBool>,
    /// Of the store, not of the call: a kept store's files stay open between calls.
    open_count: Arc<AtomicU32>,
    /// Open descriptors by their handle. Streams share the token of the descriptor they
    /// came from, because they keep the file open after it.
    open: HashMap<u32, Arc<OpenToken>>,
    files: HashMap<Identity, Weak<OpenFile>>,
    ledger: Ledger,
    /// Lists of folders, by their handle.
    lists: HashMap<u32, List>,
    /// The permission bits that new files and folders do not get; the mask of this whole program takes more.
    mask: u32,
    /// Set for processes.
    devices: Option<Arc<Devices>>,
}

impl FileState {
    pub(crate) fn new(meter: Arc<Meter>, hop: Arc<Hop>, protected: Arc<Protected>) -> Self {
        let ledger = Ledger::new(&meter);
        Self {
            of_streams: SharedMeter::new(&meter),
            meter,
            hop,
            protected,
            read_only: Arc::default(),
            open_count: Arc::default(),
            open: HashMap::new(),
            files: HashMap::new(),
            ledger,
            lists: HashMap::new(),
            mask: 0,
            devices: None,
        }
    }

    /// Takes these bits from what it makes. For processes: WASI has no mask, and most programs do not know of one.
    pub(crate) fn set_mask(&mut self, mask: u32) {
        self.mask = mask;
    }

    /// Charges everything from now on to another call.
    pub(crate) fn charge(&mut self, meter: &Arc<Meter>) {
        self.meter = Arc::clone(meter);
        self.of_streams.set(meter);
        self.lists.values().for_each(|list| list.held.charge(meter));
    }

    /// Open files and folders, counted for this store and for those that count with it.
    pub(crate) fn open_count(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.open_count)
    }

    /// Counts open files together with another store, from the start.
    pub(crate) fn count_with(&mut self, others: &Arc<AtomicU32>) {
        self.open_count = Arc::clone(others);
    }

    /// Lets these devices be opened.
    pub(crate) fn has_devices(&mut self, devices: Option<Arc<Devices>>) {
        self.devices = devices;
    }

    /// The file of this identity, as one that is open.
    fn open_file(&mut self, identity: Identity) -> Arc<OpenFile> {
        self.files.retain(|_, file| file.strong_count() > 0);
        if let Some(file) = self.files.get(&identity).and_then(Weak::upgrade) {
            return file;
        }
        let file = Arc::new(OpenFile { identity, refund: OnceLock::new() });
        self.files.insert(identity, Arc::downgrade(&file));
        file
    }

    /// What the running call took.
    fn ledger(&mut self) -> &mut Ledger {
        if !self.ledger.is_of(&self.meter) {
            self.ledger = Ledger::new(&self.meter);
        }
        &mut self.ledger
    }

    /// Gives back the bytes of a file that has no name left: now, or when nobody has it open
    /// any more.
    fn give_back(&self, identity: Identity, bytes: u64) {
        let refund = Refund { meter: Arc::clone(&self.meter), bytes };
        if let Some(file) = self.files.get(&identity).and_then(Weak::upgrade) {
            // Nothing loses its last name twice.
            let _ = file.refund.set(refund);
        }
    }

    fn open_token(&self) -> Option<OpenToken> {
        let max = self.meter.limits().open_files;
        if self.open_count.fetch_add(1, Relaxed) >= max {
            self.open_count.fetch_sub(1, Relaxed);
            self.meter.reached(Limit::OpenFiles);
            return None;
        }
        Some(OpenToken { open_count: Arc::clone(&self.open_count), file: None, is_device: false })
    }
}

/// A list of what is in a folder, the last first.
struct List {
    entries: Vec<DirectoryEntry>,
    /// Something in the folder has a name that guests cannot be told.
    nameless: bool,
    held: Held,
    /// It counts as an open file: a store may hold few, and its processes together no more than files.
    _open: OpenToken,
}

/// The budgets of whichever call runs now.
#[derive(Clone)]
struct SharedMeter(Arc<Mutex<Arc<Meter>>>);

impl SharedMeter {
    fn new(meter: &Arc<Meter>) -> Self {
        Self(Arc::new(Mutex::new(Arc::clone(meter))))
    }

    fn get(&self) -> Arc<Meter> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, meter: &Arc<Meter>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(meter);
    }
}

/// One open file or folder, counted until its last user is gone.
pub(crate) struct OpenToken {
    open_count: Arc<AtomicU32>,
    /// Set for files.
    file: Option<Arc<OpenFile>>,
    /// Nothing that is written to it stays.
    is_device: bool,
}

impl Drop for OpenToken {
    fn drop(&mut self) {
        self.open_count.fetch_sub(1, Relaxed);
    }
}

/// A file that is open, however often. A file that is deleted while it is open
/// stays on the disk, so what it gives back is given back when the last user is gone.
pub(crate) struct OpenFile {
    identity: Identity,
    refund: OnceLock<Refund>,
}

/// The decorator, alive for one host call.
pub(crate) struct Files<'a> {
    pub(crate) inner: WasiFilesystemCtxView<'a>,
    pub(crate) state: &'a mut FileState,
}

/// Tells wasmtime's generated code how to reach [`Files`].
pub(crate) struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}
