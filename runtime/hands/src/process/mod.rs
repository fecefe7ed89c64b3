//! Programs that start programs, each in a store of its own: `handbox:process`.
//!
//! A process is a component's `wasi:cli/run` in its own store, on its own task. It shares its call's budgets, sees the folders and
//! sends in the name of its own component, and ends with the call; what a kept hand starts to run beside its calls has budgets
//! of its own and ends with the hand. Streams between processes are values of the host that any number of processes hold. No
//! program of the host is ever started.

mod beside;
mod capture;
mod ends;
mod family;
mod held;
mod host;
mod modes;
mod open;
mod pipe;

pub(crate) use beside::WhileCalled;
#[expect(unreachable_pub, reason = "what is generated names them in its interface")]
pub use capture::Capture;
pub(crate) use ends::Standard;
#[expect(unreachable_pub, reason = "as above")]
pub use ends::{Input, Output};
#[expect(unreachable_pub, reason = "as above")]
pub use family::Child;
pub use family::live_programs;
pub(crate) use family::{Ending, EndsWithCall, Family, Numbers, Programs, Signals, Start};
pub(crate) use held::{Held, Holdings, NoMemory};

use crate::job::Job;
use crate::sink::Sink;
use beside::Beside;
use bytes::Bytes;
use family::FIRST;
use std::sync::Arc;

/// What one store is as a process.
pub(crate) struct Process {
    stdin: Input,
    stdout: Output,
    stderr: Output,
    handed: Vec<u8>,
    /// Its number in its call, and its parent's.
    id: u32,
    parent: u32,
    signals: Arc<Signals>,
    /// The call that it runs for; none before the first.
    job: Option<Job>,
    /// What it has beside its calls, if it is kept for many.
    beside: Option<Beside>,
}

impl Process {
    /// One that a call begins with.
    pub(crate) fn first(stdin: Option<Bytes>, stdout: &Sink, stderr: &Sink) -> Self {
        Self {
            stdin: Input::of_bytes(stdin.unwrap_or_default(), None),
            stdout: Output::of(Box::new(stdout.clone())),
            stderr: Output::of(Box::new(stderr.clone())),
            handed: Vec::new(),
            id: FIRST,
            parent: 0,
            signals: Arc::default(),
            job: None,
            beside: None,
        }
    }

    /// One that another started.
    pub(crate) fn started(start: &Start) -> Self {
        Self {
            stdin: start.stdin.clone(),
            stdout: start.stdout.clone(),
            stderr: start.stderr.clone(),
            handed: start.handed.clone(),
            id: start.id,
            parent: start.parent,
            signals: Arc::clone(&start.signals),
            job: None,
            beside: None,
        }
    }

    /// Another one started it.
    pub(crate) fn is_started(&self) -> bool {
        self.id != FIRST
    }

    /// What is started from now on belongs to this call.
    pub(crate) fn start_call(&mut self, job: &Job) {
        self.job = Some(job.clone());
    }

    /// It is kept: what it starts may outlive the call.
    pub(crate) fn outlives(&mut self, job: &Job) {
        if self.beside.is_none() {
            self.beside = job.family.as_ref().map(|family| Beside::of(family));
        }
    }

    fn family(&self) -> Option<&Arc<Family>> {
        self.job.as_ref()?.family.as_ref()
    }

    /// Sends a signal to a process of the call or of the hand. False if there is none of this number.
    fn send(&self, id: u32, signal: u8) -> bool {
        let of_call = self.family().is_some_and(|family| family.send(id, signal));
        of_call || self.beside.as_ref().is_some_and(|beside| beside.send(id, signal))
    }

    fn is_interrupted(&self) -> bool {
        self.family().is_some_and(|family| family.is_interrupted())
    }

    /// Whose job a process is that is started now.
    fn job_of_child(&mut self, beside: bool) -> Option<Job> {
        let job = self.job.as_ref()?;
        Some(match &mut self.beside {
            Some(own) if beside => own.job(job),
            _ => job.clone(),
        })
    }

    /// What waits for others of its call does so until the call is interrupted: then there is none.
    async fn unless_interrupted<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        let Some(family) = self.family() else { return Some(what.await) };
        tokio::select! {
            biased;
            done = what => Some(done),
            () = family.interruption() => None,
        }
    }
}
