//! How a process reaches the log: as its holder or through it.

use super::RemoteLog;
use super::server::Server;
use handbox_session::{LogError, SessionLog};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How this process reaches the log at present.
#[derive(Clone)]
pub(super) enum Seat {
    Holder(Arc<Held>),
    Client(Arc<RemoteLog>),
    /// It was closed.
    Closed,
}

/// The store, while this process holds it.
pub(super) struct Held(Mutex<Option<(Arc<dyn SessionLog>, Server)>>);

impl Held {
    pub(super) fn new(log: Arc<dyn SessionLog>, server: Server) -> Arc<Self> {
        let lost = server.lost();
        let held = Arc::new(Self(Mutex::new(Some((log, server)))));
        let given_up = Arc::downgrade(&held);
        // A client may be the first to learn that the log cannot go on. Then the store is given up for whoever opens it.
        tokio::spawn(async move {
            if lost.await
                && let Some(held) = given_up.upgrade()
            {
                drop(held.take());
            }
        });
        held
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<dyn SessionLog>, Server)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Option<(Arc<dyn SessionLog>, Server)> {
        self.lock().take()
    }
}

impl Seat {
    pub(super) fn log(&self) -> Result<Arc<dyn SessionLog>, LogError> {
        match self {
            Self::Holder(held) => match &*held.lock() {
                Some((log, _)) => Ok(Arc::clone(log)),
                None => Err(LogError::Unavailable("the store was given up".to_owned())),
            },
            Self::Client(remote) => Ok(Arc::<RemoteLog>::clone(remote)),
            Self::Closed => Err(LogError::Unavailable("the log was closed".to_owned())),
        }
    }

    /// Whether what came back means that the holder is gone, rather than that it has no better answer. A log that cannot
    /// go on is given up here, so that it can be opened anew.
    pub(super) fn was_lost(&self, error: &LogError) -> bool {
        match (self, error) {
            (Self::Client(remote), LogError::Unavailable(_)) => remote.is_lost(),
            (Self::Holder(held), LogError::ReadOnly(_) | LogError::Unavailable(_)) => {
                drop(held.take());
                true
            }
            _ => false,
        }
    }

    pub(super) fn stands(&self) -> bool {
        match self {
            Self::Client(remote) => !remote.is_lost(),
            Self::Holder(held) => held.lock().is_some(),
            Self::Closed => true,
        }
    }
}
