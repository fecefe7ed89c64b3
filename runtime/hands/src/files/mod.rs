//! What a guest can do with files: exactly what `wasi:filesystem` offers, metered.
//!
//! wasmtime-wasi does the work and keeps every path inside its folder. This decorator
//! stands in front of it and adds what it has no hook for: bytes, files and open
//! descriptors are metered, the files that Handbox itself loads cannot be changed, and
//! anything but a regular file or a folder is refused before it is opened (opening a
//! FIFO would hang).

mod decorate;
mod folders;
mod protect;
mod streams;

pub(crate) use folders::Folders;
pub(crate) use protect::Protected;

use crate::hop::Hop;
use crate::meter::Meter;
use handbox_hand::Limit;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use wasmtime::component::HasData;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;

/// What the decorator remembers for one store.
pub(crate) struct FileState {
    pub(crate) meter: Arc<Meter>,
    pub(crate) hop: Arc<Hop>,
    protected: Arc<Protected>,
    /// Whether the running call may change nothing: its tool says that it only reads.
    pub(crate) read_only: Arc<AtomicBool>,
    /// Of the store, not of the call: a kept store's files stay open between calls.
    open_count: Arc<AtomicU32>,
    /// Open descriptors by their handle. Streams share the token of the descriptor they
    /// came from, because they keep the file open after it.
    open: HashMap<u32, Arc<OpenToken>>,
}

impl FileState {
    pub(crate) fn new(meter: Arc<Meter>, hop: Arc<Hop>, protected: Arc<Protected>) -> Self {
        Self { meter, hop, protected, read_only: Arc::default(), open_count: Arc::default(), open: HashMap::new() }
    }

    fn open_token(&self) -> Option<OpenToken> {
        let max = self.meter.limits().open_files;
        if self.open_count.fetch_add(1, Relaxed) >= max {
            self.open_count.fetch_sub(1, Relaxed);
            self.meter.reached(Limit::Handles);
            return None;
        }
        Some(OpenToken { open_count: Arc::clone(&self.open_count), written: None })
    }
}

/// One open file or folder, counted until its last user is gone.
pub(crate) struct OpenToken {
    open_count: Arc<AtomicU32>,
    /// Identity of a file that was opened for writing: as long as it is open its bytes stay
    /// on the disk, so unlinking it must not give them back.
    written: Option<(u64, u64)>,
}

impl Drop for OpenToken {
    fn drop(&mut self) {
        self.open_count.fetch_sub(1, Relaxed);
    }
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
