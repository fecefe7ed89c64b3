//! Server-sent events, as the HTML standard reads them.

use handbox_hand::{HttpBody, HttpError};
use std::collections::VecDeque;

/// The most bytes of one event. The largest that providers send hold a whole search result, below 1 MiB.
pub const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// Its type; `message` if it names none.
    pub event: String,
    /// Its data lines, joined by line feeds.
    pub data: String,
}

/// Why there are no more events. Nothing can be read after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// One event is too large.
    #[error("an event of more than {EVENT_BYTES_MAX} bytes")]
    TooLarge,
    /// A line is not UTF-8.
    #[error("an event that is not UTF-8")]
    NotText,
    /// The body did not come whole.
    #[error("{0}")]
    Http(HttpError),
}

/// Reads events out of bytes, wherever these are cut. Holds at most one event that is not whole.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    event: String,
    /// `None`: no data line yet.
    data: Option<String>,
    /// Whether the last byte was a carriage return, so that a line feed now ends nothing.
    after_cr: bool,
    /// Whether the first line, which may begin with a byte order mark, is behind us.
    begun: bool,
}

impl SseParser {
    /// Reads on; whole events are added to `out`.
    ///
    /// # Errors
    ///
    /// [`SseError::TooLarge`] and [`SseError::NotText`].
    pub fn push(&mut self, mut piece: &[u8], out: &mut VecDeque<SseEvent>) -> Result<(), SseError> {
        while let Some(first) = piece.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let text = &piece[..end.unwrap_or(piece.len())];
            if self.line.len() + text.len() + self.data.as_ref().map_or(0, String::len) > EVENT_BYTES_MAX {
                return Err(SseError::TooLarge);
            }
            self.line.extend_from_slice(text);
            let Some(end) = end else { break };
            self.after_cr = piece[end] == b'\r';
            piece = &piece[end + 1..];
            out.extend(self.end_line()?);
        }
        Ok(())
    }

    /// The event that was not followed by a blank line, as some servers end a stream.
    ///
    /// # Errors
    ///
    /// [`SseError::NotText`].
    pub fn finish(&mut self) -> Result<Option<SseEvent>, SseError> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        Ok(self.dispatch())
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>, SseError> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| SseError::NotText)?;
        let line = if std::mem::replace(&mut self.begun, true) { line } else { line.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("event", _) => value.clone_into(&mut self.event),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", none) => *none = Some(value.to_owned()),
            // Comments have an empty name; `id` and `retry` are for clients that connect again.
            _ => {}
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        let event = if event.is_empty() { "message".to_owned() } else { event };
        self.data.take().map(|data| SseEvent { event, data })
    }
}

/// The events of a body.
pub struct SseStream {
    body: Box<dyn HttpBody>,
    parser: SseParser,
    ready: VecDeque<SseEvent>,
    ended: bool,
}

impl SseStream {
    /// Reads a body from its beginning.
    #[must_use]
    pub fn new(body: Box<dyn HttpBody>) -> Self {
        Self { body, parser: SseParser::default(), ready: VecDeque::new(), ended: false }
    }

    /// The next event; `None` at the body's end.
    ///
    /// # Errors
    ///
    /// [`SseError`]; events that were whole before it have been given.
    pub async fn next(&mut self) -> Result<Option<SseEvent>, SseError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.next().await.map_err(SseError::Http)? {
                Some(piece) => self.parser.push(&piece, &mut self.ready)?,
                None => {
                    self.ended = true;
                    self.ready.extend(self.parser.finish()?);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<(String, String)>, SseError> {
        let (mut parser, mut out) = (SseParser::default(), VecDeque::new());
        for piece in pieces {
            parser.push(piece, &mut out)?;
        }
        out.extend(parser.finish()?);
        Ok(out.into_iter().map(|event| (event.event, event.data)).collect())
    }

    fn pair(event: &str, data: &str) -> (String, String) {
        (event.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_cut() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: é€😀\r\n\r\nid: 7\ndata:x\ndata:  y\n\rdata\r\revent: none\n\ndata: last";
        let wanted = vec![pair("a", "é€😀"), pair("message", "x\n y"), pair("message", ""), pair("message", "last")];
        let bytes = text.as_bytes();
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&pieces), Ok(wanted.clone()), "{first} {second}");
            }
        }
    }

    #[test]
    fn a_huge_event_is_refused_in_one_line_and_in_many() {
        let piece = vec![b'x'; 1024 * 1024];
        let line = vec![piece.as_slice(); 9];
        assert_eq!(read(&line), Err(SseError::TooLarge));
        let lines: Vec<&[u8]> = (0..9).flat_map(|_| [b"data: ".as_slice(), &piece, b"\n"]).collect();
        assert_eq!(read(&lines), Err(SseError::TooLarge));
        let events: Vec<&[u8]> = (0..9).flat_map(|_| [b"data: ".as_slice(), &piece, b"\n\n"]).collect();
        assert_eq!(read(&events).map(|events| events.len()), Ok(9));
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert_eq!(read(&[b"data: \xff\xfe\n\n"]), Err(SseError::NotText));
    }
}
