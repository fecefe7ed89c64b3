//! What the end-to-end tests share: guests kept in the repository, packed for a test, a
//! lab to call them in, and a machine to type commands on.

pub mod agents;
pub mod echo;
pub mod git;
pub mod lab;
mod program;
mod running;
pub mod sample;

pub use program::{Line, Machine, Ran, figure, finish, program, skipped};
pub use running::Running;

use handbox_bundle::{Asks, Bundle, Compile, FolderAsk, FolderGrant, Limits, Manifest, Mode, Profile, State, section};
use handbox_hand::{Call, Hand, HandError, Output, ToolName};
use handbox_hands::{Allocation, Cache, Engine, Environment, Library, QuietLoad, Toolbox};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The repository's top folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

/// The bytes of a kept guest, as the compiler made them or packed.
pub fn guest_bytes(name: &str) -> Vec<u8> {
    let path = repository().join(format!("tests/fixtures/guests/{name}.wasm.br"));
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    brotli::BrotliDecompress(&mut packed.as_slice(), &mut bytes).expect("a kept guest is brotli");
    bytes
}

/// A place to call tools in: an engine, a workspace folder, a scratch folder.
pub struct Lab {
    /// Shared by everything that this lab calls.
    pub engine: Engine,
    /// Granted as `/workspace`, for writing unless changed.
    pub workspace: TempDir,
    /// What hands get here.
    pub environment: Environment,
    folder: TempDir,
}

impl Lab {
    /// A lab with an on-demand engine and the standard limits.
    pub fn new() -> Self {
        Self::with(Allocation::OnDemand)
    }

    /// A lab with an engine of the caller's choice.
    pub fn with(allocation: Allocation) -> Self {
        let engine = Engine::new(allocation).expect("an engine");
        let workspace = tempfile::tempdir().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        let mut environment = Environment::bare(Profile::Standard);
        let host = workspace.path().canonicalize().expect("it was just made");
        environment.grants.folders.push(FolderGrant { host, guest: "/workspace".into(), mode: Mode::ReadWrite });
        Self { engine, workspace, environment, folder }
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(Limits) -> Limits) -> Self {
        self.environment.limits = change(self.environment.limits);
        self
    }

    /// The same with the workspace granted for reading only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.environment.grants.folders[0].mode = Mode::ReadOnly;
        self
    }

    /// Another folder, granted beside the workspace.
    pub fn grant(&mut self, host: &Path, guest: &str, mode: Mode) {
        let host = host.canonicalize().expect("the folder exists");
        self.environment.grants.folders.push(FolderGrant { host, guest: guest.into(), mode });
    }

    /// A file in the workspace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.workspace.path().join(name)
    }

    /// An empty toolbox that compiles each guest once for all tests.
    pub fn toolbox(&self) -> Toolbox {
        let cache = Cache::open(&std::env::temp_dir().join("handbox-tests-cache")).ok();
        Toolbox::new(Library::new(self.engine.clone(), cache, Arc::new(QuietLoad)))
    }

    /// A guest of which every ask is `*`, as a bundle.
    pub async fn bundle(&self, name: &str, state: State) -> Result<Bundle, HandError> {
        self.pack(name, &guest_bytes(name), state).await
    }

    /// Any component, packed with asks of `*`.
    pub async fn pack(&self, name: &str, bytes: &[u8], state: State) -> Result<Bundle, HandError> {
        let unpacked = self.folder.path().join(format!("{name}.unpacked.wasm"));
        std::fs::write(&unpacked, bytes).expect("the lab's folder can be written");
        let mut toolbox = self.toolbox();
        let bundle = Bundle::open_file(&unpacked).map_err(|error| HandError::Broken(error.to_string()))?;
        toolbox.add(&bundle, &Environment::bare(Profile::Standard)).await.map_err(|error| match error {
            handbox_hands::ToolboxError::Hand(error) => error,
            other => HandError::Broken(other.to_string()),
        })?;
        let manifest = Manifest {
            name: name.replace('_', "-"),
            version: "0.1.0".into(),
            description: String::new(),
            author: String::new(),
            license: String::new(),
            state,
            tools: toolbox.tools().to_vec(),
            commands: Vec::new(),
            programs: Vec::new(),
            compile: Compile::default(),
            asks: Asks {
                folders: vec![FolderAsk { path: "*".into(), mode: Mode::ReadWrite }],
                env: vec!["*".into()],
                ..Asks::default()
            },
        };
        Ok(self.packed(name, &section::write(bytes, &manifest).expect("a valid manifest")))
    }

    /// A packed component as a bundle.
    pub fn packed(&self, name: &str, bytes: &[u8]) -> Bundle {
        let path = self.folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, bytes).expect("the lab's folder can be written");
        Bundle::open_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A toolbox with one guest in it.
    pub async fn load(&self, name: &str, state: State) -> Result<Toolbox, HandError> {
        let bundle = self.bundle(name, state).await?;
        let mut toolbox = self.toolbox();
        toolbox.add(&bundle, &self.environment).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        Ok(toolbox)
    }

    /// Calls the tool `attack` of a hostile guest, in a fresh toolbox.
    pub async fn attack(&self, name: &str, input: Value) -> Result<Output, HandError> {
        let toolbox = self.load(name, State::Fresh).await?;
        call(&toolbox, "attack", input).await
    }

    /// A toolbox with the standard bundle.
    pub async fn std(&self) -> Toolbox {
        let bundle =
            Bundle::open("std", self.workspace.path(), &handbox_std_bundle::bundles()).expect("std is built in");
        let mut toolbox = self.toolbox();
        toolbox.add(&bundle, &self.environment).await.expect("std loads");
        toolbox
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

/// One call.
pub async fn call(hand: &impl Hand, tool: &str, input: Value) -> Result<Output, HandError> {
    hand.execute(Call::new("call-1", ToolName::new(tool).expect("a tool's name"), input)).await
}
