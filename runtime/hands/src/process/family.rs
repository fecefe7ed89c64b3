//! Processes that belong together, to a call or to a kept hand: started, counted, and ended with it at the latest.

use super::ends::{BrokenPipe, Input, Output};
use super::held::Held;
use crate::classify::classify;
use crate::hand::ComponentHand;
use crate::hop::drive;
use crate::job::Job;
use crate::meter::Meter;
use crate::run::Ready;
use handbox_hand::HandError;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use wasmtime_wasi::I32Exit;

/// The signal that ends who writes to a closed pipe (POSIX.1-2024, `signal.h`).
const SIGPIPE: u8 = 13;
/// The signal that a keyboard sends.
const SIGINT: u8 = 2;
/// The signal that nothing outlives.
const SIGKILL: u8 = 9;
/// What the environment of a process calls the mask of new files, in octal.
const MASK: &str = "HANDBOX_UMASK";
/// The number of the process that a call begins with.
pub(super) const FIRST: u32 = 1;

/// The program path of a bundle: its command-line programs, by name.
#[derive(Default)]
pub(crate) struct Programs(pub(crate) BTreeMap<String, Arc<ComponentHand>>);

/// Gives processes their numbers. All of a hand share one: a number that a shell keeps is nobody else's later.
pub(crate) struct Numbers(AtomicU32);

impl Default for Numbers {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST + 1))
    }
}

/// The processes of one call, or those that a kept hand has beside its calls.
pub(crate) struct Family {
    programs: Arc<Programs>,
    numbers: Arc<Numbers>,
    live: Arc<AtomicU32>,
    tasks: Mutex<Tasks>,
    interrupted: watch::Sender<bool>,
    over: Arc<AtomicBool>,
}

#[derive(Default)]
struct Tasks {
    /// By the process's number.
    running: BTreeMap<u32, Running>,
    /// Who started whom: by the number of the one that was started. Outlives the starter, and what both started lives on.
    parents: BTreeMap<u32, u32>,
    /// Its call, or its hand, is over: nothing is started any more.
    over: bool,
}

impl Tasks {
    /// A process is gone; what it started is its own parent's now.
    fn remove(&mut self, id: u32) {
        self.running.remove(&id);
        let parent = self.parents.remove(&id).unwrap_or(FIRST);
        self.parents.values_mut().filter(|of| **of == id).for_each(|of| *of = parent);
    }

    fn end(&mut self) {
        std::mem::take(&mut self.running).into_values().for_each(|running| running.kill(SIGKILL));
        self.parents.clear();
    }

    /// Sends a signal: it ends the process, or is caught. False if there is none of this number.
    fn send(&mut self, id: u32, signal: u8) -> bool {
        let Some(running) = self.running.get(&id) else { return false };
        if signal != 0 && !running.signals.come(signal) {
            self.kill(id, signal);
        }
        true
    }

    /// Ends a process and everything that it started.
    fn kill(&mut self, id: u32, signal: u8) {
        let started: Vec<u32> =
            self.parents.iter().filter(|(_, parent)| **parent == id).map(|(child, _)| *child).collect();
        if let Some(running) = self.running.remove(&id) {
            running.kill(signal);
        }
        self.parents.remove(&id);
        started.into_iter().for_each(|child| self.kill(child, signal));
    }
}

/// The task of a process, and the signal that it is ended by, if it is.
#[derive(Clone)]
struct Running {
    task: AbortHandle,
    signal: Arc<AtomicU8>,
    signals: Arc<Signals>,
}

/// The signals that do not end a process, and those of them that came: a bit for each number.
#[derive(Default)]
pub(crate) struct Signals {
    caught: AtomicU64,
    came: AtomicU64,
}

impl Signals {
    fn bit(signal: u8) -> u64 {
        1_u64.checked_shl(signal.into()).unwrap_or(0)
    }

    /// What a process wants to be told from now on.
    pub(super) fn catch(&self, signals: &[u8]) {
        let all = signals.iter().filter(|signal| **signal != SIGKILL).fold(0, |bits, signal| bits | Self::bit(*signal));
        self.caught.store(all, Relaxed);
    }

    /// What came since this was last asked.
    pub(super) fn take(&self) -> Vec<u8> {
        let came = self.came.swap(0, Relaxed);
        (1..64).filter(|signal| came & Self::bit(*signal) != 0).collect()
    }

    /// Whether it is caught; then it has come.
    fn come(&self, signal: u8) -> bool {
        let bit = Self::bit(signal);
        let caught = self.caught.load(Relaxed) & bit != 0;
        if caught {
            self.came.fetch_or(bit, Relaxed);
        }
        caught
    }
}

impl Running {
    fn kill(&self, signal: u8) {
        self.signal.store(signal, Relaxed);
        self.task.abort();
    }
}

/// What a process is started with.
pub(crate) struct Start {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Input,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) handed: Vec<u8>,
    /// Open files of its parent and of it, together.
    pub(crate) open_count: Arc<AtomicU32>,
    /// What it is told counts as memory while it lives.
    pub(crate) held: Held,
    /// Its number, and its parent's.
    pub(crate) id: u32,
    pub(crate) parent: u32,
    /// What it catches.
    pub(crate) signals: Arc<Signals>,
}

impl Start {
    /// The permission bits that what it makes does not get, as its parent says in the environment; none where it does not.
    pub(crate) fn mask(&self) -> u32 {
        let given = self.env.iter().rev().find(|(name, _)| name == MASK);
        given.and_then(|(_, mask)| u32::from_str_radix(mask, 8).ok()).map_or(0, |mask| mask & 0o777)
    }

    /// Drops everything but the account of its memory.
    pub(crate) fn let_go(self) -> Held {
        self.held
    }
}

/// Why nothing was started.
#[derive(Debug, PartialEq)]
pub(crate) enum NotStarted {
    NotFound,
    TooMany,
    Failed(String),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Exited(u8),
    Killed(u8),
    Trapped(String),
}

impl Ending {
    /// From what the engine reports of a `wasi:cli/run`.
    pub(crate) fn of(result: wasmtime::Result<Result<(), ()>>, meter: &Meter) -> Self {
        let error = match result {
            Ok(done) => return Self::Exited(u8::from(done.is_err())),
            Err(error) => error,
        };
        if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
            // Of a status, a parent sees the lowest eight bits (POSIX.1-2024, `exit`).
            return Self::Exited((status & 0xff) as u8);
        }
        if error.downcast_ref::<BrokenPipe>().is_some() {
            return Self::Killed(SIGPIPE);
        }
        Self::Trapped(classify(&error, meter).to_string())
    }
}

impl Family {
    pub(crate) fn new(programs: Arc<Programs>, numbers: Arc<Numbers>) -> Arc<Self> {
        Arc::new(Self {
            programs,
            numbers,
            live: Arc::default(),
            tasks: Mutex::default(),
            interrupted: watch::Sender::new(false),
            over: Arc::default(),
        })
    }

    /// One of the same programs, which this one does not end.
    pub(super) fn another(&self) -> Arc<Self> {
        Self::new(Arc::clone(&self.programs), Arc::clone(&self.numbers))
    }

    /// Set when it is over.
    pub(crate) fn over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.over)
    }

    /// Whether none of its processes lives.
    pub(super) fn is_idle(&self) -> bool {
        self.live.load(Relaxed) == 0
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.programs.0.keys().cloned().collect()
    }

    /// Starts a program for `job`, which is its parent's.
    pub(super) async fn spawn(
        self: &Arc<Self>,
        job: &Job,
        parent: u32,
        program: &str,
        start: Start,
    ) -> Result<Child, NotStarted> {
        let hand = self.programs.0.get(program).ok_or(NotStarted::NotFound)?;
        let place = self.place(job.meter.limits().processes).ok_or(NotStarted::TooMany)?;
        let ready = ready(hand).await.map_err(|error| NotStarted::Failed(error.to_string()))?;
        let id = self.numbers.0.fetch_add(1, Relaxed);
        let signals = Arc::clone(&start.signals);
        let start = Start { id, parent, ..start };
        let (tell, ended) = watch::channel(None);
        let job = Job { hop: Arc::default(), ..job.clone() };
        let family = Arc::clone(self);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // What a killed process starts until it yields would be nobody's to end.
        let is_orphan = parent != FIRST && !tasks.running.contains_key(&parent);
        if tasks.over || is_orphan || self.is_interrupted() {
            return Err(NotStarted::Failed("the call is over".to_owned()));
        }
        // A guest that nothing interrupts could not be ended.
        let ticking = ready.engine.ticking();
        let task = tokio::spawn(async move {
            let _ticking = ticking;
            let hop = Arc::clone(&job.hop);
            let run = Box::pin(async move { ready.run_program(&job, start).await });
            let ending = drive(run, hop).await.unwrap_or_else(|error| Ending::Trapped(error.to_string()));
            drop(place);
            family.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
            tell.send_replace(Some(ending));
        });
        let running = Running { task: task.abort_handle(), signal: Arc::new(AtomicU8::new(SIGKILL)), signals };
        let signal = Arc::clone(&running.signal);
        tasks.running.insert(id, running);
        tasks.parents.insert(id, parent);
        Ok(Child { id, ended, signal, family: Arc::clone(self) })
    }

    fn place(&self, max: u32) -> Option<Place> {
        let taken = self.live.fetch_update(Relaxed, Relaxed, |live| (live < max).then_some(live + 1));
        taken.is_ok().then(|| Place::new(Arc::clone(&self.live)))
    }

    /// Ends every process, and lets none begin.
    pub(super) fn end(&self) {
        self.over.store(true, Relaxed);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.over = true;
        tasks.end();
    }

    /// Ends every process; others may begin.
    pub(super) fn clear(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).end();
    }

    /// Sends a signal to a process, by its number. False if there is none.
    pub(super) fn send(&self, id: u32, signal: u8) -> bool {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).send(id, signal)
    }

    /// Ends every process as from a keyboard, and lets none begin; the call itself is to return soon.
    pub(crate) fn interrupt(&self) {
        self.interrupted.send_replace(true);
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.running.values().for_each(|running| running.kill(SIGINT));
    }

    pub(super) fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow()
    }

    /// Waits until it is interrupted.
    pub(super) fn interruption(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut interrupted = self.interrupted.subscribe();
        async move {
            // Its sender is gone: nobody interrupts it any more.
            if interrupted.wait_for(|is| *is).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// A program's component, compiled if it must be: on a task of its own, so that what was begun is not lost when a call ends
/// over it.
async fn ready(hand: &Arc<ComponentHand>) -> Result<Arc<Ready>, HandError> {
    if let Some(ready) = hand.ready_now() {
        return Ok(ready);
    }
    let hand = Arc::clone(hand);
    let made = tokio::spawn(async move { hand.ready().await }).await;
    made.unwrap_or_else(|error| Err(HandError::Fatal(format!("a program could not be made ready: {error}"))))
}

/// Held by the call: what it started ends with it, however it ends.
pub(crate) struct EndsWithCall(pub(crate) Option<Arc<Family>>);

impl Drop for EndsWithCall {
    fn drop(&mut self) {
        if let Some(family) = &self.0 {
            family.end();
        }
    }
}

/// One of the processes that may live at once.
struct Place(Arc<AtomicU32>);

/// The processes of all families.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many programs run that tools of this process started. A runtime that ends before they do has some of them panic, as
/// what they wait for is taken from them; they end soon after the [`Toolbox`](crate::Toolbox) whose hands started them is dropped.
#[must_use]
pub fn live_programs() -> usize {
    LIVE.load(Relaxed)
}

impl Place {
    fn new(live: Arc<AtomicU32>) -> Self {
        LIVE.fetch_add(1, Relaxed);
        Self(live)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// A process, as its parent holds it.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
pub struct Child {
    id: u32,
    ended: watch::Receiver<Option<Ending>>,
    /// By which it is ended, if it is.
    signal: Arc<AtomicU8>,
    family: Arc<Family>,
}

impl Child {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn kill(&self, signal: u8) {
        self.family.send(self.id, signal);
    }

    /// A future of its own, so that several can be waited for.
    pub(super) fn ending(&self) -> impl Future<Output = Ending> + Send + use<> {
        let (mut ended, signal) = (self.ended.clone(), Arc::clone(&self.signal));
        async move {
            match ended.wait_for(Option::is_some).await.map(|ending| ending.clone()) {
                Ok(Some(ending)) => ending,
                // Its task was ended before it could tell.
                Ok(None) | Err(_) => Ending::Killed(signal.load(Relaxed)),
            }
        }
    }

    pub(super) async fn wait(&self, nanoseconds: Option<u64>) -> Option<Ending> {
        within(nanoseconds, self.ending()).await
    }
}

/// Waits for something, at most so long.
pub(super) async fn within<T>(nanoseconds: Option<u64>, what: impl Future<Output = T>) -> Option<T> {
    match nanoseconds {
        None => Some(what.await),
        Some(nanoseconds) => timeout(Duration::from_nanos(nanoseconds), what).await.ok(),
    }
}
