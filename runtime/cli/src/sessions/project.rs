//! Events in the order in which they were processed, page by page.

use handbox_session::fold::{Entrance, Own, Projector, Shown, as_queued, fold_to};
use handbox_session::{Entry, Kind, LogError, Order, Record, Seq, SessionId, SessionLog, Slice, kinds};

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Of these types; all if empty.
    pub(super) kinds: Vec<Kind>,
    /// Handbox's own, too. One whose type is named is wanted anyway.
    pub(super) own: bool,
}

impl Wanted {
    pub(super) fn admits(&self, kind: &str) -> bool {
        match self.kinds.is_empty() {
            true => self.own || !kind.starts_with("handbox."),
            false => self.kinds.iter().any(|wanted| wanted.as_str() == kind),
        }
    }

    /// The types to be read: with them, when input was taken.
    fn to_read(&self) -> Vec<Kind> {
        let mut read = self.kinds.clone();
        if !read.is_empty() && !read.contains(&kinds::HANDBOX_INPUT_TAKEN) {
            read.push(kinds::HANDBOX_INPUT_TAKEN);
        }
        read
    }
}

/// Where the last `count` wanted events begin; `None` if there are no more than that.
pub(super) async fn last(
    log: &dyn SessionLog,
    session: SessionId,
    within: (Seq, Seq),
    wanted: &Wanted,
    count: u64,
) -> Result<Option<Seq>, LogError> {
    let mut left = count;
    let mut slice = Slice {
        from: Some(within.0),
        to: Some(within.1),
        order: Order::NewestFirst,
        // Those that are not wanted are few; what is read too much is one page.
        limit: usize::try_from(count.saturating_mul(2)).ok(),
        kinds: wanted.kinds.clone(),
        ..Slice::default()
    };
    loop {
        let page = log.read(session, slice.clone()).await?;
        for entry in &page.entries {
            if wanted.admits(entry.event.kind().as_str()) {
                left -= 1;
            }
            if left == 0 {
                return Ok(Some(entry.seq));
            }
        }
        match page.next {
            Some(next) => slice.to = Some(next),
            None => return Ok(None),
        }
    }
}

/// Queued input that lies no further apart is read at once, with what is between.
const GAP_MAX: u64 = 64;

/// Puts events into the order in which they were processed, and keeps what is still queued.
#[derive(Debug)]
pub(super) struct Projection(Projector);

impl Projection {
    pub(super) fn new() -> Self {
        Self(Projector::new(Own::Shown))
    }

    /// Takes the next entries, and gives those that are processed now.
    fn take(&mut self, entries: &[Entry]) -> Vec<Shown> {
        entries.iter().flat_map(|entry| self.0.take(entry)).collect()
    }

    /// Adds the input that is queued at the end of a session, so that its processing is seen from there on.
    pub(super) async fn remember(&mut self, log: &dyn SessionLog, record: &Record) -> Result<(), LogError> {
        let queue = fold_to(log, record, None).await?.queue;
        let missing: Vec<Seq> = queue.iter().map(|queued| queued.place).filter(|place| !self.0.holds(*place)).collect();
        for run in missing.chunk_by(|one, next| next.get() - one.get() <= GAP_MAX) {
            let mut next = run.first().copied();
            while let Some(at) = next {
                let page = log.read(record.id, Slice { to: run.last().copied(), ..Slice::from(at) }).await?;
                next = page.next;
                for entry in page.entries.into_iter().filter(|entry| run.binary_search(&entry.seq).is_ok()) {
                    self.0.queue(entry);
                }
            }
        }
        Ok(())
    }

    /// Takes an entry that just came. Input is given twice, as by Managed Agents: when it comes, and when it is processed.
    pub(super) fn follow(&mut self, entry: &Entry) -> Vec<Shown> {
        let shown = self.0.take(entry);
        if Entrance::of(entry.event.kind()) == Entrance::Queue { vec![as_queued(entry)] } else { shown }
    }

    /// Gives the events at the places of a slice, each once.
    pub(super) async fn read(
        &mut self,
        log: &dyn SessionLog,
        session: SessionId,
        (from, to, head): (Seq, Seq, Seq),
        wanted: &Wanted,
        mut show: impl FnMut(&Shown) -> bool,
    ) -> Result<(), LogError> {
        let mut next = (from <= to).then_some(from);
        while let Some(at) = next {
            let slice = Slice { to: Some(to), kinds: wanted.to_read(), ..Slice::from(at) };
            let page = log.read(session, slice).await?;
            next = page.next;
            if !self.take(&page.entries).iter().all(&mut show) {
                return Ok(());
            }
        }
        // Input of the slice may have been processed after it.
        let mut next = (to < head).then(|| to.plus(1));
        while let Some(at) = next.filter(|_| !self.0.is_idle()) {
            let slice = Slice { to: Some(head), kinds: vec![kinds::HANDBOX_INPUT_TAKEN], ..Slice::from(at) };
            let page = log.read(session, slice).await?;
            next = page.next;
            if !self.take(&page.entries).iter().filter(|shown| shown.place <= to).all(&mut show) {
                return Ok(());
            }
        }
        self.0.waiting().all(|shown| show(&shown));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_session::{Event, EventId};
    use std::time::{Duration, Instant};

    #[test]
    fn much_that_is_queued_is_read_page_by_page_without_being_read_again() {
        let event = |place: u64| {
            Event::new(EventId::from(u128::from(place)), kinds::USER_MESSAGE, serde_json::Map::new()).unwrap()
        };
        let entries = (1..=200_000).map(|place| Entry { seq: Seq::new(place).unwrap(), event: event(place) });
        let entries: Vec<Entry> = entries.collect();
        let mut projection = Projection::new();
        let started = Instant::now();
        for page in entries.chunks(4096) {
            assert!(projection.take(page).is_empty());
        }
        assert_eq!(projection.0.waiting().count(), entries.len());
        // Well below a second; it took minutes when each page was sorted with all before.
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    }
}
