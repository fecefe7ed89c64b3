//! Our side: one call as a server makes it, with all limits and one folder granted.

use crate::guests;
use anyhow::Context;
use handbox_bundle::{Asks, Bundle, FolderAsk, FolderGrant, Limits, Mode, Profile, State, section};
use handbox_hand::{Call, Hand, ToolName};
use handbox_hands::{Allocation, Engine, Environment, Library, QuietLoad, Toolbox};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the granted folder appears in a guest.
pub(crate) const FOLDER_GUEST: &str = "/workspace";

/// A folder to grant, the limits, and a runtime that is entered for every call.
pub(crate) struct Host {
    runtime: tokio::runtime::Runtime,
    environment: Environment,
    folder: tempfile::TempDir,
    library: Arc<Library>,
}

impl Host {
    /// Makes an engine with a pool, as a program that embeds Handbox does.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let mut environment = Environment::bare(Profile::Standard);
        let host = folder.path().canonicalize()?;
        environment.grants.folders.push(FolderGrant { host, guest: FOLDER_GUEST.into(), mode: Mode::ReadOnly });
        let engine = Engine::new(Allocation::Pool { instances: 1_000 })?;
        println!("Handbox resets memory by: {:?}", engine.memory_reset());
        let library = Library::new(engine, None, Arc::new(QuietLoad));
        Ok(Self { runtime, environment, folder, library })
    }

    /// The folder that is granted, read-only.
    pub(crate) fn granted(&self) -> anyhow::Result<PathBuf> {
        Ok(self.folder.path().canonicalize()?)
    }

    /// What one call may consume.
    pub(crate) fn limits(&self) -> Limits {
        self.environment.limits
    }

    /// Loads the guest as a hand whose tool is fresh for each call, or kept.
    pub(crate) fn echo(&self, state: State) -> anyhow::Result<Echo<'_>> {
        let bytes = guests::component()?;
        let mut manifest = section::read(&bytes)?.context("the guest is packed")?;
        manifest.state = state;
        manifest.asks =
            Asks { folders: vec![FolderAsk { path: "*".into(), mode: Mode::ReadWrite }], ..Asks::default() };
        // Not in the granted folder: a granted file is nothing that a host loads.
        let packed = tempfile::Builder::new().suffix(".wasm").tempfile()?;
        std::fs::write(packed.path(), section::write(&bytes, &manifest)?)?;
        let bundle = Bundle::open_file(packed.path())?;
        let toolbox = self.runtime.block_on(async {
            let mut toolbox = Toolbox::new(Arc::clone(&self.library));
            toolbox.add(&bundle, &self.environment).await?;
            toolbox.warm().await?;
            anyhow::Ok(toolbox)
        })?;
        Ok(Echo { host: self, toolbox, name: ToolName::new("echo")? })
    }
}

/// The tool, ready to be called.
pub(crate) struct Echo<'a> {
    host: &'a Host,
    toolbox: Toolbox,
    name: ToolName,
}

impl Echo<'_> {
    /// A call that says `text`.
    pub(crate) fn call(&self, text: &str) -> Call {
        Call::new("call-1", self.name.clone(), input(text))
    }

    /// Makes the call, from validating its input to dropping its store.
    pub(crate) fn execute(&self, call: &Call) -> anyhow::Result<String> {
        let output = self.host.runtime.block_on(self.toolbox.execute(call.clone()))?;
        Ok(output.text())
    }
}

/// The input of every guest but the least.
pub(crate) fn input(text: &str) -> Value {
    json!({"text": text})
}
