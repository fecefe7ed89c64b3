//! Programs that start programs, each in a store of its own: `handbox:process`.
//!
//! A process is a component's `wasi:cli/run` in its own store, on its own task. It shares its call's budgets, sees the folders and
//! sends in the name of its own component, and ends with the call. Streams between processes are values of the host that any
//! number of processes hold. No program of the host is ever started.

mod capture;
mod ends;
mod family;
mod held;
mod host;
mod modes;
mod open;
mod pipe;

#[expect(unreachable_pub, reason = "what is generated names them in its interface")]
pub use capture::Capture;
pub(crate) use ends::Standard;
#[expect(unreachable_pub, reason = "as above")]
pub use ends::{Input, Output};
#[expect(unreachable_pub, reason = "as above")]
pub use family::Child;
pub(crate) use family::{Ending, EndsWithCall, Family, Programs, Start};

use crate::job::Job;
use crate::sink::Sink;
use bytes::Bytes;
use family::FIRST;

/// What one store is as a process.
pub(crate) struct Process {
    stdin: Input,
    stdout: Output,
    stderr: Output,
    handed: Vec<u8>,
    /// Its number in its call.
    id: u32,
    /// The call that it runs for; none before the first.
    job: Option<Job>,
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
            job: None,
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
            job: None,
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
}
