//! Components that are loaded once and shared by every hand made of them.

use crate::cache::Cache;
use crate::engine::Engine;
use crate::hand::Asker;
use crate::loaded::{LoadWatcher, Loaded, Source, load};
use handbox_hand::HandError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// An engine with the components that were loaded into it. One for a process is enough:
/// a thousand toolboxes over one library hold each component's code once.
pub struct Library {
    engine: Engine,
    cache: Option<Cache>,
    watcher: Arc<dyn LoadWatcher>,
    loaded: Mutex<HashMap<String, Arc<OnceCell<Arc<Loaded>>>>>,
}

impl Library {
    /// An empty library. `cache` is where compiled components are kept between processes;
    /// without one, each process compiles again.
    pub fn new(engine: Engine, cache: Option<Cache>, watcher: Arc<dyn LoadWatcher>) -> Arc<Self> {
        Arc::new(Self { engine, cache, watcher, loaded: Mutex::default() })
    }

    /// The engine that everything here runs in.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The component of a source, loaded by whoever asks first while others wait. A
    /// failure is not remembered.
    pub(crate) async fn get(&self, source: Source<'_>) -> Result<Arc<Loaded>, HandError> {
        let cell = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loaded.entry(source.digest.to_owned()).or_default())
        };
        let ask = Asker { engine: &self.engine };
        let component = cell.get_or_try_init(|| async {
            load(&self.engine, self.cache.as_ref(), source, &*self.watcher, &ask).await.map(Arc::new)
        });
        component.await.cloned()
    }
}
