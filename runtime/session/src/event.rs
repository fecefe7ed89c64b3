//! One entry of a log.

use crate::{EventId, canonical, strict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The most bytes of one event's JSON. What is larger goes to [`Blobs`](crate::Blobs), and the event names its digest.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// How deep the objects and arrays of an event may be nested, the event itself included: what is stored must be readable,
/// and serde_json reads no deeper than 128.
const NESTING_MAX: usize = 100;
/// The most bytes of an event's type.
const KIND_BYTES_MAX: usize = 64;

/// What sort of event it is: `user.message`, `handbox.checkpoint`, …
///
/// Any lower-case dotted name is taken, so that a log written by a newer Handbox stays readable.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// A kind whose name is known to be well-formed; see [`kinds`](crate::kinds).
    pub(crate) const fn known(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind of any name.
    ///
    /// # Errors
    ///
    /// Names other than words of `a–z`, `0–9` and `_` joined by dots, and of more than 64 bytes.
    pub fn new(name: &str) -> Result<Self, EventError> {
        let word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if name.len() > KIND_BYTES_MAX || !name.split('.').all(word) {
            return Err(EventError::Kind(name.escape_debug().take(KIND_BYTES_MAX).collect()));
        }
        Ok(Self(Cow::Owned(name.to_owned())))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of Handbox's own, which clients see only if they ask for them.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.starts_with("handbox.")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One event: an object with `id` and `type`, held as the canonical bytes that are stored, hashed and exported.
///
/// Canonical means: no white space, members sorted by the bytes of their names, strings with the shortest escapes,
/// numbers as serde_json writes them. There is never a `processed_at`: when input was taken is an event of its
/// own (`handbox.input_taken`), and readers derive the time from that.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    id: EventId,
    kind: Kind,
    json: Arc<str>,
}

/// Why something is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It is not a JSON object with an `id` and a `type`.
    #[error("an event is a JSON object with `id` and `type`: {0}")]
    Shape(String),
    /// Its type has characters that no type has.
    #[error("`{0}` is no type of event; types are words of a–z, 0–9 and _ joined by dots, of at most 64 bytes")]
    Kind(String),
    /// It has a member that the log itself gives.
    #[error("an event that is stored has no `{0}`")]
    Reserved(&'static str),
    /// It was written in another than the canonical form.
    #[error("the event is not in canonical form")]
    NotCanonical,
    /// Its objects and arrays lie too deep in each other.
    #[error("the event is nested deeper than {NESTING_MAX} objects and arrays")]
    TooDeep,
    /// It is too large.
    #[error("an event of {0} bytes; the most is {EVENT_BYTES_MAX}, larger content goes to a blob")]
    TooLarge(usize),
}

impl Event {
    /// From its id, its type and its other members.
    ///
    /// # Errors
    ///
    /// Members called `id`, `type` or `processed_at`, more than [`EVENT_BYTES_MAX`], and more than 100 objects and arrays
    /// nested in each other.
    pub fn new(id: EventId, kind: Kind, members: Map<String, Value>) -> Result<Self, EventError> {
        for reserved in ["id", "type", "processed_at"] {
            if members.contains_key(reserved) {
                return Err(EventError::Reserved(reserved));
            }
        }
        let mut whole = members;
        whole.insert("id".to_owned(), id.to_string().into());
        whole.insert("type".to_owned(), kind.as_str().into());
        let whole = Value::Object(whole);
        if !canonical::is_within(&whole, NESTING_MAX) {
            return Err(EventError::TooDeep);
        }
        let json = canonical::to_string(&whole);
        if json.len() > EVENT_BYTES_MAX {
            return Err(EventError::TooLarge(json.len()));
        }
        Ok(Self { id, kind, json: json.into() })
    }

    /// From JSON in whatever form.
    ///
    /// # Errors
    ///
    /// What is no event, see [`EventError`].
    pub fn from_json(json: &str) -> Result<Self, EventError> {
        if json.len() > 2 * EVENT_BYTES_MAX {
            return Err(EventError::TooLarge(json.len()));
        }
        let Value::Object(mut members) = strict::from_str(json).map_err(EventError::Shape)? else {
            return Err(EventError::Shape("it is not an object".to_owned()));
        };
        let mut text = |name: &str| match members.shift_remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(EventError::Shape(format!("`{name}` is not a string"))),
            None => Err(EventError::Shape(format!("there is no `{name}`"))),
        };
        let id = text("id")?.parse().map_err(|error: crate::IdError| EventError::Shape(error.to_string()))?;
        let kind = Kind::new(&text("type")?)?;
        Self::new(id, kind, members)
    }

    /// From bytes as they were stored or exported.
    ///
    /// # Errors
    ///
    /// As [`Self::from_json`], and bytes that differ from the canonical form of what they say.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, EventError> {
        let json = std::str::from_utf8(bytes).map_err(|error| EventError::Shape(error.to_string()))?;
        let event = Self::from_json(json)?;
        if event.json() == json { Ok(event) } else { Err(EventError::NotCanonical) }
    }

    /// An event that was stored with its id and type, for a store that knows by a seal that these are the bytes it was
    /// given. They are not looked at again, because parsing each event would be most of the cost of reading.
    #[must_use]
    pub fn sealed(id: EventId, kind: Kind, json: &str) -> Self {
        Self { id, kind, json: json.into() }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.id
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The canonical text, which is what is stored.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Parsed, with all its members.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        // It was written by `canonical`, so it parses; should it not, an event without members is what can be said.
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.json)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}
