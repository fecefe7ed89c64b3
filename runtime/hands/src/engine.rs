//! The engine: how components are compiled and where their instances live.

use crate::ticker::{Ticker, Ticking};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::guest::{self, Guest};

/// Stack of a guest, in bytes. Deep recursion traps here. Interpreters count how deep they are by a stack of their own in
/// linear memory, and take several times as much of this one.
const STACK_BYTES_MAX: usize = 2 << 20;
/// Stack of the fiber that a guest runs on, in bytes; host functions need the rest.
const FIBER_STACK_BYTES: usize = 3 << 20;
/// Largest linear memory of any profile, in bytes.
const MEMORY_BYTES_MAX: usize = 4 << 30;
/// Largest table of any profile, in elements of a machine word.
const TABLE_ELEMENTS_MAX: usize = 1_000_000;
/// Memory that a pooled slot keeps between calls, in bytes. With `pagemap_scan` only the
/// pages that a call wrote are reset, so a large value costs address space, not time.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;

/// Components that are compiled at once. Each uses all cores, and memory of some thirty times its size.
const COMPILATIONS_MAX: usize = 1;

/// Where instances live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// Mapped for each call. Right for a process that makes one call and ends.
    OnDemand,
    /// In slots made ready at start, at most this many at once: a call costs microseconds,
    /// and one too many is refused with [`handbox_hand::HandError::Busy`].
    Pool {
        /// Instances at once, over all hands. Each reserves 4 GiB of address space.
        instances: u32,
    },
}

/// What the kernel offers for resetting an instance's memory, found by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryReset {
    /// Only the pages that a call wrote are reset (`PAGEMAP_SCAN`, Linux 6.7 or later).
    WrittenPages,
    /// The whole memory is given back to the kernel after each call.
    Unmap,
}

/// A compiled-code engine with its ticker. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    raw: wasmtime::Engine,
    linker: Linker<Guest>,
    allocation: Allocation,
    reset: MemoryReset,
    compatibility: String,
    ticker: Ticker,
    compile_turns: Arc<Semaphore>,
}

/// The engine could not be made. An operator must act: usually address space is limited.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub struct EngineError(String);

impl Engine {
    /// Makes an engine.
    ///
    /// # Errors
    ///
    /// If the machine cannot give what `allocation` needs. There is no fallback to a weaker
    /// sandbox; ask for [`Allocation::OnDemand`] if a pool is too much.
    pub fn new(allocation: Allocation) -> Result<Self, EngineError> {
        let reset = probe_reset(allocation);
        let raw = wasmtime::Engine::new(&config(allocation, reset)).map_err(|e| EngineError(format!("{e:#}")))?;
        let mut linker = Linker::new(&raw);
        guest::link(&mut linker).map_err(|e| EngineError(format!("{e:#}")))?;
        let compatibility = compatibility(&raw);
        let ticker = Ticker::start(&raw).map_err(|e| EngineError(format!("no thread for its clock: {e}")))?;
        let compile_turns = Arc::new(Semaphore::new(COMPILATIONS_MAX));
        Ok(Self { inner: Arc::new(Inner { raw, linker, allocation, reset, compatibility, ticker, compile_turns }) })
    }

    /// How this engine places instances.
    pub fn allocation(&self) -> Allocation {
        self.inner.allocation
    }

    /// How this engine resets memory between calls.
    pub fn memory_reset(&self) -> MemoryReset {
        self.inner.reset
    }

    pub(crate) fn raw(&self) -> &wasmtime::Engine {
        &self.inner.raw
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.inner.linker
    }

    /// Names everything that compiled code depends on, in hexadecimal.
    pub(crate) fn compatibility(&self) -> &str {
        &self.inner.compatibility
    }

    /// Who may compile now.
    pub(crate) fn compile_turns(&self) -> &Arc<Semaphore> {
        &self.inner.compile_turns
    }

    /// Keeps the ticker going for as long as the answer lives. Every call holds one.
    pub(crate) fn ticking(&self) -> Ticking {
        self.inner.ticker.ticking()
    }
}

fn config(allocation: Allocation, reset: MemoryReset) -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .async_stack_size(FIBER_STACK_BYTES)
        // Nobody steps through guests here; without them the code is a fifth smaller to load.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false);
    if let Allocation::Pool { instances } = allocation {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances, reset)));
    }
    config
}

fn pool(instances: u32, reset: MemoryReset) -> PoolingAllocationConfig {
    // A component is several core instances: its own, and adapters.
    let parts = instances.saturating_mul(16);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(parts)
        .total_memories(instances)
        .total_tables(parts)
        .total_stacks(instances)
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_unused_warm_slots(instances.min(100));
    if reset == MemoryReset::WrittenPages {
        pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(KEEP_RESIDENT_BYTES)
            .async_stack_keep_resident(64 << 10)
            .pagemap_scan(Enabled::Auto);
    }
    pool
}

/// Whether the kernel has `PAGEMAP_SCAN`, found by starting the smallest engine that
/// insists on it. Keeping memory resident without it means clearing all of it after each
/// call, which is slower than unmapping.
fn probe_reset(allocation: Allocation) -> MemoryReset {
    static SCAN: OnceLock<MemoryReset> = OnceLock::new();
    if allocation == Allocation::OnDemand {
        return MemoryReset::Unmap;
    }
    *SCAN.get_or_init(|| {
        let mut smallest = pool(1, MemoryReset::WrittenPages);
        smallest.pagemap_scan(Enabled::Yes);
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(smallest));
        match wasmtime::Engine::new(&config) {
            Ok(_) => MemoryReset::WrittenPages,
            Err(_) => MemoryReset::Unmap,
        }
    })
}

fn compatibility(raw: &wasmtime::Engine) -> String {
    use std::hash::{Hash, Hasher};
    // A file name, not a defence: what is loaded is authenticated, and wasmtime checks its
    // own header again.
    let mut one = std::hash::DefaultHasher::new();
    raw.precompile_compatibility_hash().hash(&mut one);
    format!("{:016x}", one.finish())
}
