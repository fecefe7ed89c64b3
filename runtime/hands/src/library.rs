//! Components that are loaded once and shared by every hand made of them.

use crate::cache::Cache;
use crate::engine::Engine;
use crate::loaded::{LoadWatcher, Loaded, Source, load};
use crate::metadata::Asker;
use crate::schema::InputSchemas;
use handbox_bundle::{BundleComponent, Kind};
use handbox_hand::{HandError, Tool};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OnceCell;

/// An engine with the components that were loaded into it. One for a process is enough:
/// a thousand toolboxes over one library hold each component's code once.
pub struct Library {
    engine: Engine,
    cache: Option<Cache>,
    watcher: Arc<dyn LoadWatcher>,
    packages: Mutex<HashMap<String, Arc<Package>>>,
}

/// One component, by its digest, with everything that is the same for all its hands.
pub(crate) struct Package {
    pub(crate) component: BundleComponent,
    loaded: OnceCell<Loaded>,
    tools: OnceLock<(Arc<[Tool]>, InputSchemas)>,
}

impl Library {
    /// An empty library. `cache` is where compiled components are kept between processes;
    /// without one, each process compiles again.
    pub fn new(engine: Engine, cache: Option<Cache>, watcher: Arc<dyn LoadWatcher>) -> Arc<Self> {
        Arc::new(Self { engine, cache, watcher, packages: Mutex::default() })
    }

    /// The engine that everything here runs in.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The package of a component. What a bundle says about the component (its choice of
    /// tools, its asks) is the bundle's; everything behind the digest is shared.
    pub(crate) fn package(&self, component: &BundleComponent) -> Arc<Package> {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        let package = packages.entry(component.digest.to_string()).or_insert_with(|| {
            Arc::new(Package { component: component.clone(), loaded: OnceCell::new(), tools: OnceLock::new() })
        });
        Arc::clone(package)
    }

    /// A package's component, loaded by whoever asks first while others wait. A failure is
    /// not remembered.
    pub(crate) async fn load<'a>(&self, package: &'a Package) -> Result<&'a Loaded, HandError> {
        let component = &package.component;
        let digest = component.digest.to_string();
        let source = Source {
            digest: &digest,
            manifest: component.manifest.as_ref(),
            is_command: component.kind == Kind::Command,
            bytes: &|| component.load().map_err(|error| error.to_string()),
        };
        let ask = Asker { engine: &self.engine };
        package.loaded.get_or_try_init(|| load(&self.engine, self.cache.as_ref(), source, &*self.watcher, &ask)).await
    }

    /// Whether loading a package takes no compiling.
    pub(crate) fn is_compiled(&self, package: &Package) -> bool {
        let digest = package.component.digest.to_string();
        package.loaded.initialized() || self.cache.as_ref().is_some_and(|cache| cache.has(&self.engine, &digest))
    }

    /// The tools of a package: as its manifest lists them, else as the component itself
    /// does, which means loading it now.
    pub(crate) async fn tools<'a>(&self, package: &'a Package) -> Result<&'a (Arc<[Tool]>, InputSchemas), HandError> {
        if let Some(known) = package.tools.get() {
            return Ok(known);
        }
        let packed = package.component.manifest.as_ref().map(|manifest| manifest.tools.as_slice()).unwrap_or_default();
        let tools = if packed.is_empty() { &self.load(package).await?.tools } else { packed };
        Ok(package.tools.get_or_init(|| (tools.into(), InputSchemas::new(tools))))
    }
}

impl Package {
    /// What was loaded; only hands whose library has loaded it ask.
    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        self.loaded.get()
    }

    pub(crate) fn schemas(&self) -> Option<&InputSchemas> {
        self.tools.get().map(|(_, schemas)| schemas)
    }
}
