//! The one thread that writes: it takes all that waits, and puts it into one commit.

use crate::book::Note;
use crate::error::{engine, guard};
use crate::fold;
use crate::inner::{Inner, Kept, Locked};
use crate::options::Commit;
use crate::plan::Plan;
use crate::reclaim::Reclaim;
use crate::tables::FRAMES;
use handbox_session::{Batch, Lease, LogError, NewSession, Places, Record, SessionId, Ticket};
use redb::{Durability, WriteTransaction};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What somebody wants of the writer.
#[derive(Debug)]
pub(crate) enum Ask {
    Append(Vec<Batch>),
    Create {
        new: Box<NewSession>,
        connection: u64,
    },
    Remove(SessionId),
    Abandon(SessionId, Ticket),
    Claim {
        session: SessionId,
        holder: String,
        time: Duration,
        connection: u64,
    },
    Renew(Lease, Duration),
    Release(Lease),
    /// Writes the tables now.
    Fold,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    Places(Vec<Option<Places>>),
    Record(Record),
    Lease(Lease),
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<Done, LogError>>,
    /// Its place in the queue, which is free again once it is answered.
    pub(crate) _room: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

#[derive(Debug)]
pub(crate) enum Message {
    Request(Request),
    /// A connection is gone, and with it its leases.
    HangUp(u64),
}

#[derive(Debug)]
pub(crate) struct Worker {
    inner: Arc<Inner>,
    queue: Receiver<Message>,
    reclaim: Reclaim,
    /// Which sessions arrive through which connection; some of them may have arrived.
    arriving: HashMap<u64, Vec<(SessionId, Ticket)>>,
    /// How many requests were answered at once the last time.
    company: usize,
}

/// What is known of the group when something fails.
enum Failed {
    /// Nothing of it was written.
    Before(LogError),
    /// It may be durable or not.
    During(LogError),
}

impl Worker {
    pub(crate) fn new(inner: Arc<Inner>, queue: Receiver<Message>) -> Self {
        Self { inner, queue, reclaim: Reclaim::default(), arriving: HashMap::new(), company: 0 }
    }

    /// Works until nobody is left who could ask.
    pub(crate) fn run(mut self) {
        self.drop_arriving();
        while let Some(first) = self.wait() {
            let group = self.gather(first);
            self.work(group);
        }
        // Reopening is quicker if there is nothing to read again. If this fails, nothing is lost.
        self.fold_now().ok();
        self.inner.followers.close();
    }

    /// Takes away what had not arrived when the store was closed: whoever let it arrive is gone.
    fn drop_arriving(&mut self) {
        let inner = Arc::clone(&self.inner);
        let arriving: Vec<_> = inner.book().arriving.iter().copied().collect();
        if arriving.is_empty() {
            return;
        }
        let mut plan = Plan::new(&inner);
        for session in arriving {
            // What is damaged stays where it is, seen by nobody; `verify` names it.
            guard(|| plan.abandon(session, None)).ok();
        }
        let (frames, notes) = plan.into_parts();
        // If it fails, the next opening does it.
        self.commit(&frames, notes).ok();
    }

    /// The next message. Uses the time until there is one.
    fn wait(&mut self) -> Option<Message> {
        loop {
            match self.queue.try_recv() {
                Ok(message) => return Some(message),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if self.inner.book().broken.is_some() {
                return self.queue.recv().ok();
            }
            if self.reclaim.is_due() && self.step() {
                continue;
            }
            let frames = self.inner.book().tail.frames;
            let message = if frames == 0 {
                self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.queue.recv_timeout(self.inner.options.index_time_max)
            };
            match message {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => drop(self.fold_now()),
            }
        }
    }

    /// What waits besides, and what follows at once where several writers wait for each other's sync.
    fn gather(&mut self, first: Message) -> Vec<Message> {
        let options = &self.inner.options;
        let until = Instant::now() + options.group_time_max;
        let (mut bytes, mut group) = (size(&first), vec![first]);
        while bytes < options.group_bytes_max && group.len() < options.queue_requests_max {
            let message = match self.queue.try_recv() {
                Err(TryRecvError::Empty) if group.len() < self.company => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    self.queue.recv_timeout(left).map_err(|_| TryRecvError::Empty)
                }
                message => message,
            };
            let Ok(message) = message else { break };
            bytes += size(&message);
            group.push(message);
        }
        self.company = group.len();
        group
    }

    fn work(&mut self, group: Vec<Message>) {
        let inner = Arc::clone(&self.inner);
        let mut plan = Plan::new(&inner);
        let mut answers = Vec::with_capacity(group.len());
        let mut folds = false;
        for message in group {
            match message {
                Message::HangUp(connection) => {
                    inner.leases.locked().hang_up(connection);
                    for (session, ticket) in self.arriving.remove(&connection).unwrap_or_default() {
                        // One that has arrived, or cannot be read, stays.
                        guard(|| plan.abandon(session, Some(ticket))).ok();
                    }
                }
                Message::Request(request) => {
                    folds |= matches!(request.ask, Ask::Fold);
                    let arrives = arrives(&request.ask);
                    // What only concerns leases is done at once, and not undone by a commit that fails.
                    let apart = leased(&request.ask).is_some_and(|session| !plan.decides(session));
                    let result = guard(|| answer(&inner, &mut plan, request.ask));
                    if let (Some((connection, arrives)), Ok(_)) = (arrives, &result) {
                        self.arriving.entry(connection).or_default().push(arrives);
                    }
                    answers.push((request.answer, result, apart, request._room));
                }
            }
        }
        let (frames, notes) = plan.into_parts();
        let appended: Vec<_> = notes.iter().filter(|note| !note.removes).map(|note| note.known.id).collect();
        let committed = if frames.is_empty() { Ok(()) } else { self.commit(&frames, notes) };
        // After the frames, so that they are in the tables too.
        let folded = if folds && committed.is_ok() { self.fold_now() } else { Ok(()) };
        for (answer, result, apart, room) in answers {
            drop(room);
            if let (Err(_), false, Ok(Done::Lease(lease))) = (&committed, apart, &result) {
                // Of a session that did not come to be.
                inner.leases.locked().release(lease);
            }
            let result = match &committed {
                _ if apart => result,
                Ok(()) => folded.clone().and(result),
                Err(Failed::Before(error)) => Err(error.clone()),
                Err(Failed::During(error)) => Err(LogError::Unavailable(error.to_string())),
            };
            // Whoever asked may be gone; what was done stays done.
            drop(answer.send(result));
        }
        // Last, so that nobody who appends waits until a thousand followers are woken.
        if committed.is_ok() {
            appended.into_iter().for_each(|session| inner.followers.appended(session));
        }
    }

    fn commit(&mut self, frames: &[(u64, Vec<u8>)], notes: Vec<Note>) -> Result<(), Failed> {
        let inner = Arc::clone(&self.inner);
        let folds = fold::is_due(&inner);
        self.write(|write| {
            let mut table = write.open_table(FRAMES).map_err(engine)?;
            for (number, frame) in frames {
                table.insert(number, frame.as_slice()).map_err(engine)?;
            }
            drop(table);
            if folds { fold::fold(&inner, write) } else { Ok(()) }
        })?;
        self.publish(folds, notes);
        Ok(())
    }

    fn publish(&mut self, folded: bool, notes: Vec<Note>) {
        let now = self.inner.surroundings.clock.now();
        let removed: Vec<_> = notes.iter().filter(|note| note.removes).map(|note| note.known.id).collect();
        self.reclaim.heed(notes.iter());
        let mut book = self.inner.book_mut();
        if folded {
            book.folded();
        }
        notes.into_iter().for_each(|note| book.apply(note, now));
        drop(book);
        // Before any answer, so that nobody can follow a session of the same id yet.
        removed.into_iter().for_each(|session| self.inner.followers.removed(session));
    }

    /// Writes the tables in a commit of their own.
    fn fold_now(&mut self) -> Result<(), LogError> {
        let inner = Arc::clone(&self.inner);
        if let Some(broken) = &inner.book().broken {
            return Err(broken.clone());
        }
        if inner.book().tail.frames == 0 {
            return Ok(());
        }
        inner.check_space(0, Kept::Last)?;
        self.write(|write| fold::fold(&inner, write)).map_err(Failed::into_error)?;
        inner.book_mut().folded();
        Ok(())
    }

    /// Frees a part of what was removed. Whether there was anything to do.
    fn step(&mut self) -> bool {
        if self.fold_now().is_err() {
            self.reclaim.give_up();
            return false;
        }
        let inner = Arc::clone(&self.inner);
        let chunk = match guard(|| self.reclaim.next(&inner)) {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return false,
            // What is damaged stays; `verify` names it.
            Err(_) => {
                self.reclaim.give_up();
                return false;
            }
        };
        self.write(|write| chunk.free(write)).is_ok()
    }

    /// Runs one transaction. If it fails, nothing more is written until the store is opened again: what the disk holds
    /// after a failed sync is not known, and trying the same again could only hide that.
    fn write(&self, work: impl FnOnce(&WriteTransaction) -> Result<(), LogError>) -> Result<(), Failed> {
        let begun = guard(|| {
            let mut write = self.inner.database.begin_write().map_err(engine)?;
            write.set_durability(Durability::Immediate).map_err(engine)?;
            prepare(&mut write, self.inner.options.commit);
            work(&write)?;
            Ok(write)
        });
        let written = match begun {
            Err(error) => Err(Failed::Before(error)),
            Ok(write) => guard(|| write.commit().map_err(engine)).map_err(Failed::During),
        };
        if let Err(Failed::Before(error) | Failed::During(error)) = &written {
            self.inner.book_mut().broken = Some(LogError::ReadOnly(error.to_string()));
        }
        written
    }
}

/// How transactions are committed.
pub(crate) fn prepare(write: &mut WriteTransaction, commit: Commit) {
    write.set_two_phase_commit(commit != Commit::OnePhase);
    write.set_quick_repair(commit == Commit::QuickRepair);
}

impl Failed {
    fn into_error(self) -> LogError {
        match self {
            Self::Before(error) | Self::During(error) => error,
        }
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Request(request) => request.bytes,
        Message::HangUp(_) => 0,
    }
}

/// The session with whose lease alone a request is concerned.
fn leased(ask: &Ask) -> Option<SessionId> {
    match ask {
        Ask::Claim { session, .. } => Some(*session),
        Ask::Renew(lease, _) | Ask::Release(lease) => Some(lease.session),
        _ => None,
    }
}

/// Which session begins to arrive, and through which connection.
fn arrives(ask: &Ask) -> Option<(u64, (SessionId, Ticket))> {
    let Ask::Create { new, connection } = ask else { return None };
    new.arrival.map(|arrival| (*connection, (new.id, arrival.ticket)))
}

/// Does what needs no commit, and plans what does.
fn answer(inner: &Inner, plan: &mut Plan<'_>, ask: Ask) -> Result<Done, LogError> {
    // Giving back a lease needs no disk.
    if let Some(broken) = inner.book().broken.as_ref().filter(|_| !matches!(ask, Ask::Release(_))) {
        return Err(broken.clone());
    }
    let now = inner.surroundings.clock.now();
    match ask {
        Ask::Append(batches) => plan.append(batches).map(Done::Places),
        Ask::Create { new, .. } => plan.create(*new).map(Done::Record),
        Ask::Abandon(session, ticket) => plan.abandon(session, Some(ticket)).map(|()| Done::Nothing),
        Ask::Remove(session) => plan.remove(session).map(|()| Done::Nothing),
        Ask::Claim { session, holder, time, connection } => {
            plan.check_session(session)?;
            inner.leases.locked().claim(session, holder, connection, (now, time)).map(Done::Lease)
        }
        Ask::Renew(lease, time) => {
            plan.check_session(lease.session)?;
            inner.leases.locked().renew(&lease, now, time).map(|()| Done::Nothing)
        }
        Ask::Release(lease) => {
            inner.leases.locked().release(&lease);
            Ok(Done::Nothing)
        }
        Ask::Fold => Ok(Done::Nothing),
    }
}
