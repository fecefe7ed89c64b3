//! Reading what a strategy needs of a log, and no more.

use super::transcript::{Next, Own, ends_turn};
use super::{Context, Reach};
use handbox_session::fold::{InputTaken, ModelReply, bodies::Body};
use handbox_session::{
    Blobs, Damage, Entry, EventId, Hash, LogError, Order, Seq, SessionId, SessionLog, Slice, entry_at, kinds,
};
use std::collections::{HashMap, HashSet};

/// How many events are read at once, looking back for a turn's beginning.
const BACK_EVENTS: usize = 256;

/// What a request is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// Entries, oldest first. There may be gaps: of what is before the slice only the input is here that was taken in it.
    pub entries: Vec<Entry>,
    /// The content that is not in the events.
    pub blobs: HashMap<Hash, Vec<u8>>,
}

/// Reads what a strategy needs to say what a model saw, or would see, at a place.
///
/// # Errors
///
/// As [`SessionLog::read`].
pub async fn read(
    log: &dyn SessionLog,
    blobs: &dyn Blobs,
    session: SessionId,
    context: &Context,
    position: Seq,
) -> Result<Material, LogError> {
    let entries = match context.strategy().reach() {
        Reach::Everything => forward(log, session, Seq::FIRST, position).await?,
        Reach::Turns(turns) => turns_back(log, session, turns, position).await?,
        Reach::Summary => since_summary(log, session, position).await?,
    };
    let mut material = Material::default();
    material.add(log, blobs, session, entries).await?;
    Ok(material)
}

impl Material {
    /// Adds what was written after a place.
    ///
    /// # Errors
    ///
    /// As [`SessionLog::read`].
    pub async fn read_on(
        &mut self,
        log: &dyn SessionLog,
        blobs: &dyn Blobs,
        session: SessionId,
        after: Seq,
        to: Seq,
    ) -> Result<(), LogError> {
        if after < to {
            let entries = forward(log, session, after.plus(1), to).await?;
            self.add(log, blobs, session, entries).await?;
        }
        Ok(())
    }

    /// Adds entries that come after all that are here, with the input from before that is taken in them and the blobs that
    /// they name.
    ///
    /// # Errors
    ///
    /// As [`SessionLog::read`].
    pub async fn add(
        &mut self,
        log: &dyn SessionLog,
        blobs: &dyn Blobs,
        session: SessionId,
        entries: Vec<Entry>,
    ) -> Result<(), LogError> {
        for (seq, digest) in entries.iter().filter_map(|entry| Some((entry.seq, blob(entry)?))) {
            if self.blobs.contains_key(&digest) {
                continue;
            }
            // Without it the model would be shown another conversation than there was.
            let content = blobs.get(digest).await?.ok_or_else(|| {
                let what = format!("its content is the blob {digest}, and that is not there");
                LogError::Damaged(Damage::Event { session, seq, what })
            })?;
            self.blobs.insert(digest, content);
        }
        let mut before = Vec::new();
        for id in self.taken_before(&entries) {
            before.extend(by_id(log, session, id).await?);
        }
        self.entries.extend(entries);
        if !before.is_empty() {
            self.entries.append(&mut before);
            self.entries.sort_by_key(|entry| entry.seq);
        }
        Ok(())
    }

    /// Input that is taken among new entries and is neither there nor here.
    fn taken_before(&self, new: &[Entry]) -> Vec<EventId> {
        let mut taken: Vec<EventId> = new
            .iter()
            .filter_map(|entry| InputTaken::from_event(&entry.event).ok())
            .flat_map(|taken| taken.ids)
            .collect();
        if !taken.is_empty() {
            let here: HashSet<EventId> = self.entries.iter().chain(new).map(|entry| entry.event.id()).collect();
            taken.retain(|id| !here.contains(id));
        }
        taken
    }
}

/// The blob that holds what an entry says.
fn blob(entry: &Entry) -> Option<Hash> {
    let kind = entry.event.kind();
    if *kind == kinds::HANDBOX_MODEL_REPLY {
        return ModelReply::from_event(&entry.event).ok()?.content_blob;
    }
    let may = *kind == kinds::AGENT_TOOL_RESULT || *kind == kinds::AGENT_THREAD_CONTEXT_COMPACTED;
    if !may || !entry.event.json().contains("content_blob") {
        return None;
    }
    serde_json::from_str::<Own>(entry.event.json()).ok()?.handbox.content_blob
}

async fn forward(log: &dyn SessionLog, session: SessionId, from: Seq, to: Seq) -> Result<Vec<Entry>, LogError> {
    let mut entries = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next {
        let page = log.read(session, Slice { to: Some(to), ..Slice::from(from) }).await?;
        entries.extend(page.entries);
        next = page.next;
    }
    Ok(entries)
}

async fn turns_back(
    log: &dyn SessionLog,
    session: SessionId,
    turns: u64,
    position: Seq,
) -> Result<Vec<Entry>, LogError> {
    let mut entries = Vec::new();
    let mut ends = 0;
    // What comes after the entry at hand, as `ends_turn` wants to know it.
    let mut next = Next::default();
    let mut to = Some(position);
    while let Some(at) = to {
        let slice = Slice { to: Some(at), order: Order::NewestFirst, limit: Some(BACK_EVENTS), ..Slice::default() };
        let page = log.read(session, slice).await?;
        to = page.next;
        for entry in page.entries {
            // One end more than turns: the last may be that of the turn that ended just now.
            if ends_turn(&entry.event, next) {
                ends += 1;
                if ends > turns {
                    to = None;
                    break;
                }
            }
            next = next.before(&entry.event);
            entries.push(entry);
        }
    }
    entries.reverse();
    Ok(entries)
}

async fn since_summary(log: &dyn SessionLog, session: SessionId, position: Seq) -> Result<Vec<Entry>, LogError> {
    let latest = log.record(session).await?.compaction;
    let mut next = latest.map(|latest| latest.min(position));
    while let Some(at) = next {
        let slice = Slice {
            to: Some(at),
            order: Order::NewestFirst,
            limit: Some(1),
            kinds: vec![kinds::AGENT_THREAD_CONTEXT_COMPACTED],
            ..Slice::default()
        };
        let page = log.read(session, slice).await?;
        next = page.next;
        let Some(entry) = page.entries.into_iter().next() else { continue };
        let own = serde_json::from_str::<Own>(entry.event.json()).ok();
        if let Some(through) = own.and_then(|own| own.handbox.through) {
            return forward(log, session, through.plus(1), position).await;
        }
        next = entry.seq.before();
    }
    forward(log, session, Seq::FIRST, position).await
}

async fn by_id(log: &dyn SessionLog, session: SessionId, id: EventId) -> Result<Option<Entry>, LogError> {
    let Some(place) = log.find(session, id).await? else { return Ok(None) };
    entry_at(log, session, place).await
}
