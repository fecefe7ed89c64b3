//! The runtime as a library: load a bundle, grant a folder, execute a tool, and answer
//! each kind of failure.
//!
//! Run it with `cargo build --release --workspace --examples && target/release/examples/embed`. (Building one
//! package alone, with `-p`, chooses other features of shared dependencies and compiles the engine once more.)
//!
//! A program of your own begins with these dependencies, and compiles the engine once, which takes minutes:
//!
//! ```toml
//! handbox-bundle = { path = "CHECKOUT/runtime/bundle" }        # grants, limits, bundles
//! handbox-hand = { path = "CHECKOUT/runtime/hand" }            # the trait `Hand`, calls, errors
//! handbox-hands = { path = "CHECKOUT/runtime/hands" }          # the sandboxes
//! handbox-std-bundle = { path = "CHECKOUT/runtime/std-bundle" }  # the standard tools
//! serde_json = "1"
//! tokio = { version = "1", features = ["rt-multi-thread", "macros"] }
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use anyhow::Context;
use handbox_bundle::{Bundle, FolderGrant, Limits, Mode, Profile};
use handbox_hand::{Call, Hand, HandError, Output, ToolName};
use handbox_hands::{Allocation, Engine, Environment, Library, QuietLoad, Toolbox};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

// The caller owns the runtime; Handbox starts none.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Once for a process: an engine with room for 100 sandboxes at once, and a library that
    // holds each component's code once. A cache folder would keep it between processes.
    let engine = Engine::new(Allocation::Pool { instances: 100 })?;
    let library = Library::new(engine, None, Arc::new(QuietLoad));

    // Once for a session: what its tools may do. Everything else does not exist for them.
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("notes.txt"), "milk\nTODO: bread\n")?;
    let mut environment = Environment::bare(Profile::Standard);
    environment.limits = Limits { time: Duration::from_secs(5), ..environment.limits };
    let host = folder.path().canonicalize()?;
    environment.grants.folders.push(FolderGrant { host, guest: "/workspace".to_owned(), mode: Mode::ReadOnly });

    let std = Bundle::open("std", Path::new("."), &handbox_std_bundle::bundles())?;
    let mut toolbox = Toolbox::new(library);
    toolbox.add(&std, &environment).await?;

    let found = call(&toolbox, "grep", json!({ "pattern": "TODO" })).await?;
    println!("grep answers: {}", found.map_or_else(|error| error.to_model(), |output| output.text()));
    for (tool, input) in [
        ("grep", json!({ "patern": "TODO" })),
        ("read", json!({ "file_path": "/etc/passwd" })),
        ("write", json!({ "file_path": "/workspace/notes.txt", "content": "" })),
        ("nosuch", json!({})),
    ] {
        if let Err(error) = call(&toolbox, tool, input).await? {
            println!("{tool}: {}", who_must_act(&error));
        }
    }
    Ok(())
}

async fn call(hand: &impl Hand, tool: &str, input: serde_json::Value) -> anyhow::Result<Result<Output, HandError>> {
    let name = ToolName::new(tool).context("a tool's name")?;
    Ok(hand.execute(Call::new("call-1", name, input)).await)
}

/// Every kind of failure, sorted by who can do something about it. What the model is shown
/// is always `error.to_model()`.
fn who_must_act(error: &HandError) -> String {
    match error {
        HandError::Tool(_) | HandError::Input(_) => format!("the model can try something else: {error}"),
        HandError::Denied(refusal) => format!("an operator could allow it: {}", refusal.hint),
        HandError::Limit(hit) => format!("ask for less, or raise the {} limit: {error}", hit.limit.name()),
        HandError::Busy(_) => format!("try again later: {error}"),
        HandError::Broken(_) | HandError::Gone(_) => format!("the component's author must act: {error}"),
        HandError::Fatal(_) => format!("this host is at fault: {error}"),
    }
}
