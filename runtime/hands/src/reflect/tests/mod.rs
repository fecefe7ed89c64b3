//! Tests of reflection, on components written as text.

mod arbitrary;
mod calls;
mod inputs;
mod naming;
mod round_trip;
mod schemas;
mod wat;

use super::*;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, Store};

/// An engine as the runtime's, with the newer types on.
fn engine() -> Engine {
    let mut config = Config::new();
    config.concurrency_support(false);
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    Engine::new(&config).unwrap()
}

fn component(wat: &str) -> Component {
    let binary = ::wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    Component::new(&engine(), &binary).unwrap_or_else(|error| panic!("{error:?}\n{wat}"))
}

/// Reflects a component that is expected to have tools.
fn reflected_tools(component: &Component) -> Reflection {
    reflect(component).unwrap_or_else(|error| panic!("{error}"))
}

/// Calls the named tool in a fresh instance.
fn call_once(component: &Component, tool: &str, input: &Value) -> Result<Result<Vec<Part>, ToolFault>, CallError> {
    let reflection = reflected_tools(component);
    let reflected = reflection.tools.iter().find(|it| it.tool.name.as_str() == tool);
    let reflected = reflected.unwrap_or_else(|| panic!("no tool {tool} in {:?}", names(&reflection)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut store = Store::new(component.engine(), ());
        let linker = Linker::new(component.engine());
        let instance = linker.instantiate_async(&mut store, component).await.unwrap();
        call(&mut store, &instance, reflected, input).await
    })
}

fn names(reflection: &Reflection) -> Vec<&str> {
    reflection.tools.iter().map(|reflected| reflected.tool.name.as_str()).collect()
}
