//! A response's body, piece by piece.

use crate::proxy::failure;
use crate::scrub::{Needles, Scrubber};
use async_trait::async_trait;
use bytes::Bytes;
use handbox_hand::{HttpBody, HttpError};
use reqwest::Response;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bounded in bytes and time, and searched for secrets.
pub(crate) struct Body {
    /// `None` once it ended, well or not; that also gives the connection back.
    pub(crate) response: Option<Response>,
    pub(crate) needles: Needles,
    pub(crate) scrubber: Scrubber,
    pub(crate) deadline: Instant,
    pub(crate) idle_time_max: Duration,
    pub(crate) bytes_left: u64,
}

impl Body {
    async fn piece(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Some(response) = &mut self.response else { return Ok(None) };
        let idle = Instant::now() + self.idle_time_max;
        let Ok(came) = timeout_at(idle.min(self.deadline), response.chunk()).await else {
            let why = if idle < self.deadline { "the answer stopped" } else { "the answer did not end" };
            return Err(HttpError::TimedOut(why.to_owned()));
        };
        let Some(piece) = came.map_err(|error| failure(error, &self.needles))? else { return Ok(None) };
        let left = self.bytes_left.checked_sub(piece.len() as u64);
        self.bytes_left = left.ok_or_else(|| HttpError::Unusable("the answer is larger than it may be".to_owned()))?;
        Ok(Some(piece))
    }
}

#[async_trait]
impl HttpBody for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        while self.response.is_some() {
            let came = self.piece().await;
            if !matches!(came, Ok(Some(_))) {
                self.response = None;
            }
            let shown = match came? {
                Some(piece) => self.scrubber.push(piece),
                None => self.scrubber.finish(),
            };
            if !shown.is_empty() {
                return Ok(Some(shown));
            }
        }
        Ok(None)
    }
}
