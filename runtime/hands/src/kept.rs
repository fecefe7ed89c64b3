//! A kept hand's one store: one call at a time, through a bounded queue.

use crate::command::CommandLine;
use crate::job::Job;
use crate::process::EndsWithCall;
use crate::run::{Ended, Live, Ready, conclude};
use crate::store::{arm, settle};
use handbox_bundle::Mode;
use handbox_hand::{HandError, Output, Part, ToolFault};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use wasmtime::AsContextMut;

/// How a kept hand shares its one store, and when it lets go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLimits {
    /// Calls that may wait for their turn; one more is told that the hand is busy.
    pub queue_max: usize,
    /// How long an unused store is kept. Its state is lost then.
    pub idle_max: Duration,
}

/// The place where a kept store lies between calls.
pub(crate) struct Slot {
    live: Arc<Mutex<Option<Live>>>,
    waiting: AtomicUsize,
    incarnation: AtomicU64,
    limits: KeptLimits,
    last_used: std::sync::Mutex<Instant>,
    /// What the model is told with the next answer.
    note: std::sync::Mutex<Option<&'static str>>,
    /// What another one kept, for the first call to begin with.
    begins_with: Mutex<Option<Vec<u8>>>,
}

/// A place in the queue.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Slot {
    pub(crate) fn new(limits: KeptLimits) -> Arc<Self> {
        Arc::new(Self {
            live: Arc::default(),
            waiting: AtomicUsize::new(0),
            incarnation: AtomicU64::new(0),
            limits,
            last_used: std::sync::Mutex::new(Instant::now()),
            note: std::sync::Mutex::default(),
            begins_with: Mutex::default(),
        })
    }

    /// How many stores this hand has had; 0 before the first call.
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation.load(SeqCst)
    }

    /// Whether there was a store and is none any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.incarnation() > 0 && self.live.try_lock().is_ok_and(|live| live.is_none())
    }

    /// What the first call has to begin with. Whoever holds this is the only one who sees to it.
    pub(crate) async fn begins_with(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.begins_with.lock().await
    }

    /// Begins where another one ended: with what that one kept, or without.
    pub(crate) async fn resume(&self, kept: Option<Vec<u8>>) {
        self.tell(kept.is_none().then_some(LOST));
        *self.begins_with().await = kept;
    }

    /// Has the next answer begin with a note, or with none.
    pub(crate) fn tell(&self, note: Option<&'static str>) {
        *self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = note;
    }

    fn take_note(&self) -> Option<&'static str> {
        self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// Waits for the store's turn. What is taken out of the guard and not put back is
    /// dead: the next call gets a new incarnation.
    pub(crate) async fn enter(&self) -> Result<OwnedMutexGuard<Option<Live>>, HandError> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, SeqCst) > self.limits.queue_max {
            let waiting = self.limits.queue_max;
            return Err(HandError::Busy(format!("{waiting} calls already wait for this hand; try again later")));
        }
        let guard = Arc::clone(&self.live).lock_owned().await;
        drop(place);
        Ok(guard)
    }

    /// Lets go of the store and its state.
    pub(crate) async fn clear(&self) {
        self.live.lock().await.take();
    }

    /// Notes that the store was used, and makes sure that somebody clears it away when
    /// it has not been for `idle_max`.
    pub(crate) fn used(self: &Arc<Self>, is_new: bool) {
        *self.last_used.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
        if !is_new {
            return;
        }
        let slot = Arc::downgrade(self);
        let incarnation = self.incarnation();
        let mut rest = self.limits.idle_max;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(rest).await;
                let Some(slot) = slot.upgrade() else { return };
                let mut live = slot.live.lock().await;
                if slot.incarnation() != incarnation || live.is_none() {
                    return;
                }
                let unused = slot.last_used.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed();
                if unused >= slot.limits.idle_max {
                    live.take();
                    return;
                }
                rest = slot.limits.idle_max - unused;
            }
        });
    }
}

impl Live {
    /// Charges everything from now on to `job`, with its budgets.
    pub(crate) fn start_call(&mut self, job: &Job) -> wasmtime::Result<()> {
        // What instantiating burnt belongs to the call that it was done for.
        settle(&mut self.store.as_context_mut())?;
        self.store.data_mut().start_call(job);
        self.store.data_mut().process.outlives(job);
        arm(&mut self.store)
    }
}

/// What a model is told with the first answer of a store that is not the one it left.
pub(crate) const LOST: &str = "(This tool was started anew since its last call. What it kept, such as variables, the working folder and \
                    what ran in the background, is gone; files are as they were.)\n";

/// What it is told with the first answer of a store that began with what another one kept.
pub(crate) const RESTORED: &str = "(This tool was started anew since its last call. What it kept, such as variables, functions \
                                   and the working folder, is as it was; what ran in the background is gone.)\n";

/// Says in an answer what is to be said. What is none waits for the next.
fn telling(slot: &Slot, result: Result<Output, HandError>) -> Result<Output, HandError> {
    let Some(note) = slot.take_note() else { return result };
    match result {
        Ok(mut output) => {
            output.parts.insert(0, Part::text(note));
            Ok(output)
        }
        Err(HandError::Tool(ToolFault::Failed(text))) => {
            Err(HandError::Tool(ToolFault::Failed(format!("{note}{text}"))))
        }
        Err(error) => {
            slot.tell(Some(note));
            Err(error)
        }
    }
}

impl Ready {
    /// A store for a kept hand, its guest ready for calls.
    pub(crate) async fn begin_incarnation(&self, slot: &Slot, job: &Job) -> wasmtime::Result<Live> {
        if slot.incarnation.fetch_add(1, SeqCst) > 0 {
            slot.tell(Some(LOST));
        }
        let none = CommandLine { args: Vec::new(), stdin: None };
        // As granted: a later call may write although this one only reads. Each call is
        // narrowed by `Guest::start_call`.
        self.instantiate(job, none, Mode::ReadWrite).await
    }

    /// Runs one call in a kept store. Gives the store back unless it is not to be used again.
    pub(crate) async fn run_kept(
        &self,
        live: Option<Live>,
        slot: &Slot,
        job: &Job,
    ) -> (Option<Live>, Result<Output, HandError>) {
        let _ends = EndsWithCall(job.family.clone());
        let mut live = match live {
            Some(live) => live,
            None => match self.begin_incarnation(slot, job).await {
                Ok(live) => live,
                Err(error) => return (None, conclude(job, Err(Ended::Engine(error)))),
            },
        };
        if let Err(error) = live.start_call(job) {
            return (None, conclude(job, Err(Ended::Engine(error))));
        }
        let answer = self.answer(&mut live, job).await;
        live.report(job);
        let survives = !matches!(answer, Err(Ended::Engine(_)));
        let result = conclude(job, answer);
        (survives.then_some(live), telling(slot, result))
    }
}
