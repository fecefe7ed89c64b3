//! Opening a store: the one place where limits are applied.

use crate::engine::Engine;
use crate::files::{FileState, Folders, Protected};
use crate::guest::{Guest, MemoryUse};
use crate::hop::Hop;
use crate::meter::Meter;
use crate::network::{Line, Outgoing};
use crate::process::{Holdings, Process, Standard, Start};
use crate::sink::{Budget, Sink};
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

/// After so many ticks of the clock a guest computes on a thread of its own.
const TICKS_HERE: u32 = 3;

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
    pub(crate) streams: Streams<'a>,
    pub(crate) watcher: Arc<dyn Watcher>,
    pub(crate) line: Line,
}

/// Where a store's standard streams lead.
pub(crate) enum Streams<'a> {
    /// A call's own: its result and its log.
    Call { stdin: Option<bytes::Bytes>, stdout_is: Budget },
    /// Those that its parent gave it.
    Process(&'a Start),
}

/// What a parent calls the working folder of a process that is to have no PWD.
const HIDDEN_FOLDER: &str = "=PWD";

impl Streams<'_> {
    /// Where a process was told to start.
    fn working_folder(&self) -> Option<&str> {
        let Self::Process(start) = self else { return None };
        let told = start.env.iter().rev().find(|(name, _)| name == "PWD" || name == HIDDEN_FOLDER);
        told.map(|(_, folder)| folder.as_str()).filter(|folder| folder.starts_with('/'))
    }
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
    let fuel = store.data().fuel_left();
    store.data_mut().armed = fuel;
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(1);
    let mut ticks = 0_u32;
    store.epoch_deadline_callback(move |mut context| {
        settle(&mut context)?;
        ticks = ticks.saturating_add(1);
        if ticks >= TICKS_HERE {
            context.data().files.hop.want();
        }
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(())
}

/// Takes what a store burnt since it was armed out of its call's budget, and arms it
/// with what is left. With nothing left the guest traps at its next instruction.
pub(crate) fn settle(context: &mut StoreContextMut<'_, Guest>) -> wasmtime::Result<()> {
    let burnt = context.data().armed.saturating_sub(context.get_fuel()?);
    context.data().meter().burn(burnt);
    let left = context.data().fuel_left();
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
    let mut files =
        FileState::new(Arc::clone(&opening.meter), Arc::clone(&opening.hop), Arc::clone(&opening.protected));
    files.has_devices(opening.folders.devices());
    let stdout_is = match &opening.streams {
        Streams::Call { stdout_is, .. } => *stdout_is,
        Streams::Process(_) => Budget::Log,
    };
    let stdout = Sink::new(Arc::clone(&opening.meter), stdout_is);
    let stderr = Sink::new(Arc::clone(&opening.meter), Budget::Log);
    let process = match &opening.streams {
        Streams::Call { stdin, .. } => Process::first(stdin.clone(), &stdout, &stderr),
        Streams::Process(start) => {
            files.count_with(&start.open_count);
            files.set_mask(start.mask());
            Process::started(start)
        }
    };
    let kept_back = match &opening.streams {
        Streams::Call { .. } => 0,
        Streams::Process(_) => opening.meter.memory_reserve(),
    };
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS_BYTES_MAX);
    Guest {
        wasi: wasi(opening, &stdout, &stderr),
        http,
        outgoing: Outgoing::new(opening.line.clone()),
        process,
        table,
        files,
        memory: MemoryUse { meter: Arc::clone(&opening.meter), held: 0, kept_back, outside: Holdings::default() },
        watcher: Arc::clone(&opening.watcher),
        stdout,
        stderr,
        armed: 0,
    }
}

fn wasi(opening: &Opening<'_>, stdout: &Sink, stderr: &Sink) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    // No variable begins so; what does is for the host.
    let env = opening.env.iter().filter(|(name, _)| !name.starts_with('='));
    let env: Vec<(&str, &str)> = env.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    builder.envs(&env).args(opening.args).max_random_size(RANDOM_BYTES_MAX);
    // No socket is ever made: names are not looked up, and no address passes, by default; nor is one of these begun.
    builder.allow_tcp(false).allow_udp(false);
    match &opening.streams {
        Streams::Call { stdin, .. } => {
            builder.stdout(stdout.clone()).stderr(stderr.clone());
            if let Some(stdin) = stdin {
                builder.stdin(MemoryInputPipe::new(stdin.clone()));
            }
        }
        Streams::Process(start) => {
            builder.stdin(start.stdin.clone());
            builder.stdout(Standard(start.stdout.clone())).stderr(Standard(start.stderr.clone()));
        }
    }
    if let Some(folder) = opening.streams.working_folder().or(opening.folders.working_folder()) {
        builder.initial_cwd(folder);
    }
    let mut wasi = builder.build();
    *wasi.filesystem() = opening.folders.context(opening.weakest);
    wasi
}
