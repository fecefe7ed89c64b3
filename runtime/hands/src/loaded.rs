//! From a component's bytes to something that can be instantiated, once.

use crate::bindings::{KeeperIndices, RecovererIndices, ToolHandIndices};
use crate::cache::Cache;
use crate::engine::Engine;
use crate::guest::Guest;
use crate::reflect::{self, Reflection};
use handbox_bundle::{Command, Manifest};
use handbox_hand::{HandError, Tool};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre};
use wasmtime_wasi::p2::bindings::CommandIndices;

/// How long one component may compile, and how long one waits for its turn. A Python interpreter (18 MB)
/// takes 8 s on two cores.
const COMPILE_TIME_MAX: Duration = Duration::from_secs(120);

/// The interface by which programs are started.
const PROCESSES: &str = "handbox:process/processes@";

/// The interface that has the working folder.
const ENVIRONMENT: &str = "wasi:cli/environment@";

/// What a component is, and how it is called.
pub(crate) enum Kind {
    /// It exports `handbox:hand/hand`.
    Hand {
        hand: ToolHandIndices,
        recover: Option<RecovererIndices>,
        state: Option<KeeperIndices>,
        /// It is a program, too, that others of its bundle start.
        run: Option<CommandIndices>,
    },
    /// It is a `wasi:cli/command` program; its manifest says how input becomes arguments.
    Command { run: CommandIndices, commands: Vec<Command> },
    /// Each of its exported functions is a tool.
    Reflected(Reflection),
}

/// A component that is ready to be instantiated.
pub(crate) struct Loaded {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) kind: Kind,
    /// As the component itself lists them; compared with its manifest before.
    pub(crate) tools: Vec<Tool>,
    pub(crate) imports: Imports,
}

/// What a component imports, as far as its host has to know.
#[derive(Clone, Copy)]
pub(crate) struct Imports {
    /// What starts programs.
    pub(crate) processes: bool,
    /// The working folder, as what is built with a recent wasi-libc does. Others take the folder `.`.
    pub(crate) working_folder: bool,
}

impl Imports {
    fn of(component: &Component, engine: &Engine) -> Self {
        let (component, engine) = (component.component_type(), engine.raw());
        let asks = |item: &ComponentItem| match item {
            ComponentItem::ComponentInstance(asked) => asked.exports(engine).any(|(name, _)| name == "initial-cwd"),
            _ => false,
        };
        Self {
            processes: component.imports(engine).any(|(name, _)| name.starts_with(PROCESSES)),
            working_folder: component
                .imports(engine)
                .any(|(name, item)| name.starts_with(ENVIRONMENT) && asks(&item.ty)),
        }
    }
}

/// A component as a bundle has it. Its bytes are asked for only if no compiled code is cached.
pub(crate) struct Source<'a> {
    pub(crate) digest: &'a str,
    pub(crate) manifest: Option<&'a Manifest>,
    pub(crate) is_command: bool,
    pub(crate) bytes: &'a (dyn Fn() -> Result<Arc<[u8]>, String> + Send + Sync),
}

/// Told what loading is doing, because compiling a large component takes seconds.
pub trait LoadWatcher: Send + Sync {
    /// A component is about to be compiled. Its digest and size in bytes.
    fn compiling(&self, _digest: &str, _bytes: usize) {}
}

/// A watcher that looks away.
pub struct QuietLoad;
impl LoadWatcher for QuietLoad {}

/// Lists a component's own tools with no capabilities and a small budget.
pub(crate) type AskTools<'a> = &'a (dyn AsyncAsk + Send + Sync);

/// See [`AskTools`]; a trait because closures cannot be async and dynamic at once.
#[async_trait::async_trait]
pub(crate) trait AsyncAsk {
    async fn tools(&self, pre: &InstancePre<Guest>, hand: &ToolHandIndices) -> Result<Vec<Tool>, HandError>;
}

/// Loads a component: from the cache if it is there, else by compiling it.
pub(crate) async fn load(
    engine: &Engine,
    cache: Option<&Cache>,
    source: Source<'_>,
    watcher: &dyn LoadWatcher,
    ask: AskTools<'_>,
) -> Result<Loaded, HandError> {
    if let Some(entry) = cache.and_then(|cache| cache.load(engine, source.digest)) {
        return finish(engine, &entry.component, &source, entry.tools, ask).await;
    }
    let bytes = (source.bytes)().map_err(HandError::Broken)?;
    watcher.compiling(source.digest, bytes.len());
    let component = compile(engine, bytes).await?;
    let loaded = finish(engine, &component, &source, None, ask).await?;
    if let Some(cache) = cache {
        let asked = matches!(loaded.kind, Kind::Hand { .. }).then_some(loaded.tools.as_slice());
        cache.store(engine, source.digest, &component, asked);
    }
    Ok(loaded)
}

/// Compiles off the caller's thread: it takes seconds for an interpreter.
///
/// A compilation that takes too long cannot be stopped, only given up. It keeps its turn until it ends, so that
/// components made to take long are one compilation at a time and not many.
async fn compile(engine: &Engine, bytes: Arc<[u8]>) -> Result<Component, HandError> {
    let turns = Arc::clone(engine.compile_turns());
    let Ok(turn) = tokio::time::timeout(COMPILE_TIME_MAX, turns.acquire_owned()).await else {
        return Err(HandError::Busy("other components are being compiled; try again later".to_owned()));
    };
    let raw = engine.raw().clone();
    let compiling = tokio::task::spawn_blocking(move || {
        let compiled = Component::from_binary(&raw, &bytes);
        drop(turn);
        compiled
    });
    match tokio::time::timeout(COMPILE_TIME_MAX, compiling).await {
        Ok(Ok(Ok(component))) => Ok(component),
        Ok(Ok(Err(error))) => Err(HandError::Broken(format!("the component is not valid: {error:#}"))),
        Ok(Err(error)) => Err(HandError::Fatal(format!("compiling did not finish: {error}"))),
        Err(_) => Err(HandError::Broken(format!(
            "compiling the component takes longer than {} s, which no honest one does; make it smaller, or split it",
            COMPILE_TIME_MAX.as_secs()
        ))),
    }
}

async fn finish(
    engine: &Engine,
    component: &Component,
    source: &Source<'_>,
    known: Option<Vec<Tool>>,
    ask: AskTools<'_>,
) -> Result<Loaded, HandError> {
    let pre = engine.linker().instantiate_pre(component).map_err(|error| {
        HandError::Broken(format!("the component asks for something this host does not have: {:#}", error))
    })?;
    let imports = Imports::of(component, engine);
    if let Ok(hand) = ToolHandIndices::new(&pre) {
        let recover = RecovererIndices::new(&pre).ok();
        let state = KeeperIndices::new(&pre).ok();
        let run = CommandIndices::new(&pre).ok();
        let tools = match known {
            Some(tools) => tools,
            None => ask.tools(&pre, &hand).await?,
        };
        compare(source.manifest, &tools)?;
        return Ok(Loaded { pre, kind: Kind::Hand { hand, recover, state, run }, tools, imports });
    }
    if source.is_command {
        return command(pre, source.manifest, imports);
    }
    let reflection = reflect::reflect(component).map_err(|error| HandError::Broken(error.to_string()))?;
    let tools: Vec<Tool> = reflection.tools.iter().map(|function| function.tool.clone()).collect();
    compare(source.manifest, &tools)?;
    Ok(Loaded { pre, kind: Kind::Reflected(reflection), tools, imports })
}

/// Refuses a component whose own list of tools is not what its manifest promised.
fn compare(manifest: Option<&Manifest>, tools: &[Tool]) -> Result<(), HandError> {
    let Some(manifest) = manifest else { return Ok(()) };
    manifest.compare_tools(tools).map_err(|difference| {
        HandError::Broken(format!(
            "the component does not do what its manifest says: {difference}. Pack it again with `handbox pack`"
        ))
    })
}

fn command(pre: InstancePre<Guest>, manifest: Option<&Manifest>, imports: Imports) -> Result<Loaded, HandError> {
    let run = CommandIndices::new(&pre).map_err(|error| HandError::Broken(format!("{error:#}")))?;
    let Some(manifest) = manifest else {
        return Err(HandError::Broken(
            "this is a command-line program without a manifest; say how its input becomes arguments with \
             `handbox pack FILE.wasm --manifest TOOL.toml -o OUT.wasm`"
                .to_owned(),
        ));
    };
    let commands = manifest.commands.clone();
    Ok(Loaded { pre, kind: Kind::Command { run, commands }, tools: manifest.tools.clone(), imports })
}
