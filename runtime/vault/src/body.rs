//! A response's body, piece by piece.

use crate::decode::Decoder;
use crate::proxy::failure;
use crate::scrub::{Needles, Scrubber};
use async_trait::async_trait;
use bytes::Bytes;
use handbox_hand::{HttpBody, HttpError};
use reqwest::Response;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bounded in bytes and time, decoded, and searched for secrets.
pub(crate) struct Body {
    /// `None` once it ended, well or not; that also gives the connection back.
    pub(crate) response: Option<Response>,
    /// If it is encoded.
    pub(crate) decoder: Option<Decoder>,
    pub(crate) needles: Needles,
    pub(crate) scrubber: Scrubber,
    pub(crate) deadline: Instant,
    pub(crate) idle_time_max: Duration,
    pub(crate) bytes_left: u64,
    pub(crate) decoded_bytes_left: u64,
}

impl Body {
    /// How many secrets were taken out of it so far.
    pub(crate) fn found(&self) -> u64 {
        self.scrubber.found()
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Some(response) = &mut self.response else { return Ok(None) };
        let idle = Instant::now() + self.idle_time_max;
        let Ok(came) = timeout_at(idle.min(self.deadline), response.chunk()).await else {
            let why = if idle < self.deadline { "the answer stopped" } else { "the answer did not end" };
            return Err(HttpError::TimedOut(why.to_owned()));
        };
        let Some(piece) = came.map_err(|error| failure(error, &self.needles))? else { return Ok(None) };
        self.bytes_left = left(self.bytes_left, &piece)?;
        Ok(Some(piece))
    }

    /// What of it may be shown; `None` at the end.
    async fn shown(&mut self) -> Result<Option<Bytes>, HttpError> {
        if let Some(decoder) = &mut self.decoder
            && let Some(decoded) = decoder.next()?
        {
            self.decoded_bytes_left = left(self.decoded_bytes_left, &decoded)?;
            return Ok(Some(self.scrubber.push(decoded)));
        }
        match (self.piece().await?, &mut self.decoder) {
            (Some(piece), None) => Ok(Some(self.scrubber.push(piece))),
            (Some(piece), Some(decoder)) => {
                decoder.push(piece);
                Ok(Some(Bytes::new()))
            }
            (None, _) => Ok(None),
        }
    }

    /// What was held back until the end.
    fn rest(&mut self) -> Result<Bytes, HttpError> {
        let Some(decoder) = &mut self.decoder else { return Ok(self.scrubber.finish()) };
        let last = decoder.finish()?;
        left(self.decoded_bytes_left, &last)?;
        let mut shown = Vec::from(self.scrubber.push(last));
        shown.extend_from_slice(&self.scrubber.finish());
        Ok(shown.into())
    }
}

/// What is left of a limit after a piece.
fn left(bytes: u64, piece: &Bytes) -> Result<u64, HttpError> {
    let left = bytes.checked_sub(piece.len() as u64);
    left.ok_or_else(|| HttpError::Unusable("the answer is larger than it may be".to_owned()))
}

#[async_trait]
impl HttpBody for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        while self.response.is_some() {
            let came = self.shown().await;
            if !matches!(came, Ok(Some(_))) {
                self.response = None;
            }
            let shown = match came? {
                Some(shown) => shown,
                None => self.rest()?,
            };
            if !shown.is_empty() {
                return Ok(Some(shown));
            }
        }
        Ok(None)
    }
}
