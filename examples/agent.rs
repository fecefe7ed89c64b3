//! An agent as a library: a model and a hand of one's own, and the session in a file.
//!
//! Run it with `cargo build --release --workspace --examples && target/release/examples/agent`.
//!
//! A program of your own begins with these dependencies; none of them is the sandboxes' engine, which takes minutes to
//! compile (`embed.rs` shows hands that are Wasm components):
//!
//! ```toml
//! handbox-brain = { path = "CHECKOUT/runtime/brain" }      # the loop, the trait `Model`
//! handbox-hand = { path = "CHECKOUT/runtime/hand" }        # the trait `Hand`
//! handbox-session = { path = "CHECKOUT/runtime/session" }  # events, the trait `SessionLog`
//! handbox-store = { path = "CHECKOUT/runtime/store" }      # sessions in a file
//! async-trait = "0.1"
//! serde_json = "1"
//! tokio = { version = "1", features = ["rt-multi-thread", "macros"] }
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use async_trait::async_trait;
use handbox_brain::model::{Listener, Model, ModelError, ModelRequest, Reply};
use handbox_brain::{Agent, Brain, Hands, Machine, Need, NoScratch, Policy, Provided, RunsWith, Settings, ToolSpec};
use handbox_hand::{Call, Hand, HandError, Hints, Output, Part, Recovery, Tool, ToolFault, ToolName};
use handbox_session::{Seq, SessionId, SessionLog, Slice, kinds};
use handbox_store::{FileBlobs, Options, RedbLog};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// A hand of one's own: a shelf, whose tool looks into it. Nothing of it is a component; a hand is whatever acts.
struct Shelf {
    tools: Vec<Tool>,
    stock: HashMap<&'static str, u32>,
}

impl Shelf {
    fn new() -> anyhow::Result<Self> {
        let look = Tool {
            name: ToolName::new("stock")?,
            description: "Says how many of a thing are on the shelf.".to_owned(),
            input_schema: json!({
                "type": "object", "properties": { "thing": { "type": "string" } }, "required": ["thing"]
            }),
            output_schema: None,
            // What only reads may be called again after a crash, and needs nobody's approval.
            hints: Hints { read_only: true, ..Hints::default() },
            recovery: Recovery::Retry,
            extra: Vec::new(),
        };
        Ok(Self { tools: vec![look], stock: HashMap::from([("bread", 3), ("milk", 0)]) })
    }
}

#[async_trait]
impl Hand for Shelf {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    // Dropping this future cancels the call: that is how an interrupt reaches it.
    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        let thing = call.input["thing"].as_str().unwrap_or_default();
        match self.stock.get(thing) {
            Some(count) => Ok(Output { parts: vec![Part::text(format!("{count} {thing}"))], ..Output::default() }),
            None => Err(HandError::Tool(ToolFault::Failed(format!("there is no place for {thing} on this shelf")))),
        }
    }
}

/// Makes hands ready when a call first needs them. This one has a single hand for everybody.
struct OneShelf(Arc<Shelf>);

#[async_trait]
impl Hands for OneShelf {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        let (incarnation, reason) = (need.incarnation, "first_call".to_owned());
        Ok(Provided { hand: self.0.clone(), incarnation, bundle: None, reason })
    }
}

/// A model of one's own. A real one sends the request somewhere (`handbox_brain::model::Anthropic` and `OpenAi` do) and
/// tells the listener what has come so far.
struct Clerk;

#[async_trait]
impl Model for Clerk {
    fn provider(&self) -> &str {
        "example"
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        // Requests are made from the log alone, in the shape of the Messages API.
        let last: Vec<Value> = request
            .messages
            .last()
            .into_iter()
            .flat_map(|message| &message.content)
            .map(|block| parsed(block))
            .collect();
        let result = last.iter().find(|block| block["type"] == "tool_result");
        let content = match result {
            Some(result) => {
                let text = format!("I looked: {}.", result["content"][0]["text"].as_str().unwrap_or("nothing"));
                listener.block(0, "text");
                listener.text(0, &text);
                json!([{ "type": "text", "text": text }])
            }
            None => {
                let asked = last.iter().find_map(|block| block["text"].as_str()).unwrap_or_default();
                let thing = asked.split_whitespace().last().unwrap_or_default().trim_end_matches('?');
                json!([{ "type": "tool_use", "id": format!("call-{thing}"), "name": "stock", "input": { "thing": thing } }])
            }
        };
        let stop = if result.is_some() { "end_turn" } else { "tool_use" };
        Ok(Reply {
            model: "clerk".to_owned(),
            content: content.to_string(),
            stop_reason: Some(stop.to_owned()),
            // What nobody counts is estimated.
            usage: None,
        })
    }
}

fn parsed(block: &serde_json::value::RawValue) -> Value {
    serde_json::from_str(block.get()).unwrap_or_default()
}

/// A brain over a folder. It holds nothing of any session, so another one, here or in another process, does as well.
fn brain(folder: &Path) -> anyhow::Result<Brain> {
    Ok(Brain {
        log: Arc::new(RedbLog::open(folder, Options::standard())?),
        blobs: Arc::new(FileBlobs::open(&folder.join("blobs"))?),
        model: Arc::new(Clerk),
        hands: Arc::new(OneShelf(Arc::new(Shelf::new()?))),
        scratch: Arc::new(NoScratch),
        surroundings: Arc::new(Machine),
        settings: Settings::usual("the example"),
    })
}

// The caller owns the runtime; Handbox starts none.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let session = SessionId::at(0, [1; 10]);

    let first = brain(folder.path())?;
    let shelf = Shelf::new()?;
    let mut runs = RunsWith::new(Agent::new("clerk"));
    runs.tools = shelf.tools().iter().map(|tool| ToolSpec::of_hand("shelf", tool, Policy::AlwaysAllow)).collect();
    first.create(session, &runs, Some("What is on the shelf".to_owned()), BTreeMap::new()).await?;
    first.say(session, "Is there bread?").await?;
    let rest = first.wake(session).await?;
    println!("{:?} at place {}, {:?}", rest.status, rest.head, rest.stop_reason);
    // With it goes all that it knew, which is nothing.
    drop(first);

    let second = brain(folder.path())?;
    second.say(session, "And candles?").await?;
    second.wake(session).await?;
    show(&*second.log, session).await
}

/// Prints what a client would show of a session.
async fn show(log: &dyn SessionLog, session: SessionId) -> anyhow::Result<()> {
    let kinds = vec![kinds::USER_MESSAGE, kinds::AGENT_TOOL_USE, kinds::AGENT_TOOL_RESULT, kinds::AGENT_MESSAGE];
    let page = log.read(session, Slice { kinds, ..Slice::from(Seq::FIRST) }).await?;
    for entry in page.entries {
        let members = entry.event.members();
        let what = members.get("input").or_else(|| members.get("content")).map(Value::to_string).unwrap_or_default();
        println!("{:>3} {}: {what}", entry.seq, entry.event.kind().as_str());
    }
    Ok(())
}
