//! The log as the other processes of this user see it: every operation is a request to the holder.

use super::frame::{PREVIEW_BYTES_MAX, Sort, encode};
use super::hello::{BUILD, ClientId, HELLO_TIME_MAX, Hello, PROTOCOL, Verdict, Welcome};
use super::holder::{Holder, Place};
use super::local;
use super::message::{Answer, Ask, Follow, Put, Shown};
use super::wire::Wire;
use async_trait::async_trait;
use handbox_session::{
    APPEND_BYTES_MAX, Batch, EventId, Lease, LogError, NewSession, Page, Places, Preview, Record, SESSIONS_MAX, Seq,
    SessionId, SessionLog, Slice, Tail, Ticket,
};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of the name that a lease's holder gives itself.
const HOLDER_BYTES_MAX: usize = 1024;

/// Why there is no connection to a holder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody is there, or not any more, or it is busy: try again, or become the holder.
    #[error("nobody serves the store: {0}")]
    Absent(String),
    /// The holder will not have this process, now or later.
    #[error("{0}")]
    Refused(String),
}

/// A log that another process holds.
///
/// It keeps the contract of [`SessionLog`] as long as its connection lives. When that is lost, everything pending and
/// later is [`LogError::Unavailable`]; [`SharedLog`](super::SharedLog) connects again.
pub struct RemoteLog {
    wire: Arc<Wire>,
}

impl RemoteLog {
    /// Connects to whoever holds the store of a data folder, from a tokio runtime. Takes at most five seconds.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]; a holder of another protocol is named with both versions.
    pub async fn connect(data: &Path) -> Result<Self, ConnectError> {
        Self::connect_as(new_client()?, data).await
    }

    /// Connects under a name that an earlier connection may have had: the holder ends that one first.
    pub(super) async fn connect_as(client: ClientId, data: &Path) -> Result<Self, ConnectError> {
        let place = Place::new(data);
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the holder does not answer");
        let greeted = async {
            let stream = local::connect(&place).await?;
            let (mut from, mut to) = local::split(stream);
            Hello::send(client, &mut to).await?;
            let welcome = Welcome::receive(&mut from).await?;
            Ok((from, to, welcome))
        };
        let greeted = tokio::time::timeout(2 * HELLO_TIME_MAX, greeted).await.unwrap_or_else(|_| Err(late()));
        let (from, to, welcome) = greeted.map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidData => ConnectError::Refused(format!(
                "the socket of the store in {} cannot be used: {error}",
                place.folder().display()
            )),
            _ => ConnectError::Absent(error.to_string()),
        })?;
        match welcome.verdict {
            Verdict::Welcome if welcome.protocol == PROTOCOL => Ok(Self { wire: Wire::start(from, to) }),
            Verdict::Welcome | Verdict::Protocol => Err(ConnectError::Refused(mismatch(&place, &welcome))),
            Verdict::Full => Err(ConnectError::Absent("it has as many connections as it can".to_owned())),
            Verdict::Stranger => Err(ConnectError::Refused("the store belongs to another user".to_owned())),
        }
    }

    /// Whether the connection was lost. It does not come back.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.wire.is_lost()
    }

    /// Ends the connection, also for the tails that follow through it.
    pub(super) fn close(&self) {
        self.wire.give_up("the log was closed".to_owned());
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer, LogError> {
        self.wire.ask(Sort::Ask, ask).await
    }

    async fn put(&self, put: &Put) -> Result<Answer, LogError> {
        self.wire.ask(Sort::Put, put).await
    }
}

/// A name for this client that nobody else has.
pub(super) fn new_client() -> Result<ClientId, ConnectError> {
    let mut client = ClientId::default();
    getrandom::fill(&mut client).map_err(|error| ConnectError::Refused(format!("no random numbers: {error}")))?;
    Ok(client)
}

fn mismatch(place: &Place, welcome: &Welcome) -> String {
    let process = Holder::read(place).map(|holder| format!(", process {} ({})", holder.process, holder.command));
    format!(
        "the holder of the store{} speaks protocol {} (Handbox {}), and this process protocol {PROTOCOL} (Handbox \
         {BUILD}); stop it, or use the same version",
        process.unwrap_or_default(),
        welcome.protocol,
        welcome.build
    )
}

/// An answer of another form than the request's: the holder is broken, and what it did is not known.
fn wrong<T>(answer: &Answer) -> Result<T, LogError> {
    Err(LogError::Unavailable(format!("the holder answered something else: {answer:?}")))
}

fn bounded(holder: &str) -> Result<String, LogError> {
    if holder.len() > HOLDER_BYTES_MAX {
        let what = format!("a holder's name of {} bytes; the most is {HOLDER_BYTES_MAX}", holder.len());
        return Err(LogError::Refused(what));
    }
    Ok(holder.to_owned())
}

fn too_much<T>() -> Result<T, LogError> {
    Err(LogError::Refused(format!("more than {APPEND_BYTES_MAX} bytes of events at once")))
}

#[async_trait]
impl SessionLog for RemoteLog {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        if bytes(&new.events) > APPEND_BYTES_MAX {
            return too_much();
        }
        match self.put(&Put::from(new)).await? {
            Answer::Created(record) => Ok(record),
            other => wrong(&other),
        }
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        if batches.iter().map(|batch| bytes(&batch.events)).sum::<usize>() > APPEND_BYTES_MAX {
            return too_much();
        }
        match self.put(&Put::Append(batches)).await? {
            Answer::Appended(places) => Ok(places),
            other => wrong(&other),
        }
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        match self.ask(&Ask::Read(session, slice)).await? {
            Answer::Page(page) => Ok(page),
            other => wrong(&other),
        }
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        match self.ask(&Ask::Find(session, event)).await? {
            Answer::Found(place) => Ok(place),
            other => wrong(&other),
        }
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(self.wire.follow(&Follow(session, after)).await?))
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        match self.ask(&Ask::Record(session)).await? {
            Answer::Record(record) => Ok(record),
            other => wrong(&other),
        }
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        let limit = limit.min(SESSIONS_MAX);
        let mut all: Vec<Record> = Vec::new();
        // Records of many forks of forks may not fit one answer.
        while all.len() < limit {
            let before = all.last().map_or(before, |last| Some(last.id));
            let left = u32::try_from(limit - all.len()).unwrap_or(u32::MAX);
            match self.ask(&Ask::Sessions(before, left)).await? {
                Answer::Sessions(records) if records.is_empty() => break,
                Answer::Sessions(records) => all.extend(records),
                other => return wrong(&other),
            }
        }
        Ok(all)
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        match self.ask(&Ask::Remove(session)).await? {
            Answer::Done => Ok(()),
            other => wrong(&other),
        }
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        match self.ask(&Ask::Abandon(session, ticket)).await? {
            Answer::Done => Ok(()),
            other => wrong(&other),
        }
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        match self.ask(&Ask::Claim(session, bounded(holder)?, time)).await? {
            Answer::Claimed(lease) => Ok(lease),
            other => wrong(&other),
        }
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        match self.ask(&Ask::Renew(lease.clone(), time)).await? {
            Answer::Done => Ok(()),
            other => wrong(&other),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        match self.ask(&Ask::Release(lease.clone())).await? {
            Answer::Done => Ok(()),
            other => wrong(&other),
        }
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        if preview.0.len() > PREVIEW_BYTES_MAX {
            return;
        }
        // One that is too large or finds the socket full is lost, as previews may be.
        if let Ok(frame) = encode(Sort::Preview, 0, &Shown(session, preview)) {
            self.wire.send_if_free(frame);
        }
    }
}

fn bytes(events: &[handbox_session::Event]) -> usize {
    events.iter().map(|event| event.json().len()).sum()
}
