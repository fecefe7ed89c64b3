//! Opening a store: the one place where limits are applied.

use crate::engine::Engine;
use crate::files::{FileState, Folders, Protected};
use crate::guest::{Guest, MemoryUse};
use crate::hop::Hop;
use crate::meter::Meter;
use crate::network::{Line, Outgoing};
use crate::sink::Sink;
use handbox_bundle::Mode;
use handbox_hand::{Limit, Watcher};
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi_http::WasiHttpCtx;

/// Most random bytes that a guest gets for one request; how many requests it may make is
/// bounded by its host calls.
const RANDOM_BYTES_MAX: u64 = 1 << 20;
/// What one crossing may carry beside the output: names, media types, list headers.
const CROSSING_BYTES_EXTRA: u64 = 256 << 10;
/// The most that the headers of one request or response take in the host, in bytes; an allowance for how they are kept
/// included.
const FIELDS_BYTES_MAX: usize = 32 << 10;
/// Fuel that a call into the host costs beside what it does, so that a loop of cheap
/// host calls burns its budget about as fast as the machine's time.
const HOST_CALL_FUEL: u64 = 500;

/// Everything a store is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) meter: Arc<Meter>,
    pub(crate) hop: Arc<Hop>,
    pub(crate) folders: &'a Folders,
    /// The most that any folder may be used for in this call.
    pub(crate) weakest: Mode,
    pub(crate) protected: Arc<Protected>,
    pub(crate) env: &'a [(String, String)],
    pub(crate) args: &'a [String],
    pub(crate) stdin: Option<bytes::Bytes>,
    pub(crate) stdout: Sink,
    pub(crate) stderr: Sink,
    pub(crate) watcher: Arc<dyn Watcher>,
    pub(crate) line: Line,
}

/// Opens a store for one call, or for the life of a kept hand.
pub(crate) fn open_store(opening: Opening<'_>) -> wasmtime::Result<Store<Guest>> {
    let guest = guest(&opening);
    let mut store = Store::new(opening.engine.raw(), guest);
    store.limiter(|guest| &mut guest.memory);
    store.call_hook(charge_host_call);
    arm(&mut store)?;
    Ok(store)
}

/// Gives a store its call's fuel and makes it answer the ticker.
pub(crate) fn arm(store: &mut Store<Guest>) -> wasmtime::Result<()> {
    // Bytes that one crossing of the border may copy into the host.
    let crossing = store.data().meter().limits().output_bytes.saturating_add(CROSSING_BYTES_EXTRA);
    store.set_hostcall_fuel(usize::try_from(crossing).unwrap_or(usize::MAX));
    let fuel = store.data().meter().fuel_left();
    store.data_mut().armed = fuel;
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        settle(&mut context)?;
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(())
}

/// Takes what a store burnt since it was armed out of its call's budget, and arms it
/// with what is left. With nothing left the guest traps at its next instruction.
pub(crate) fn settle(context: &mut StoreContextMut<'_, Guest>) -> wasmtime::Result<()> {
    let burnt = context.data().armed.saturating_sub(context.get_fuel()?);
    let meter = Arc::clone(context.data().meter());
    meter.burn(burnt);
    let left = meter.fuel_left();
    context.data_mut().armed = left;
    context.set_fuel(left)
}

fn charge_host_call(mut context: StoreContextMut<'_, Guest>, hook: CallHook) -> wasmtime::Result<()> {
    if !matches!(hook, CallHook::CallingHost) {
        return Ok(());
    }
    if !context.data().meter().take(Limit::HostCalls, 1) {
        wasmtime::bail!("too many calls into the host");
    }
    let left = context.get_fuel()?;
    context.set_fuel(left.saturating_sub(HOST_CALL_FUEL))
}

fn guest(opening: &Opening<'_>) -> Guest {
    let limits = opening.meter.limits();
    let mut table = ResourceTable::new();
    table.set_max_capacity(limits.handles as usize);
    let files = FileState::new(Arc::clone(&opening.meter), Arc::clone(&opening.hop), Arc::clone(&opening.protected));
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS_BYTES_MAX);
    Guest {
        wasi: wasi(opening),
        http,
        outgoing: Outgoing::new(opening.line.clone()),
        table,
        files,
        memory: MemoryUse { meter: Arc::clone(&opening.meter), held: 0 },
        watcher: Arc::clone(&opening.watcher),
        stdout: opening.stdout.clone(),
        stderr: opening.stderr.clone(),
        armed: 0,
    }
}

fn wasi(opening: &Opening<'_>) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder
        .envs(opening.env)
        .args(opening.args)
        .stdout(opening.stdout.clone())
        .stderr(opening.stderr.clone())
        .max_random_size(RANDOM_BYTES_MAX);
    if let Some(stdin) = &opening.stdin {
        builder.stdin(MemoryInputPipe::new(stdin.clone()));
    }
    if let Some(folder) = opening.folders.working_folder() {
        builder.initial_cwd(folder);
    }
    let mut wasi = builder.build();
    *wasi.filesystem() = opening.folders.context(opening.weakest);
    wasi
}
