//! Slices of sessions.

use crate::book::Span;
use crate::error::{engine, event, guard, store};
use crate::frame::{Broken, EVENTS_MAX, Frame};
use crate::inner::Inner;
use crate::known::{Known, Segment};
use crate::tables::{self, FRAMES, INDEX};
use handbox_session::{
    Entry, Hash, LogError, Order, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, PAGE_SCAN_MAX, Page, Seq, SessionId, Slice,
};
use redb::{AccessGuard, Range, ReadOnlyTable, ReadableTable};
use std::ops::ControlFlow;

/// How many places are looked up at first where a filter may end the search soon. It doubles from there.
const STRIDE_MIN: u64 = 128;

const CHANGED: &str = "it is not what was chained there";

/// Gives a slice of a session.
pub(crate) fn page(inner: &Inner, session: SessionId, slice: &Slice) -> Result<Page, LogError> {
    let known = inner.known(session)?;
    let result = guard(|| Pager::new(inner, &known, slice).page());
    match result {
        // A session that is removed meanwhile may lose frames under the reader.
        Err(LogError::Damaged(_)) if inner.known(session).map(|now| now.number) != Ok(known.number) => {
            Err(LogError::NoSession(session))
        }
        result => result,
    }
}

/// The hash after the event at a place.
pub(crate) fn event_at(inner: &Inner, known: &Known, place: u64) -> Result<(handbox_session::EventId, Hash), LogError> {
    let mut found = None;
    let walk = Walk { inner, known, first: place, last: place, order: Order::OldestFirst };
    let _ = walk.run(|frame, place| {
        let hash = frame.hash_at(place).map_err(|broken| event(known.id, broken.place().unwrap_or(place), CHANGED))?;
        found = frame.item(place).map(|item| (item.id, hash));
        Ok(ControlFlow::Break(()))
    })?;
    found.ok_or_else(|| event(known.id, place, "it is missing"))
}

struct Pager<'a> {
    inner: &'a Inner,
    known: &'a Known,
    slice: &'a Slice,
    first: u64,
    last: u64,
    limit: usize,
    page: Page,
    bytes: usize,
}

impl<'a> Pager<'a> {
    fn new(inner: &'a Inner, known: &'a Known, slice: &'a Slice) -> Self {
        let first = slice.from.map_or(1, Seq::get);
        let last = slice.to.map_or(known.head, Seq::get).min(known.head);
        let limit = slice.limit.unwrap_or(PAGE_EVENTS_MAX).min(PAGE_EVENTS_MAX);
        Self { inner, known, slice, first, last, limit, page: Page { entries: Vec::new(), next: None }, bytes: 0 }
    }

    fn page(mut self) -> Result<Page, LogError> {
        let filters = !self.slice.kinds.is_empty() || self.slice.thread.is_some();
        let mut left = if filters { PAGE_SCAN_MAX as u64 } else { self.limit as u64 };
        let mut stride = if filters { STRIDE_MIN } else { left };
        while self.limit > 0 && self.first <= self.last {
            if left == 0 {
                self.page.next = Seq::new(if self.newest_first() { self.last } else { self.first });
                break;
            }
            stride = stride.min(left);
            left -= stride;
            if self.window(stride)?.is_break() {
                break;
            }
            stride *= 2;
        }
        Ok(self.page)
    }

    fn newest_first(&self) -> bool {
        self.slice.order == Order::NewestFirst
    }

    /// Looks at the next `places`, and takes them off the range.
    fn window(&mut self, places: u64) -> Result<ControlFlow<()>, LogError> {
        let (first, last);
        if self.newest_first() {
            (first, last) = (self.first.max(self.last.saturating_sub(places - 1)), self.last);
            self.last = first - 1;
        } else {
            (first, last) = (self.first, self.last.min(self.first.saturating_add(places - 1)));
            self.first = last + 1;
        }
        let walk = Walk { inner: self.inner, known: self.known, first, last, order: self.slice.order };
        walk.run(|frame, place| self.look(frame, place))
    }

    fn look(&mut self, frame: &Frame<'_>, place: u64) -> Result<ControlFlow<()>, LogError> {
        let seq = Seq::new(place).unwrap_or(Seq::FIRST);
        if self.page.entries.len() == self.limit || self.bytes >= PAGE_BYTES_MAX {
            self.page.next = Some(seq);
            return Ok(ControlFlow::Break(()));
        }
        let gone = || event(self.known.id, place, "it is missing");
        let item = frame.item(place).ok_or_else(gone)?;
        if self.slice.kinds.is_empty() || self.slice.kinds.iter().any(|kind| kind.as_str() == item.kind) {
            let found = frame.event(item).ok_or_else(|| event(self.known.id, place, "it is not canonical"))?;
            if self.slice.thread.is_none() || self.slice.admits(&found) {
                self.bytes += found.json().len();
                self.page.entries.push(Entry { seq, event: found });
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The events of some places, one after the other.
struct Walk<'a> {
    inner: &'a Inner,
    known: &'a Known,
    first: u64,
    last: u64,
    order: Order,
}

/// What is done with a place and the frame that holds it.
trait Visit: FnMut(&Frame<'_>, u64) -> Result<ControlFlow<()>, LogError> {}

impl<T: FnMut(&Frame<'_>, u64) -> Result<ControlFlow<()>, LogError>> Visit for T {}

impl Walk<'_> {
    fn run(&self, mut visit: impl Visit) -> Result<ControlFlow<()>, LogError> {
        let mut segments = self.known.segments(self.first, self.last);
        if self.order == Order::NewestFirst {
            segments.reverse();
        }
        // Memory first: a frame that it forgets meanwhile is in the tables, and the transaction begins after.
        let book = self.inner.book();
        let recent: Vec<Vec<Span>> = segments.iter().map(|of| book.spans(of.number, of.first, of.last)).collect();
        drop(book);
        let read = self.inner.begin_read()?;
        let mut frames = Frames::new(read.open_table(FRAMES).map_err(engine)?);
        let index = read.open_table(INDEX).map_err(engine)?;
        for (segment, recent) in segments.iter().zip(recent) {
            let mut numbers = self.frames_of(&index, *segment, &recent)?;
            if self.order == Order::NewestFirst {
                numbers.reverse();
            }
            if self.segment(&mut frames, *segment, &numbers, &mut visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The numbers of the frames that hold a segment, in order of place.
    fn frames_of(
        &self,
        index: &impl ReadableTable<&'static [u8; 16], &'static [u8; 16]>,
        segment: Segment,
        recent: &[Span],
    ) -> Result<Vec<u64>, LogError> {
        let known_from = recent.first().map_or(u64::MAX, |span| span.first);
        let mut numbers = Vec::new();
        if segment.first < known_from {
            let (begin, first) = (tables::pair(segment.number, 0), tables::pair(segment.number, segment.first));
            let last = tables::pair(segment.number, segment.last.min(known_from - 1));
            let floor = index.range::<&[u8; 16]>(&begin..=&first).map_err(engine)?.next_back();
            let floor = floor.transpose().map_err(engine)?.map_or(first, |(key, _)| *key.value());
            for stored in index.range::<&[u8; 16]>(&floor..=&last).map_err(engine)? {
                let (key, value) = stored.map_err(engine)?;
                numbers.push(tables::unseal("index", key.value(), value.value())?);
            }
        }
        numbers.extend(recent.iter().map(|span| span.frame));
        Ok(numbers)
    }

    fn segment(
        &self,
        frames: &mut Frames,
        segment: Segment,
        numbers: &[u64],
        visit: &mut impl Visit,
    ) -> Result<ControlFlow<()>, LogError> {
        let (mut first, mut last) = (segment.first, segment.last);
        for number in numbers {
            let backwards = self.order == Order::NewestFirst;
            let expected = if backwards { last } else { first };
            let missing = || event(self.known.id, expected, format!("frame {number} does not hold it"));
            let stored = frames.get(*number)?.ok_or_else(missing)?;
            let frame = Frame::decode(*number, stored.value()).map_err(|broken| {
                // The place that the frame says it begins at may be what changed.
                let place = broken.place().filter(|place| (segment.first..=segment.last).contains(place));
                event(self.known.id, place.unwrap_or(expected), broken.what(*number))
            })?;
            let holds = frame.header.first <= expected && expected <= frame.last();
            if frame.header.number != segment.number || !holds {
                return Err(missing());
            }
            while first <= last {
                let place = if backwards { last } else { first };
                if place < frame.header.first || frame.last() < place {
                    break;
                }
                if visit(&frame, place)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                if backwards { last -= 1 } else { first += 1 }
            }
        }
        if first <= last {
            return Err(event(self.known.id, first, "no frame holds it"));
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Broken {
    fn place(&self) -> Option<u64> {
        match self {
            Self::Event(place) => Some(*place),
            Self::Whole => None,
        }
    }

    /// What is damaged, as far as a frame says that cannot be trusted: the event after a session's `head` or one soon
    /// after it, or the store.
    pub(crate) fn damage(&self, number: u64, session: SessionId, head: u64) -> LogError {
        let soon = |place: &u64| head < *place && *place - head <= EVENTS_MAX as u64;
        match self {
            Self::Event(place) if soon(place) => event(session, *place, self.what(number)),
            Self::Event(_) => event(session, head + 1, self.what(number)),
            Self::Whole => store(self.what(number)),
        }
    }

    pub(crate) fn what(&self, number: u64) -> String {
        match self {
            Self::Event(_) => format!("it is not what was written (in frame {number})"),
            Self::Whole => format!("frame {number} is not what was written"),
        }
    }
}

/// Frames by number; those that follow each other are found without a search.
struct Frames {
    table: ReadOnlyTable<u64, &'static [u8]>,
    following: Option<(u64, Range<'static, u64, &'static [u8]>)>,
    last: Option<u64>,
}

impl Frames {
    fn new(table: ReadOnlyTable<u64, &'static [u8]>) -> Self {
        Self { table, following: None, last: None }
    }

    fn get(&mut self, number: u64) -> Result<Option<AccessGuard<'_, &'static [u8]>>, LogError> {
        let follows = self.last.is_some_and(|last| last.checked_add(1) == Some(number));
        self.last = Some(number);
        if !follows {
            self.following = None;
            return self.table.get(number).map_err(engine);
        }
        if self.following.as_ref().is_none_or(|(next, _)| *next != number) {
            self.following = Some((number, self.table.range(number..).map_err(engine)?));
        }
        let Some((next, range)) = &mut self.following else { return Ok(None) };
        *next += 1;
        match range.next().transpose().map_err(engine)? {
            Some((found, frame)) if found.value() == number => Ok(Some(frame)),
            _ => Ok(None),
        }
    }
}
