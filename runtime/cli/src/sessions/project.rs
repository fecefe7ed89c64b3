//! Events in the order in which they were processed, page by page.

use handbox_session::fold::{Entrance, Own, Shown, fold_to, project};
use handbox_session::{Entry, Fold, Kind, LogError, Order, Record, Seq, SessionId, SessionLog, Slice, kinds};

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

/// Puts events into the order in which they were processed, and keeps what is still queued.
#[derive(Debug, Default)]
pub(super) struct Projection {
    queued: Vec<Entry>,
}

impl Projection {
    /// Takes the next entries, and gives those that are processed now.
    fn take(&mut self, entries: Vec<Entry>) -> Vec<Shown> {
        self.queued.extend(entries);
        let mut shown = project(&self.queued, &Fold::default(), Own::Shown);
        let waiting: Vec<Seq> =
            shown.extract_if(.., |shown| shown.processed.is_none()).map(|shown| shown.place).collect();
        self.queued.retain(|entry| waiting.contains(&entry.seq));
        shown
    }

    /// Adds the input that is queued at the end of a session, so that its processing is seen from there on.
    pub(super) async fn remember(&mut self, log: &dyn SessionLog, record: &Record) -> Result<(), LogError> {
        for queued in fold_to(log, record, None).await?.queue {
            if self.queued.iter().all(|entry| entry.seq != queued.place) {
                let slice = Slice { to: Some(queued.place), ..Slice::from(queued.place) };
                self.queued.extend(log.read(record.id, slice).await?.entries);
            }
        }
        self.queued.sort_by_key(|entry| entry.seq);
        Ok(())
    }

    /// Takes an entry that just came. Input is given twice, as by Managed Agents: when it comes, and when it is processed.
    pub(super) fn follow(&mut self, entry: Entry) -> Vec<Shown> {
        if Entrance::of(entry.event.kind()) == Entrance::Queue {
            self.queued.push(entry.clone());
            return project(&[entry], &Fold::default(), Own::Shown);
        }
        self.take(vec![entry])
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
            if !self.take(page.entries).iter().all(&mut show) {
                return Ok(());
            }
        }
        // Input of the slice may have been processed after it.
        let mut next = (to < head).then(|| to.plus(1));
        while let Some(at) = next.filter(|_| !self.queued.is_empty()) {
            let slice = Slice { to: Some(head), kinds: vec![kinds::HANDBOX_INPUT_TAKEN], ..Slice::from(at) };
            let page = log.read(session, slice).await?;
            next = page.next;
            if !self.take(page.entries).iter().filter(|shown| shown.place <= to).all(&mut show) {
                return Ok(());
            }
        }
        project(&self.queued, &Fold::default(), Own::Shown).iter().all(&mut show);
        Ok(())
    }
}
