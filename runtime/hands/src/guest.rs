//! What stands behind one store: the `T` of `Store<T>`, and what a guest may import.

use crate::bindings::{permissions, processes, report, types};
use crate::files::{FileState, Files, HasFiles};
use crate::job::Job;
use crate::meter::Meter;
use crate::network::Outgoing;
use crate::process::{Held, Holdings, NoMemory, Process};
use crate::sink::Sink;
use handbox_bundle::Mode;
use handbox_hand::{Limit, LogLevel, Watcher};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wasmtime::ResourceLimiter;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_io::bindings::wasi::io::error;

/// Longest progress message, in bytes; the rest is cut.
const PROGRESS_BYTES_MAX: usize = 1 << 10;
/// Longest log line, in bytes; the rest is cut.
const LOG_LINE_BYTES_MAX: usize = 8 << 10;
/// What a report costs of the log budget at least, however short it is.
const REPORT_BYTES_MIN: u64 = 64;
/// Core instances, memories and tables of one store. A component of an interpreter has about ten.
const PARTS_MAX: usize = 64;

/// The host's side of one store.
pub(crate) struct Guest {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) files: FileState,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outgoing: Outgoing,
    pub(crate) process: Process,
    pub(crate) memory: MemoryUse,
    pub(crate) watcher: Arc<dyn Watcher>,
    pub(crate) stdout: Sink,
    pub(crate) stderr: Sink,
    /// The fuel this store was last given.
    pub(crate) armed: u64,
}

/// What one store holds of its call's memory budget.
pub(crate) struct MemoryUse {
    pub(crate) meter: Arc<Meter>,
    /// Bytes of linear memory and tables that this store has.
    pub(crate) held: u64,
    /// Bytes of the call's memory that this store does not get.
    pub(crate) kept_back: u64,
    /// What the host holds for it besides.
    pub(crate) outside: Holdings,
}

impl Guest {
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.memory.meter
    }

    /// Fuel that this store may still burn.
    pub(crate) fn fuel_left(&self) -> u64 {
        let kept_back = if self.process.is_started() { self.meter().fuel_reserve() } else { 0 };
        self.meter().fuel_left().saturating_sub(kept_back)
    }

    /// Charges everything from now on to another call. For kept stores.
    pub(crate) fn start_call(&mut self, job: &Job) {
        let Job { meter, hop, .. } = job;
        let watcher = &job.call.watcher;
        self.memory.meter.give_back(Limit::Memory, self.memory.held);
        meter.bring_memory(self.memory.held);
        self.memory.meter = Arc::clone(meter);
        self.memory.outside.charge(meter);
        self.files.charge(meter);
        self.files.hop = Arc::clone(hop);
        self.files.read_only.store(job.weakest() == Mode::ReadOnly, Relaxed);
        self.watcher = Arc::clone(watcher);
        self.outgoing.start_call(job);
        self.process.start_call(job);
        self.stdout.start_call(meter);
        self.stderr.start_call(meter);
    }
}

impl MemoryUse {
    /// Takes memory of the host for this store.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<Held, NoMemory> {
        self.outside.take(&self.meter, bytes)
    }

    fn grow(&mut self, current: u64, desired: u64) -> bool {
        let wanted = desired.saturating_sub(current);
        let granted = self.meter.take_memory(wanted, self.kept_back);
        if granted {
            self.held += wanted;
        }
        granted
    }
}

impl Drop for MemoryUse {
    fn drop(&mut self) {
        self.meter.give_back(Limit::Memory, self.held);
    }
}

impl ResourceLimiter for MemoryUse {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current as u64, desired as u64))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired as u64 > self.meter.limits().table_elements {
            self.meter.reached(Limit::Tables);
            return Ok(false);
        }
        let element = size_of::<usize>() as u64;
        Ok(self.grow(current as u64 * element, desired as u64 * element))
    }

    fn instances(&self) -> usize {
        PARTS_MAX
    }

    fn tables(&self) -> usize {
        PARTS_MAX
    }

    fn memories(&self) -> usize {
        PARTS_MAX
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table: &mut self.table, ctx: &mut self.http }
    }
}

impl types::Host for Guest {}

impl report::Host for Guest {
    fn progress(&mut self, fraction: Option<f32>, message: String) -> wasmtime::Result<()> {
        // Following progress costs whoever watches about as much as following a log.
        let cost = REPORT_BYTES_MIN + message.len().min(PROGRESS_BYTES_MAX) as u64;
        if self.meter().take_log(cost) < cost {
            return Ok(());
        }
        let fraction = fraction.filter(|f| f.is_finite()).map(|f| f.clamp(0.0, 1.0));
        self.watcher.progress(fraction, cut(&message, PROGRESS_BYTES_MAX));
        Ok(())
    }

    fn log(&mut self, level: report::Level, message: String) -> wasmtime::Result<()> {
        let line = cut(&message, LOG_LINE_BYTES_MAX);
        let meter = self.meter();
        meter.drop_bytes((message.len() - line.len()) as u64);
        let cost = REPORT_BYTES_MIN.max(line.len() as u64);
        if meter.take_log(cost) < cost {
            return Ok(());
        }
        let level = match level {
            report::Level::Debug => LogLevel::Debug,
            report::Level::Info => LogLevel::Info,
            report::Level::Warn => LogLevel::Warn,
            report::Level::Error => LogLevel::Error,
        };
        self.watcher.log(level, line);
        Ok(())
    }
}

/// The longest prefix of at most `max` bytes that ends between characters.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Everything that any guest may import. Sockets are here for programs that were built for other systems, and each use of
/// one is refused: `store.rs` allows no kind of them. A tool that imports them is refused when its bundle is opened. HTTP is
/// for all: what may be sent is decided for each request, see `network.rs`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
    use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
    use wasmtime_wasi::random::WasiRandom;
    use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
    use wasmtime_wasi_io::bindings::wasi::io;

    let l = linker;
    io::error::add_to_linker::<_, HasErrors>(l, |t| Errors(&mut t.table))?;
    io::poll::add_to_linker::<_, HasIo>(l, |t| &mut t.table)?;
    io::streams::add_to_linker::<_, HasIo>(l, |t| &mut t.table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, Guest::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, Guest::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(l, |t| t.wasi.random())?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, |t| t.wasi.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |t| t.wasi.random())?;
    cli::exit::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, Guest::cli)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, Guest::filesystem)?;
    filesystem::types::add_to_linker::<_, HasFiles>(l, |t| Files {
        inner: wasmtime_wasi::filesystem::WasiFilesystemCtxView { ctx: t.wasi.filesystem(), table: &mut t.table },
        state: &mut t.files,
    })?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::network::add_to_linker::<_, WasiSockets>(l, &sockets::network::LinkOptions::default(), Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, Guest::sockets)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    report::add_to_linker::<_, HasSelf<Guest>>(l, |t| t)?;
    types::add_to_linker::<_, HasSelf<Guest>>(l, |t| t)?;
    processes::add_to_linker::<_, HasSelf<Guest>>(l, |t| t)?;
    permissions::add_to_linker::<_, HasSelf<Guest>>(l, |t| t)?;
    Ok(())
}

/// What a guest is told of an error of a stream: its causes in a line. wasmtime-wasi gives all that Rust knows for
/// debugging, which with RUST_BACKTRACE set is a backtrace with paths of the host.
struct Errors<'a>(&'a mut ResourceTable);

impl error::Host for Errors<'_> {}

impl error::HostError for Errors<'_> {
    fn to_debug_string(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<String> {
        Ok(format!("{:#}", self.0.get(&error)?))
    }

    fn drop(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<()> {
        self.0.delete(error)?;
        Ok(())
    }
}

struct HasErrors;

impl wasmtime::component::HasData for HasErrors {
    type Data<'a> = Errors<'a>;
}

/// Tells wasmtime's generated code where streams and pollables live.
struct HasIo;

impl wasmtime::component::HasData for HasIo {
    type Data<'a> = &'a mut ResourceTable;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_one_line_and_without_a_trace() {
        let mut table = ResourceTable::new();
        let error = table.push(wasmtime::Error::msg("the inner").context("the outer")).expect("room");
        let told = error::HostError::to_debug_string(&mut Errors(&mut table), error).expect("it is there");
        assert_eq!(told, "the outer: the inner");
    }

    #[test]
    fn a_cut_ends_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 0), "");
    }
}
