//! Asking a component for its tools, before anybody granted it anything.

use crate::bindings::{ToolHandIndices, types};
use crate::classify::classify;
use crate::engine::Engine;
use crate::files::{Folders, Relative};
use crate::guest::Guest;
use crate::hop::{Hop, drive};
use crate::loaded::AsyncAsk;
use crate::meter::Meter;
use crate::sink::Budget;
use crate::store::{Opening, Streams, open_store};
use handbox_bundle::{Limits, Mode};
use handbox_hand::{HandError, Hints, NoWatcher, Recovery, Tool, ToolName};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::InstancePre;

/// What `tools()` may consume: it runs before anybody granted anything.
const METADATA_LIMITS: Limits = Limits {
    memory_bytes: 256 << 20,
    cpu_fuel: 2_000_000_000,
    time: Duration::from_secs(5),
    table_elements: 100_000,
    handles: 64,
    open_files: 0,
    output_bytes: 8 << 20,
    log_bytes: 64 << 10,
    file_bytes: 0,
    files: 0,
    host_calls: 100_000,
    processes: 0,
};

/// Asks a component for its tools, with nothing granted.
pub(crate) struct Asker<'a> {
    pub(crate) engine: &'a Engine,
}

#[async_trait::async_trait]
impl AsyncAsk for Asker<'_> {
    async fn tools(&self, pre: &InstancePre<Guest>, hand: &ToolHandIndices) -> Result<Vec<Tool>, HandError> {
        let meter = Arc::new(Meter::new(METADATA_LIMITS));
        let (engine, pre, hand) = (self.engine.clone(), pre.clone(), hand.clone());
        let hop = Arc::new(Hop::default());
        let (meter_for_call, hop_for_call) = (Arc::clone(&meter), Arc::clone(&hop));
        let call = async move { list_tools(&engine, &pre, &hand, meter_for_call, hop_for_call).await };
        let _ticking = self.engine.ticking();
        let listed = tokio::time::timeout(METADATA_LIMITS.time, drive(Box::pin(call), hop)).await;
        let about =
            |error: HandError| HandError::Broken(format!("the component cannot say which tools it has: {error}"));
        match listed {
            Err(_) => Err(about(HandError::Limit(meter.describe(handbox_hand::Limit::Time)))),
            Ok(Err(error)) => Err(about(error)),
            Ok(Ok(Err(error))) => match classify(&error, &meter) {
                busy @ HandError::Busy(_) => Err(busy),
                error => Err(about(error)),
            },
            Ok(Ok(Ok(tools))) => {
                let tools: Vec<Tool> = tools.into_iter().map(tool).collect::<Result<_, _>>()?;
                let refused = |error: handbox_bundle::BundleError| HandError::Broken(error.to_string());
                handbox_bundle::check_tools(&tools).map_err(refused)?;
                Ok(tools)
            }
        }
    }
}

async fn list_tools(
    engine: &Engine,
    pre: &InstancePre<Guest>,
    hand: &ToolHandIndices,
    meter: Arc<Meter>,
    hop: Arc<Hop>,
) -> wasmtime::Result<Vec<types::Tool>> {
    let none = Folders::open(&[], &[], Relative::Named).await.map_err(|refusal| wasmtime::format_err!("{refusal}"))?;
    let mut store = open_store(Opening {
        engine,
        meter,
        hop,
        folders: &none,
        weakest: Mode::ReadOnly,
        protected: Arc::default(),
        env: &[],
        args: &[],
        streams: Streams::Call { stdin: None, stdout_is: Budget::Log },
        watcher: Arc::new(NoWatcher),
        // Nothing leaves before anybody has called a tool.
        line: None,
    })?;
    let instance = pre.instantiate_async(&mut store).await?;
    let hand = hand.load(&mut store, &instance)?;
    hand.handbox_hand_hand().call_tools(&mut store).await
}

fn tool(tool: types::Tool) -> Result<Tool, HandError> {
    let broken = |what: String| HandError::Broken(format!("the component lists a tool that {what}"));
    let name = ToolName::new(tool.name).map_err(|error| broken(format!("has no usable name: {error}")))?;
    let schema = |text: &str| serde_json::from_str::<Value>(text);
    let input_schema = schema(&tool.input_schema)
        .map_err(|e| broken(format!("is called {name} and whose input schema is not JSON: {e}")))?;
    let output_schema = tool.output_schema.as_deref().map(schema).transpose();
    let output_schema =
        output_schema.map_err(|e| broken(format!("is called {name} and whose output schema is not JSON: {e}")))?;
    let has = |hint| tool.hints.contains(hint);
    Ok(Tool {
        name,
        description: tool.description,
        input_schema,
        output_schema,
        hints: Hints {
            read_only: has(types::Hints::READ_ONLY),
            idempotent: has(types::Hints::IDEMPOTENT),
            destructive: has(types::Hints::DESTRUCTIVE),
            open_world: has(types::Hints::OPEN_WORLD),
        },
        recovery: match tool.recovery {
            types::Recovery::Retry => Recovery::Retry,
            types::Recovery::Reconcile => Recovery::Reconcile,
            types::Recovery::Ask => Recovery::Ask,
        },
        extra: tool.extra,
    })
}
