//! The clock that interrupts running guests: one thread an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::Thread;
use std::time::Duration;

/// How often running guests are interrupted, to yield and to settle their fuel.
const TICK: Duration = Duration::from_millis(10);
/// How long the clock rests at most before it looks whether it is still needed.
const REST_MAX: Duration = Duration::from_secs(1);

/// Advances an engine's epoch while any call runs, and rests otherwise.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    resting: AtomicBool,
    stopped: AtomicBool,
}

/// Keeps the clock going while it lives. Every call holds one.
pub(crate) struct Ticking(Arc<Shared>);

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (clock, engine) = (Arc::clone(&shared), engine.weak());
        let thread = std::thread::Builder::new().name("handbox-clock".to_owned()).spawn(move || {
            while !clock.stopped.load(SeqCst) {
                if clock.running.load(SeqCst) == 0 {
                    clock.rest();
                    continue;
                }
                std::thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    pub(crate) fn ticking(&self) -> Ticking {
        self.shared.running.fetch_add(1, SeqCst);
        if self.shared.resting.load(SeqCst) {
            self.thread.unpark();
        }
        Ticking(Arc::clone(&self.shared))
    }
}

impl Shared {
    fn rest(&self) {
        self.resting.store(true, SeqCst);
        // A call that starts now either sees `resting` and unparks, or is seen here.
        if self.running.load(SeqCst) == 0 && !self.stopped.load(SeqCst) {
            std::thread::park_timeout(REST_MAX);
        }
        self.resting.store(false, SeqCst);
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.thread.unpark();
    }
}
