//! One session of the log in memory.

use crate::{
    Arrival, Chain, ChainError, Entry, Epoch, Event, EventId, Fork, Hash, LINEAGE_MAX, LogError, Order, PAGE_BYTES_MAX,
    PAGE_EVENTS_MAX, PAGE_SCAN_MAX, Page, Places, Preview, Record, Seq, SessionId, Slice, kinds,
};
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use tokio::sync::{broadcast, watch};

/// How many previews wait for a follower before the oldest is lost.
const PREVIEWS_MAX: usize = 256;

/// One session, the events it shares included.
#[derive(Clone)]
pub(super) struct Session {
    /// Whose events it shares: their ids stay taken.
    pub(super) shares: Vec<SessionId>,
    pub(super) lineage: Vec<Fork>,
    /// Where it ends, until it has reached that.
    pub(super) arrival: Option<Arrival>,
    pub(super) chain: Chain,
    pub(super) events: Vec<Event>,
    hashes: Vec<Hash>,
    /// Who stored each event first: this session, or one of `shares`.
    stored_by: Vec<SessionId>,
    pub(super) places: HashMap<EventId, Seq>,
    pub(super) epoch: Epoch,
    pub(super) lease: Option<(String, Instant)>,
    pub(super) news: watch::Sender<()>,
    pub(super) previews: broadcast::Sender<(Seq, Preview)>,
    id: SessionId,
}

/// What an append adds to a session, once all of it is found to be right.
pub(super) struct Staged {
    chain: Chain,
    events: Vec<Event>,
    hashes: Vec<Hash>,
    ids: HashSet<EventId>,
}

fn refused(error: &ChainError) -> LogError {
    LogError::Refused(error.to_string())
}

impl Session {
    pub(super) fn new(id: SessionId, lineage: Vec<Fork>, arrival: Option<Arrival>) -> Result<Self, LogError> {
        let chain = Chain::new(id, lineage.clone()).map_err(|error| refused(&error))?;
        Ok(Self {
            id,
            shares: Vec::new(),
            lineage,
            arrival,
            chain,
            events: Vec::new(),
            hashes: Vec::new(),
            stored_by: Vec::new(),
            places: HashMap::new(),
            epoch: Epoch(0),
            lease: None,
            news: watch::Sender::new(()),
            previews: broadcast::Sender::new(PREVIEWS_MAX),
        })
    }

    /// A fork of this one, which is `parent`.
    pub(super) fn fork(&self, id: SessionId, parent: SessionId, at: Seq) -> Result<Self, LogError> {
        let count = usize::try_from(at.get()).unwrap_or(usize::MAX);
        let Some(hash) = self.hashes.get(count - 1) else {
            let head = self.events.len();
            return Err(LogError::Refused(format!("no place {at} to fork at: session {parent} ends at {head}")));
        };
        if self.lineage.len() >= LINEAGE_MAX {
            return Err(LogError::Refused(format!("a fork of {LINEAGE_MAX} forks of each other; fork an older one")));
        }
        let mut fork = Self::new(id, Fork::lineage(parent, &self.lineage, at, *hash), None)?;
        let mut staged = Staged::new(&fork);
        staged.append(&fork, self.events[..count].to_vec())?;
        fork.commit(staged);
        fork.stored_by = self.stored_by[..count].to_vec();
        fork.shares = fork.stored_by.clone();
        fork.shares.dedup();
        Ok(fork)
    }

    pub(super) fn commit(&mut self, staged: Staged) {
        for (event, place) in staged.events.into_iter().zip(self.events.len() as u64 + 1..) {
            self.places.extend(Seq::new(place).map(|seq| (event.id(), seq)));
            self.events.push(event);
            self.stored_by.push(self.id);
        }
        self.hashes.extend(staged.hashes);
        self.chain = staged.chain;
        self.arrival = self.arrival.filter(|arrival| self.chain.head() < Some(arrival.head));
        self.news.send_replace(());
    }

    /// Whether a brain may write under this claim.
    pub(super) fn admit(&self, epoch: Epoch, now: Instant) -> Result<(), LogError> {
        let holds = self.holder(now).is_some() && self.epoch == epoch;
        if holds { Ok(()) } else { Err(LogError::Fenced { session: self.id, epoch, newest: self.epoch }) }
    }

    /// Whether nobody holds it.
    pub(super) fn check_free(&self, session: SessionId, now: Instant) -> Result<(), LogError> {
        match self.holder(now) {
            Some(holder) => Err(LogError::Held { session, holder: holder.to_owned() }),
            None => Ok(()),
        }
    }

    fn holder(&self, now: Instant) -> Option<&str> {
        self.lease.as_ref().filter(|(_, until)| now < *until).map(|(holder, _)| holder.as_str())
    }

    /// Lets no follower of the original hear of this copy.
    pub(super) fn disconnect(&mut self) {
        self.news = watch::Sender::new(());
        self.previews = broadcast::Sender::new(PREVIEWS_MAX);
    }

    pub(super) fn record(&self, id: SessionId, now: Instant) -> Result<Record, LogError> {
        let place = |index: usize| Seq::new(index as u64 + 1);
        let latest = |kind| self.events.iter().rposition(|event| *event.kind() == kind).and_then(place);
        let (Some(head), Some(last)) = (self.chain.head(), self.events.last()) else {
            return Err(LogError::NoSession(id));
        };
        Ok(Record {
            id,
            lineage: self.lineage.clone(),
            head,
            last: last.id(),
            hash: self.chain.hash(),
            checkpoint: latest(kinds::HANDBOX_CHECKPOINT),
            compaction: latest(kinds::AGENT_THREAD_CONTEXT_COMPACTED),
            holder: self.holder(now).map(str::to_owned),
        })
    }
}

impl Staged {
    pub(super) fn new(session: &Session) -> Self {
        Self { chain: session.chain.clone(), events: Vec::new(), hashes: Vec::new(), ids: HashSet::new() }
    }

    pub(super) fn head(&self) -> Option<Seq> {
        self.chain.head()
    }

    pub(super) fn append(&mut self, session: &Session, events: Vec<Event>) -> Result<Option<Places>, LogError> {
        let mut places = None;
        for event in events {
            let id = event.id();
            if session.places.contains_key(&id) || !self.ids.insert(id) {
                return Err(LogError::Refused(format!("the session {} has the event {id} already", session.id)));
            }
            let (seq, hash) = self.chain.push(event.json()).map_err(|error| refused(&error))?;
            self.hashes.push(hash);
            self.events.push(event);
            places = Some(Places { first: places.map_or(seq, |places: Places| places.first), last: seq });
        }
        if let (Some(arrival), Some(head)) = (session.arrival, self.chain.head()) {
            arrival.check(session.id, head, self.chain.hash())?;
        }
        Ok(places)
    }
}

/// A slice of these events, of which the first has the first place.
pub(super) fn page(events: &[Event], slice: &Slice) -> Page {
    let first = slice.from.map_or(1, Seq::get);
    let last = slice.to.map_or(u64::MAX, Seq::get).min(events.len() as u64);
    let places: Box<dyn Iterator<Item = u64>> = match slice.order {
        Order::OldestFirst => Box::new(first..=last),
        Order::NewestFirst => Box::new((first..=last).rev()),
    };
    let limit = slice.limit.unwrap_or(usize::MAX).min(PAGE_EVENTS_MAX);
    let scan = if slice.kinds.is_empty() && slice.thread.is_none() { usize::MAX } else { PAGE_SCAN_MAX };
    let mut page = Page { entries: Vec::new(), next: None };
    let mut bytes = 0;
    let places = places.filter_map(|place| Some((Seq::new(place)?, events.get(usize::try_from(place).ok()? - 1)?)));
    for (looked, (seq, event)) in places.enumerate().take_while(|_| limit > 0) {
        if page.entries.len() == limit || bytes >= PAGE_BYTES_MAX || looked == scan {
            page.next = Some(seq);
            break;
        }
        if slice.admits(event) {
            bytes += event.json().len();
            page.entries.push(Entry { seq, event: event.clone() });
        }
    }
    page
}
