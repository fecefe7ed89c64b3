//! Freeing what no session has any more, in small steps while nobody waits.

use crate::book::Note;
use crate::error::engine;
use crate::frame::Frame;
use crate::inner::{Inner, sharers};
use crate::known::{self, Known};
use crate::tables::{self, FRAMES, GRAVES, IDS, INDEX, MARKS, SHARES};
use handbox_session::{EventId, LogError};
use redb::WriteTransaction;
use std::collections::VecDeque;

/// The most frames that one commit frees, so that whoever comes meanwhile waits only for that.
const CHUNK_FRAMES: usize = 256;

/// Which removed sessions are to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Reclaim {
    /// Whether the table is to be read again: at opening, and after a removal.
    stale: bool,
    graves: VecDeque<Known>,
    begun: bool,
}

/// Frames that one commit frees.
#[derive(Debug)]
pub(crate) struct Chunk {
    grave: Known,
    /// First place and number of the frame, from the last on.
    frames: Vec<(u64, u64)>,
    events: Vec<(EventId, u8, u64)>,
    /// Whether nothing is left after.
    ends: bool,
}

impl Reclaim {
    pub(crate) fn is_due(&self) -> bool {
        !self.begun || self.stale || !self.graves.is_empty()
    }

    /// What was removed may have been the last to share the frames of another, so all are looked at.
    pub(crate) fn heed<'a>(&mut self, mut notes: impl Iterator<Item = &'a Note>) {
        self.stale |= notes.any(|note| note.removes);
    }

    /// Leaves it until the store is opened again, or something else is removed.
    pub(crate) fn give_up(&mut self) {
        *self = Self { begun: true, ..Self::default() };
    }

    /// What can be freed next. The tables must have all frames.
    pub(crate) fn next(&mut self, inner: &Inner) -> Result<Option<Chunk>, LogError> {
        if self.stale || !self.begun {
            (self.stale, self.begun) = (false, true);
            self.graves = graves(inner)?;
        }
        while let Some(grave) = self.graves.front() {
            let chunk = chunk(inner, grave)?;
            if chunk.as_ref().is_none_or(|chunk| chunk.ends) {
                self.graves.pop_front();
            }
            if chunk.is_some() {
                return Ok(chunk);
            }
        }
        Ok(None)
    }
}

fn graves(inner: &Inner) -> Result<VecDeque<Known>, LogError> {
    let read = inner.begin_read()?;
    let table = read.open_table(GRAVES).map_err(engine)?;
    let graves = table.range::<&[u8; 24]>(..).map_err(engine)?;
    graves
        .map(|grave| {
            let (key, value) = grave.map_err(engine)?;
            tables::unseal_known("graves", key.value(), value.value())
        })
        .collect()
}

/// The last frames of a removed session that nobody shares; `None` if it has none.
fn chunk(inner: &Inner, grave: &Known) -> Result<Option<Chunk>, LogError> {
    let read = inner.begin_read()?;
    let shares = read.open_table(SHARES).map_err(engine)?;
    let shared = sharers(&shares, grave.number)?.into_iter().map(|(_, upto)| upto).max();
    let index = read.open_table(INDEX).map_err(engine)?;
    let (low, high) =
        (tables::pair(grave.number, shared.map_or(0, |upto| upto + 1)), tables::pair(grave.number, grave.head));
    let mut frames = Vec::new();
    for stored in index.range::<&[u8; 16]>(&low..=&high).map_err(engine)?.rev().take(CHUNK_FRAMES) {
        let (key, value) = stored.map_err(engine)?;
        frames.push((tables::unpair(key.value()).1, tables::unseal("index", key.value(), value.value())?));
    }
    let ends = shared.is_none() && frames.len() < CHUNK_FRAMES;
    if frames.is_empty() && !ends {
        return Ok(None);
    }
    let table = read.open_table(FRAMES).map_err(engine)?;
    let mut events = Vec::new();
    for (_, number) in &frames {
        if let Some(stored) = table.get(number).map_err(engine)?
            // What is damaged goes too; its ids lead nowhere, as numbers are not used again.
            && let Ok(frame) = Frame::decode(*number, stored.value())
        {
            let items = frame.items.iter().zip(frame.header.first..);
            events.extend(items.map(|(item, place)| (item.id, known::mark(item.kind), place)));
        }
    }
    Ok(Some(Chunk { grave: grave.clone(), frames, events, ends }))
}

impl Chunk {
    /// Takes the frames away, and all that leads to them.
    pub(crate) fn free(&self, write: &WriteTransaction) -> Result<(), LogError> {
        let number = self.grave.number;
        let mut frames = write.open_table(FRAMES).map_err(engine)?;
        let mut index = write.open_table(INDEX).map_err(engine)?;
        for (first, frame) in &self.frames {
            frames.remove(frame).map_err(engine)?;
            index.remove(&tables::pair(number, *first)).map_err(engine)?;
        }
        let mut ids = write.open_table(IDS).map_err(engine)?;
        let mut marks = write.open_table(MARKS).map_err(engine)?;
        for (id, mark, place) in &self.events {
            ids.remove(&tables::with_number(id.to_bytes(), number)).map_err(engine)?;
            if *mark > 0 {
                marks.remove(&tables::mark_key(number, *mark, *place)).map_err(engine)?;
            }
        }
        if self.ends {
            let mut graves = write.open_table(GRAVES).map_err(engine)?;
            graves.remove(&tables::with_number(self.grave.id.to_bytes(), number)).map_err(engine)?;
            // A fork without own events is in no index, but has a frame that created it.
            frames.remove(number).map_err(engine)?;
            // The removal goes last: without it, the frames would say that the session lives.
            let removal = tables::pair(number, self.grave.head + 1);
            if let Some(value) = index.remove(&removal).map_err(engine)? {
                let frame = tables::unseal("index", &removal, value.value())?;
                frames.remove(frame).map_err(engine)?;
            }
        }
        Ok(())
    }
}
