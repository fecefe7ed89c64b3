//! Following a session: a hint that there is more, then a read. A slow follower holds nothing up.

use crate::error::guard;
use crate::inner::{Inner, Locked};
use crate::read;
use async_trait::async_trait;
use handbox_session::{Entry, Followed, LogError, Preview, Seq, SessionId, Slice, Tail};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::watch;

/// How many events a follower reads ahead.
const AHEAD_MAX: usize = 64;

/// What there is to hear of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Appended,
    Removed,
    Closed,
}

#[derive(Debug)]
struct Channel {
    news: watch::Sender<News>,
    /// With the head at which it was shown, so that it is not shown after what it was a part of.
    previews: broadcast::Sender<(Seq, Preview)>,
}

/// The channels of the sessions that somebody follows.
#[derive(Debug)]
pub(crate) struct Followers {
    channels: Mutex<HashMap<SessionId, Weak<Channel>>>,
    previews_max: usize,
}

impl Followers {
    pub(crate) fn new(previews_max: usize) -> Self {
        Self { channels: Mutex::default(), previews_max: previews_max.max(1) }
    }

    fn channel(&self, session: SessionId) -> Arc<Channel> {
        let mut channels = self.channels.locked();
        if let Some(channel) = channels.get(&session).and_then(Weak::upgrade) {
            return channel;
        }
        channels.retain(|_, channel| channel.strong_count() > 0);
        let news = watch::Sender::new(News::Appended);
        let channel = Arc::new(Channel { news, previews: broadcast::Sender::new(self.previews_max) });
        channels.insert(session, Arc::downgrade(&channel));
        channel
    }

    fn existing(&self, session: SessionId) -> Option<Arc<Channel>> {
        self.channels.locked().get(&session).and_then(Weak::upgrade)
    }

    pub(crate) fn appended(&self, session: SessionId) {
        if let Some(channel) = self.existing(session) {
            channel.news.send_replace(News::Appended);
        }
    }

    pub(crate) fn removed(&self, session: SessionId) {
        let channel = self.channels.locked().remove(&session).and_then(|channel| channel.upgrade());
        if let Some(channel) = channel {
            channel.news.send_replace(News::Removed);
        }
    }

    /// Nothing follows any more.
    pub(crate) fn close(&self) {
        for channel in self.channels.locked().drain().filter_map(|(_, channel)| channel.upgrade()) {
            channel.news.send_replace(News::Closed);
        }
    }

    pub(crate) fn preview(&self, inner: &Inner, session: SessionId, preview: Preview) {
        if let Some(channel) = self.existing(session)
            && let Ok(known) = inner.known(session)
        {
            // Without a follower there is nobody to show it to.
            let _ = channel.previews.send((Seq::new(known.head).unwrap_or(Seq::FIRST), preview));
        }
    }
}

/// Runs a read where it disturbs no task: on a thread for what waits, if there is a runtime.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let work = move || guard(work);
    match tokio::runtime::Handle::try_current() {
        Ok(handle) => match handle.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(LogError::Unavailable(error.to_string())),
        },
        Err(_) => work(),
    }
}

#[derive(Debug)]
pub(crate) struct RedbTail {
    /// Weak, so that a follower does not keep the store open.
    inner: Weak<Inner>,
    session: SessionId,
    next: Seq,
    ready: VecDeque<Entry>,
    news: watch::Receiver<News>,
    previews: broadcast::Receiver<(Seq, Preview)>,
    /// A preview whose turn has not come.
    preview: Option<(Seq, Preview)>,
    _channel: Arc<Channel>,
}

impl RedbTail {
    pub(crate) fn new(inner: &Arc<Inner>, session: SessionId, after: Option<Seq>) -> Result<Self, LogError> {
        // Listening begins before looking, so that nothing falls in between.
        let channel = inner.followers.channel(session);
        let (news, previews) = (channel.news.subscribe(), channel.previews.subscribe());
        inner.known(session)?;
        let next = after.map_or(Seq::FIRST, |after| after.plus(1));
        let (inner, ready) = (Arc::downgrade(inner), VecDeque::new());
        Ok(Self { inner, session, next, ready, news, previews, preview: None, _channel: channel })
    }

    /// The preview whose turn it is. One that was shown before an event that is delivered already is too late.
    fn due_preview(&mut self) -> Option<Preview> {
        loop {
            if self.preview.is_none() {
                match self.previews.try_recv() {
                    Ok(preview) => self.preview = Some(preview),
                    Err(TryRecvError::Lagged(_)) => continue,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
                }
            }
            let turn = self.preview.as_ref()?.0.plus(1).cmp(&self.next);
            if turn.is_gt() {
                return None;
            }
            let (_, preview) = self.preview.take()?;
            if turn.is_eq() {
                return Some(preview);
            }
        }
    }

    fn check_news(&mut self) -> Result<(), LogError> {
        match *self.news.borrow_and_update() {
            News::Appended => Ok(()),
            News::Removed => Err(LogError::NoSession(self.session)),
            News::Closed => Err(closed()),
        }
    }

    async fn read_ahead(&mut self) -> Result<(), LogError> {
        let inner = self.inner.upgrade().ok_or_else(closed)?;
        if inner.known(self.session)?.head < self.next.get() {
            return Ok(());
        }
        let (session, next) = (self.session, self.next);
        let slice = Slice { limit: Some(AHEAD_MAX), ..Slice::from(next) };
        let page = apart(move || read::page(&inner, session, &slice)).await?;
        self.ready = page.entries.into();
        Ok(())
    }
}

fn closed() -> LogError {
    LogError::Unavailable("it was closed".to_owned())
}

#[async_trait]
impl Tail for RedbTail {
    async fn next(&mut self) -> Result<Followed, LogError> {
        loop {
            self.check_news()?;
            if let Some(preview) = self.due_preview() {
                return Ok(Followed::Preview(preview));
            }
            if self.ready.is_empty() {
                self.read_ahead().await?;
            }
            if let Some(entry) = self.ready.pop_front() {
                self.next = entry.seq.plus(1);
                return Ok(Followed::Event(entry));
            }
            // Giving up the wait for either loses nothing.
            tokio::select! {
                news = self.news.changed() => news.map_err(|_| closed())?,
                preview = self.previews.recv(), if self.preview.is_none() => match preview {
                    Ok(preview) => self.preview = Some(preview),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(closed()),
                },
            }
        }
    }
}
