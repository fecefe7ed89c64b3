//! Background jobs.

use crate::io::Io;
use crate::shell::{Flow, Run, Shell};
use crate::system::{self, Child};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A job.
pub(crate) struct Job {
    /// As in `%1`.
    pub(crate) number: usize,
    pub(crate) id: u32,
    pub(crate) child: Option<Child>,
    pub(crate) command: String,
    /// How it ended, if it has.
    pub(crate) status: Option<i32>,
}

/// What runs beside the shell.
#[derive(Default)]
pub(crate) struct Jobs {
    pub(crate) all: Vec<Job>,
    /// The jobs before this one are those of the shell around a subshell: it sees them and
    /// cannot wait for them.
    pub(crate) own_from: usize,
    /// Processes of `> >(…)`, which end when nobody writes to them any more.
    pub(crate) readers: Vec<Child>,
    /// Processes of `< <(…)`.
    pub(crate) writers: Vec<Child>,
    /// Processes of jobs of subshells that have ended.
    pub(crate) strays: Vec<Child>,
    /// How those ended that were waited for: one may ask again.
    pub(crate) ended: BTreeMap<u32, i32>,
    /// Signals that came and have a trap.
    pub(crate) pending: Vec<String>,
}

/// After so many jobs those that have ended are let go.
const LOOKED_AT_AFTER: usize = 32;

/// How often whoever waits looks for signals, where there are traps for some.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(20);

/// How long what reads the output gets when there is no time left, or others write there too.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How many jobs are remembered that were waited for.
const REMEMBERED_MAX: usize = 1024;

/// The number of a job that could not even be started.
const NOBODY: u32 = 1 << 30;

impl Jobs {
    /// Forgets the jobs of a subshell, which is over.
    pub(crate) fn leave(&mut self) {
        let left = self.all.split_off(self.own_from).into_iter().filter_map(|job| job.child);
        self.strays.extend(left);
        self.strays.retain(|child| child.wait(Some(Duration::ZERO)).is_none());
    }

    fn remember(&mut self, id: u32, status: i32) {
        if self.ended.len() >= REMEMBERED_MAX {
            self.ended.pop_first();
        }
        self.ended.insert(id, status);
    }

    /// Of jobs that have ended, only how is remembered.
    fn forget_ended(&mut self) {
        let all = std::mem::take(&mut self.all);
        for job in all {
            match job.status {
                Some(status) => self.remember(job.id, status),
                None => self.all.push(job),
            }
        }
    }
}

impl Shell {
    pub(crate) fn add_job(&mut self, child: Child, command: String) {
        // Each process that is held takes one of the handles that a sandbox may have.
        if self.jobs.all.len() % LOOKED_AT_AFTER == LOOKED_AT_AFTER - 1 {
            self.look_at_jobs();
        }
        let id = child.id();
        let number = self.jobs.all.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.jobs.all.push(Job { number, id, child: Some(child), command, status: None });
        self.state.last_background = Some(id);
    }

    pub(crate) fn add_ended_job(&mut self, status: i32, command: String) {
        let number = self.jobs.all.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let id = NOBODY + u32::try_from(number).unwrap_or(0);
        self.jobs.all.push(Job { number, id, child: None, command, status: Some(status) });
        self.state.last_background = Some(id);
    }

    /// Notes a process of `< <(…)`, and lets go of those that have ended: each takes a handle.
    pub(crate) fn add_writer(&mut self, child: Child) {
        self.jobs.writers.retain(|child| child.wait(Some(Duration::ZERO)).is_none());
        self.jobs.writers.push(child);
    }

    /// Waits for the processes of `> >(…)` past the first so many.
    pub(crate) fn wait_for_readers(&mut self, from: usize) -> Result<(), Flow> {
        for child in self.jobs.readers.split_off(from) {
            self.wait_for(&child)?;
        }
        Ok(())
    }

    /// Notes which jobs have ended.
    pub(crate) fn look_at_jobs(&mut self) {
        let mut trapped = Vec::new();
        for job in &mut self.jobs.all {
            if job.status.is_none()
                && let Some(child) = &job.child
            {
                let ending = child.wait(Some(Duration::ZERO));
                job.status = ending.as_ref().map(system::Ending::status);
                if job.status.is_some() {
                    job.child = None;
                }
                if let Some(system::Ending::Trapped(why)) = ending {
                    trapped.push(format!("{}: {why}", job.command));
                }
            }
        }
        trapped.iter().for_each(|why| self.complain(why));
    }

    /// Waits for the job at this place; forgets it. One that is not waited for to its end runs on.
    pub(crate) fn wait_for_job(&mut self, at: usize) -> Run {
        let status = loop {
            let job = &self.jobs.all[at];
            let (None, Some(child)) = (job.status, &job.child) else { break job.status.unwrap_or(127) };
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let most =
                if self.catches { Some(left.map_or(SIGNAL_INTERVAL, |left| left.min(SIGNAL_INTERVAL))) } else { left };
            if let Some(ending) = child.wait(most) {
                if let system::Ending::Trapped(why) = &ending {
                    self.complain(why);
                }
                break ending.status();
            }
            if !self.catches || left.is_some_and(|left| left.is_zero()) || system::interrupted() {
                return Err(Flow::TimedOut);
            }
            self.look_for_signals()?;
            // A signal that is trapped ends the wait, and the job runs on (POSIX.1-2024, `wait`).
            if let Some(name) = self.jobs.pending.first() {
                return Ok(128 + crate::builtins::kill::number(name).map_or(0, i32::from));
            }
        };
        let job = self.jobs.all.remove(at);
        self.jobs.remember(job.id, status);
        Ok(status)
    }

    /// Ends what belongs to the call: what reads the shell's output gets the last of it first. Jobs run on. False if the
    /// shell's streams ended with it.
    pub(crate) fn end_call(&mut self) -> bool {
        self.look_at_jobs();
        self.jobs.forget_ended();
        self.jobs.pending.clear();
        std::mem::take(&mut self.jobs.writers).iter().for_each(|child| child.kill(9));
        let readers = std::mem::take(&mut self.jobs.readers);
        if readers.is_empty() {
            return true;
        }
        self.io = Io::closed();
        let last = Instant::now() + LAST_WORDS;
        end_readers(readers, self.deadline.map(|deadline| deadline.max(last)));
        false
    }

    /// Ends all jobs.
    pub(crate) fn end_jobs(&mut self) {
        let jobs = std::mem::take(&mut self.jobs);
        let children = jobs.all.into_iter().filter_map(|job| job.child).chain(jobs.strays);
        children.for_each(|child| child.kill(9));
        system::end_beside();
    }

    /// Waits for what reads the output of a shell that has ended: for long only if nobody else writes.
    pub(crate) fn end_output(&mut self) {
        self.look_at_jobs();
        let alone = self.jobs.all.iter().all(|job| job.child.is_none());
        self.io = Io::closed();
        let until = if alone { None } else { Some(Instant::now() + LAST_WORDS) };
        for child in std::mem::take(&mut self.jobs.readers) {
            child.wait(until.map(|until| until.saturating_duration_since(Instant::now())));
        }
    }
}

fn end_readers(readers: Vec<Child>, until: Option<Instant>) {
    for child in readers {
        if child.wait(until.map(|until| until.saturating_duration_since(Instant::now()))).is_none() {
            child.kill(9);
        }
    }
}
