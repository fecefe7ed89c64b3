//! A disk in memory that notes all that is asked of it, and fails or forgets when it is told to.

use handbox_store::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was asked of the disk, in order.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Write { at: usize, data: Arc<[u8]> },
    Resize(usize),
    Sync,
}

impl Op {
    /// Does it to what a disk holds. What lies past the end of the file is lost.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { at, data } => put(bytes, *at, data),
            Self::Resize(len) => bytes.resize(*len, 0),
            Self::Sync => {}
        }
    }
}

pub(crate) fn put(bytes: &mut [u8], at: usize, data: &[u8]) {
    let end = (at + data.len()).min(bytes.len());
    if at < end {
        bytes[at..end].copy_from_slice(&data[..end - at]);
    }
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The device gave up.
    Broken,
    /// There is no space.
    Full,
    /// A write that ends in the middle; anything else as if broken.
    Short,
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Of writes, changes of length and syncs together, from 0.
    pub(crate) nth: usize,
    pub(crate) failure: Failure,
    /// Whether all later ones fail too.
    pub(crate) lasts: bool,
}

/// Which syncs do nothing, though they say that they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swallowed {
    All,
    /// The first of the two of each commit: what it points to.
    First,
    /// The second of them: that it points there.
    Second,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) bytes: Vec<u8>,
    pub(crate) trace: Vec<Op>,
    fault: Option<Fault>,
    swallowed: Option<Swallowed>,
    syncs: usize,
    calls: usize,
    /// Whether the fault happened, and how many calls came after it.
    pub(crate) failed: bool,
    pub(crate) later: usize,
}

/// Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// One that holds this.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { bytes, ..State::default() })))
    }

    pub(crate) fn failing(bytes: Vec<u8>, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(State { bytes, fault: Some(fault), ..State::default() })))
    }

    /// Forgets to sync from now on, between two commits.
    pub(crate) fn swallow(&self, swallowed: Swallowed) {
        let mut state = self.state();
        (state.swallowed, state.syncs) = (Some(swallowed), 0);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much was asked of it so far.
    pub(crate) fn now(&self) -> usize {
        self.state().trace.len()
    }
}

impl State {
    /// Notes what is asked, and does it unless it is to fail.
    fn ask(&mut self, op: Op) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        if self.failed {
            self.later += 1;
        }
        if let Some(fault) = self.fault.filter(|fault| call == fault.nth || (fault.lasts && call > fault.nth)) {
            self.failed = true;
            return Err(self.fail(fault.failure, op));
        }
        if matches!(op, Op::Sync) {
            self.syncs += 1;
            let odd = self.syncs % 2 == 1;
            match self.swallowed {
                Some(Swallowed::All) => return Ok(()),
                Some(Swallowed::First) if odd => return Ok(()),
                Some(Swallowed::Second) if !odd => return Ok(()),
                _ => {}
            }
        }
        op.apply(&mut self.bytes);
        self.trace.push(op);
        Ok(())
    }

    fn fail(&mut self, failure: Failure, op: Op) -> io::Error {
        match (failure, op) {
            (Failure::Full, _) => io::ErrorKind::StorageFull.into(),
            (Failure::Short, Op::Write { at, data }) => {
                let part = Op::Write { at, data: data[..data.len() / 2].into() };
                part.apply(&mut self.bytes);
                self.trace.push(part);
                io::ErrorKind::WriteZero.into()
            }
            _ => io::Error::other("the disk is broken"),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (state, offset) = (self.state(), usize::try_from(offset).unwrap());
        let end = offset.checked_add(out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(state.bytes.get(offset..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state().ask(Op::Resize(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state().ask(Op::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.state().ask(Op::Write { at: usize::try_from(offset).unwrap(), data: data.into() })
    }
}
