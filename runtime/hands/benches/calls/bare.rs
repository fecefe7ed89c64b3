//! The reference: the same guest called with nothing but the engine, no limits, no
//! capture, no folder. What Handbox adds is the distance to this.

use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({ path: "wit", world: "tool-hand", require_store_data_send: true });
}
use bindings::handbox::hand::{report, types};

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl types::Host for State {}
impl report::Host for State {
    fn progress(&mut self, _: Option<f32>, _: String) {}
    fn log(&mut self, _: report::Level, _: String) {}
}

/// A guest in a bare engine.
#[derive(Clone)]
pub(crate) struct Bare {
    engine: Engine,
    pre: bindings::ToolHandPre<State>,
}

impl Bare {
    /// The best settings that are known: pooled slots that stay resident.
    pub(crate) fn pooled(guest: &[u8]) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(2 << 20)
            .table_keep_resident(2 << 20)
            .async_stack_keep_resident(64 << 10)
            .total_core_instances(16_000)
            .total_tables(16_000)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config.concurrency_support(false);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Self::with(&config, guest)
    }

    /// An instance mapped for each call.
    pub(crate) fn on_demand(guest: &[u8]) -> Self {
        let mut config = Config::new();
        config.concurrency_support(false);
        Self::with(&config, guest)
    }

    fn with(config: &Config, guest: &[u8]) -> Self {
        let engine = Engine::new(config).expect("an engine");
        let component = Component::from_binary(&engine, guest).expect("a component");
        let mut linker: Linker<State> = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI");
        bindings::ToolHand::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state| state)
            .expect("the contract");
        let pre: InstancePre<State> = linker.instantiate_pre(&component).expect("linked");
        Self { engine, pre: bindings::ToolHandPre::new(pre).expect("a hand") }
    }

    /// One call in a store of its own, from nothing to nothing.
    pub(crate) fn call(&self, input: &str) -> usize {
        self.park(input).1
    }

    /// The same, and the store with its instance.
    pub(crate) fn park(&self, input: &str) -> (Store<State>, usize) {
        let mut store =
            Store::new(&self.engine, State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() });
        let hand = self.pre.instantiate(&mut store).expect("an instance");
        let call = bindings::handbox::hand::types::Call {
            id: "call-1".into(),
            attempt: 1,
            name: "echo".into(),
            input: input.into(),
            extra: Vec::new(),
        };
        let parts = hand.handbox_hand_hand().call_execute(&mut store, &call).expect("no trap").expect("no fault");
        let bytes = parts.iter().map(|part| part.data.len()).sum();
        (store, bytes)
    }
}
